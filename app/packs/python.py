"""What a pack runs on: a Python of this computer that is known to suit, else one that the pack
brings (python-build-standalone, pinned).

In a checkout that is the Python that runs Voxline. On Linux the system has one, kept up to date by
it; it lies where it always does. Elsewhere none is looked for: what is called python3 there may
be a door to a shop (Windows) or to a developer's tools (macOS), and opens it when it is started.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from app import frozen
from app.packs import told
from model_backends import on_disk

_ASK_S = 30.0  # a Python that has not answered by then will not do
# whole: some systems leave out what is imported here, and bring it in packages of its own
_QUESTION = """
import asyncio, bz2, ctypes, json, lzma, multiprocessing, platform, sqlite3, ssl, struct, sys, venv
libc = platform.libc_ver()
print(json.dumps({
    "name": platform.python_implementation(), "version": "%d.%d" % sys.version_info[:2],
    "bits": 8 * struct.calcsize("P"), "libc": libc[1] if libc[0] == "glibc" else "",
    "free": bool(getattr(sys, "_is_gil_enabled", lambda: True)()) is False,
    "executable": getattr(sys, "_base_executable", sys.executable),
}))
"""
_OLDEST_GLIBC = (2, 28)  # what the pinned wheels were built for


@dataclass(frozen=True, slots=True)
class Here:
    """A Python of this computer that a pack can run on."""

    executable: Path
    version: str  # 3.12


def this_system() -> str:
    """As the pins call it, whether they know it or not."""
    names = {"linux": "linux", "win32": "windows", "darwin": "macos"}
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    libc = "" if sys.platform != "linux" or platform.libc_ver()[0] == "glibc" else "-musl"
    return f"{names.get(sys.platform, sys.platform)}-{machine}{libc}"


def find(versions: Collection[str]) -> Here | None:
    """One that is here already, of one of these versions. Starts programs: not for a window."""
    for path in _candidates(versions):
        found, _ = _ask(path)
        if found is not None and found.version in versions:
            return found
    return None


def named(path: Path, versions: Collection[str]) -> Here:
    """The one that the user has named. Raises DownloadError saying why it will not do."""
    found, why = _ask(path)
    if found is None:
        raise told.no_python(why)
    if found.version not in versions:
        raise told.no_python(f"{found.version}")
    return found


def make_environment(env: Path, here: Here) -> Path:
    """A virtual environment (PEP 405) on a Python of this computer; its interpreter. Nothing in it
    names its own place, so that it can be renamed."""
    interpreter = env / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    (env / "lib" / f"python{here.version}" / "site-packages").mkdir(parents=True)
    lines = (
        f"home = {here.executable.parent}",
        "include-system-site-packages = false",
        f"version = {here.version}",
        f"executable = {here.executable}",
    )
    (env / "pyvenv.cfg").write_text("\n".join(lines) + "\n", "utf-8")
    interpreter.symlink_to(here.executable)
    return interpreter


def brought(env: Path) -> Path:
    """The interpreter of a Python that was unpacked."""
    for place in (env / "bin" / "python3", env / "python.exe"):
        if place.is_file():
            return place
    raise told.broken_archive("python")


def _candidates(versions: Collection[str]) -> Iterator[Path]:
    if not frozen.is_frozen():
        yield Path(getattr(sys, "_base_executable", sys.executable))
    if sys.platform == "linux":
        yield from (Path("/usr/bin", f"python{version}") for version in sorted(versions))


def _ask(path: Path) -> tuple[Here | None, str]:
    """What a Python says of itself, or why it is of no use."""
    if not on_disk.is_file(path):
        return None, f"{path} is not there"
    try:
        with frozen.outside_program():
            done = subprocess.run(
                [str(path), "-I", "-c", _QUESTION],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=_ASK_S,
                env=frozen.environment(),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        said = json.loads(done.stdout or b"{}")
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        return None, str(error)
    if done.returncode != 0 or not said:
        return None, (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["?"])[-1]
    return _judged(said)


def _judged(said: dict[str, object]) -> tuple[Here | None, str]:
    if said["name"] != "CPython" or said["bits"] != 64 or said["free"]:
        return None, f"{said['name']}, {said['bits']} bit"
    if sys.platform == "linux":
        libc = tuple(int(part) for part in str(said["libc"]).split(".") if part.isdigit())
        if libc < _OLDEST_GLIBC:
            return None, f"glibc {said['libc'] or '?'}"
    return Here(Path(str(said["executable"])), str(said["version"])), ""

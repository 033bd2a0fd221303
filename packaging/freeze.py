"""Makes the frozen app: runs PyInstaller, adds the notices, gives every file the build's time.

The folder it returns is what every installer packs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import icons
import notices
from product import COMMAND, ROOT, Product

BUILD = ROOT / "build"
SCRATCH = BUILD / "frozen-parts"
# how a program begins: on Linux, a script, on macOS for one or for both processors
_PROGRAMS = (b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


class BuildProblem(Exception):  # noqa: N818 - what stands in the way, as a sentence
    """Something cannot be built here; the text says why and what would help."""


def frozen_app(what: Product) -> Path:
    """Freeze the checkout; returns the folder (on macOS the .app). Raises BuildProblem."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    icons.write_all(SCRATCH / "icons")
    if sys.platform == "win32":
        import for_windows

        for_windows.write_version_information(SCRATCH / "version_info.txt", what)
    _run_pyinstaller(what)
    made = existing()
    if made is None:
        raise BuildProblem("PyInstaller has left no app behind.")
    texts = made / "Contents" / "Resources" if made.suffix == ".app" else inside(made)
    notices.write(inside(made), texts, what)
    set_times(made, what.epoch)
    return made


def existing() -> Path | None:
    """What was frozen before; None if nothing was."""
    name = "Voxline.app" if sys.platform == "darwin" else COMMAND
    made = BUILD / "frozen" / name
    return made if made.is_dir() else None


def inside(made: Path) -> Path:
    """The folder with libraries and data."""
    return made / "Contents" / "Frameworks" if made.suffix == ".app" else made / "_internal"


def _run_pyinstaller(what: Product) -> None:
    command = [
        *(sys.executable, "-m", "PyInstaller", str(ROOT / "packaging" / "voxline.spec")),
        *("--distpath", str(BUILD / "frozen"), "--workpath", str(BUILD / "pyinstaller")),
        *("--noconfirm", "--clean", "--log-level", "WARN"),
    ]
    same = {"SOURCE_DATE_EPOCH": str(what.epoch), "PYTHONHASHSEED": "0"}
    same["VOXLINE_SCRATCH"] = str(SCRATCH)
    # The code lies in the executable as it is: nothing to unpack at each start, and installers
    # pack it better than PyInstaller does.
    same["PYINSTALLER_ZLIB_COMPRESSION_LEVEL"] = "0"
    done = subprocess.run(command, cwd=ROOT, env=os.environ | same)
    if done.returncode != 0:
        raise BuildProblem("PyInstaller failed; what it said is above.")


def set_times(folder: Path, epoch: int) -> None:
    """Every file and folder was changed when the build was: archives then hold the same bytes."""
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (epoch, epoch), follow_symlinks=not path.is_symlink())
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or _is_program(path) else 0o644)


def _is_program(path: Path) -> bool:
    """Something to be started, not a library or data that was marked so by its maker."""
    if not os.access(path, os.X_OK) or ".so" in path.name:
        return False
    with path.open("rb") as file:
        return file.read(4).startswith(_PROGRAMS)

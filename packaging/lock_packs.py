"""Pins the acceleration packs: makes resources/packs.toml, with `uv` on the PATH and a network.

    python packaging/lock_packs.py

What a pack holds stands in pyproject.toml (the groups `pack-torch` and `pack-mlx`); its versions
keep to app.txt's. For each system and each Python that a pack may run on, the file names every
wheel with its size, its sha256 and what it takes once it is unpacked. It names no index: where
wheels come from is pip's configuration (`app/packs/sources.py`).

Wheels of PyTorch's own index, and the Pythons, are pinned below by hand, from what their makers
publish: that index tells no sizes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging import tags
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "resources" / "packs.toml"
INDEX = os.environ.get("UV_DEFAULT_INDEX", "https://pypi.org/simple").rstrip("/")
GROUPS = {"cpu": "pack-torch", "cuda": "pack-torch", "mlx": "pack-mlx"}
_TRIPLES = {
    "linux-x86_64": "x86_64-manylinux_2_28",
    "windows-x86_64": "x86_64-pc-windows-msvc",
    "macos-arm64": "aarch64-apple-darwin",
}
# Pythons that a Linux may have, and the one that a pack brings where there is none
_BUILDS = (
    *(("cpu", "linux-x86_64", python) for python in ("3.11", "3.12", "3.13")),
    *(("cuda", "linux-x86_64", python) for python in ("3.11", "3.12", "3.13")),
    ("cpu", "windows-x86_64", "3.12"),
    ("cuda", "windows-x86_64", "3.12"),
    ("mlx", "macos-arm64", "3.12"),
)
_GPU_ONLY = re.compile(r"(nvidia|cuda)[-_]|triton")  # what PyTorch's CPU build does not ask for
# python-build-standalone, `install_only_stripped`: CPython for Linux, Windows and macOS that needs
# nothing of the system; its files say under which licences they are
PYTHON, RELEASE = "3.12.15", "20261021"
_PYTHONS = {
    "linux-x86_64": (
        "x86_64-unknown-linux-gnu",
        "6d7521138fd33afddc1ccd08abb007d9a2829e38117c2576f9efdc0ec73ce772",
    ),
    "windows-x86_64": (
        "x86_64-pc-windows-msvc",
        "aac5d331fc3307343f95928fdbea4583f0d53973d08c7e1d081884fbd229a0e1",
    ),
    "macos-arm64": (
        "aarch64-apple-darwin",
        "7b8d00b751db21cea87dc551a8f8165147c5fbc5251d5537d7e5497dde00a219",
    ),
}


@dataclass(frozen=True)
class Wheel:
    """One file. Sizes in bytes."""

    file: str
    bytes: int
    sha256: str
    unpacked: int


# by hand: PyTorch's own builds, from download.pytorch.org/whl/cpu and …/cu130
_OWN = {
    ("cpu", "linux-x86_64", "3.11"): Wheel(
        "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl",
        191_794_682, "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",
        699_298_109,
    ),
    ("cpu", "linux-x86_64", "3.12"): Wheel(
        "torch-2.13.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl",
        191_817_609, "4ca4a9394b0c771238a4f73590fdbbc4debad85ed0fa63d026ae1b085da7d6e2",
        699_298_109,
    ),
    ("cpu", "linux-x86_64", "3.13"): Wheel(
        "torch-2.13.0+cpu-cp313-cp313-manylinux_2_28_x86_64.whl",
        191_815_667, "3fbf9c9d1f3c10c2d59d04aca426dee9ccc6ceb32d255c61e93acc3b4f75fae6",
        699_298_109,
    ),
    ("cuda", "windows-x86_64", "3.12"): Wheel(
        "torch-2.13.0+cu130-cp312-cp312-win_amd64.whl",
        1_915_519_202, "2efab1e83604ca628c6d85b9e188c153690980498d1297081a9dad704919303c",
        4_000_000_000,
    ),
}  # fmt: skip


def wanted(group: str, project: dict[str, Any]) -> list[str]:
    """The requirements of a dependency group, with those of the groups that it includes."""
    found: list[str] = []
    for each in project["dependency-groups"][group]:
        if isinstance(each, str):
            found.append(each)
        else:
            found += wanted(each["include-group"], project)
    return found


def digest() -> str:
    """The first line of the file: which lists, versions and builds it was made from."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lists = {name: sorted(wanted(name, project)) for name in sorted(set(GROUPS.values()))}
    made_of = repr((lists, _BUILDS, _OWN, _PYTHONS, PYTHON, RELEASE))
    key = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    return f"# made by packaging/lock_packs.py from pyproject.toml and itself, {key}"


def resolved(group: str, system: str, python: str) -> list[tuple[str, str]]:
    """(name, version) of everything that a group asks for on a system."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    command = [
        *("uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-emit-index-url"),
        *("--python-platform", _TRIPLES[system], "--python-version", python),
        *("--constraint", str(ROOT / "packaging" / "requirements" / "app.txt"), "-"),
    ]
    text = "\n".join(wanted(group, project))
    variables = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}  # the oldest that Voxline runs on
    done = subprocess.run(
        command, input=text, stdout=subprocess.PIPE, text=True, check=True, env=variables
    )
    pairs = (line.partition("==") for line in done.stdout.split())
    return [(name.partition("[")[0], version) for name, equal, version in pairs if equal]


def fitting(system: str, python: str) -> list[tags.Tag]:
    """The tags of wheels that a system's Python takes, the best first."""
    version = tuple(int(part) for part in python.split("."))
    name = "cp" + python.replace(".", "")
    platforms = list(_platforms(system))
    return [
        *tags.cpython_tags(version, [name], platforms),
        *tags.compatible_tags(version, name, platforms),
    ]


def _platforms(system: str) -> Iterator[str]:
    if system == "macos-arm64":
        yield from tags.mac_platforms((14, 0), "arm64")
    elif system == "windows-x86_64":
        yield "win_amd64"
    else:
        old = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
        for minor in range(28, 4, -1):
            yield f"manylinux_2_{minor}_x86_64"
            if minor in old:
                yield f"{old[minor]}_x86_64"


def wheel(name: str, version: str, wanted_tags: Sequence[tags.Tag]) -> Wheel:
    """The best wheel of a release. Raises LookupError if none fits."""
    best: tuple[int, dict[str, Any]] | None = None
    for file in _files(name):
        if not file["filename"].endswith(".whl") or file.get("yanked"):
            continue
        _, its_version, _, its_tags = parse_wheel_filename(file["filename"])
        ranks = [wanted_tags.index(tag) for tag in its_tags if tag in wanted_tags]
        if str(its_version) == version and ranks and (best is None or min(ranks) < best[0]):
            best = (min(ranks), file)
    if best is None:
        raise LookupError(f"no wheel of {name} {version} fits")
    found = best[1]
    return Wheel(
        found["filename"], found["size"], found["hashes"]["sha256"], _unpacked(found["url"])
    )


_asked: dict[str, list[dict[str, Any]]] = {}
_sizes: dict[str, int] = {}


def _files(name: str) -> list[dict[str, Any]]:
    if name not in _asked:
        headers = {"Accept": "application/vnd.pypi.simple.v1+json"}
        request = urllib.request.Request(f"{INDEX}/{name}/", headers=headers)
        with urllib.request.urlopen(request) as answer:
            _asked[name] = json.load(answer)["files"]
    return _asked[name]


class _Remote(io.RawIOBase):
    """A file behind a URL, of which only the end is read: a wheel's list of files."""

    def __init__(self, url: str) -> None:
        self._url, self._at = url, 0
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD")) as answer:
            self._bytes = int(answer.headers["Content-Length"])

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._bytes)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        last = min(self._at + len(buffer), self._bytes) - 1
        if last < self._at:
            return 0
        headers = {"Range": f"bytes={self._at}-{last}"}
        with urllib.request.urlopen(urllib.request.Request(self._url, headers=headers)) as answer:
            came = answer.read()
        buffer[: len(came)] = came
        self._at += len(came)
        return len(came)


def _unpacked(url: str) -> int:
    """What the files of a wheel take, in bytes."""
    if url not in _sizes:
        with zipfile.ZipFile(io.BufferedReader(_Remote(url), 1 << 16)) as archive:
            _sizes[url] = sum(each.file_size for each in archive.infolist())
    return _sizes[url]


def build(pack: str, system: str, python: str) -> list[Wheel]:
    """Every wheel of a pack on a system, for a Python."""
    own = _OWN.get((pack, system, python))
    fits = fitting(system, python)
    wheels = []
    for name, version in resolved(GROUPS[pack], system, python):
        if pack == "cpu" and _GPU_ONLY.match(name):
            continue
        is_own = own is not None and name == "torch"
        wheels.append(own if is_own and own is not None else wheel(name, version, fits))
    return wheels


def text() -> str:
    """The whole file."""
    lines = [digest(), ""]
    for system, (triple, sha256) in _PYTHONS.items():
        file = f"cpython-{PYTHON}+{RELEASE}-{triple}-install_only_stripped.tar.gz"
        lines += ["[[python]]", f'system = "{system}"', f'version = "{PYTHON}"']
        lines += [f'release = "{RELEASE}"', f'file = "{file}"', f'sha256 = "{sha256}"', ""]
    for pack, system, python in _BUILDS:
        lines += ["[[build]]", f'pack = "{pack}"', f'system = "{system}"', f'python = "{python}"']
        lines.append("wheels = [")
        for each in build(pack, system, python):
            lines.append(
                f'  {{file = "{each.file}", bytes = {each.bytes}, unpacked = {each.unpacked}, '
                f'sha256 = "{each.sha256}"}},'
            )
        lines += ["]", ""]
        print(pack, system, python, file=sys.stderr)  # noqa: T201 - it takes minutes
    return "\n".join(lines)


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")

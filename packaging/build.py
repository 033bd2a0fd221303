"""Builds the installers of this computer's system, into `dist/`.

    python packaging/build.py deb | rpm | appdir | nsis | portable | dmg | all  [--reuse]

Runs in an environment that has the packages of `requirements/{app,weights,packaging}.txt` and
nothing else. `all` builds what can be built here; what cannot be is said, with the reason. `nsis`
on Linux packs the Linux app, to prove the script: such a setup is called a trial. `--reuse` takes
the app that was frozen before.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import for_linux
import for_macos
import for_windows
import freeze
from freeze import BuildProblem
from needs import UnknownLibraryError
from notices import UnknownPartError
from product import ROOT, Product, product
from tell import say

Build = Callable[[Path, Product], Path]

# name: what builds it, and the systems where it can be built
BUILDS: dict[str, tuple[Build, tuple[str, ...]]] = {
    "deb": (for_linux.deb, ("linux",)),
    "rpm": (for_linux.rpm, ("linux",)),
    "appdir": (for_linux.appdir, ("linux",)),
    "nsis": (for_windows.nsis, ("win32", "linux")),
    "portable": (for_windows.portable, ("win32", "linux")),
    "dmg": (for_macos.dmg, ("darwin",)),
}
# what one installer may fail by: the others go on
_CANNOT = (BuildProblem, UnknownLibraryError, subprocess.CalledProcessError, OSError)
_WHY_NOT = {
    "linux": "It holds a Linux app, which only Linux can freeze.",
    "win32": "It holds a Windows app, which only Windows can freeze.",
    "darwin": "It holds a Mac app and is made by macOS's own tools.",
}


def main(arguments: list[str]) -> int:
    """Build what is asked for; 1 if any of it could not be built."""
    parser = argparse.ArgumentParser(description="Build Voxline's installers into dist/.")
    parser.add_argument("what", nargs="+", choices=[*BUILDS, "all"])
    parser.add_argument("--reuse", action="store_true", help="the app that was frozen before")
    options = parser.parse_args(arguments)
    everything = "all" in options.what
    names = list(BUILDS) if everything else list(dict.fromkeys(options.what))
    possible = [name for name in names if sys.platform in BUILDS[name][1]]
    for name in [name for name in names if name not in possible]:
        say(f"{name} cannot be built here. {_WHY_NOT[BUILDS[name][1][0]]}")
    failed = not everything and len(possible) < len(names)
    if possible:
        failed = not _build(possible, options.reuse) or failed
    return 1 if failed else 0


def _build(names: list[str], reuse: bool) -> bool:
    what = product()
    try:
        made = freeze.existing() if reuse else None
        made = made or freeze.frozen_app(what)
    except (BuildProblem, UnknownPartError, OSError) as problem:
        say(f"The app could not be frozen: {problem}")
        return False
    good = True
    for name in names:
        say(f"{name} …")
        try:
            target = BUILDS[name][0](made, what)
        except _CANNOT as problem:
            say(f"{name} could not be built: {problem}")
            good = False
        else:
            os.utime(target, (what.epoch, what.epoch))
            say(f"{name}: {target.relative_to(ROOT)}, {target.stat().st_size / 1e6:.0f} MB")
    write_checksums(ROOT / "dist")
    return good


def write_checksums(folder: Path) -> Path:
    """`SHA256SUMS` of all that is in the folder, as `sha256sum --check` reads it."""
    lines = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != "SHA256SUMS":
            with path.open("rb") as file:
                lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    target = folder / "SHA256SUMS"
    target.write_text("".join(lines), "ascii", newline="\n")
    return target


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

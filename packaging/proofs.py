"""What was built is what its system expects: each installer read back by that system's own tools.

    python packaging/proofs.py

Asks the desktop's and the distributions' own checkers, unpacks each Linux installer into a folder
with spaces in its name and starts the app from there, and runs the setup for Windows under Wine. A
tool that is missing is named with its Debian package; that is no failure. What the app hears is
`smoke.py`'s to check.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import frozen_parts
import setup_proof
from for_linux import LIBRARY, tree_folder
from product import APP_ID, COMMAND, ROOT, product, version
from tell import say

DIST = ROOT / "dist"
# Each of lintian's findings that is left is answered in linux/lintian-overrides.
_LINT = ("lintian", "--fail-on", "error,warning", "--tag-display-limit", "0")


class Unfit(Exception):  # noqa: N818 - what is wrong, as a sentence
    """An installer is not what it should be."""


@dataclass(frozen=True)
class Proof:
    """One thing to look at. `needs`: programs, and the Debian packages that have them."""

    name: str
    built: str  # what must be there, below the checkout; a pattern
    needs: dict[str, str]
    look: Callable[[Path], None]  # raises Unfit


def packages_data(path: Path) -> None:
    if forgotten := frozen_parts.forgotten_data(path.parent):
        raise Unfit(f"not carried, and perhaps opened at run time: {forgotten}")


def lean_start(path: Path) -> None:
    """No start runs a script of PyInstaller's that nothing needs."""
    program = path.read_bytes()  # names stand in its list of contents as they are
    if run := sorted(n for n in frozen_parts.NEEDLESS_AT_START if n.encode() in program):
        raise Unfit(f"each start runs {', '.join(run)}")


def desktop_entry(path: Path) -> None:
    _run("desktop-file-validate", str(path))


def metainfo(path: Path) -> None:
    _run("appstreamcli", "validate", "--no-net", str(path))


def debian_package(path: Path) -> None:
    """Named and numbered as it should be, nothing of it outside /usr; it runs where it lies."""
    told = _run("dpkg-deb", "--show", "--showformat", "${Package} ${Version}", str(path))
    _same(told, f"{COMMAND} {version()}-1", "name and version")
    listed = [line.split() for line in _run("dpkg-deb", "--contents", str(path)).splitlines()]
    _all_in_usr(line[5] for line in listed)
    _same({line[1] for line in listed}, {"root/root"}, "the owners")
    with _folder() as folder:
        _run("dpkg-deb", "--extract", str(path), folder)
        _starts(Path(folder) / "usr/bin" / COMMAND)


def debian_lint(path: Path) -> None:
    """Debian 12's lintian looks into no package that is packed with zstd, which dpkg reads."""
    with _folder() as folder:
        _run("dpkg-deb", "--raw-extract", str(path), f"{folder}/tree")
        again = Path(folder) / path.name
        pack = ("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build")
        _run(*pack, f"{folder}/tree", str(again))
        told = _run(*_LINT, str(again))
    if told:
        raise Unfit(told)


def rpm_package(path: Path) -> None:
    """The same of the RPM, and that its digests are right."""
    told = _run("rpm", "--query", "--package", "--queryformat", "%{NAME} %{VERSION}", str(path))
    _same(told, f"{COMMAND} {version()}", "name and version")
    _run("rpm", "--checksig", "--nosignature", str(path))
    listed = _run("rpm", "--query", "--package", "--list", str(path)).splitlines()
    _all_in_usr(f".{line}" for line in listed)


def image(path: Path) -> None:
    """AppRun starts the app from where the image was unpacked."""
    with _folder() as folder:
        _run("unsquashfs", "-quiet", "-no-progress", "-dest", f"{folder}/a", str(path))
        _starts(Path(folder) / "a" / "AppRun")


def portable(path: Path) -> None:
    """Whole, and all in one folder."""
    with zipfile.ZipFile(path) as archive:
        _same(archive.testzip(), None, "what is broken")
        _same(len({name.split("/")[0] for name in archive.namelist()}), 1, "folders")


def setup(path: Path) -> None:
    try:
        setup_proof.check(product())
    except setup_proof.SetupError as error:
        raise Unfit(str(error)) from error


def checksums(path: Path) -> None:
    for line in path.read_text("ascii").splitlines():
        told, name = line.split("  ")
        with (path.parent / name).open("rb") as file:
            _same(hashlib.file_digest(file, "sha256").hexdigest(), told, name)


_TREE = str(tree_folder().relative_to(ROOT))
_DEB = {"dpkg-deb": "dpkg"}
PROOFS = (
    Proof("packages' data", f"{_TREE}/{LIBRARY}/_internal/base_library.zip", {}, packages_data),
    Proof("what a start runs", f"{_TREE}/{LIBRARY}/{COMMAND}", {}, lean_start),
    Proof(
        "desktop entry",
        f"{_TREE}/usr/share/applications/{COMMAND}.desktop",
        {"desktop-file-validate": "desktop-file-utils"},
        desktop_entry,
    ),
    Proof(
        "AppStream metadata",
        f"{_TREE}/usr/share/metainfo/{APP_ID}.metainfo.xml",
        {"appstreamcli": "appstream"},
        metainfo,
    ),
    Proof("deb", f"dist/*{version()}*.deb", _DEB, debian_package),
    Proof(
        "deb, by Debian's rules",
        f"dist/*{version()}*.deb",
        _DEB | {"lintian": "lintian"},
        debian_lint,
    ),
    Proof("rpm", f"dist/*{version()}*.rpm", {"rpm": "rpm"}, rpm_package),
    Proof("squashfs", f"dist/*{version()}*.squashfs", {"unsquashfs": "squashfs-tools"}, image),
    Proof("setup for Windows", f"dist/*{version()}*-setup*.exe", setup_proof.TOOLS, setup),
    Proof("portable zip", f"dist/*{version()}*-portable.zip", {}, portable),
    Proof("checksums", "dist/SHA256SUMS", {}, checksums),
)


def main() -> int:
    """Look at all that was built here; 1 if any of it is unfit."""
    good = True
    for proof in PROOFS:
        found = sorted(ROOT.glob(proof.built))
        missing = sorted({p for tool, p in proof.needs.items() if shutil.which(tool) is None})
        if not found:
            say(f"{proof.name}: not built here")
        elif missing:
            say(f"{proof.name}: not looked at. On Debian: apt install {' '.join(missing)}")
        else:
            good = _looked_at(proof, found[-1]) and good
    return 0 if good else 1


def _looked_at(proof: Proof, path: Path) -> bool:
    try:
        proof.look(path)
    except Unfit as problem:
        say(f"{proof.name}: {problem}")
        return False
    say(f"{proof.name}: as it should be")
    return True


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="unpacked by Zoë ")


def _starts(program: Path) -> None:
    _same(_run(str(program), "--version"), f"{COMMAND} {version()}", "the version it tells")


def _all_in_usr(names: Iterable[str]) -> None:
    if strange := [n for n in names if not n.startswith("./usr/") and n not in ("./", "./usr")]:
        raise Unfit(f"it puts files outside /usr: {strange[:5]}")


def _same(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise Unfit(f"{what}: {found}, not {expected}")


def _run(*command: str) -> str:
    """What it prints. Raises Unfit if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise Unfit(f"{command[0]} says: {(done.stdout + done.stderr).strip()[-3000:]}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())

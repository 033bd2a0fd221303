"""Windows: the setup (NSIS), the portable zip, and what stands in the executables' properties."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from freeze import SCRATCH, BuildProblem
from product import APP_ID, COMMAND, NAME, ROOT, WINDOW, Product

FILES = ROOT / "packaging" / "windows"


def nsis(made: Path, what: Product) -> Path:
    """The setup for one user. On another system a trial: the script with that system's app."""
    program = find_makensis()
    if program is None:
        raise BuildProblem("makensis is missing: apt install nsis, or nsis.sourceforge.io")
    trial = sys.platform != "win32"
    target = ROOT / "dist" / f"{NAME}-{what.version}-setup{'-trial' if trial else ''}.exe"
    target.parent.mkdir(exist_ok=True)
    target.unlink(missing_ok=True)
    done = subprocess.run(nsis_command(program, made, what, target), capture_output=True, text=True)
    if done.returncode != 0:
        raise BuildProblem(f"makensis failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return target


def find_makensis() -> str | None:
    """On the PATH, or where its own setup puts it, which does not add it there."""
    usual = (os.environ.get(name, "") for name in ("ProgramFiles(x86)", "ProgramFiles"))
    places = [os.environ.get("PATH", ""), *(f"{place}/NSIS" for place in usual if place)]
    return shutil.which("makensis", path=os.pathsep.join(places))


def nsis_command(program: str, made: Path, what: Product, target: Path) -> list[str]:
    """makensis with everything that the script asks for; nothing stands twice."""
    values = {
        "NAME": NAME,
        "COMMAND": COMMAND,
        "WINDOW": WINDOW,
        "APP_ID": APP_ID,
        "VERSION": what.version,
        "VERSION4": four_numbers(what.version),
        "HOME_PAGE": what.home_page,
        "PAYLOAD": str(made),
        "ICON": str(SCRATCH / "icons" / "voxline.ico"),
        "LICENCE": str(ROOT / "LICENSE"),
        "TARGET": str(target),
        "SIZE_KB": str(sum(p.stat().st_size for p in made.rglob("*") if p.is_file()) // 1024),
    }
    dash = "/" if sys.platform == "win32" else "-"
    defines = [f"{dash}D{name}={value}" for name, value in values.items()]
    if sys.platform != "win32":
        defines.append(f"{dash}DTRIAL")  # quick to pack: nobody downloads it
    return [program, f"{dash}V2", f"{dash}WX", *defines, str(FILES / "installer.nsi")]


def portable(made: Path, what: Product) -> Path:
    """A zip that runs where it is unpacked. The same files give the same bytes."""
    system = {"win32": "windows", "linux": "linux-trial"}[sys.platform]
    target = ROOT / "dist" / f"{NAME}-{what.version}-{system}-portable.zip"
    target.parent.mkdir(exist_ok=True)
    moment = datetime.fromtimestamp(what.epoch, UTC)
    stamp = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(made.rglob("*")):
            if path.is_file():
                name = f"{NAME}-{what.version}/{path.relative_to(made).as_posix()}"
                entry = zipfile.ZipInfo(name, stamp)
                entry.external_attr = (0o100755 if path.stat().st_mode & 0o100 else 0o100644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return target


def four_numbers(version: str) -> str:
    """Windows's own kind of version: 0.1.0 is 0.1.0.0."""
    numbers = [part for part in version.split(".") if part.isdigit()]
    return ".".join([*numbers, "0", "0", "0", "0"][:4])


def write_version_information(path: Path, what: Product) -> None:
    """What the Explorer shows of the executables (PyInstaller's `version`)."""
    import pyinstaller_versionfile

    path.parent.mkdir(parents=True, exist_ok=True)
    pyinstaller_versionfile.create_versionfile(
        output_file=str(path),
        version=four_numbers(what.version),
        company_name="The Voxline project",
        file_description=NAME,
        internal_name=COMMAND,
        legal_copyright=f"Under the licence {what.licence}",
        original_filename=f"{COMMAND}.exe",
        product_name=NAME,
    )

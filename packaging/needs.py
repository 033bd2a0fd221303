"""Which libraries the frozen app expects of a Linux computer: read from its binaries.

An RPM asks for libraries by their own names; for Debian a table says which package has them. One
that is not in the table stops the build, for the app would not start where it is missing.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

# The beginnings of libraries' names: the Debian package. In Ubuntu's and Debian's newer releases
# some have another name and provide this one.
DEBIAN = {
    "libEGL.so": "libegl1",
    "libGL.so": "libgl1",
    "libX11-xcb.so": "libx11-xcb1",
    "libX11.so": "libx11-6",
    "libbrotli": "libbrotli1",
    "libdbus-1.so": "libdbus-1-3",
    "libfontconfig.so": "libfontconfig1",
    "libfreetype.so": "libfreetype6",
    "libgcc_s.so": "libgcc-s1",
    "libstdc++.so": "libstdc++6",
    "libgio-2.0.so": "libglib2.0-0",
    "libglib-2.0.so": "libglib2.0-0",
    "libgobject-2.0.so": "libglib2.0-0",
    "libgthread-2.0.so": "libglib2.0-0",
    "libgssapi_krb5.so": "libgssapi-krb5-2",
    "libwayland-client.so": "libwayland-client0",
    "libwayland-cursor.so": "libwayland-cursor0",
    "libwayland-egl.so": "libwayland-egl1",
    "libxcb-cursor.so": "libxcb-cursor0",
    "libxcb-glx.so": "libxcb-glx0",
    "libxcb-icccm.so": "libxcb-icccm4",
    "libxcb-image.so": "libxcb-image0",
    "libxcb-keysyms.so": "libxcb-keysyms1",
    "libxcb-randr.so": "libxcb-randr0",
    "libxcb-render-util.so": "libxcb-render-util0",
    "libxcb-render.so": "libxcb-render0",
    "libxcb-shape.so": "libxcb-shape0",
    "libxcb-shm.so": "libxcb-shm0",
    "libxcb-sync.so": "libxcb-sync1",
    "libxcb-util.so": "libxcb-util1",
    "libxcb-xfixes.so": "libxcb-xfixes0",
    "libxcb-xkb.so": "libxcb-xkb1",
    "libxcb.so": "libxcb1",
    "libxkbcommon-x11.so": "libxkbcommon-x11-0",
    "libxkbcommon.so": "libxkbcommon0",
    "libzstd.so": "libzstd1",
    "libpulse.so": "libpulse0",
}
_C_LIBRARY = re.compile(r"(ld-linux.*|lib(c|m|dl|pthread|rt|resolv|util|mvec))\.so\.\d+$")
# Loaded only where the computer has what they need: Qt goes on without the desktop's looks, the
# ggml engine without a graphics card.
OPTIONAL = ("libqgtk3.so", "libggml-vulkan.so")
_LOADED_BY_NAME = "libpulse.so.0"  # by ctypes: no binary names it


class UnknownLibraryError(Exception):
    """A library is expected that nobody knows the package of."""


def libraries(bundle: Path) -> list[str]:
    """The names of libraries that the bundle needs and has not, but for the C library's."""
    files = [path for path in bundle.rglob("*") if ".so" in path.name or path.name == "voxline"]
    carried = {path.name for path in files}
    needed = {_LOADED_BY_NAME}
    for path in files:
        if not path.is_symlink() and path.is_file() and path.name not in OPTIONAL:
            needed |= needed_by(path)
    return sorted(n for n in needed - carried if not _C_LIBRARY.match(n))


def needed_by(path: Path) -> set[str]:
    """The libraries that an ELF file names."""
    command = ["readelf", "--dynamic", "--wide", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    return set(re.findall(r"\(NEEDED\).*\[(.+)\]", done.stdout))


def debian(names: Iterable[str]) -> list[str]:
    """The packages that have these libraries. Raises UnknownLibraryError."""
    packages = set()
    for name in names:
        found = [package for start, package in DEBIAN.items() if name.startswith(start)]
        if not found:
            raise UnknownLibraryError(f"{name} is needed, and needs.py knows no package with it")
        packages.add(found[0])
    return sorted(packages)


def rpm(names: Iterable[str]) -> list[str]:
    """As RPM-based systems name what their packages provide."""
    return [f"{name}()(64bit)" for name in names]

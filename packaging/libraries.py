"""Which compiled libraries the frozen app carries, and in which shape.

Left to the computer: what belongs to its desktop, its sound server or its graphics driver. Left
out: Qt's plugins for machines without a desktop. Made lean: debug information. Replaced: two video
encoders under the GPL, which FFmpeg's libraries link to and Voxline, which only decodes, never
calls; an empty library of the same name stands in for each. Knows PyInstaller's lists of
`(target, source, kind)`, and nothing else of it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

Entry: TypeAlias = tuple[str, str, str]

# The system's libraries that are carried on Linux, by the beginnings of their names, with their
# licences: small ones that Python itself needs. The packages name the others (`for_linux.py`).
CARRIED = {
    "libpython3": "PSF-2.0",
    "libssl.so": "Apache-2.0",
    "libcrypto.so": "Apache-2.0",
    "libffi.so": "MIT",
    "libbz2.so": "bzip2-1.0.6",
    "liblzma.so": "0BSD",
    "libz.so": "Zlib",
    "libexpat.so": "MIT",
    "libuuid.so": "BSD-3-Clause",
}
_SYSTEM = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/local/lib/")
_UNUSED = re.compile(
    r"PySide6/(Qt/)?plugins/(egldeviceintegrations|generic|networkinformation|tls|qmltooling"
    r"|vectorimageformats"
    r"|platforms/(lib)?q(eglfs|linuxfb|minimal|minimalegl|vkkhrdisplay|vnc|direct2d)"
    r"|imageformats/(lib)?q(gif|icns|jpeg|pdf|tga|tiff|wbmp|webp))|libQt6EglF|Qt6(Pdf|Qml|Quick)"
    # of the wheels for Windows: NVIDIA's, which nothing links to and whose licence is its own, and
    # a renderer in software for programs that draw with OpenGL
    r"|(^|/)(cudnn64_\d+|opengl32sw)\.dll$"
)
_GPL = re.compile(r"^(lib)?x26[45]\b")
_NAMES = re.compile(rb"(?<![a-z0-9_])_?(x26[45]_[a-z0-9_]+)\0")
_DATA = ("x264_levels",)  # the others are functions


def lean(binaries: Iterable[Entry], scratch: Path) -> list[Entry]:
    """PyInstaller's binaries as the bundle is to have them. Raises CalledProcessError, OSError."""
    kept = [entry for entry in binaries if not _is_left_out(*entry[:2])]
    stand_ins = dict(_stand_ins(kept, scratch / "stand-ins"))
    folder = scratch / "stripped"
    shutil.rmtree(folder, ignore_errors=True)
    return [(t, stand_ins.get(t) or _tidied(t, s, folder), k) for t, s, k in kept]


def _is_left_out(target: str, source: str) -> bool:
    return is_the_systems(target, source) or is_unused(target)


def is_unused(target: str) -> bool:
    """Whether a file is for machines without a desktop, or for what Voxline lacks."""
    return bool(_UNUSED.search(target.replace(os.sep, "/")))


def is_the_systems(target: str, source: str) -> bool:
    """Whether a library is to be the computer's own (Linux)."""
    if sys.platform != "linux" or not os.path.realpath(source).startswith(_SYSTEM):
        return False
    return not Path(target).name.startswith(tuple(CARRIED))


def is_gpl_encoder(name: str) -> bool:
    """Whether a library's file name is that of one of the two encoders."""
    return _GPL.match(name) is not None


def _stand_ins(binaries: Iterable[Entry], folder: Path) -> Iterator[tuple[str, str]]:
    """(target, source) of an empty library for each encoder that would be carried."""
    shutil.rmtree(folder, ignore_errors=True)
    for target, source, kind in binaries:
        name = Path(target).name
        if is_gpl_encoder(name) and kind != "SYMLINK":
            yield target, str(stand_in(Path(source), folder / name))


def stand_in(original: Path, made: Path) -> Path:
    """Compile a library that has the name and the functions of an encoder and no code of it.

    Every function answers 0, which to FFmpeg means that no encoder could be opened.
    """
    from model_backends.voxtral.cpu.build import BuildError, find_compiler

    compiler = find_compiler()
    if compiler is None:
        raise BuildError("No C compiler: the GPL's video encoders cannot be replaced.")
    names = sorted({found.decode() for found in _NAMES.findall(original.read_bytes())})
    mark = "__declspec(dllexport) " if sys.platform == "win32" else ""
    lines = [f"{mark}{_declared(name)}" for name in names]
    made.parent.mkdir(parents=True, exist_ok=True)
    source = made.with_name(f"{made.name}.c")
    source.write_text("\n".join([*lines, ""]))
    name = {"linux": f"-Wl,-soname,{made.name}", "darwin": f"-Wl,-install_name,@rpath/{made.name}"}
    flags = ["-shared" if sys.platform != "darwin" else "-dynamiclib", "-fPIC", "-Os", "-w"]
    flags += [flag for flag in (name.get(sys.platform),) if flag]
    subprocess.run([*compiler, *flags, "-o", str(made), str(source)], check=True)
    return made


def _declared(name: str) -> str:
    return f"const char {name}[4096];" if name in _DATA else f"void *{name}(void) {{ return 0; }}"


def _tidied(target: str, source: str, folder: Path) -> str:
    """A copy without debug information and without the path of the Python that was built with, of a
    library that has any of these (Linux)."""
    if sys.platform != "linux" or ".so" not in Path(target).name or not Path(source).is_file():
        return source
    debug, data = has_debug(Path(source)), Path(source).read_bytes()
    clean = without_search_path(data, str(sysconfig.get_config_var("LIBDIR")))
    if not debug and clean == data:
        return source
    made = folder / target
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_bytes(clean)
    if debug:
        subprocess.run(["strip", "--strip-unneeded", str(made)], check=True)
    return str(made)


def without_search_path(library: bytes, folder: str) -> bytes:
    """An ELF file whose search path was `folder`, with an empty one; as `chrpath` does it."""
    path = b"\0" + folder.encode() + b"\0"
    return library.replace(path, bytes(len(path)))


def has_debug(library: Path) -> bool:
    command = ["readelf", "--section-headers", "--wide", str(library)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    return " .debug_info " in done.stdout

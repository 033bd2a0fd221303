"""Whose work is inside the frozen app, under which licence: checked against what is really there.

Every compiled library and every package in the bundle must have an owner, or the build stops. From
the owners come the notices that travel with the app, and the list for machines (CycloneDX).
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import frozen_parts
import libraries
from product import NAME, ROOT, WEIGHTS, Product

LICENCE_TEXTS = ROOT / "packaging" / "licences"
_QT_SOURCE = "https://download.qt.io/official_releases/qt/"

# Libraries that wheels bring along, by the beginnings of their file names: what they are and under
# which licence, for the wheels do not always say.
VENDORED: dict[str, tuple[str, str]] = {
    "libavcodec": ("FFmpeg", "LGPL-3.0-or-later"),
    "libavdevice": ("FFmpeg", "LGPL-3.0-or-later"),
    "libavfilter": ("FFmpeg", "LGPL-3.0-or-later"),
    "libavformat": ("FFmpeg", "LGPL-3.0-or-later"),
    "libavutil": ("FFmpeg", "LGPL-3.0-or-later"),
    "libswresample": ("FFmpeg", "LGPL-3.0-or-later"),
    "libswscale": ("FFmpeg", "LGPL-3.0-or-later"),
    "libSvtAv1Enc": ("SVT-AV1", "BSD-3-Clause-Clear"),
    "libXau": ("libXau", "MIT"),
    "libasound": ("alsa-lib", "LGPL-2.1-or-later"),
    "libdav1d": ("dav1d", "BSD-2-Clause"),
    "libdrm": ("libdrm", "MIT"),
    "libgmp": ("GMP", "LGPL-3.0-or-later"),
    "libgnutls": ("GnuTLS", "LGPL-2.1-or-later"),
    "libhogweed": ("Nettle", "LGPL-3.0-or-later"),
    "libnettle": ("Nettle", "LGPL-3.0-or-later"),
    "libmp3lame": ("LAME", "LGPL-2.0-or-later"),
    "libopencore-amr": ("opencore-amr", "Apache-2.0"),
    "libopus": ("Opus", "BSD-3-Clause"),
    "libsharpyuv": ("libwebp", "BSD-3-Clause"),
    "libunistring": ("libunistring", "LGPL-3.0-or-later"),
    "libvpl": ("oneVPL", "MIT"),
    "libvpx": ("libvpx", "BSD-3-Clause"),
    "libwebp": ("libwebp", "BSD-3-Clause"),
    "libxcb": ("libxcb", "MIT"),
    "libx264": ("an empty library in place of x264", "Apache-2.0"),
    "libx265": ("an empty library in place of x265", "Apache-2.0"),
    "libgfortran": ("GCC runtime", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libquadmath": ("GCC runtime", "LGPL-2.1-or-later"),
    "libgomp": ("GCC runtime", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libgcc": ("GCC runtime", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libstdc++": ("GCC runtime", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libwinpthread": ("winpthreads", "MIT AND BSD-3-Clause-Clear"),
    "libiconv": ("libiconv", "LGPL-2.1-or-later"),
    "libvmaf": ("VMAF", "BSD-2-Clause-Patent"),
    "libiomp5md": ("Intel OpenMP", "LicenseRef-Intel-ISSL"),
    "libscipy_openblas": ("OpenBLAS", "BSD-3-Clause"),
    "libctranslate2": ("CTranslate2, with Intel oneMKL inside", "MIT AND LicenseRef-Intel-ISSL"),
    "libQt6": ("Qt", "LGPL-3.0-only"),
    "libicu": ("ICU", "Unicode-3.0"),
    "libpyside6": ("PySide6", "LGPL-3.0-only"),
    "libshiboken6": ("Shiboken", "LGPL-3.0-only"),
    "libportaudio": ("PortAudio", "MIT"),
    # what Python for Windows and macOS brings along
    "libssl": ("OpenSSL", "Apache-2.0"),
    "libcrypto": ("OpenSSL", "Apache-2.0"),
    "libffi": ("libffi", "MIT"),
    "libbz2": ("bzip2", "bzip2-1.0.6"),
    "liblzma": ("XZ Utils", "0BSD"),
    "libsqlite3": ("SQLite", "blessing"),
    "sqlite3": ("SQLite", "blessing"),
    "libz.": ("zlib", "Zlib"),
    "zlib": ("zlib", "Zlib"),
    "libexpat": ("Expat", "MIT"),
    "libmpdec": ("mpdecimal", "BSD-2-Clause"),
    "python3": ("Python", "PSF-2.0"),
    "vcruntime": ("Microsoft's C++ runtime", "LicenseRef-Microsoft-Redistributable"),
    "msvcp": ("Microsoft's C++ runtime", "LicenseRef-Microsoft-Redistributable"),
    "concrt140": ("Microsoft's C++ runtime", "LicenseRef-Microsoft-Redistributable"),
    "vcamp140": ("Microsoft's C++ runtime", "LicenseRef-Microsoft-Redistributable"),
    "vcomp140": ("Microsoft's C++ runtime", "LicenseRef-Microsoft-Redistributable"),
    "ucrtbase": ("Microsoft's C++ runtime", "LicenseRef-Microsoft-Redistributable"),
    "api-ms-win": ("Microsoft's C++ runtime", "LicenseRef-Microsoft-Redistributable"),
    "libvoxline_cpu": ("Voxline", "Apache-2.0"),
    "voxline_cpu": ("Voxline", "Apache-2.0"),
}
# Where a package's metadata has no licence, or not the whole of it.
LICENCES = {
    "pyside6-essentials": "LGPL-3.0-only",
    "shiboken6": "LGPL-3.0-only",
    "ctranslate2": "MIT",
    "onnxruntime": "MIT",
    "soxr": "LGPL-2.1-or-later",
    "tqdm": "MPL-2.0 AND MIT",
    "pulsectl": "MIT",
    "py3langid": "BSD-3-Clause",
    "flatbuffers": "Apache-2.0",
    "protobuf": "BSD-3-Clause",
    "hf-xet": "Apache-2.0",
    "faster-whisper": "MIT",
    "tokenizers": "Apache-2.0",
}
# What is compiled into a package and is no library of its own; what its languages' own registries
# have is listed in the folder `sboms` of its metadata, which travels along.
INSIDE: dict[str, tuple[str, str]] = {
    "cryptography": ("OpenSSL, inside cryptography", "Apache-2.0"),
}
_CLASSIFIED = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


class UnknownPartError(Exception):
    """Something is in the bundle that nobody is known to own."""


@dataclass(frozen=True, order=True)
class Part:
    """One work by others in the bundle."""

    name: str
    version: str
    licence: str  # an SPDX expression
    kind: str = "library"
    package: str = ""  # its name on the Python index


def parts(bundle: Path) -> list[Part]:
    """Every work of others in the bundle, by name. Raises UnknownPartError."""
    found = {*_python_packages(bundle), *_libraries(bundle), *_models()}
    found.add(Part("Python", ".".join(map(str, _python_version())), "PSF-2.0"))
    found.add(Part("Silero VAD", "6.2.3", "MIT", "machine-learning-model"))
    return sorted(part for part in found if part.name != NAME)


def _python_version() -> tuple[int, ...]:
    import sys

    return sys.version_info[:3]


def _models() -> Iterator[Part]:
    for model in WEIGHTS:
        yield Part(
            f"Whisper {model}, its weights in eight bits", "", "MIT", "machine-learning-model"
        )


def _python_packages(bundle: Path) -> Iterator[Part]:
    """Those whose metadata is there; a package without is caught by `_strangers`."""
    known = {each.name: each for each in frozen_parts.distributions()}
    for each in known.values():
        yield Part(each.name, each.version, licence_of(each.metadata), package=each.name)
        if (inside := INSIDE.get(_plain(each.name))) is not None:
            yield Part(inside[0], "", inside[1])
    if strange := sorted(_strangers(bundle, known)):
        raise UnknownPartError(f"in the bundle, but of no package that is needed: {strange}")


def _strangers(bundle: Path, known: Iterable[str]) -> Iterator[str]:
    """Top-level folders with code of a package that the app does not ask for."""
    owners = importlib.metadata.packages_distributions()
    wanted = {_plain(name) for name in known}
    for folder in (path for path in bundle.iterdir() if path.is_dir()):
        names = owners.get(folder.name, [])
        if names and not wanted & {_plain(name) for name in names}:
            yield folder.name


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(metadata: importlib.metadata.Distribution) -> str:
    """An SPDX expression. Raises UnknownPartError."""
    name = _plain(metadata.metadata["Name"])
    fields = metadata.metadata
    classified = [
        _CLASSIFIED[words]
        for line in fields.get_all("Classifier") or ()
        if line.startswith("License ::") and (words := line.rsplit(" :: ", 1)[-1]) in _CLASSIFIED
    ]
    licence = (
        LICENCES.get(name) or _field(fields, "License-Expression") or next(iter(classified), "")
    )
    short = _field(fields, "License")
    if not licence and re.fullmatch(r"[A-Za-z0-9.\- ]{2,40}", short):
        licence = {"BSD": "BSD-3-Clause", "Apache": "Apache-2.0", "Apache 2.0": "Apache-2.0"}.get(
            short, short
        )
    if not licence:
        raise UnknownPartError(f"no licence is known of the package {name}")
    return str(licence)


def _field(metadata: importlib.metadata.PackageMetadata, name: str) -> str:
    return next(iter(metadata.get_all(name) or ()), "")


def _libraries(bundle: Path) -> Iterator[Part]:
    """What each compiled library is that no package's own folder holds."""
    owners = importlib.metadata.packages_distributions()
    for path in sorted(bundle.rglob("*")):
        if path.is_symlink() or not re.search(r"\.(so|dylib|dll|pyd)(\.|$)", path.name):
            continue
        part = _vendored(path.name)
        if part is not None:
            yield part
        elif not _has_owner(path.relative_to(bundle), owners):
            raise UnknownPartError(f"no licence is known of {path.relative_to(bundle)}")


def _vendored(name: str) -> Part | None:
    for start, licence in libraries.CARRIED.items():
        if name.startswith(start):
            return Part(start.split(".")[0], "", licence)
    for start, (what, licence) in VENDORED.items():
        if name.removeprefix("lib").startswith(start.removeprefix("lib")):
            return Part(what, "", licence)
    return None


def _has_owner(path: Path, owners: Mapping[str, list[str]]) -> bool:
    """Within a package's own folder, an extension of a package, or one of Python's own modules.

    The folders into which a wheel's makers have put libraries of others belong to nobody.
    """
    if any(folder.endswith((".libs", ".dylibs")) for folder in path.parts[:-1]):
        return False
    first = path.parts[0]
    return first.split(".")[0] in owners or bool(re.fullmatch(r"python3\.\d+|lib-dynload", first))


def check_no_gpl_encoders(bundle: Path) -> None:
    """The two encoders are empty libraries, by what they hold. Raises UnknownPartError."""
    for path in bundle.rglob("*"):
        if libraries.is_gpl_encoder(path.name) and path.is_file() and path.stat().st_size > 200_000:
            raise UnknownPartError(f"{path.name} is the encoder itself, which is under the GPL")


def notices(bundle: Path, what: Product) -> str:
    """The text that travels with the app: who owns what, Qt's terms, then the licences' texts."""
    qt = next((part.version for part in parts(bundle) if part.name.startswith("PySide6_")), "6")
    lines = [
        f"{NAME} {what.version} is under the Apache licence 2.0. Inside are works of others:",
        "",
        *(f"  {p.name} {p.version}".rstrip() + f": {p.licence}" for p in parts(bundle)),
        "",
        "Qt, PySide6 and Shiboken are used under the GNU Lesser General Public License, version 3.",
        "They are the shared libraries in the folder PySide6 beside this file, and may be replaced",
        "by others that you have built: put yours in their place. Their source is at",
        f"{_QT_SOURCE} (version {qt})",
        "and https://code.qt.io/cgit/pyside/pyside-setup.git; the same",
        "holds for FFmpeg (https://ffmpeg.org, its build at https://github.com/PyAV-Org) and the",
        "other libraries under that licence. Nothing forbids you to change them for your own use,",
        "nor to take them apart to mend such a change.",
        "",
        "What is compiled into a Python package from Rust is listed, with its licences, in the",
        "folder sboms beside the package's METADATA.",
        "",
    ]
    return "\n".join(lines) + "".join(_texts())


def _texts() -> Iterator[str]:
    for path in sorted(LICENCE_TEXTS.glob("*.txt")):
        yield f"\n{'=' * 80}\n{path.stem}\n{'=' * 80}\n\n{path.read_text('utf-8')}"
    for each in frozen_parts.distributions():
        for path in frozen_parts.licence_texts(each.metadata):
            text = path.read_text("utf-8", "replace")
            yield f"\n{'=' * 80}\n{each.name}: {path.name}\n{'=' * 80}\n\n{text}"


def write(bundle: Path, into: Path, what: Product) -> None:
    """Check the bundle, and put the notices and the list for machines into a folder of it."""
    import sbom

    check_no_gpl_encoders(bundle)
    (into / "THIRD_PARTY_NOTICES.txt").write_text(notices(bundle, what), "utf-8")
    (into / "voxline.cdx.json").write_text(sbom.as_json(parts(bundle), what), "utf-8")

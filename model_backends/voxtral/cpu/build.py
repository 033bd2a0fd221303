"""Builds the processor engine's library from `native/` with the C compiler there is.

    python -m model_backends.voxtral.cpu.build [--to FOLDER] [--compiler CC]

The library's name holds a hash of its sources: what has not changed is not built again, and an old
one is never loaded. A wheel carries the library beside the sources; a checkout keeps it in
`build/native`. Only the standard library is used; nothing is compiled when the app runs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

NATIVE = Path(__file__).resolve().parent / "native"
WARNINGS = ("-Wall", "-Wextra", "-Werror")
_COMMON = ("-std=c11", "-O3", "-fPIC", "-fvisibility=hidden", "-fno-math-errno", *WARNINGS)
_AVX2 = ("-mavx2", "-mfma", "-mf16c")
_AVX512 = ("-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512vnni", "-mfma", "-mf16c")
# Instructions beyond the least of an architecture, file by file: what runs where is decided when
# the library is loaded (dispatch.c).
_FLAGS: dict[str, dict[str, tuple[str, ...]]] = {
    "x86_64": {
        "kernels_avx2": _AVX2,
        "kernels_avxvnni": (*_AVX2, "-mavxvnni"),
        "kernels_avx512": _AVX512,
    },
    "aarch64": {
        "kernels_neon": ("-march=armv8.2-a+dotprod",),
        "kernels_i8mm": ("-march=armv8.2-a+dotprod+i8mm",),
    },
}
_COMPILERS = ("cc", "gcc", "clang", "zig cc")


class BuildError(Exception):
    """The library could not be built; the text says why."""


def source_hash() -> str:
    """Twelve characters that change with any source or flag."""
    digest = hashlib.sha256(repr((_COMMON, _FLAGS)).encode())
    for file in sorted((*NATIVE.glob("*.c"), *NATIVE.glob("*.h"))):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def library_suffix(machine: str = sys.platform) -> str:
    """.so, .dylib or .dll, by platform or by the compiler's target."""
    if "win32" in machine or "mingw" in machine or "windows" in machine:
        return ".dll"
    return ".dylib" if "darwin" in machine else ".so"


def library_name(suffix: str | None = None) -> str:
    return f"voxline_cpu-{source_hash()}{suffix or library_suffix()}"


def checkout_folder() -> Path | None:
    """Where a checkout keeps what is built, or None if this is an installed package."""
    root = NATIVE.parents[3]
    return root / "build" / "native" if (root / "pyproject.toml").is_file() else None


def find_library() -> Path | None:
    """The library made from exactly these sources, or None."""
    folders = [NATIVE, checkout_folder()]
    found = (folder / library_name() for folder in folders if folder is not None)
    return next((path for path in found if path.is_file()), None)


def find_compiler() -> list[str] | None:
    """The C compiler's command: $CC, or the first of the usual names."""
    named = shlex.split(os.environ.get("CC", ""))
    for command in [named, *(name.split() for name in _COMPILERS)]:
        if command and shutil.which(command[0]):
            return command
    return None


def build(folder: Path, compiler: Sequence[str] | None = None, extra: Sequence[str] = ()) -> Path:
    """Compile and link into `folder`; returns the library. Raises BuildError.

    `extra` goes to compiler and linker alike (sanitisers, another optimisation).
    """
    command = list(compiler) if compiler else find_compiler()
    if command is None:
        raise BuildError("There is no C compiler here (cc, gcc or clang).")
    machine = _run([*command, "-dumpmachine"]).strip()
    target = folder / library_name(library_suffix(machine))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        objects = [
            _compile(command, source, machine, Path(work), extra)
            for source in sorted(NATIVE.glob("*.c"))
        ]
        linked = Path(work) / target.name
        shared = "-dynamiclib" if "darwin" in machine else "-shared"
        libraries = () if "mingw" in machine or "windows" in machine else ("-lm", "-lpthread")
        _run([*command, shared, "-o", str(linked), *map(str, objects), *extra, *libraries])
        linked.replace(target)
    return target


def _compile(
    command: Sequence[str], source: Path, machine: str, folder: Path, extra: Sequence[str]
) -> Path:
    """One object file. Kernels whose instructions the compiler does not know are left out."""
    made = folder / f"{source.stem}.o"
    special = _special_flags(source.stem, machine)
    if special and not _knows(command, special, folder):
        special = ("-DVX_LEFT_OUT",)
    _run([*command, *_COMMON, *special, *extra, "-c", str(source), "-o", str(made)])
    return made


def _special_flags(stem: str, machine: str) -> tuple[str, ...]:
    architecture = machine.split("-")[0].replace("arm64", "aarch64").replace("amd64", "x86_64")
    return _FLAGS.get(architecture, {}).get(stem, ())


def _knows(command: Sequence[str], flags: Sequence[str], folder: Path) -> bool:
    probe = folder / "probe.c"
    probe.write_text("int probe;\n")
    done = subprocess.run(
        [*command, *flags, "-Werror", "-c", str(probe), "-o", str(folder / "probe.o")],
        capture_output=True,
    )
    return done.returncode == 0


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    except OSError as error:
        raise BuildError(f"{command[0]} does not start: {error}") from error
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)} failed:\n{done.stderr.strip()[-3000:]}")
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Build unless it is there; prints the library's path. 1 if it cannot be built."""
    parser = argparse.ArgumentParser(description="Build the processor engine's library.")
    parser.add_argument("--to", type=Path, default=checkout_folder() or NATIVE, metavar="FOLDER")
    parser.add_argument("--compiler", metavar="CC", help="the C compiler's command")
    options = parser.parse_args(arguments)
    there = options.to / library_name()
    try:
        if options.compiler or not there.is_file():
            there = build(options.to, shlex.split(options.compiler or ""))
    except (BuildError, OSError) as error:
        sys.stderr.write(f"{error}\nWithout it Voxtral runs in PyTorch on a processor.\n")
        return 1
    sys.stdout.write(f"{there}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The C code under the sanitizers, and on other processors' kernels where they can be emulated.

The sanitized library is loaded into a process of its own, which packs, multiplies, encodes and
decodes odd shapes drawn from a seed, with weights and inputs that may be anything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model_backends.voxtral.cpu import build

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g")


def sanitizer_library(compiler: list[str]) -> str | None:
    """The runtime that must be in the process before a sanitized library is, or None."""
    command = [*compiler, "-print-file-name=libasan.so"]
    found = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return found if Path(found).is_absolute() else None


def need_compiler() -> list[str]:
    compiler = build.find_compiler()
    if compiler is None:
        pytest.skip("there is no C compiler")
    return compiler


@pytest.mark.skipif(sys.platform != "linux", reason="the sanitizers' runtime is preloaded")
def test_odd_shapes_under_the_sanitizers(tmp_path: Path) -> None:
    runtime = sanitizer_library(need_compiler())
    if runtime is None:
        pytest.skip("the compiler has no address sanitizer")
    library = build.build(tmp_path, extra=SANITIZERS)
    environment = os.environ | {
        "LD_PRELOAD": runtime,
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        "VOXLINE_CPU_LIBRARY": str(library),
    }
    command = [sys.executable, "-m", "tests.model_backends.voxtral.cpu.odd_shapes", "6"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "6 models" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="needs Debian's cross compiler")
def test_on_an_emulated_arm(tmp_path: Path) -> None:
    """neoverse-n1 has the dot product and no matrix product, cortex-a72 neither."""
    compiler, emulator = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
    if compiler is None or emulator is None:
        pytest.skip("gcc-aarch64-linux-gnu or qemu-user is not installed")
    program = tmp_path / "products"
    emulators = [[emulator, "-cpu", cpu] for cpu in ("max", "neoverse-n1", "cortex-a72")]
    run_products(program, [compiler], emulators, static=True)


def test_vnni_kernels_emulated(tmp_path: Path) -> None:
    """AVX-512 VNNI and AVX-VNNI by portable stand-ins for their instructions.

    Compiled as it stands: the optimizer takes half a minute for the stand-ins, the run a second.
    """
    if not Path("/usr/include/simde/x86/avx512.h").is_file():
        pytest.skip("libsimde-dev is not installed")
    compiler, here = need_compiler(), Path(__file__).parent
    include = ["-I", str(here / "emulated"), "-I", str(build.NATIVE), "-DVX_EMULATED"]
    flags = ["-std=gnu11", "-O0", "-DSIMDE_NO_NATIVE", *include]
    objects = []
    kernels = ("kernels_avx512", "kernels_avxvnni", "kernels_avx2", "kernels_plain")
    for stem in (*kernels, "pack", "choice"):
        objects.append(str(tmp_path / f"{stem}.o"))
        source = build.NATIVE / f"{stem}.c"
        build._run([*compiler, *flags, "-c", str(source), "-o", objects[-1]])
    program = tmp_path / "products"
    build._run([*compiler, *flags, str(here / "products.c"), *objects, "-lm", "-o", str(program)])
    done = subprocess.run([str(program)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "avx512vnni\navxvnni\n")


def test_on_this_processor(tmp_path: Path) -> None:
    run_products(tmp_path / "products", need_compiler(), [[]], static=False)


def run_products(
    program: Path, compiler: list[str], emulators: list[list[str]], static: bool
) -> None:
    """Build the sources with products.c, which holds every kernel against plain C, and run it."""
    folder = program.parent
    machine = build._run([*compiler, "-dumpmachine"]).strip()
    objects = [
        build._compile(compiler, s, machine, folder, ["-O1"]) for s in build.NATIVE.glob("*.c")
    ]
    main = Path(__file__).with_name("products.c")
    include = ["-I", str(build.NATIVE), *build.WARNINGS, "-std=c11", "-O1"]
    linked = [*map(str, objects), "-lm", "-lpthread", *(["-static"] if static else [])]
    build._run([*compiler, *include, str(main), "-o", str(program), *linked])
    for emulator in emulators:
        done = subprocess.run([*emulator, str(program)], capture_output=True, text=True)
        assert done.returncode == 0, (emulator, done.stdout + done.stderr)
        assert "plain" in done.stdout


def test_every_part_of_shared_work_is_done_once(tmp_path: Path) -> None:
    """A hundred thousand short tasks, for which threads come late, and long ones to wait for;
    and a thread that is held until its task has returned, and one that sleeps."""
    program, source = tmp_path / "shared", Path(__file__).with_name("shared.c")
    files = [str(source), str(build.NATIVE / "threads.c")]
    flags = [*build.WARNINGS, "-std=c11", "-O1", "-I", str(build.NATIVE), "-DVX_WATCH=watch"]
    build._run([*need_compiler(), *flags, *files, "-lpthread", "-o", str(program)])
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")


def test_kernels_that_the_compiler_does_not_know_are_left_out(tmp_path: Path) -> None:
    """An old compiler (here one that refuses the flag) builds a library without them."""
    real = need_compiler()
    old = tmp_path / "old-cc"
    old.write_text(
        f'#!/bin/sh\nfor a; do case "$a" in -mavx512*|-mavxvnni) exit 1;; esac; done\n'
        f'exec {" ".join(real)} "$@"\n'
    )
    old.chmod(0o755)
    library = build.build(tmp_path / "made", [str(old)])
    code = "from model_backends.voxtral.cpu.library import kernels_here; print(*kernels_here())"
    environment = os.environ | {"VOXLINE_CPU_LIBRARY": str(library)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "plain" in done.stdout
    assert "vnni" not in done.stdout


def test_without_a_compiler_the_set_up_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert build.main(["--to", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "no C compiler" in said
    assert "PyTorch" in said
    assert list(tmp_path.iterdir()) == []


def test_the_library_is_of_these_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = build.source_hash()
    copy = tmp_path / "native"
    shutil.copytree(build.NATIVE, copy)
    monkeypatch.setattr(build, "NATIVE", copy)
    assert build.source_hash() == before
    (copy / "layers.c").write_text((copy / "layers.c").read_text() + "\n")
    assert build.source_hash() != before

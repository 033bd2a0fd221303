"""What goes into the frozen app, and that everything in it has a known owner."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import re
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import frozen_parts
import icons
import libraries
import notices
import pytest
from product import ROOT, Product

from app.cli.arguments import build_parser
from app.language import NAMES

needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None or sys.platform != "linux", reason="no C compiler, or no Linux"
)


def test_the_base_has_no_tensor_library() -> None:
    names = {each.name.lower() for each in frozen_parts.distributions()}
    assert not names & {"torch", "mlx", "transformers", "safetensors"}
    assert {"pyside6_essentials", "faster-whisper", "av", "numpy"} <= names


def test_every_command_is_inside() -> None:
    modules = frozen_parts.modules()
    helped = build_parser().format_help()
    for name in ("listen", "transcribe", "engines", "sources", "models", "doctor", "control"):
        assert name in helped
        assert f"app.cli.{name}" in modules


def test_of_engines_that_need_a_pack_only_what_is_said_of_them_is_inside() -> None:
    of_torch = [name for name in frozen_parts.modules() if ".voxtral.torch." in name]
    assert of_torch == ["model_backends.voxtral.torch.info"]
    assert "model_backends.voxtral.cpu.runner" in frozen_parts.modules()


def test_a_start_runs_the_app_and_none_of_pyinstaller_s_scripts_that_load_qt() -> None:
    pyinstaller, ours = ["pyiboot01_bootstrap", "pyi_rth_cryptography_openssl"], ["__main__"]
    scripts = [(name, f"{name}.py", "PYSOURCE") for name in (*pyinstaller, *ours)]
    needless = [(f"pyi_rth_{name}", "x.py", "PYSOURCE") for name in ("pyside6", "inspect")]
    kept = frozen_parts.kept_scripts([scripts[0], *needless, *scripts[1:]])
    assert list(kept) == scripts


def test_nobody_asks_for_what_those_scripts_do() -> None:
    """A worker of `multiprocessing` would be the app once more; no package knows its modules."""
    wanted = re.compile(r"\b(freeze_support|pkgutil|getsourcefile)\b")
    sources = [path for room in ("app", "model_backends") for path in (ROOT / room).rglob("*.py")]
    assert not [path for path in sources if wanted.search(path.read_text("utf-8"))]


def test_no_link_leads_to_a_library_that_is_left_out() -> None:
    link = ("libQt6EglFSDeviceIntegration.so.6", "PySide6/Qt/lib/libQt6EglFSDeviceIn…", "SYMLINK")
    kept = ("libQt6Core.so.6", "PySide6/Qt/lib/libQt6Core.so.6", "SYMLINK")
    assert list(frozen_parts.kept_data([link, kept])) == [kept]


def test_qts_own_words_are_inside_in_the_languages_of_the_windows() -> None:
    folder = "PySide6/Qt/translations/"
    there = [
        (f"{folder}{kind}_{code}.qm", f"{folder}{kind}_{code}.qm", "DATA")
        for kind in ("qtbase", "linguist")
        for code in ("de", "en", "es", "fr", "uk")
    ]
    kept = {Path(target).stem for target, _, _ in frozen_parts.kept_data(there)}
    assert kept == {f"qtbase_{code}" for code in NAMES if code != "en"}


def test_every_package_has_a_licence() -> None:
    for each in frozen_parts.distributions():
        assert notices.licence_of(each.metadata)


def test_the_notices_that_lie_beside_a_package_s_modules_are_told() -> None:
    texts = {path.name for each in frozen_parts.distributions()
             for path in frozen_parts.licence_texts(each.metadata)}  # fmt: skip
    assert "ThirdPartyNotices.txt" in texts  # ONNX Runtime's
    assert not [name for name in texts if name.endswith((".pyc", ".so"))]


def test_what_is_compiled_into_a_package_is_listed() -> None:
    lists = {each.name: frozen_parts.parts_lists(each.metadata)
             for each in frozen_parts.distributions()}  # fmt: skip
    assert lists["tokenizers"]
    assert not lists["platformdirs"]  # pure Python: of its makers' own environment


def test_data_that_a_package_opens_and_that_is_not_carried_is_noticed(tmp_path: Path) -> None:
    model = "py3langid/data/model.npz.xz"
    assert model in frozen_parts.forgotten_data(tmp_path)
    assert not [path for path in frozen_parts.forgotten_data(tmp_path) if path.endswith(".py")]
    (tmp_path / model).parent.mkdir(parents=True)
    (tmp_path / model).touch()
    assert model not in frozen_parts.forgotten_data(tmp_path)


def test_what_is_our_own_is_no_work_of_others(tmp_path: Path) -> None:
    (tmp_path / "voxline_cpu-31e0cc0c9b73.so").touch()
    assert "Voxline" not in {part.name for part in notices.parts(tmp_path)}


def test_a_library_that_nobody_is_known_to_own_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "libmystery.so.1").touch()
    with pytest.raises(notices.UnknownPartError, match=r"libmystery\.so\.1"):
        notices.parts(tmp_path)


@pytest.mark.parametrize("folder", ["av.libs", "numpy.libs", "av/.dylibs"])
def test_a_library_that_a_wheel_brings_along_is_not_the_wheel_s_own(
    folder: str, tmp_path: Path
) -> None:
    mystery = tmp_path / folder / "libmystery-0f71f37c.so.1"
    mystery.parent.mkdir(parents=True)
    mystery.touch()
    with pytest.raises(notices.UnknownPartError, match="libmystery"):
        notices.parts(tmp_path)


@pytest.mark.parametrize(
    ("name", "unused"),
    [
        ("ctranslate2/cudnn64_9.dll", True),
        ("PySide6/opengl32sw.dll", True),
        ("ctranslate2/ctranslate2.dll", False),
        ("ctranslate2/libiomp5md.dll", False),
        ("PySide6/Qt6Widgets.dll", False),
        ("PySide6/plugins/platforms/qwindows.dll", False),
        ("PySide6/plugins/platforms/qdirect2d.dll", True),
    ],
)
def test_windows_carries_what_the_app_uses(name: str, unused: bool) -> None:
    """cuDNN is NVIDIA's own; nothing that is carried links to it."""
    assert libraries.is_unused(name) is unused


def test_a_package_that_the_app_does_not_ask_for_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "pytest").mkdir()
    with pytest.raises(notices.UnknownPartError, match="pytest"):
        notices.parts(tmp_path)


def test_the_encoder_itself_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "libx264-d6533a8d.so.165").write_bytes(bytes(2_000_000))
    with pytest.raises(notices.UnknownPartError, match="GPL"):
        notices.check_no_gpl_encoders(tmp_path)


@needs_compiler
def test_an_empty_library_stands_in_for_an_encoder(tmp_path: Path) -> None:
    original = tmp_path / "original.so"
    original.write_bytes(b"\0x264_encoder_open_165\0x264_levels\0_x264_not\0nonsense x264 text\0")
    # a name that no wheel's library has: the loader would take it for that one from now on
    made = libraries.stand_in(original, tmp_path / "made" / "libx264-test.so.165")
    library = ctypes.CDLL(str(made))
    assert library.x264_encoder_open_165(None) == 0
    assert bytes((ctypes.c_char * 8).in_dll(library, "x264_levels")) == bytes(8)
    assert made.stat().st_size < 200_000


@pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="PyAV is not installed")
@needs_compiler
def test_it_has_every_function_that_ffmpeg_asks_for(tmp_path: Path) -> None:
    """Against the real libraries of the installed wheel."""
    import av

    folder = Path(str(av.__file__)).parents[1] / "av.libs"
    encoders = [each for each in folder.iterdir() if libraries.is_gpl_encoder(each.name)]
    if not encoders:
        pytest.skip("this wheel of PyAV brings no such encoder")
    codec = next(folder.glob("libavcodec*"))
    asked = _symbols(codec, "--undefined-only")
    for encoder in encoders:
        given = _symbols(libraries.stand_in(encoder, tmp_path / encoder.name), "--defined-only")
        prefix = encoder.name.removeprefix("lib").split("-")[0]
        wanted = {name for name in asked if name.startswith(f"{prefix}_")}
        assert wanted
        assert wanted <= given


def _symbols(library: Path, which: str) -> set[str]:
    command = ["nm", "--dynamic", which, str(library)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {line.split()[-1].partition("@")[0] for line in done.stdout.splitlines()}


def test_a_search_path_of_the_build_is_taken_out() -> None:
    library = b"\x7fELF\0/home/build er/lib\0/home/build er/lib/more\0"
    clean = libraries.without_search_path(library, "/home/build er/lib")
    assert clean == b"\x7fELF" + bytes(20) + b"/home/build er/lib/more\0"
    assert len(clean) == len(library)


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux's libraries")
@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("/usr/lib/x86_64-linux-gnu/libasound.so.2", True),
        ("/lib/x86_64-linux-gnu/libstdc++.so.6", True),
        ("/usr/lib/x86_64-linux-gnu/libssl.so.3", False),
        ("/opt/site-packages/av.libs/libasound-c7818c60.so.2", False),
    ],
)
def test_the_desktop_s_libraries_are_the_computer_s_own(source: str, left: bool) -> None:
    assert libraries.is_the_systems(Path(source).name, source) is left


def test_the_parts_are_a_valid_cyclonedx_list(what: Product) -> None:
    pytest.importorskip("cyclonedx", reason="the packaging group is not installed")
    import sbom

    parts = [
        notices.Part("Qt", "6.11.3", "LGPL-3.0-only"),
        notices.Part("numpy", "2.4.6", "BSD-3-Clause AND MIT", package="numpy"),
        notices.Part("Whisper base", "", "MIT", "machine-learning-model"),
        notices.Part("GCC runtime", "", "LGPL-2.1-or-later"),
        notices.Part("GCC runtime", "", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    ]
    told = json.loads(sbom.as_json(parts, what))
    names = {"Qt", "numpy", "Whisper base", "GCC runtime"}
    assert {each["name"] for each in told["components"]} == names
    assert told["metadata"]["timestamp"] == "2026-01-01T00:00:00+00:00"
    assert sbom.as_json(parts, what) == sbom.as_json(reversed(parts), what)


def test_the_icon_is_drawn_in_the_size_asked_for() -> None:
    picture = icons.png(48)
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (48, 48)
    assert len(set(zlib.compress(picture))) > 100  # something is drawn


def test_the_containers_hold_whole_pictures() -> None:
    ico = icons.ico()
    count = struct.unpack("<H", ico[4:6])[0]
    for index in range(count):
        entry = struct.unpack("<BBBBHHII", ico[6 + 16 * index : 22 + 16 * index])
        assert ico[entry[7] : entry[7] + 8] == b"\x89PNG\r\n\x1a\n"
    icns = icons.icns()
    assert struct.unpack(">I", icns[4:8])[0] == len(icns)
    at, kinds = 8, []
    while at < len(icns):
        kinds.append(icns[at : at + 4])
        at += struct.unpack(">I", icns[at + 4 : at + 8])[0]
    assert at == len(icns)
    assert b"ic10" in kinds

"""Files that are no models, models for files, libraries that are not there: a sentence for each."""

from __future__ import annotations

import importlib
import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import model_backends
from app import paths
from app.cli.engines import _as_json
from app.session.start import known, resolved, start_message
from app.settings import Settings
from app.ui.state.engines import suited_info
from app.worker import messages as m
from app.worker.client import EngineClient
from app.worker.restarts import Backoff
from model_backends.base import EngineError, EngineOptions, LoadOptions
from model_backends.ggml import header, info, library
from model_backends.ggml.families import FILE_DELAY_MS
from model_backends.ggml.header import read_header
from tests.model_backends.ggml.conftest import needed
from tests.model_backends.ggml.counting import NUMBERS, WORDS
from tests.model_backends.ggml.hearing import bursts, hear, load


def refused(file: Path, device: str | None = "cpu", realtime: bool = True) -> EngineError:
    options = LoadOptions(str(file), device, file.parent, realtime=realtime)
    with pytest.raises(EngineError) as error:
        model_backends.load("ggml", options, lambda fraction, what: None)
    assert error.value.hint, "what to do next"
    return error.value


def test_the_head_of_a_file_says_what_it_is(counting: Path, tiny: Path) -> None:
    head = read_header(counting)
    assert (head.architecture, head.name) == ("parakeet", WORDS.variant)
    assert head.keys["general.languages"] == ("en-US", "de-DE", "fr-FR")
    assert head.bytes <= counting.stat().st_size < head.bytes + 64
    assert read_header(tiny).bytes == tiny.stat().st_size


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.gguf is not a GGUF file"),
        (b"PK\3\4" + bytes(100), "x.gguf is not a GGUF file"),
        (b"GGUF" + (9).to_bytes(4, "little") + bytes(16), "of version 9, which Voxline cannot"),
        (b"GGUF" + (3).to_bytes(4, "little") + b"\xff" * 16, "x.gguf is damaged"),
        (b"GGUF" + (3).to_bytes(4, "little") + bytes(15), "x.gguf is cut off"),
    ],
)
def test_what_is_no_model(tmp_path: Path, content: bytes, message: str) -> None:
    needed()
    file = tmp_path / "x.gguf"
    file.write_bytes(content)
    assert message in refused(file).message


def written(path: Path, **keys: object) -> Path:
    """A file that has these keys and no tensor."""
    writer = importlib.import_module("gguf").GGUFWriter(str(path), "parakeet")
    for name, value in keys.items():
        kind = {str: writer.add_string, int: writer.add_uint32}.get(type(value), writer.add_array)
        kind(name.replace("__", "."), value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    return path


CHUNKED = {"stt__parakeet__encoder__att_context_style": "chunked_limited"}
CHOICES = "stt__parakeet__encoder__att_context_size_choices"


@pytest.mark.parametrize(
    "lies",
    [
        CHUNKED | {CHOICES: 5},
        CHUNKED | {CHOICES: "all"},
        CHUNKED | {CHOICES: [56, -3]},
        CHUNKED | {CHOICES: [56, 2_000_000_000]},
        CHUNKED | {CHOICES: ["a", "b"]},
        CHUNKED | {"stt__parakeet__encoder__att_context_right": "far"},
        {"general__languages": 7},
        {"general__languages": "en-US"},
    ],
)
def test_a_head_whose_keys_make_no_sense(tmp_path: Path, lies: dict[str, object]) -> None:
    needed()
    file = written(tmp_path / "lies.gguf", **lies)
    assert refused(file).message == "lies.gguf is damaged."
    assert info.INFO.suited(EngineOptions("ggml", model=str(file))) == info.INFO
    (tmp_path / "models" / "lies").mkdir(parents=True)
    file.rename(tmp_path / "models" / "lies" / "lies.gguf")
    (row,) = info.availability(tmp_path / "models")
    assert not row.available and "damaged" in row.reason


def test_languages_that_are_none_are_left_out(tmp_path: Path) -> None:
    needed()
    file = written(tmp_path / "x.gguf", general__languages=["en-US", "\x1b[31m", "", "de", "x" * 9])
    family = info.family_in(file)
    assert tuple(family.languages) == ("en", "de")


def test_a_head_without_end_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Millions of empty names in a hole of a file would take a minute, long ones all memory."""
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 2)
    file = tmp_path / "hole.gguf"
    for count, longest in ((30_000_000, header._LONGEST), (1_000_000, 100_000)):
        monkeypatch.setattr(header, "_LONGEST", longest)
        with file.open("wb") as hole:
            hole.write(head + struct.pack("<Q1sIIQ", 1, b"n", 9, 8, count))
            hole.truncate(400_000_000)
        assert refused(file).message == "hole.gguf is damaged."
    with file.open("wb") as hole:
        hole.write(head + struct.pack("<Q1sIQ", 1, b"n", 8, 99_990))
        hole.truncate(400_000_000)
    assert refused(file).message == "hole.gguf is damaged."


@pytest.mark.parametrize("kept", [40, 700, 20_000, -1])
def test_a_file_that_is_cut_off(counting: Path, tmp_path: Path, kept: int) -> None:
    """In a key, in the vocabulary, in the list of tensors, by a byte."""
    whole = counting.read_bytes()
    file = tmp_path / "cut.gguf"
    file.write_bytes(whole[:kept])
    assert refused(file).message == "cut.gguf is cut off: a part of it is missing."


def test_a_model_of_another_kind(tmp_path: Path) -> None:
    needed()
    writer = importlib.import_module("gguf").GGUFWriter(str(tmp_path / "llm.gguf"), "llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    error = refused(tmp_path / "llm.gguf")
    assert "“llama”, which Voxline cannot caption with" in error.message
    assert "Nemotron" in error.hint


def test_what_the_library_refuses_is_told_without_its_path(counting: Path, tmp_path: Path) -> None:
    file = tmp_path / "spoiled.gguf"
    key = b"stt.parakeet.encoder.n_heads"
    file.write_bytes(counting.read_bytes().replace(key, key[:-1] + b"z"))
    error = refused(file)
    assert error.message.startswith("spoiled.gguf cannot be loaded (")
    assert str(tmp_path) not in error.message


def test_a_file_and_a_name_that_are_not_there(tmp_path: Path) -> None:
    needed()
    assert "no ggml model called" in refused(tmp_path / "no.gguf").message
    with pytest.raises(EngineError, match="No model for the ggml engine") as error:
        info.find_model(None, tmp_path)
    assert "voxline models download nemotron" in error.value.hint
    (tmp_path / "moonshine-streaming-small").mkdir()
    (tmp_path / "moonshine-streaming-small" / "m.gguf").write_bytes(b"GGUF")
    with pytest.raises(EngineError, match="usual model") as error:
        info.find_model(None, tmp_path)
    assert "moonshine-streaming-small" in error.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text there")
def test_a_name_that_is_no_text(counting: Path, tmp_path: Path) -> None:
    file = tmp_path / "x\udcff.gguf"
    file.write_bytes(counting.read_bytes())
    for place in (file, tmp_path):
        assert info.file_of(place) is None
    assert not info.availability(tmp_path)[0].available
    with pytest.raises(EngineError, match="bytes that are no text") as error:
        start_message(EngineOptions("ggml", model=str(file), delay_ms=560))
    assert "Rename it" in error.value.hint
    error.value.message.encode()


def test_devices(counting: Path) -> None:
    assert "knows no device “tpu”" in refused(counting, device="tpu").message
    if sys.platform != "darwin":
        assert "finds no “metal”" in refused(counting, device="metal").message


def spoiled(counting: Path, tmp_path: Path) -> Path:
    """The library loads it, and at the first sound ends the process: its frames fit no more."""
    reader = importlib.import_module("gguf").GGUFReader(str(counting))
    field = reader.fields["stt.parakeet.encoder.conv_context_left"]
    at = field.offset + sum(int(part.nbytes) for part in field.parts[:-1])
    content = bytearray(counting.read_bytes())
    content[at : at + 4] = (65_536).to_bytes(4, "little")
    file = tmp_path / "spöiled model.gguf"
    file.write_bytes(content)
    return file


@pytest.mark.skipif(sys.platform == "win32", reason="processes end otherwise there")
def test_a_file_on_which_the_library_ends_the_process_is_given_up_while_it_loads(
    counting: Path, tmp_path: Path
) -> None:
    file = spoiled(counting, tmp_path)
    start = m.Start(
        m.PROTOCOL_VERSION, "ggml", str(tmp_path), model=str(file), device="cpu", delays_ms=(560,)
    )
    told: list[object] = []
    client = EngineClient(start, told.append, backoff=Backoff((0,), most_unready=2))
    client.start()
    assert client.finished.wait(60)
    assert not [event for event in told if isinstance(event, m.Ready)]
    failure = told[-1]
    assert isinstance(failure, m.Failure)
    assert failure.message.startswith("The speech engine crashed")
    assert "download it again" in failure.hint
    client.kill()


# --- the library ---------------------------------------------------------------------------------


def test_without_the_library(counting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transcribe_cpp", None)
    error = refused(counting)
    assert "transcribe-cpp is not installed" in error.message and "pip install" in error.hint


def test_a_library_that_cannot_run_here(counting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> None:
        raise OSError("libtranscribe.so: wrong ELF class")

    monkeypatch.setattr(importlib, "import_module", fails)
    with pytest.raises(EngineError, match=r"cannot run on this computer .*wrong ELF class"):
        library.library()


def test_another_version_of_it(counting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "VERSION", "0.5.0")
    error = refused(counting)
    assert "transcribe-cpp 0.5.0, and 0.4.1 is installed" in error.message


# --- models for files -----------------------------------------------------------------------------


def test_a_model_for_files_hears_files(offline: Path) -> None:
    engine = load(offline, realtime=False)
    heard = hear(engine, bursts(8), FILE_DELAY_MS, realtime=False)
    assert heard.text == " ".join(NUMBERS[:8])
    assert abs(heard.words[3].start_ms - (1_000 + 500 + 3 * 750)) <= 240


def test_long_sound_is_heard_in_blocks(offline: Path) -> None:
    """Cut where the score says that nobody speaks."""
    engine = load(offline, realtime=False)
    sound = np.concatenate([bursts(19), np.zeros(16_000, np.float32), bursts(3)])
    heard = hear(engine, sound, FILE_DELAY_MS, realtime=False)
    assert len(heard.words) == 22
    assert heard.words[-1].end_ms <= 1_000 + len(sound) // 16


def test_sound_that_is_shorter_than_the_library_hears(offline: Path) -> None:
    """A file of three milliseconds, or what is left behind the last cut of a long one."""
    engine = load(offline, realtime=False)
    sound = np.full(48, 0.1, np.float32)
    assert hear(engine, sound, FILE_DELAY_MS, realtime=False).words == []


def test_blocks_that_repeat_themselves_end_no_file(
    offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As over music: what was said before that counts, be it nothing, and what follows is heard."""
    engine = load(offline, realtime=False)
    transcribe_cpp = importlib.import_module("transcribe_cpp")
    run, ends = transcribe_cpp.Session.run, ["nothing", "part"]

    def repeats(session: object, pcm: object, **options: object) -> object:
        result = run(session, pcm, **options)
        if not ends:
            return result
        error = transcribe_cpp.OutputRepetition("output repetition")
        error.partial_result = result if ends.pop() == "part" else None
        raise error

    monkeypatch.setattr(transcribe_cpp.Session, "run", repeats)
    words = hear(engine, bursts(60), FILE_DELAY_MS, realtime=False).words  # blocks of 15 s
    assert not [word for word in words if 18_000 < word.start_ms < 31_000], "the second block"
    assert words[0].start_ms < 2_000 and words[-1].start_ms > 40_000


def test_it_captions_nothing_live(offline: Path) -> None:
    error = refused(offline)
    assert error.message == "Parakeet hears sound files only; it does not stream."
    assert "Nemotron" in error.hint


# --- what is known before loading ---------------------------------------------------------------


def test_delays_and_languages_are_the_model_s(counting: Path, offline: Path) -> None:
    def suited(model: str | None) -> tuple[tuple[int, ...], tuple[str, ...]]:
        found = info.INFO.suited(EngineOptions("ggml", model=model))
        return found.delays_ms, found.languages

    assert suited(None)[0] == (80, 320, 560, 1120) and len(suited(None)[1]) == 28
    assert suited("nemotron-speech-streaming-en-0.6b") == ((80, 160, 560, 1120), ("en",))
    assert suited("moonshine-streaming-small")[1] == ("en",)
    assert suited("Voxtral-Mini-4B-Realtime-2602-gguf")[0][-1] == 2400
    assert suited(str(counting)) == ((80, 320, 560, 1120), ("en", "de", "fr"))
    assert suited(str(offline))[0] == (FILE_DELAY_MS,)
    assert suited("of somebody else") == suited(None)


def test_a_model_of_ones_own_is_asked_by_its_name_too(user_folders: Path) -> None:
    """In the models folder, under a name that nobody has published: its delays are not the usual
    model's."""
    needed()
    folder = paths.models_dir() / "my 🎧 model"
    folder.mkdir(parents=True)
    written(folder / "x.gguf", **CHUNKED | {CHOICES: [70, 13, 70, 1], "general__languages": ["sv"]})
    wanted = EngineOptions("ggml", model=folder.name)
    assert resolved(wanted)[0].delays_ms == (160, 1120)
    assert known(replace(wanted, language="sv")) == (replace(wanted, language="sv"), None)
    settings = Settings(engine="ggml", model=folder.name)
    shown = suited_info(info.INFO, settings)
    assert shown is not None and shown.delays_ms == (160, 1120)
    (row,) = info.availability(paths.models_dir())
    assert _as_json(row)["delays_ms"] == [160, 1120]


def test_a_folder_with_several_files_is_no_riddle(counting: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("b.gguf", "a.gguf"):
        (folder / name).write_bytes(counting.read_bytes())
    for model in ("mine", str(folder)):
        with pytest.raises(EngineError, match=r"mine holds several \.gguf files") as error:
            info.find_model(model, tmp_path)
        assert error.value.hint == "Name one of them: a.gguf, b.gguf."
    (folder / "b.gguf").rename(folder / "._a.gguf")  # as Macs leave them on other systems' disks
    assert info.find_model("mine", tmp_path) == folder / "a.gguf"


def test_what_is_being_removed_is_no_model(counting: Path, tmp_path: Path) -> None:
    folder = tmp_path / ".removed-0123"
    folder.mkdir()
    (folder / "x.gguf").write_bytes(counting.read_bytes())
    assert info.models(tmp_path) == []


def test_rows_say_what_a_model_does(counting: Path, tmp_path: Path) -> None:
    folder = tmp_path / "nemotron-3.5-asr-streaming-0.6b"
    folder.mkdir()
    (row,) = info.availability(tmp_path)
    assert not row.available and "on this computer" in row.reason
    (folder / "model.gguf").write_bytes(counting.read_bytes())
    (row,) = info.availability(tmp_path)
    assert row.available and row.model == folder.name
    assert "80, 320, 560, 1120 ms" in row.reason and "each voice loads" in row.reason
    (folder / "model.gguf").write_bytes(b"GGUF")
    (row,) = info.availability(tmp_path)
    assert not row.available and "cut off" in row.reason

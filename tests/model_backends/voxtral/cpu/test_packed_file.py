"""The packed file: written whole or not at all, and refused in a sentence when it is not sound."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from app import language
from app.cli import main
from model_backends.base import EngineError, Sentence
from model_backends.voxtral.cpu import bench, convert
from model_backends.voxtral.cpu.packed_file import (
    FILE,
    file_size,
    looks_packed,
    open_packed,
    packed_tensors,
    params_of,
    start_of,
    taken_by_the_library,
)
from model_backends.voxtral.spec import from_params
from tests.model_backends.voxtral.transcribing import TINY


def quiet(fraction: float, what: str) -> None:
    pass


@pytest.fixture
def copy(packed: Path, tmp_path: Path) -> Path:
    folder: Path = shutil.copytree(packed, tmp_path / "copy")
    return folder


def test_the_published_model_takes_less_than_three_gigabytes() -> None:
    spec = bench.SIZES["full"]
    assert 2.6e9 < file_size(spec) < 2.9e9
    assert from_params(params_of(spec)) == spec
    assert len(start_of(spec, {})) % 4096 == 0


def test_every_tensor_is_taken_once(packed: Path) -> None:
    spec = open_packed(packed).spec
    taken = [name for name in taken_by_the_library(spec) if name is not None]
    assert taken == [p.name for p in packed_tensors(spec) if ".ada." not in p.name]
    assert taken_by_the_library(spec).count(None) == 3 * spec.decoder.layers


def test_converting_again_gives_the_same_file_whatever_the_blocks(
    packed: Path, tmp_path: Path
) -> None:
    convert.convert(TINY, tmp_path / "again", quiet, rows=48)
    assert (tmp_path / "again" / FILE).read_bytes() == (packed / FILE).read_bytes()


def test_the_other_layout_gives_the_same_file(
    packed: Path, hf_folder: Path, tmp_path: Path
) -> None:
    convert.convert(hf_folder, tmp_path / "hf", quiet)
    assert (tmp_path / "hf" / FILE).read_bytes() == (packed / FILE).read_bytes()


def test_a_file_cut_short_or_grown_is_refused(copy: Path) -> None:
    data = (copy / FILE).read_bytes()
    for wrong, words in ((data[:-1], "cut short"), (data + b"x", "longer"), (data[:30], "damaged"),
                         (b"", "damaged"), (b"GGUF" + data[4:], "damaged")):  # fmt: skip
        (copy / FILE).write_bytes(wrong)
        with pytest.raises(EngineError, match=words):
            open_packed(copy)


def test_any_changed_byte_is_noticed(copy: Path) -> None:
    """In the header at opening; in a tensor when all is read, and it is named."""
    data = bytearray((copy / FILE).read_bytes())
    for at in (8, 17, 30, 700, 2000):
        wrong = bytes(data[:at]) + bytes([data[at] ^ 1]) + bytes(data[at + 1 :])
        (copy / FILE).write_bytes(wrong)
        with pytest.raises(EngineError):
            open_packed(copy)
    for at in (len(data) // 3, len(data) // 2):
        wrong = bytes(data[:at]) + bytes([data[at] ^ 64]) + bytes(data[at + 1 :])
        (copy / FILE).write_bytes(wrong)
        with pytest.raises(EngineError, match="tensor"):
            open_packed(copy).verify(quiet)


def test_a_folder_without_its_tokenizer_is_refused(copy: Path) -> None:
    (copy / "tekken.json").unlink()
    with pytest.raises(EngineError, match=r"tekken\.json"):
        open_packed(copy)


def test_what_is_interrupted_leaves_nothing_and_the_next_clears_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "model"

    def stop(fraction: float, what: str) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert.convert(TINY, target, stop)
    assert list(tmp_path.iterdir()) == []
    partial = tmp_path / "model.partial"
    partial.mkdir()
    (partial / FILE).write_bytes(b"half")
    assert not looks_packed(target)
    convert.convert(TINY, target, quiet)
    assert not partial.exists()
    open_packed(target).verify(quiet)


def test_what_is_in_the_way_stays(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="exists already"):
        convert.convert(TINY, packed, quiet)
    (tmp_path / "x.partial").mkdir()
    (tmp_path / "x.partial" / "thesis.txt").write_text("mine")
    with pytest.raises(EngineError, match="in the way"):
        convert.convert(TINY, tmp_path / "x", quiet)
    assert (tmp_path / "x.partial" / "thesis.txt").read_text() == "mine"
    with pytest.raises(EngineError, match="packed already"):
        convert.convert(packed, tmp_path / "y", quiet)


@pytest.mark.parametrize("taken", [".", "..", Path.cwd().anchor])
def test_a_folder_that_has_no_name_is_there_already(
    taken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EngineError, match="exists already"):
        convert.convert(TINY, Path(taken), quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_may_only_be_read_is_packed(tmp_path: Path) -> None:
    """What is copied of it belongs to whoever packs it, and can be written and replaced."""
    source: Path = shutil.copytree(TINY, tmp_path / "source")
    (source / "tekken.json").chmod(0o444)
    convert.convert(source, tmp_path / "packed", quiet)
    assert (tmp_path / "packed" / "tekken.json").stat().st_mode & stat.S_IWUSR


def test_what_is_wrong_with_a_file_is_said_in_the_readers_language(copy: Path) -> None:
    data = (copy / FILE).read_bytes()
    for wrong in (data[:-1], data + b"x"):
        (copy / FILE).write_bytes(wrong)
        with pytest.raises(EngineError) as told:
            open_packed(copy)
        assert not {"cut", "longer"} & set(in_german(told.value).split())
    (copy / FILE).write_bytes(data)
    (copy / "tekken.json").unlink()
    with pytest.raises(EngineError) as told:
        open_packed(copy)
    assert "missing" not in in_german(told.value)


def in_german(error: EngineError) -> str:
    assert isinstance(error.message, Sentence)
    return error.message.said_in(language.catalogue("de"))


def test_the_command_packs_for_processors(tmp_path: Path) -> None:
    target = tmp_path / "packed"
    assert main(["models", "convert", "--engine", "cpu", str(TINY), str(target)]) == 0
    assert looks_packed(target)
    assert main(["models", "convert", "--engine", "cpu", str(TINY), str(target)]) != 0

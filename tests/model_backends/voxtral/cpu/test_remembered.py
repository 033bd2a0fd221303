"""What one load found out and the next one finds again: the same bits, and no work."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from model_backends.base import LoadOptions
from model_backends.voxtral.cpu import bench_load, library, load, this_machine
from model_backends.voxtral.cpu.packed_file import PackedModel, open_packed
from model_backends.voxtral.cpu.remembered import Remembered
from model_backends.voxtral.cpu.runner import CpuSpeech
from model_backends.voxtral.speech_model import SILENCE, Decoded, DecodeWork, EncodeWork
from model_backends.voxtral.tekken import Tekken
from tests.model_backends.voxtral.transcribing import clip, transcribe

DELAYS = (1, 6)


class Watched(CpuSpeech):
    """Counts the positions and rows that it computes."""

    worked = 0

    def encode(self, work: Sequence[EncodeWork]) -> None:
        self.worked += sum(piece.rows for piece in work)
        super().encode(work)

    def decode(self, work: Sequence[DecodeWork]) -> list[list[Decoded]]:
        self.worked += sum(len(piece.rows) for piece in work)
        return super().decode(work)


def opened(
    model: PackedModel, folder: Path | None, kernels: str = "", kv_bits: int = 16, threads: int = 1
) -> Watched:
    """A model with its silence at two delays behind it."""
    tokens = Tekken.load(model.tokenizer, model.spec.vocab)
    remembered = Remembered(folder, {"model": model.identity})
    speech = Watched(model.spec, model.tensors, tokens, threads=threads, kv_bits=kv_bits,
                     kernels=kernels, remembered=remembered)  # fmt: skip
    for delay in DELAYS:
        speech.close_decoder(speech.open_decoder(delay))
    return speech


def silence(speech: CpuSpeech) -> list[bytes]:
    """All that is kept of it."""
    encoder = speech._silent_encoder
    assert encoder is not None
    decoders = [speech._silent_decoders[delay] for delay in DELAYS]
    caches = [cache.stored().tobytes() for cache in (encoder, *decoders)]
    return [speech._rows[SILENCE].tobytes(), *caches]


@pytest.fixture(scope="module")
def model(packed: Path) -> PackedModel:
    return open_packed(packed)


@pytest.mark.parametrize(("kernels", "kv_bits"), [("", 16), ("", 8), ("plain", 16)])
def test_silence_that_is_remembered_is_the_one_that_is_computed(
    model: PackedModel, tmp_path: Path, kernels: str, kv_bits: int
) -> None:
    """Every bit of it, on other threads too, and not a row or position is computed again."""
    plain, first = (opened(model, folder, kernels, kv_bits) for folder in (None, tmp_path))
    again = opened(model, tmp_path, kernels, kv_bits, threads=3)
    assert (first.worked, again.worked) == (plain.worked, 0)
    assert silence(again) == silence(first) == silence(plain)
    assert all(any(part) for part in silence(plain))
    for speech in (plain, first, again):
        speech.close()


def of_other_weights(model: PackedModel) -> PackedModel:
    return replace(model, checksums={**model.checksums, "decoder.norm.weight": 1})


def of_a_shorter_window(model: PackedModel) -> PackedModel:
    decoder = replace(model.spec.decoder, window=32)
    return replace(model, spec=replace(model.spec, decoder=decoder))


def with_other_gains(model: PackedModel) -> PackedModel:
    """As another numpy might compute them."""
    name = "decoder.layers.0.ffn_norm.weight"
    louder = np.float32(2) * model.tensors[name]
    return replace(model, tensors={**model.tensors, name: louder})


@pytest.mark.parametrize("other", [of_other_weights, of_a_shorter_window, with_other_gains])
def test_silence_of_another_model_is_computed(
    model: PackedModel, tmp_path: Path, other: Callable[[PackedModel], PackedModel]
) -> None:
    opened(model, tmp_path).close()
    changed, plain = opened(other(model), tmp_path), opened(other(model), None)
    assert changed.worked > 0
    assert silence(changed) == silence(plain)
    for speech in (changed, plain):
        speech.close()


def test_silence_of_other_kernels_and_caches_is_computed(
    model: PackedModel, tmp_path: Path
) -> None:
    for kernels in {library.kernels_here()[0], "plain", "exact"}:
        for kv_bits in (16, 8):
            speech = opened(model, tmp_path, kernels, kv_bits)
            assert speech.worked > 0
            speech.close()


def damaged(folder: Path) -> None:
    """A bit of each file."""
    for file in folder.iterdir():
        content = bytearray(file.read_bytes())
        content[-1] ^= 4
        file.write_bytes(content)


def cut_short(folder: Path) -> None:
    """As after the power went."""
    for at, file in enumerate(sorted(folder.iterdir())):
        file.write_bytes(file.read_bytes()[: 7 + 200 * at])


def longer(folder: Path) -> None:
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes() + b"\0")


@pytest.mark.parametrize("spoil", [damaged, cut_short, longer])
def test_what_is_spoilt_is_computed_and_kept_again(
    model: PackedModel, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    first = opened(model, tmp_path)
    files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    spoil(tmp_path)
    again = opened(model, tmp_path)
    assert again.worked == first.worked
    assert silence(again) == silence(first)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == files
    for speech in (first, again):
        speech.close()


def test_where_nothing_can_be_kept_everything_works(model: PackedModel, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    for folder in (tmp_path / "cache", tmp_path / "cache" / "below"):
        speech = opened(model, folder)
        assert speech.worked > 0
        speech.close()


def test_the_folder_keeps_what_was_used_last(tmp_path: Path) -> None:
    kept = Remembered(tmp_path, {})
    left = tmp_path / "plan-killed.partial"
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    kept.put("plan", b"first", number=-1)
    for number in range(30):
        for file in tmp_path.glob("*.kept"):  # each an hour older than the next
            at = file.stat().st_mtime - 3600
            os.utime(file, (at, at))
        kept.put("plan", b"%d" % number, number=number)
        assert kept.get("plan", number=-1) is not None  # asked for every time
    assert len(list(tmp_path.iterdir())) == 10
    assert kept.get("plan", number=3) is None
    found = kept.get("plan", number=29)
    assert found is not None
    assert found.tobytes() == b"29"


class Timed:
    """Stands in for the timing of steps: what they take now, and how many were asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ms, self.steps = 50.0, 0
        monkeypatch.setattr(load, "timed_ms", self.take)

    def take(self, model: CpuSpeech, rows: int, steps: int = 10) -> float:
        self.steps += steps
        return self.ms

    def load(self, packed: Path, cache: Path | None, ms: float, **extra: int) -> load.Plan:
        """The plan that is settled on where a step takes so long."""
        self.ms, self.steps = ms, 0
        options = LoadOptions(str(packed), None, packed, extra=extra, cache_dir=cache)
        engine = load.load(options, lambda done, what: None)
        engine.close()
        return engine.plan


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Timed:
    return Timed(monkeypatch)


@pytest.mark.parametrize(
    ("then", "now", "holds"),
    [(50, 50, True), (50, 70, True), (50, 30, True), (50, 75, False),
     (100, 120, True), (100, 300, True), (100, 80, True), (100, 70, False)],
)  # fmt: skip
def test_a_plan_is_kept_as_long_as_another_would_be_no_better(
    packed: Path, tmp_path: Path, timed: Timed, then: float, now: float, holds: bool
) -> None:
    """At 100 ms all has been given up that can be: to take longer changes nothing, to take much
    less means that the computer was busy then. At 50 ms nothing was: there only 75 matters."""
    plan = timed.load(packed, tmp_path, then)
    assert timed.steps >= 10
    again = timed.load(packed, tmp_path, now)
    assert (timed.steps == 2) == holds
    if holds:
        assert again == plan
    timed.load(packed, tmp_path, now)
    assert timed.steps == 2  # in any case it is remembered now


def test_a_plan_for_a_slow_computer_is_used_at_once(
    packed: Path, tmp_path: Path, timed: Timed
) -> None:
    slow = timed.load(packed, tmp_path, 100)
    assert (slow.rows_at_once, slow.kv_bits) == (2, 8)
    assert timed.load(packed, tmp_path, 100) == slow
    assert timed.steps == 2


def with_another_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 61)


def with_another_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(this_machine, "processor_name", lambda: "Intel(R) Core(TM) Ultra 7 155H")


def with_another_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.platform", lambda: "Windows-11-10.0.26100-SP0")


def with_other_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_RULES", 2)


@pytest.mark.parametrize(
    "change", [with_another_core, with_another_processor, with_another_system, with_other_rules]
)
def test_a_plan_of_another_computer_or_version_is_not_taken(
    packed: Path, tmp_path: Path, timed: Timed, monkeypatch: pytest.MonkeyPatch,
    change: Callable[[pytest.MonkeyPatch], None],
) -> None:  # fmt: skip
    timed.load(packed, tmp_path, 50)
    change(monkeypatch)
    timed.load(packed, tmp_path, 50)
    assert timed.steps >= 10


def test_a_plan_for_other_wishes_is_not_taken(packed: Path, tmp_path: Path, timed: Timed) -> None:
    timed.load(packed, tmp_path, 100)
    assert timed.load(packed, tmp_path, 100, kv_bits=16).kv_bits == 16


def test_without_a_folder_nothing_is_kept(packed: Path, timed: Timed) -> None:
    for _ in range(2):
        timed.load(packed, None, 50)
        assert timed.steps >= 10


def test_words_are_the_same_from_what_is_remembered(packed: Path, tmp_path: Path) -> None:
    said = []
    for cache in (None, tmp_path, tmp_path):
        options = LoadOptions(str(packed), None, packed, extra={"threads": 1}, cache_dir=cache)
        engine = load.load(replace(options, realtime=False), lambda done, what: None)
        said.append(transcribe(engine, clip("join_00"), 6).events)
        engine.close()
    assert said[1] == said[2] == said[0]
    assert said[0]


def test_loading_can_be_timed_without_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    """From a file that is made for it; each load a process of its own, the file gone afterwards."""
    assert bench_load.main(["--size", "tiny", "--times", "2"]) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    parts = [row[1] for row in rows if row[0] == "| 1"]
    assert parts[1:] == ["checking the model", "weights", "words", "measuring", "ready", parts[-1]]
    assert [row[1] for row in rows if row[0] == "| 2"] == parts

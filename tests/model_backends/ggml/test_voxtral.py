"""The tiny Voxtral in GGUF says what its reference says: live, from files, at every delay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.session.transcription import Transcriber
from app.worker import messages as m
from model_backends.base import Acting, StreamOptions
from model_backends.ggml.engine import GgmlEngine
from model_backends.ggml.stream import GgmlStream
from tests.model_backends.ggml.hearing import Heard, hear, load
from tests.model_backends.voxtral.transcribing import DELAYS, ITEMS, TINY, clip, reference_text

SHORT = [name for name, item in ITEMS.items() if item["seconds"] < 4][:3]
WORD = 33  # the id that announces one


@pytest.fixture(scope="module")
def engine(tiny: Path) -> GgmlEngine:
    return load(tiny)


@pytest.mark.parametrize("delay", DELAYS)
def test_a_file_says_what_the_reference_says(delay: int, tiny: Path) -> None:
    """Through gate, real worker and engine."""
    start = m.Start(
        m.PROTOCOL_VERSION, "ggml", str(tiny.parent), model=str(tiny), device="cpu",
        delays_ms=(80 * delay,), realtime=False,
    )  # fmt: skip
    told: list[str] = []
    with Transcriber(start, told.append) as transcriber:
        for name in SHORT:
            words = transcriber.transcribe(TINY / ITEMS[name]["file"]).words
            assert "".join(word.text for word in words).split() == words_of(name, delay)
    assert not told


def words_of(name: str, delay: int) -> list[str]:
    return reference_text(name, delay).split()


@pytest.mark.parametrize("delay", DELAYS)
def test_live_it_is_the_same_whatever_the_pieces(engine: GgmlEngine, delay: int) -> None:
    heard = hear(engine, clip("fast_mixed"), 80 * delay, piece=(333, 4000)[delay % 2], speech=1.0)
    assert heard.text == reference_text("fast_mixed", delay)
    assert not heard.notices("mute"), "what is on its way is not missed"
    check_times(heard, "fast_mixed", delay)


def check_times(heard: Heard, name: str, delay: int) -> None:
    """Where the announcing token says; words begin after the one before."""
    tokens = ITEMS[name]["delays"][str(delay)]["tokens"]
    ends = [1_000 + 80 * (j + 1) - 54 for j, token in enumerate(tokens) if token == WORD]
    assert [word.end_ms for word in heard.words] == ends
    starts = [word.start_ms for word in heard.words]
    assert all(a.end_ms <= start for a, start in zip(heard.words, starts[1:], strict=False))


def test_a_change_of_delay_in_the_midst_of_speech_loses_and_doubles_no_word(
    engine: GgmlEngine,
) -> None:
    def change(stream: GgmlStream, at: int) -> None:
        new = {30 * 512: 1200, 110 * 512: 80, 200 * 512: 960}.get(at)
        if new is not None:
            stream.set_delay(0, new)

    sound = clip("join_03")
    heard = hear(engine, sound, 480, hook=change)
    assert heard.text == reference_text("join_03", 6)
    assert sum(len(sound) > at for at in (30 * 512, 110 * 512, 200 * 512)) >= 2


def test_a_longer_delay_would_cost_as_much_and_is_not_taken(engine: GgmlEngine) -> None:
    seconds = iter(range(1_000_000))
    slow = GgmlEngine(
        engine.info, engine.model, "cpu", engine.family, engine._models[0], engine._load_another,
        clock=lambda: float(next(seconds)),  # whatever is done takes a second
    )  # fmt: skip
    slow.expect(1.5)
    stream = slow.open(StreamOptions("me", 3, (480,), 0))
    stream.push(np.zeros(16_000 * 9, np.float32), 0.0)
    while slow._pace.load == 0 or slow._pace._samples < 16_000 * 4:
        assert not [event for event in slow.advance() if isinstance(event, Acting)]
    assert stream.delay_ms == 480 and stream.waiting > 16_000 * 3
    stream.close()


def test_what_waited_while_everything_stood_still_is_heard(engine: GgmlEngine) -> None:
    """All of it at once, as after a stall."""
    sound = clip("join_01")
    assert hear(engine, sound, 480, piece=len(sound)).text == reference_text("join_01", 6)

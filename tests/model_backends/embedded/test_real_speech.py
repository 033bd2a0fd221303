"""Real weights on real speech: the text, its times, its language, and silence that stays empty."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
import soundfile
from whisper_normalizer.english import EnglishTextNormalizer

from app.worker.vad import SileroVad
from model_backends.base import LoadOptions, Pcm, StreamOptions, Word
from model_backends.embedded.engine import EmbeddedEngine, load

pytestmark = pytest.mark.weights
SPEECH = Path(__file__).parents[2] / "data" / "speech"
CLIPS = {
    clip["file"]: clip
    for clip in map(json.loads, (SPEECH / "manifest.jsonl").read_text("utf-8").splitlines())
}
FRAME = 512


@pytest.fixture(scope="module")
def base(weights_dir: Path) -> Iterator[EmbeddedEngine]:
    engine = load(LoadOptions("base", None, weights_dir), lambda fraction, text: None)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def half_a_minute(base: EmbeddedEngine) -> list[Word]:
    """What base hears live in kathleen_31s.flac, which begins 7.008 s into the session."""
    return hear(base, sound(SPEECH / "kathleen_31s.flac"), start_ms=7_008)


@pytest.fixture(scope="module")
def sample_and_silence(base: EmbeddedEngine, sample: Path) -> list[Word]:
    """What base hears live in the bundled sample and ten quiet seconds behind it."""
    silence = np.random.default_rng(2).standard_normal(10 * 16_000).astype(np.float32) * 0.001
    return hear(base, np.concatenate([sound(sample), silence]))


def sound(path: Path) -> Pcm:
    pcm, rate = soundfile.read(path, dtype="float32")
    assert rate == 16_000
    return np.asarray(pcm)


def hear(
    engine: EmbeddedEngine,
    pcm: Pcm,
    live: bool = True,
    language: str | None = None,
    start_ms: int = 0,
) -> list[Word]:
    """One utterance, block by block with the detector's scores; the decoder is never late."""
    stream = engine.open(StreamOptions("me", 0, (1000,), start_ms, language, live))
    vad, words = SileroVad(), []
    for at in range(0, len(pcm) - FRAME + 1, FRAME):
        stream.push(pcm[at : at + FRAME], vad.score(pcm[at : at + FRAME]))
        words += engine.advance()
    stream.finish()
    while not stream.done:
        words += engine.advance()
    return [event for event in words if isinstance(event, Word)]


def text(words: list[Word]) -> str:
    return "".join(word.text for word in words).strip()


def error_rate(reference: str, words: list[Word]) -> float:
    """Word error rate in percent, as resources/benchmarks/embedded.md counts it."""
    normal = EnglishTextNormalizer()
    return 100 * jiwer.wer(normal(reference), normal(text(words)))


SAMPLE_TEXT = (
    "And so my fellow Americans ask not what your country can do for you "
    "ask what you can do for your country"
)


def test_the_bundled_sample_live(sample_and_silence: list[Word]) -> None:
    """Two of its 22 words may be others: processors round in ways of their own."""
    assert error_rate(SAMPLE_TEXT, sample_and_silence) <= 10
    assert {word.language for word in sample_and_silence} == {"en"}


def test_the_bundled_sample_as_a_file(base: EmbeddedEngine, sample: Path) -> None:
    words = hear(base, sound(sample), live=False)
    assert error_rate(SAMPLE_TEXT, words) <= 5
    assert {word.language for word in words} == {"en"}


def test_error_rate_live(half_a_minute: list[Word]) -> None:
    assert error_rate(CLIPS["kathleen_31s.flac"]["text"], half_a_minute) <= 12


def test_error_rate_of_a_file(base: EmbeddedEngine) -> None:
    words = hear(base, sound(SPEECH / "kathleen_31s.flac"), live=False)
    assert error_rate(CLIPS["kathleen_31s.flac"]["text"], words) <= 9


def test_tiny_hears_english(weights_dir: Path) -> None:
    if not (weights_dir / "whisper-tiny.en").is_dir():
        pytest.skip("the weights of tiny.en are not installed; `./test` installs them")
    tiny = load(LoadOptions("tiny.en", None, weights_dir), lambda fraction, text: None)
    clip = CLIPS["LJ001-0005.flac"]
    assert error_rate(clip["text"], hear(tiny, sound(SPEECH / clip["file"]))) <= 20
    tiny.close()


def test_words_are_where_they_are_spoken(half_a_minute: list[Word]) -> None:
    """The first and last word of each sentence against the times in the manifest."""
    clip = CLIPS["kathleen_31s.flac"]
    times = [(word.start_ms - 7_008, word.end_ms - 7_008) for word in half_a_minute]
    errors = [_distance(times, segment) for segment in clip["segments"]]
    assert np.median(errors) <= 120
    assert all(start <= end for start, end in times)
    assert [start for start, _ in times] == sorted(start for start, _ in times)


def _distance(times: list[tuple[int, int]], segment: dict[str, Any]) -> float:
    """How far the nearest word start and end are from a sentence's own, in ms, the worse one."""
    begin, end = float(segment["start"]) * 1000, float(segment["end"]) * 1000
    return max(min(abs(s - begin) for s, _ in times), min(abs(e - end) for _, e in times))


@pytest.mark.parametrize(
    ("file", "language", "phrase"),
    [
        ("de_rhasspy-2091.flac", "de", "was der Euro uns heute wert ist"),
        ("leo_test_ja.flac", "ja", "知識"),
    ],
)
def test_the_language_is_found(base: EmbeddedEngine, file: str, language: str, phrase: str) -> None:
    base._spoken.clear()  # what an earlier test spoke is no hint here
    words = hear(base, sound(SPEECH / file))
    assert words[-1].language == language
    assert phrase in text(words)
    if language == "ja":
        assert not any(" " in word.text.strip() for word in words)
        assert len(words) > 10, "each character is a word"


def test_a_forced_language_is_kept(base: EmbeddedEngine) -> None:
    words = hear(base, sound(SPEECH / "de_rhasspy-2091.flac"), live=False, language="en")
    assert {word.language for word in words} <= {"en"}


def _hum(seconds: int) -> Pcm:
    t = np.arange(seconds * 16_000) / 16_000
    return (0.05 * np.sin(2 * np.pi * 100 * t)).astype(np.float32)


def _noise(seconds: int) -> Pcm:
    return (0.02 * np.random.default_rng(1).standard_normal(seconds * 16_000)).astype(np.float32)


@pytest.mark.parametrize("quiet", [_noise, _hum, partial(np.zeros, dtype=np.float32)])
def test_nothing_is_invented_where_nobody_speaks(base: EmbeddedEngine, quiet: Any) -> None:
    pcm = quiet(8) if quiet in (_noise, _hum) else quiet(8 * 16_000)
    assert hear(base, pcm) == []


def test_silence_after_speech_adds_no_word(sample_and_silence: list[Word]) -> None:
    assert sample_and_silence[-1].end_ms <= 11_100

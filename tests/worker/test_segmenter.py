"""Scores in, utterances out."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.worker.segmenter import FRAME_MS, Closed, Opened, Segmenter

QUIET, SPEECH = 0.1, 0.9


def decisions(segmenter: Segmenter, scores: list[float]) -> list[Opened | Closed]:
    return [made for made in map(segmenter.feed, scores) if made is not None]


def test_speech_opens_with_preroll_and_silence_closes_with_hangover() -> None:
    segmenter = Segmenter(preroll_ms=320, hangover_ms=320)
    scores = [QUIET] * 20 + [SPEECH] * 30 + [QUIET] * 30
    assert decisions(segmenter, scores) == [Opened(10), Closed(59)]


def test_preroll_is_never_shorter_than_asked() -> None:
    segmenter = Segmenter(preroll_ms=300)
    (opened,) = decisions(segmenter, [QUIET] * 50 + [SPEECH] * 5)
    assert (50 - opened.frame) * FRAME_MS >= 300


def test_a_click_does_not_open() -> None:
    segmenter = Segmenter(onset=3, window=5)
    assert decisions(segmenter, [QUIET, SPEECH, SPEECH, QUIET, QUIET, QUIET] * 5) == []


def test_speech_with_a_dip_opens_at_its_first_frame() -> None:
    segmenter = Segmenter(preroll_ms=0, onset=3, window=5)
    scores = [QUIET] * 8 + [SPEECH, QUIET, SPEECH, SPEECH]
    assert decisions(segmenter, scores) == [Opened(8)]


def test_a_score_between_the_thresholds_keeps_open_but_does_not_open() -> None:
    segmenter = Segmenter(hangover_ms=160)
    assert decisions(segmenter, [0.4] * 50) == []
    assert decisions(segmenter, [SPEECH] * 3 + [0.4] * 50) == [Opened(40)]
    assert segmenter.is_open


def test_preroll_does_not_reach_into_the_utterance_before() -> None:
    segmenter = Segmenter(preroll_ms=320, hangover_ms=64)
    scores = [SPEECH] * 5 + [QUIET] * 2 + [SPEECH] * 5
    assert decisions(segmenter, scores) == [Opened(0), Closed(6), Opened(7)]


def test_a_longer_hangover_counts_from_now_on() -> None:
    segmenter = Segmenter(hangover_ms=64)
    decisions(segmenter, [SPEECH] * 3 + [QUIET])
    segmenter.hangover_ms = 160
    assert decisions(segmenter, [QUIET] * 3) == []
    assert decisions(segmenter, [QUIET]) == [Closed(7)]


def test_a_reset_ends_the_utterance_and_stops_preroll() -> None:
    segmenter = Segmenter(preroll_ms=320)
    decisions(segmenter, [QUIET] * 20 + [SPEECH] * 10)
    assert segmenter.reset() == Closed(29)
    assert segmenter.reset() is None
    assert decisions(segmenter, [QUIET] * 2 + [SPEECH] * 3) == [Opened(30)]


def test_not_a_number_is_silence() -> None:
    segmenter = Segmenter(hangover_ms=320)
    assert decisions(segmenter, [math.nan] * 10) == []
    assert decisions(segmenter, [SPEECH] * 3 + [math.nan] * 10) == [Opened(0), Closed(22)]


def test_an_onset_longer_than_its_window_is_refused() -> None:
    with pytest.raises(ValueError, match="onset"):
        Segmenter(onset=6, window=5)


@given(
    st.lists(st.floats(0, 1), max_size=300),
    st.integers(0, 640),
    st.integers(0, 900),
    st.sets(st.integers(0, 299), max_size=3),
)
def test_utterances_never_overlap_and_hold_all_speech(
    scores: list[float], preroll_ms: int, hangover_ms: int, resets: set[int]
) -> None:
    segmenter = Segmenter(preroll_ms=preroll_ms, hangover_ms=hangover_ms)
    sent: list[int] = []
    opened: int | None = None
    for frame, score in enumerate(scores):
        made = segmenter.feed(score)
        if isinstance(made, Opened):
            assert frame - made.frame <= segmenter.keep_frames
            opened = made.frame
        if frame in resets:
            made = segmenter.reset() or made
        if isinstance(made, Closed) and opened is not None:
            sent += range(opened, made.frame + 1)
            opened = None
    if opened is not None:
        sent += range(opened, len(scores))
    assert sent == sorted(set(sent)), "a frame sent twice or out of order"
    windows = [range(at, at + 3) for at in range(len(scores) - 2)]
    loud = [w for w in windows if all(scores[f] >= 0.5 for f in w) and not resets & set(w)]
    assert {frame for window in loud for frame in window} <= set(sent)

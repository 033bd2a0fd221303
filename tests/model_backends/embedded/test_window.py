"""The window's audio and speech frames: positions stay true however it is fed and cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model_backends.embedded.window import FRAME, Window


def fed(pattern: str) -> Window:
    """A window with one frame a letter: `#` is speech, `.` is not."""
    window = Window()
    for number, letter in enumerate(pattern):
        pcm = np.full(FRAME, number, np.float32)
        window.push(pcm, 0.9 if letter == "#" else 0.1)
    return window


def test_silence_is_counted_from_the_last_speech() -> None:
    assert fed("").silence == 0
    assert fed("...").silence == 3 * FRAME
    assert fed("#..").silence == 2 * FRAME
    assert fed("..#").silence == 0


def test_pauses_and_spans() -> None:
    window = fed("..##...#.")
    assert window.pauses(0, window.end) == [
        (0, 2 * FRAME),
        (4 * FRAME, 7 * FRAME),
        (8 * FRAME, 9 * FRAME),
    ]
    assert window.voiced_span(0, 6 * FRAME) == (2 * FRAME, 4 * FRAME)
    assert window.voiced_span(4 * FRAME, 7 * FRAME) is None
    assert window.speech(0, window.end) == 3 * FRAME


def test_a_cut_moves_nothing() -> None:
    window = fed("..##...#.")
    window.cut(3 * FRAME + 100)
    assert window.start == 3 * FRAME + 100
    assert window.audio(5 * FRAME).tolist() == [3.0] * (FRAME - 100) + [4.0] * FRAME
    assert window.voiced_span(0, window.end) == (3 * FRAME, 8 * FRAME)
    window.cut(0)
    assert window.start == 3 * FRAME + 100, "what is cut does not come back"
    window.cut(10**9)
    assert (window.start, window.silence) == (window.end, 0)


@given(st.lists(st.tuples(st.integers(0, 1500), st.booleans()), max_size=12), st.integers(0, 9000))
def test_blocks_of_any_length_give_the_same_audio(
    blocks: list[tuple[int, bool]], cut_at: int
) -> None:
    window, total = Window(), sum(length for length, _ in blocks)
    sound = np.arange(total, dtype=np.float32)
    at = 0
    for length, speech in blocks:
        window.push(sound[at : at + length], 0.9 if speech else 0.0)
        at += length
    window.cut(cut_at)
    start = min(cut_at, total)
    assert window.audio(window.end).tolist() == sound[start:].tolist()
    assert window.speech(0, total) <= -(-total // FRAME) * FRAME
    assert 0 <= window.silence <= total - start

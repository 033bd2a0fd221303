"""Hours of one lane, here 36 s of them: the whole sound goes through the lane, and is counted."""

from __future__ import annotations

from app.measure.hours import HEAD, soak
from tests.worker.recording import LoudnessVad, RecordingEngine, satisfies, sound


def test_the_sound_is_heard_again_and_again_and_counted() -> None:
    """Two seconds of speech and two of silence, nine times; each utterance says a word."""
    engine = RecordingEngine()
    engine.says = [" word"] * 9
    pcm = sound((0.9, 2_000), (0.0, 2_000))
    (row,) = soak(satisfies(engine), (pcm * 32767).astype("<i2").tobytes(), 0.01, LoudnessVad())
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert len(cells) == HEAD.splitlines()[0].count("|") - 1
    assert cells[0] == "0.01"
    assert cells[-2:] == ["9", "9"]
    assert len(engine.streams) == 9
    assert sum(stream.samples for stream in engine.streams) >= 9 * 2 * 16_000

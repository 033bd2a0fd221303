"""What a capture says of every block is told a few times a second, and news of its own at once."""

from __future__ import annotations

from app.audio.listening import BLOCK_S, Level, SoundState
from app.core.timeline import Gap
from app.session import session
from app.session.events import Heard
from app.session.gathering import TOLD_MS, Gathering, Told


def blocks(gathering: Gathering, count: int, from_ms: int = 0) -> list[Told]:
    told: list[Told] = []
    for number in range(count):
        start_ms = from_ms + 32 * number
        told += gathering.take(Level(number / 1000))
        told += gathering.take(Heard(start_ms, start_ms + 32))
    return told


def test_the_first_sound_and_its_loudness_are_told_at_once() -> None:
    assert blocks(Gathering(), 1) == [Level(0.0), Heard(0, 32)]


def test_of_thirty_blocks_a_second_ten_tellings_are_left_and_no_sound_is_left_out() -> None:
    gathering = Gathering()
    told = [*blocks(gathering, 300), *gathering.rest()]
    heard = [each for each in told if isinstance(each, Heard)]
    assert len(heard) <= 300 * 32 / TOLD_MS + 1
    assert [each.start_ms for each in heard[1:]] == [each.end_ms for each in heard[:-1]]
    assert (heard[0].start_ms, heard[-1].end_ms) == (0, 300 * 32)


def test_the_loudest_block_is_told() -> None:
    gathering = Gathering()
    blocks(gathering, 1)
    loud = [gathering.take(Level(rms)) for rms in (0.1, 0.7, 0.2)]
    assert loud == [[], [], []]
    assert gathering.rest() == [Level(0.7)]


def test_sound_after_a_gap_is_told_at_once_behind_what_was_gathered() -> None:
    gathering = Gathering()
    blocks(gathering, 2)
    gathering.take(Heard(65, 97))  # rounding is no gap
    assert gathering.take(Heard(500, 532)) == [Heard(32, 97), Level(0.001), Heard(500, 532)]


def test_other_news_is_told_at_once_behind_what_was_gathered() -> None:
    gathering = Gathering()
    blocks(gathering, 2)
    gap = Gap("me", 64, 900, "device")
    assert gathering.take(gap) == [Heard(32, 64), Level(0.001), gap]
    lost = SoundState("lost")
    assert gathering.take(lost) == [lost]


def test_sound_wakes_the_session_and_the_time_does_not_once_more() -> None:
    """Its thread waits longer than it takes until the sound tells of itself."""
    block_ms = round(BLOCK_S * 1000)
    longest_ms = -(-TOLD_MS // block_ms) * block_ms
    assert session._PATIENCE_S * 1000 > longest_ms >= session.TICK_S * 1000

"""What is kept for a replay: all that is unsettled, no more, and within the bound."""

from __future__ import annotations

import pytest

from app.core.chunk import Chunk
from app.core.timeline import Gap
from app.worker import replay_buffer
from app.worker.messages import Break, Leave
from app.worker.replay_buffer import ReplayBuffer
from model_backends.base import Progress, Word

SECOND = b"\0" * 32_000


def chunk(second: int, lane: str = "me") -> Chunk:
    return Chunk(lane, second * 1000, second * 16_000, SECOND)


def filled(seconds: int) -> ReplayBuffer:
    buffer = ReplayBuffer((480,))
    for second in range(seconds):
        buffer.push(chunk(second))
    return buffer


def take_all(buffer: ReplayBuffer) -> list[Chunk | Break | Leave]:
    taken = []
    while buffer.has_next(None):
        taken.append(buffer.next(None))
    return taken


def word(text: str, start_ms: int, end_ms: int, utterance: int = 0) -> Word:
    return Word("me", 0, utterance, text, start_ms, end_ms)


def test_audio_is_sent_once_and_kept_until_settled() -> None:
    buffer = filled(5)
    assert take_all(buffer) == [chunk(s) for s in range(5)]
    buffer.progress(Progress("me", 0, 4000, 2000))
    assert buffer.kept_ms == 3000
    assert buffer.ahead_ms("me") == 1000
    assert not buffer.has_next(None)


def test_a_new_worker_hears_everything_unsettled_again() -> None:
    buffer = filled(5)
    take_all(buffer)
    buffer.progress(Progress("me", 0, 4000, 2000))
    buffer.rewind()
    assert take_all(buffer) == [chunk(s) for s in range(2, 5)]


def test_a_break_keeps_its_place_in_a_replay() -> None:
    buffer = filled(2)
    buffer.push_break("me")
    buffer.push(chunk(9))
    first = take_all(buffer)
    buffer.rewind()
    assert take_all(buffer) == first == [chunk(0), chunk(1), Break("me"), chunk(9)]


def test_only_so_much_is_sent_ahead() -> None:
    buffer = filled(100)
    sent = 0
    while buffer.has_next(10_000):
        buffer.next(10_000)
        sent += 1
    assert sent == 10
    buffer.progress(Progress("me", 0, 3000, 3000))
    assert buffer.has_next(10_000)


def test_a_pause_of_an_hour_is_no_backlog() -> None:
    buffer = filled(1)
    buffer.push(Chunk("me", 3_600_000, 99, SECOND))
    assert buffer.ahead_ms("me") == 2000
    take_all(buffer)
    buffer.progress(Progress("me", 0, 1000, 1000))
    assert buffer.ahead_ms("me") == 1000


def test_a_slower_track_holds_the_audio() -> None:
    buffer = ReplayBuffer((240, 2400))
    for second in range(4):
        buffer.push(chunk(second))
    take_all(buffer)
    buffer.progress(Progress("me", 0, 4000, 4000))
    assert buffer.kept_ms == 4000
    buffer.progress(Progress("me", 1, 4000, 1000))
    assert buffer.kept_ms == 3000


def test_at_the_bound_the_oldest_is_given_up_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_buffer, "MAX_KEPT_MS", 3000)
    buffer = filled(3)
    assert buffer.push(chunk(3)) == [Gap("me", 0, 1000, "overflow")]
    assert take_all(buffer) == [chunk(1), chunk(2), chunk(3)]


def test_what_the_worker_has_is_no_gap_and_makes_no_room_for_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replay_buffer, "MAX_KEPT_MS", 6000)
    buffer = filled(6)
    sent = [buffer.next(4000) for _ in range(4)]
    lost = [gap for second in range(6, 9) for gap in buffer.push(chunk(second))]
    assert lost == [Gap("me", s * 1000, (s + 1) * 1000, "overflow") for s in (4, 5, 6)]
    assert not buffer.has_next(4000), "as much is with the worker as before"
    assert buffer.ahead_ms("me") == buffer.kept_ms == 6000
    assert [*sent, *take_all(buffer)] == [chunk(s) for s in (0, 1, 2, 3, 7, 8)]
    buffer.rewind()
    assert take_all(buffer) == [chunk(s) for s in (0, 1, 2, 3, 7, 8)]


def test_a_minute_is_given_up_at_once_but_not_across_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replay_buffer, "MAX_KEPT_MS", 90_000)  # a thirtieth: three seconds
    buffer = filled(4)
    buffer.push_break("me")
    for second in range(10, 96):
        assert buffer.push(chunk(second)) == []
    assert buffer.push(chunk(96)) == [Gap("me", 0, 3000, "overflow")]
    assert buffer.push(chunk(97)) == buffer.push(chunk(98)) == []
    assert buffer.push(chunk(99)) == [Gap("me", 3000, 4000, "overflow")]
    assert take_all(buffer)[:2] == [Break("me"), chunk(10)]


def test_a_pause_ends_a_replay() -> None:
    buffer = filled(3)
    take_all(buffer)
    buffer.commit(word(" one", 200, 600))
    buffer.rewind()
    buffer.push_break("me")
    take_all(buffer)
    buffer.commit(word(" one", 200, 600, 1))
    buffer.commit(word(" two", 700, 1000, 1))
    assert buffer.aligning("me", 0)
    passed = buffer.progress(Progress("me", 0, 3000, 3000))
    assert [each.text for each in passed if isinstance(each, Word)] == [" two"]
    assert not buffer.aligning("me", 0)


def test_heard_audio_given_up_at_the_bound_is_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_buffer, "MAX_KEPT_MS", 3000)
    buffer = filled(3)
    take_all(buffer)
    buffer.progress(Progress("me", 0, 2000, 0))
    assert buffer.push(chunk(3)) == []
    assert buffer.kept_ms == 3000
    assert buffer.ahead_ms("me") == 2000


def test_replayed_words_pass_only_if_they_are_new() -> None:
    buffer = filled(6)
    take_all(buffer)
    said = [word(" one", 200, 600), word(" two", 800, 1200), word(" three", 1400, 1900)]
    for each in said:
        assert buffer.commit(each) == [each]
    buffer.rewind()
    take_all(buffer)
    new = word(" four", 2300, 2700, 1)
    passed = []
    again = [word(" one", 210, 590, 1), word(" too", 800, 1200, 1), word(" three", 1400, 1900, 1)]
    for each in [*again, new]:
        passed += buffer.commit(each)
    for event in buffer.progress(Progress("me", 0, 5000, 2800)):
        passed += [event] if isinstance(event, Word) else []
    assert [each.text for each in passed] == [" four"]
    assert not buffer.aligning("me", 0)


def test_a_replay_that_ends_early_gives_up_what_it_held() -> None:
    buffer = filled(3)
    take_all(buffer)
    buffer.commit(word(" one", 200, 600))
    buffer.rewind()
    take_all(buffer)
    buffer.commit(word(" one", 200, 600, 1))
    buffer.commit(word(" two", 700, 1000, 1))
    assert [each.text for each in buffer.finish()] == [" two"]


def test_the_end_of_a_lane_is_told_to_every_worker_until_one_has_left_it() -> None:
    buffer = filled(1)
    buffer.push_leave("me")
    assert take_all(buffer)[-1] == Leave("me")
    buffer.progress(Progress("me", 0, 1000, 1000))
    assert buffer.kept_ms == 0
    buffer.rewind()
    assert take_all(buffer) == [Leave("me")]
    settled_ms = buffer.settled_ms
    buffer.forget("me")
    assert not buffer.knows("me", 0)
    assert buffer.settled_ms == settled_ms  # it only grows
    assert buffer.ahead_ms("me") == 0
    assert not buffer.knows("me", 0)  # asking made no new one

"""What a worker says, and what of it is delivered."""

from __future__ import annotations

import pytest

from app.core.chunk import Chunk
from app.worker import messages as m
from app.worker.incoming import Incoming
from app.worker.outgoing import Outgoing
from app.worker.replay_buffer import ReplayBuffer
from app.worker.restarts import Backoff, Restarts, Verdict
from model_backends.base import Notice, Progress, Tail, Word

START = m.Start(m.PROTOCOL_VERSION, "scripted", "/models", delays_ms=(480,))
SMALLER = Notice("me", "smaller-model", "Base is too slow.")


class Rig:
    """All the bookkeeping of a client that has been pushed three seconds."""

    def __init__(self) -> None:
        self.buffer = ReplayBuffer(START.delays_ms)
        self.outgoing = Outgoing(START, self.buffer)
        self.restarts = Restarts(Backoff(most_stuck=2, most_unready=2), live=True)
        self.incoming = Incoming(self.buffer, self.outgoing, self.restarts)
        self.buffer.push(Chunk("me", 0, 0, bytes(96_000)))
        self.begin()

    def begin(self) -> m.Start:
        """Another worker is started and fed."""
        start = self.outgoing.begin()
        while self.outgoing.has_next:
            self.outgoing.next()
        return start

    def take(self, *messages: m.Message) -> list[m.Message]:
        return [event for message in messages for event in self.incoming.take(message)]


def test_what_lasts_is_told_once_however_many_workers_find_out() -> None:
    rig = Rig()
    behind = Notice("me", "behind", "Slow.")
    assert rig.take(SMALLER, behind) == [SMALLER, behind]
    rig.begin()
    assert rig.take(SMALLER, behind) == [behind]
    taken_back = Notice("me", "smaller-model", "")
    assert rig.take(taken_back, SMALLER) == [taken_back, SMALLER]


def test_the_model_an_engine_came_to_is_what_the_next_worker_begins_with() -> None:
    rig = Rig()
    adapted = m.Adapted("base+tiny.en")
    assert rig.take(adapted) == [adapted]
    assert rig.begin().adapted == "base+tiny.en"


def test_heartbeats_are_nobodys_business() -> None:
    assert Rig().take(m.Alive(1, False, 2)) == []


def test_a_replay_tells_nothing_twice() -> None:
    rig = Rig()
    first, second = Word("me", 0, 0, " one", 0, 300), Word("me", 0, 1, " two", 1_500, 1_900)
    assert rig.take(first) == [first]
    rig.begin()
    assert rig.take(first, Tail("me", 0, 1, " tw")) == []
    assert rig.take(second, Tail("me", 0, 1, " x")) == [second, Tail("me", 0, 1, " x")]


@pytest.mark.parametrize(
    "event", [Word("me", 0, 0, " one", 0, 300), Progress("me", 0, 900, 900)], ids=["word", "sound"]
)
def test_a_worker_that_got_further_is_not_stuck(event: m.Message) -> None:
    rig = Rig()
    rig.take(m.Ready("scripted", "hello", "cpu", 1))
    assert rig.restarts.died(0.0) is Verdict.AGAIN
    rig.take(event)
    assert rig.restarts.died(1.0) is Verdict.AGAIN
    assert rig.restarts.died(2.0) is Verdict.SKIP


def test_an_end_counts_only_when_it_was_asked_for() -> None:
    rig = Rig()
    with pytest.raises(m.ProtocolError):
        rig.take(m.Finished())
    rig.outgoing.finish()
    while rig.outgoing.has_next:
        rig.outgoing.next()
    assert rig.take(m.Finished()) == [m.Finished()]


def test_sound_at_which_workers_die_is_marked_and_left_out() -> None:
    rig = Rig()
    rig.take(Word("me", 0, 0, " one", 0, 300))
    (gap,) = rig.buffer.skip()
    assert (gap.lane, gap.reason, gap.end_ms) == ("me", "worker", 3_000)
    assert rig.buffer.skip() == []
    assert rig.buffer.ahead_ms("me") == 0

"""What a worker is told, in which order, and what the one after it is told."""

from __future__ import annotations

from app.core.chunk import Chunk
from app.worker import messages as m
from app.worker.outgoing import AHEAD_MS, Outgoing
from app.worker.replay_buffer import ReplayBuffer
from model_backends.base import Progress, Word

START = m.Start(m.PROTOCOL_VERSION, "scripted", "/models", delays_ms=(480,), first_utterance=3)


def rig(seconds: int = 0) -> tuple[Outgoing, ReplayBuffer]:
    buffer = ReplayBuffer(START.delays_ms)
    for second in range(seconds):
        buffer.push(Chunk("me", second * 1000, second * 16_000, bytes(32_000)))
    outgoing = Outgoing(START, buffer)
    outgoing.begin()
    return outgoing, buffer


def everything(outgoing: Outgoing) -> list[m.Message]:
    found = []
    while outgoing.has_next:
        found.append(outgoing.next())
    return found


def test_a_delay_overtakes_the_audio_that_waits() -> None:
    outgoing, _ = rig(3)
    outgoing.set_delay("me", 0, 960)
    assert everything(outgoing)[0] == m.SetDelay("me", 0, 960)


def test_a_later_worker_gets_the_delay_of_each_lane_and_track() -> None:
    outgoing, _ = rig()
    for lane, track, ms in (("me", 0, 960), ("them", 0, 240), ("them", 1, 80), ("me", 0, 2400)):
        outgoing.set_delay(lane, track, ms)
    everything(outgoing)
    assert outgoing.begin().delays_ms == (480,), "other lanes keep the one they began with"
    assert set(everything(outgoing)) == {
        m.SetDelay("me", 0, 2400), m.SetDelay("them", 0, 240), m.SetDelay("them", 1, 80),
    }  # fmt: skip


def test_a_later_worker_is_not_asked_for_a_delay_that_was_refused() -> None:
    outgoing, _ = rig()
    outgoing.set_delay("me", 0, 960)
    outgoing.delay_refused(m.DelayRefused("me", 0, 960, 480))
    outgoing.begin()
    assert everything(outgoing) == [m.SetDelay("me", 0, 480)]


def test_a_refusal_does_not_undo_a_later_wish() -> None:
    outgoing, _ = rig()
    outgoing.set_delay("me", 0, 960)
    outgoing.set_delay("me", 0, 240)
    outgoing.delay_refused(m.DelayRefused("me", 0, 960, 480))
    outgoing.begin()
    assert everything(outgoing) == [m.SetDelay("me", 0, 240)]


def test_a_minute_is_sent_ahead_and_no_more() -> None:
    outgoing, buffer = rig(90)
    sent = everything(outgoing)
    assert len(sent) == AHEAD_MS // 1000 == 60
    buffer.progress(Progress("me", 0, 10_000, 10_000))
    assert len(everything(outgoing)) == 10


def test_finish_comes_after_all_audio_and_once() -> None:
    outgoing, buffer = rig(90)
    outgoing.finish()
    assert m.Finish() not in everything(outgoing)
    buffer.progress(Progress("me", 0, 60_000, 60_000))
    assert everything(outgoing)[-1] == m.Finish()
    assert outgoing.end_asked and not outgoing.has_next


def test_abandon_goes_before_everything_that_waits() -> None:
    outgoing, _ = rig(5)
    outgoing.abandon()
    assert everything(outgoing) == [m.Abandon()]
    outgoing.begin()
    assert everything(outgoing) == [m.Abandon()], "a later worker has nothing to do either"


def test_a_later_worker_numbers_on_and_knows_what_was_spoken() -> None:
    outgoing, _ = rig()
    assert outgoing.begin().spoken == {}
    for lane, utterance, text, language in (
        ("me", 8, " Guten", "de"),
        ("them", 5, " Bonjour", "fr"),
        ("me", 6, " hm", None),
    ):
        outgoing.spoken(Word(lane, 0, utterance, text, 0, 300, language))
    begin = outgoing.begin()
    assert begin.first_utterance == 9
    assert begin.spoken == {"me": "de", "them": "fr"}


def test_a_later_worker_begins_with_the_model_an_earlier_one_came_to() -> None:
    outgoing, _ = rig()
    assert outgoing.begin().adapted == ""
    outgoing.adapted("base+tiny.en")
    assert outgoing.begin().adapted == outgoing.model_adapted == "base+tiny.en"
    assert outgoing.begin().loads_like(START), "what was adapted is no other model to ask for"

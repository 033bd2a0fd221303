"""The worker's loop on an engine that keeps a record: messages in, messages out."""

from __future__ import annotations

from pathlib import Path

import pytest

import model_backends
from app import paths
from app.core.names import Name, text_of
from app.worker import loop
from app.worker import messages as m
from app.worker.loop import load_engine, take_engine
from model_backends.base import Engine, EngineError, LoadOptions, Notice, Progress, Report, Word
from tests.worker.helpers import start_message
from tests.worker.recording import LoopRig, LoudnessVad, RecordingEngine, chunks, sound

START = m.Start(m.PROTOCOL_VERSION, "recording", "/models", delays_ms=(480,), vad="webrtc")
NOISE = sound((0.0, 400))
TALK = sound((0.9, 1_000))


@pytest.fixture
def loud(monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector reads its score in the sound."""
    monkeypatch.setattr("app.worker.loop.make_vad", lambda kind: LoudnessVad())


def test_finish_is_answered_when_all_is_flushed() -> None:
    sent = LoopRig(START).run(*chunks(NOISE), m.Finish())
    assert isinstance(sent[-1], m.Finished)
    progress = [e for e in sent if isinstance(e, Progress)]
    assert progress[-1].settled_ms == 400


def test_each_lane_has_its_own_delay(loud: None) -> None:
    rig = LoopRig(START)
    talk = [*chunks(TALK), *chunks(TALK, lane="them")]
    rig.run(m.SetDelay("me", 0, 960), *talk, m.Finish())
    delays = {s.options.lane: s.options.delays_ms for s in rig.engine.streams}
    assert delays == {"me": (960,), "them": (480,)}


def test_a_refused_delay_does_not_end_the_loop() -> None:
    sent = LoopRig(START).run(m.SetDelay("me", 0, 17), *chunks(NOISE), m.Finish())
    assert [e.code for e in sent if isinstance(e, Notice)] == ["delay-refused"]
    assert isinstance(sent[-1], m.Finished)


def test_abandon_drops_what_is_open_and_what_waits(loud: None) -> None:
    rig = LoopRig(START)

    def abandon_once_open(message: m.Message) -> None:
        if isinstance(message, Progress) and rig.engine.streams:
            rig.inbox.put(m.Abandon())
            for chunk in chunks(TALK, start_ms=2_000):
                rig.inbox.put(chunk)

    rig.on_sent = abandon_once_open
    sent = rig.run(*chunks(TALK))
    (stream,) = rig.engine.streams
    assert stream.verbs == [("close", None)]
    assert stream.samples <= 2_000 * 16, "what came behind it is not heard"
    assert isinstance(sent[-1], m.Finished)


def test_a_model_the_engine_changed_to_is_told_once() -> None:
    engine = RecordingEngine()
    rig = LoopRig(START, engine)
    engine.model = "smaller"
    sent = rig.run(*chunks(NOISE), m.Finish())
    assert [e.model for e in sent if isinstance(e, m.Adapted)] == ["smaller"]


def test_the_heartbeat_counts_steps() -> None:
    rig = LoopRig(START)
    rig.run(*chunks(NOISE), m.Finish())
    assert rig.heartbeat.alive().steps > 0


def test_a_detector_that_cannot_be_loaded_is_replaced_and_told() -> None:
    start = m.Start(m.PROTOCOL_VERSION, "recording", "/models", delays_ms=(480,), vad="none such")
    sent = LoopRig(start).run(*chunks(NOISE), m.Finish())
    assert [e.code for e in sent if isinstance(e, Notice)] == ["light-vad"]


def test_loading_tells_what_was_loaded_and_taking_it_over_that_nothing_was(tmp_path: Path) -> None:
    sent: list[m.Message] = []
    engine = load_engine(start_message(tmp_path), sent.append)
    take_engine(engine, start_message(tmp_path, delays_ms=(480,)), sent.append)
    first, second = [e for e in sent if isinstance(e, m.Ready)]
    assert (first.engine, second.load_ms) == ("scripted", 0)
    with pytest.raises(EngineError, match="no delay of 7 ms"):
        take_engine(engine, start_message(tmp_path, delays_ms=(7,)), sent.append)


def test_an_engine_is_told_where_to_keep_what_can_be_found_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[LoadOptions] = []

    def load(name: str, options: LoadOptions, report: Report) -> Engine:
        given.append(options)
        return model_backends.load(name, options, report)

    monkeypatch.setattr(loop, "load", load)
    sent: list[m.Message] = []
    load_engine(start_message(tmp_path), sent.append)
    assert [options.cache_dir for options in given] == [paths.cache_dir()]


def test_words_pass_with_the_number_of_their_utterance(loud: None) -> None:
    engine = RecordingEngine()
    engine.says = [" hello"]
    start = m.Start(
        m.PROTOCOL_VERSION, "recording", "/m", delays_ms=(480,), first_utterance=7, vad="webrtc"
    )
    rig = LoopRig(start, engine)
    sent = rig.run(*chunks(TALK), m.Finish())
    assert [(w.text, w.utterance) for w in sent if isinstance(w, Word)] == [(" hello", 7)]


def test_a_lane_that_leaves_is_heard_out_and_forgotten(loud: None) -> None:
    rig = LoopRig(START)
    rig.run(m.Enter("a", "fr"), *chunks(TALK, lane="a"), m.Leave("a"), m.Finish())
    left = rig.sent.index(m.Left("a"))
    progress = [e for e in rig.sent[:left] if isinstance(e, Progress)]
    assert progress[-1].settled_ms == 1_000
    assert not any(isinstance(e, (Progress, Word)) for e in rig.sent[left:])
    assert [stream.options.language for stream in rig.engine.streams] == ["fr"]


def test_a_lane_that_never_spoke_leaves_too() -> None:
    sent = LoopRig(START).run(m.Enter("a"), m.Leave("a"), m.Finish())
    assert m.Left("a") in sent


def test_a_stream_that_the_engine_refuses_ends_nothing_but_itself(loud: None) -> None:
    rig = LoopRig(START)
    rig.engine.refuses = {480}
    sent = rig.run(m.Enter("a"), *chunks(TALK, lane="a"), m.Leave("a"), m.Finish())
    assert [e.code for e in sent if isinstance(e, Notice)] == ["stream-refused"]
    assert isinstance(sent[-1], m.Finished)
    assert m.Left("a") in sent
    rig = LoopRig(START)
    rig.engine.refuses = {480}
    with pytest.raises(EngineError):  # a lane of the app's own cannot be done without
        rig.run(*chunks(TALK), m.Finish())


NAMED = m.Start(
    m.PROTOCOL_VERSION, "recording", "/models", delays_ms=(480,), vad="webrtc",
    names=text_of([Name("Voxline", ("vox line",))]),
)  # fmt: skip


def test_the_users_names_are_written_their_way_before_anybody_sees_them(loud: None) -> None:
    engine = RecordingEngine()
    engine.says = [" the", " vox", " line,", " vox"]
    rig, talk = LoopRig(NAMED, engine), iter(chunks(TALK))

    def go_on(message: m.Message) -> None:
        """The next piece once this one is heard: one word each."""
        if isinstance(message, Progress):
            rig.inbox.put(next(talk, None) or m.Finish())

    rig.on_sent = go_on
    sent = rig.run(next(talk))
    assert [e.text for e in sent if isinstance(e, Word)] == [" the", " Voxline,", " vox"]
    assert isinstance(sent[-1], m.Finished), "what waited for another word came before"
    settled = [e.settled_ms for e in sent if isinstance(e, Progress)]
    assert settled == sorted(settled)


def test_a_held_word_of_a_lane_that_is_quiet_waits_for_no_other(loud: None) -> None:
    """“vox” may begin a name; nobody speaks on there, while another lane goes on."""
    engine = RecordingEngine()
    engine.says = [" vox"]
    rig = LoopRig(NAMED, engine)
    talk = iter(chunks(sound((0.9, 4_000)), lane="b"))

    def go_on(message: m.Message) -> None:
        """The other speaks until the word has come, or there is no more to say."""
        heard = any(isinstance(e, Word) for e in rig.sent)
        if isinstance(message, Progress) and message.lane == "b":
            rig.inbox.put(m.Finish() if heard else (next(talk, None) or m.Finish()))

    rig.on_sent = go_on
    sent = rig.run(m.Enter("a"), *chunks(TALK, lane="a"), m.Break("a"), next(talk))
    place = next(i for i, e in enumerate(sent) if isinstance(e, Word))
    assert place < sent.index(m.Finished())
    after = [e for e in sent[place:] if isinstance(e, Progress) and e.lane == "a"]
    assert after[0].settled_ms == 1_000

"""One lane on an engine that keeps a record: what reaches it, and what comes back."""

from __future__ import annotations

import pytest

from app.worker import language
from app.worker import messages as m
from app.worker.lane import REPLAY_CONTEXT_MS
from app.worker.vad import Vad
from model_backends import base
from model_backends.base import EngineError, Notice, Progress, Word
from tests.support.likeness import assert_like
from tests.worker.recording import (
    WHOLE,
    LaneRig,
    LoudnessVad,
    RecordingEngine,
    Stream,
    chunks,
    sound,
)

TALK = sound((0.0, 1_600), (0.9, 2_000), (0.0, 3_200))
FRENCH = [
    " Je",
    " voudrais",
    " bien",
    " savoir",
    " ce",
    " que",
    " vous",
    " pensez",
    " de",
    " cela.",
]


def test_the_recording_engine_has_no_verb_that_an_engine_lacks() -> None:
    assert_like(RecordingEngine, base.Engine, own={"streams", "refuses", "says"})


def test_its_stream_has_no_verb_that_a_stream_lacks() -> None:
    own = {"options", "verbs", "samples", "scores", "heard_ms", "finishing", "end"}
    assert_like(Stream, base.Stream, own=own)


def test_the_detector_has_no_verb_that_a_detector_lacks() -> None:
    assert_like(LoudnessVad, Vad, own={"resets"})


def test_only_speech_and_what_is_around_it_reaches_the_engine() -> None:
    rig = LaneRig()
    rig.hear(TALK)
    (stream,) = rig.engine.streams
    assert stream.options.start_ms == pytest.approx(1_600 - 320, abs=32)
    assert stream.heard_ms == pytest.approx(3_600 + 640, abs=32), "the delay's hangover"
    assert stream.verbs == [("finish", None)]
    said = [(e.speaking, e.at_ms) for e in rig.of(m.Speech) if isinstance(e, m.Speech)]
    assert [speaking for speaking, _ in said] == [True, False]


def test_the_delay_changes_in_the_open_stream_and_in_the_next() -> None:
    rig = LaneRig()
    rig.hear(sound((0.9, 1_000)))
    rig.lane.set_delay(0, 960)
    (stream,) = rig.engine.streams
    assert stream.verbs == [("set_delay", (0, 960))]
    rig.hear(sound((0.9, 500), (0.0, 2_000), (0.9, 1_000)), start_ms=1_000)
    assert stream.heard_ms >= 1_500 + 1_280, "closed after the new delay's hangover"
    assert rig.engine.streams[1].options.delays_ms == (960,)


def test_a_choice_between_utterances_is_told_with_the_next() -> None:
    rig = LaneRig()
    rig.lane.set_delay(0, 480)  # what every worker is told before there is sound
    rig.hear(TALK)
    rig.lane.set_delay(0, 480)
    rig.hear(TALK, start_ms=6_800)
    rig.hear(TALK, start_ms=13_600)
    assert [s.options.delay_is_new for s in rig.engine.streams] == [False, True, False]


@pytest.mark.parametrize("ms", [960, 123])
def test_a_delay_that_is_refused_is_told_and_captions_go_on(ms: int) -> None:
    rig = LaneRig()
    rig.engine.refuses = {960}
    rig.hear(sound((0.9, 1_000)))
    rig.lane.set_delay(0, ms)
    assert rig.of(m.DelayRefused) == [m.DelayRefused("me", 0, ms, 480)]
    (notice,) = rig.of(Notice)
    assert (
        isinstance(notice, Notice) and notice.code == "delay-refused" and "480 ms" in notice.message
    )
    rig.hear(sound((0.9, 500), (0.0, 1_000), (0.9, 1_000)), start_ms=1_000)
    assert [s.options.delays_ms for s in rig.engine.streams] == [(480,), (480,)]


def test_a_delay_for_which_no_stream_can_be_opened_goes_back() -> None:
    rig = LaneRig(delays_ms=(240, 480))
    rig.hear(TALK)
    rig.engine.refuses = {960}
    rig.lane.set_delay(0, 960)  # nothing is open: nobody objects yet
    assert not rig.of(Notice)
    rig.hear(TALK, start_ms=6_800)
    assert [s.options.delays_ms for s in rig.engine.streams] == [(240, 480), (240, 480)]
    assert rig.of(m.DelayRefused) == [m.DelayRefused("me", 0, 960, 240)]


def test_utterances_end_as_the_captions_need_it_whatever_the_record_waits_for() -> None:
    rig = LaneRig(delays_ms=(240, 960))
    rig.hear(sound((0.9, 1_000), (0.0, 3_000)))
    (stream,) = rig.engine.streams
    assert stream.done and stream.heard_ms < 1_000 + 320 + 100


def test_without_room_for_the_records_track_there_are_captions_and_nothing_is_told() -> None:
    rig = LaneRig(delays_ms=(240, 960))
    rig.engine.refuses = {960}
    rig.hear(TALK)
    assert [s.options.delays_ms for s in rig.engine.streams] == [(240,)]
    assert not rig.of(Notice) and not rig.of(m.DelayRefused)
    rig.engine.refuses = set()
    rig.hear(TALK, start_ms=6_800)
    assert rig.engine.streams[-1].options.delays_ms == (240, 960)


def test_what_the_record_will_never_say_is_not_kept_for_a_replay() -> None:
    rig = LaneRig(delays_ms=(240, 960))
    rig.engine.refuses = {960}
    rig.hear(sound((0.9, 12_000)))
    ends = {e.track: e.settled_ms for e in rig.of(Progress) if isinstance(e, Progress)}
    assert ends[1] == ends[0] == pytest.approx(12_000 - REPLAY_CONTEXT_MS, abs=32)


def test_while_captions_are_behind_nothing_is_heard_for_the_record() -> None:
    rig = LaneRig(delays_ms=(240, 960))
    for chunk in chunks(sound((0.0, 400), (0.9, 5_000))):
        rig.lane.take(chunk)  # the engine was still loading
    rig.step()
    rig.hear(sound((0.9, 100), (0.0, 2_000), (0.9, 1_000)), start_ms=5_400)
    assert [s.options.delays_ms for s in rig.engine.streams] == [(240,), (240, 960)]


def test_a_first_stream_that_cannot_be_opened_is_the_end() -> None:
    rig = LaneRig()
    rig.engine.refuses = {480}
    with pytest.raises(EngineError, match="no memory"):
        rig.hear(TALK)


def test_a_replay_is_given_eight_seconds_of_the_utterance() -> None:
    rig = LaneRig()
    rig.hear(sound((0.9, 12_000)))
    last = [e for e in rig.of(Progress) if isinstance(e, Progress)][-1]
    assert last.heard_ms == pytest.approx(12_000, abs=32)
    assert last.settled_ms == last.heard_ms - REPLAY_CONTEXT_MS == last.heard_ms - 8_000


def test_the_context_does_not_reach_into_the_utterance_before() -> None:
    rig = LaneRig()
    rig.hear(sound((0.0, 3_200), (0.9, 3_000)))
    last = [e for e in rig.of(Progress) if isinstance(e, Progress)][-1]
    assert last.settled_ms == rig.engine.streams[0].options.start_ms > 2_000


def test_the_language_is_found_in_the_words() -> None:
    language.identify("".join(FRENCH))  # its model is loaded
    rig = LaneRig()
    rig.engine.says = list(FRENCH)
    rig.hear(sound((0.9, 3_000)))
    words = [e for e in rig.of(Word) if isinstance(e, Word)]
    assert len(words) == len(FRENCH)
    assert words[0].language is None and words[-1].language == "fr"


def test_silence_is_progress() -> None:
    rig = LaneRig()
    rig.hear(sound((0.0, 5_000)))
    heard = [e.heard_ms for e in rig.of(Progress) if isinstance(e, Progress)]
    assert heard == sorted(heard) and heard[-1] > 4_700 and len(heard) >= 15
    assert not rig.engine.streams


def test_silence_before_a_word_is_told_when_the_word_begins() -> None:
    """Of a file a minute may come at once. Who sent it sends no more before that is heard; an
    engine that waits for more of the word would wait for ever."""
    rig = LaneRig(realtime=False)
    for chunk in chunks(sound((0.9, 1_000), (0.0, 55_000), (0.9, 2_000))):
        rig.lane.take(chunk)
    for _ in range(3):
        rig.step()
    told = [e for e in rig.of(Progress) if isinstance(e, Progress)]
    begins = rig.engine.streams[1].options.start_ms
    at = [e.heard_ms for e in told].index(begins)
    assert begins > 55_000 and begins - 1_000 < told[at].settled_ms <= begins


def test_a_missing_sample_ends_the_run() -> None:
    rig = LaneRig()
    rig.hear(sound((0.9, 1_000)))
    rig.hear(sound((0.9, 1_000)), start_ms=9_000)
    rig.step()
    assert [s.options.start_ms for s in rig.engine.streams] == [0, 9_000]
    assert rig.vad.resets == 1


def test_the_next_utterance_waits_until_the_first_is_flushed() -> None:
    rig = LaneRig()
    for at in (0, 9_000):
        rig.hear(sound((0.9, 1_000)), start_ms=at)
        rig.lane.pause()
    rig.lane.feed()
    assert len(rig.engine.streams) == 1 or rig.engine.streams[0].done
    while not rig.lane.quiet:
        rig.step()
    assert [s.options.utterance for s in rig.engine.streams] == [0, 1]


# --- files -----------------------------------------------------------------------------------


def test_a_file_is_heard_whole_where_the_engine_prefers_that() -> None:
    rig = LaneRig(engine=RecordingEngine(WHOLE), realtime=False)
    rig.hear(sound((0.0, 3_000), (0.9, 300), (0.0, 10_000), (0.9, 500), (0.0, 1_000)))
    rig.lane.pause()
    while not rig.lane.quiet:
        rig.step()
    (stream,) = rig.engine.streams
    assert stream.options.start_ms == 0
    assert stream.samples == 14_800 * 16, "every sample, in one utterance"


def test_a_very_long_pause_cuts_even_a_file_heard_whole() -> None:
    rig = LaneRig(engine=RecordingEngine(WHOLE), realtime=False)
    rig.hear(sound((0.9, 1_000), (0.0, 40_000), (0.9, 1_000)))
    assert len(rig.engine.streams) == 2
    assert rig.engine.streams[0].samples < 22_000 * 16


def test_live_the_gate_decides_whatever_the_engine_prefers() -> None:
    rig = LaneRig(engine=RecordingEngine(WHOLE))
    rig.hear(sound((0.0, 3_000), (0.9, 64), (0.0, 1_000)))
    rig.lane.pause()
    assert not rig.engine.streams


@pytest.mark.parametrize(("score", "streams"), [(0.9, 1), (0.3, 1), (0.1, 0)])
def test_one_short_word_in_a_file_is_heard_though_the_gate_stays_shut(
    score: float, streams: int
) -> None:
    rig = LaneRig(realtime=False)
    rig.hear(sound((0.0, 320), (score, 64), (0.0, 320)))
    rig.lane.pause()
    while not rig.lane.quiet:
        rig.step()
    assert len(rig.engine.streams) == streams
    assert sum(s.samples for s in rig.engine.streams) == streams * 704 * 16


def test_how_far_it_is_behind_counts_speech_that_waits_also_once_no_more_comes() -> None:
    rig = LaneRig()
    for chunk in chunks(sound((0.0, 500), (0.9, 2_000))):
        rig.lane.take(chunk)
    rig.lane.pause()
    assert 2_400 <= rig.lane.behind_ms <= 2_500
    for _ in range(4):
        rig.step()
    assert rig.lane.behind_ms == 0


def test_silence_is_nothing_to_be_behind_with() -> None:
    rig = LaneRig()
    for chunk in chunks(sound((0.0, 4_000))):
        rig.lane.take(chunk)
    assert rig.lane.behind_ms == 0

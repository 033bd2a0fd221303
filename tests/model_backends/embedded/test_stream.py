"""One utterance: blocks of audio in, committed words out; the recogniser is a script."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_backends.base import EngineError, Event, Tail, Word
from model_backends.embedded.rules import RULES
from model_backends.embedded.stream import Care, EmbeddedStream
from tests.model_backends.embedded.talk import (
    Script,
    ScriptedEar,
    frames,
    listen,
    options,
    progress,
    said,
)

DELAYS = tuple(RULES)


@st.composite
def scripts(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """Up to a minute of speech: words of 100 to 700 ms, some pauses among them."""
    at_ms = draw(st.integers(0, 800))
    script = []
    for number in range(draw(st.integers(1, 60))):
        length = draw(st.integers(3, 22)) * 32
        script.append((f" w{number}", at_ms, at_ms + length))
        at_ms += length + draw(st.sampled_from((0, 0, 0, 0, 0, 64, 320, 640, 1500)))
    return script


def blocks(script: Script, start_ms: int = 0) -> list:
    return list(frames(script, start_ms, script[-1][2] + 600))


def words(script: Script) -> list[str]:
    return [text for text, _, _ in script]


def texts(events: list[Event], track: int = 0) -> list[str]:
    return [text for text, _, _ in said(events, track)]


HELLO = [(" so", 320, 640), (" my", 640, 960), (" fellow", 960, 1600), (" men", 1600, 2240)]


@given(scripts(), st.sampled_from(DELAYS), st.integers(1, 80))
@settings(max_examples=60, deadline=None)
def test_every_word_comes_once_whatever_the_pace(script: Script, delay: int, every: int) -> None:
    """`every` stands for the decoder's speed: it works once in so many blocks."""
    events = list(
        listen(EmbeddedStream(options(0, (delay,))), ScriptedEar(script), blocks(script), every)
    )
    assert texts(events) == words(script)


@given(scripts(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_progress_only_grows_and_is_true(script: Script, live: bool) -> None:
    stream = EmbeddedStream(options(0, (1000,), live))
    events = list(listen(stream, ScriptedEar(script), blocks(script)))
    reports = progress(events)
    assert [r.settled_ms for r in reports] == sorted(r.settled_ms for r in reports)
    assert [r.heard_ms for r in reports] == sorted(r.heard_ms for r in reports)
    assert all(r.settled_ms <= r.heard_ms for r in reports)
    settled = 0
    for event in events:
        if isinstance(event, Word):
            assert event.end_ms >= settled, "a word that ends before settled_ms came after it"
        elif event in reports:
            settled = event.settled_ms


@given(scripts(), st.data())
@settings(max_examples=40, deadline=None)
def test_after_a_crash_the_words_go_on(script: Script, data: st.DataObject) -> None:
    """A new stream fed from settled_ms says what the dead one had not."""
    feed = blocks(script)
    died = data.draw(st.integers(1, len(feed)))
    dead, ear = EmbeddedStream(options()), ScriptedEar(script)
    before: list[Event] = []
    for pcm, speech in feed[:died]:
        dead.push(pcm, speech)
        before += dead.advance(ear)
    settled = progress(before)[-1].settled_ms if progress(before) else 0
    again = EmbeddedStream(options(settled))
    after = list(
        listen(again, ScriptedEar(script), list(frames(script, settled, script[-1][2] + 600)))
    )
    heard = texts(before)
    replayed = texts(after)
    overlap = next(
        (n for n in range(len(replayed) + 1) if heard + replayed[n:] == words(script)), None
    )
    assert overlap is not None, (heard, replayed)
    assert overlap <= 1, "more than a word's remnant was heard again"


@given(scripts(), st.sampled_from(DELAYS), st.sampled_from(DELAYS), st.data())
@settings(max_examples=40, deadline=None)
def test_a_change_of_delay_loses_and_doubles_nothing(
    script: Script, first: int, second: int, data: st.DataObject
) -> None:
    feed = blocks(script)
    change = data.draw(st.integers(0, len(feed)))
    stream, ear = EmbeddedStream(options(0, (first,))), ScriptedEar(script)
    events: list[Event] = []
    for pcm, speech in feed[:change]:
        stream.push(pcm, speech)
        events += stream.advance(ear)
    stream.set_delay(0, second)
    events += listen(stream, ear, feed[change:])
    assert texts(events) == words(script)


@given(scripts())
@settings(max_examples=20, deadline=None)
def test_two_delays_say_the_same_and_share_the_decodes(script: Script) -> None:
    ear, alone = ScriptedEar(script), ScriptedEar(script)
    events = list(listen(EmbeddedStream(options(0, (DELAYS[0], DELAYS[-1]))), ear, blocks(script)))
    list(listen(EmbeddedStream(options(0, (DELAYS[0],))), alone, blocks(script)))
    assert texts(events, 0) == texts(events, 1) == words(script)
    assert len(ear.windows) <= 1.5 * len(alone.windows) + 2


@given(scripts())
@settings(max_examples=30, deadline=None)
def test_a_file_is_heard_in_few_long_blocks(script: Script) -> None:
    ear = ScriptedEar(script)
    stream = EmbeddedStream(options(0, (1000,), live=False))
    events = list(listen(stream, ear, blocks(script)))
    assert texts(events) == words(script)
    seconds = script[-1][2] / 1000
    assert len(ear.windows) <= seconds / 10 + 1
    assert all(care is Care.WHOLE for _, _, care in ear.windows)


def test_a_backlog_is_caught_up_in_blocks() -> None:
    script = [(f" w{i}", i * 320, i * 320 + 320) for i in range(300)]  # 96 s without a pause
    ear = ScriptedEar(script)
    stream = EmbeddedStream(options())
    for pcm, speech in blocks(script):
        stream.push(pcm, speech)
    events = list(listen(stream, ear, []))
    assert texts(events) == words(script)
    assert max(end - start for start, end, _ in ear.windows) <= 28_000
    assert len(ear.windows) <= 8


def test_windows_stay_short_live() -> None:
    script = [(f" w{i}", i * 320, i * 320 + 320) for i in range(200)]
    ear = ScriptedEar(script)
    assert texts(list(listen(EmbeddedStream(options()), ear, blocks(script)))) == words(script)
    assert max(end - start for start, end, _ in ear.windows) <= 12_000


def test_silence_is_never_decoded_and_settles() -> None:
    ear = ScriptedEar(HELLO)
    stream = EmbeddedStream(options())
    feed = [(pcm, 0.02) for pcm, _ in frames(HELLO, 0, 20_000)]
    events = list(listen(stream, ear, feed))
    assert ear.windows == []
    assert said(events) == []
    assert progress(events)[-2].settled_ms > 19_000


def test_a_word_where_nobody_spoke_is_dropped() -> None:
    invented = [*HELLO, (" Thanks", 6000, 6500)]
    feed = list(frames(HELLO, 0, 8000))
    assert texts(list(listen(EmbeddedStream(options()), ScriptedEar(invented), feed))) == words(
        HELLO
    )


def test_a_pause_brings_out_the_last_words() -> None:
    stream, ear = EmbeddedStream(options()), ScriptedEar(HELLO)
    events: list[Event] = []
    for pcm, speech in frames(HELLO, 0, HELLO[-1][2] + 700):
        stream.push(pcm, speech)
        events += stream.advance(ear)
    assert texts(events) == words(HELLO)
    assert not stream.done


@pytest.mark.parametrize("pause_ms", [0, 700], ids=["end", "pause"])
@pytest.mark.parametrize("delays", [(1000,), (DELAYS[0], DELAYS[-1])], ids=str)
def test_a_doubtful_last_word_is_heard_again_with_care(
    delays: tuple[int, ...], pause_ms: int
) -> None:
    """One guess alone has it, and hardly believes it: what was said last may be invented."""
    ear = ScriptedEar(HELLO, invents=" What")
    feed = list(frames(HELLO, 0, HELLO[-1][2] + 32 + pause_ms))
    events = list(listen(EmbeddedStream(options(0, delays)), ear, feed))
    for track in range(len(delays)):
        assert texts(events, track) == words(HELLO)
    assert [care for _, _, care in ear.windows].count(Care.CAREFUL) == 1


def test_words_that_are_believed_are_not_heard_again() -> None:
    ear = ScriptedEar(HELLO)
    list(listen(EmbeddedStream(options()), ear, blocks(HELLO)))
    assert all(care is Care.QUICK for _, _, care in ear.windows)


def test_times_are_the_sessions_and_leave_out_the_pauses() -> None:
    far = [(text, start + 50_016, end + 50_016) for text, start, end in HELLO]
    feed = list(frames(far, 50_016, 53_000))
    events = list(listen(EmbeddedStream(options(50_016)), ScriptedEar(far), feed))
    for (_, start, end), (_, true_start, true_end) in zip(said(events), far, strict=True):
        assert abs(start - true_start) <= 32
        assert abs(end - true_end) <= 32


def test_a_tail_is_replaced_whole_and_ends_empty() -> None:
    events = list(listen(EmbeddedStream(options()), ScriptedEar(HELLO), blocks(HELLO)))
    tails = [event.text for event in events if isinstance(event, Tail)]
    assert any(tails)
    assert tails[-1] == ""


def test_an_unknown_delay_is_refused_with_those_on_offer() -> None:
    stream = EmbeddedStream(options())
    with pytest.raises(EngineError, match="no delay of 123 ms"):
        stream.set_delay(0, 123)


def test_a_closed_stream_does_nothing_more() -> None:
    stream, ear = EmbeddedStream(options()), ScriptedEar(HELLO)
    for pcm, speech in blocks(HELLO):
        stream.push(pcm, speech)
    stream.close()
    assert stream.done
    assert stream.advance(ear) == []

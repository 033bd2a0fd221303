"""One utterance: blocks of audio in, committed words out; the recogniser is a script."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_backends.base import EngineError, Event, Pcm, Tail, Word
from model_backends.embedded.listening import Care
from model_backends.embedded.rules import RULES
from model_backends.embedded.stream import EmbeddedStream, Work
from model_backends.guess import Guess
from tests.model_backends.embedded.talk import (
    Muddled,
    Script,
    ScriptedRecognizer,
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


def blocks(script: Script, start_ms: int = 0) -> list[tuple[Pcm, float]]:
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
        listen(
            EmbeddedStream(options(0, (delay,))), ScriptedRecognizer(script), blocks(script), every
        )
    )
    assert texts(events) == words(script)


@given(scripts(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_progress_only_grows_and_is_true(script: Script, live: bool) -> None:
    stream = EmbeddedStream(options(0, (1000,), live))
    events = list(listen(stream, ScriptedRecognizer(script), blocks(script)))
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
    dead, recognizer = EmbeddedStream(options()), ScriptedRecognizer(script)
    before: list[Event] = []
    for pcm, speech in feed[:died]:
        dead.push(pcm, speech)
        before += dead.advance(recognizer)
    settled = progress(before)[-1].settled_ms if progress(before) else 0
    again = EmbeddedStream(options(settled))
    after = list(
        listen(
            again, ScriptedRecognizer(script), list(frames(script, settled, script[-1][2] + 600))
        )
    )
    heard = texts(before)
    replayed = texts(after)
    overlap = next(
        (n for n in range(len(replayed) + 1) if heard + replayed[n:] == words(script)), None
    )
    assert overlap is not None, (heard, replayed)
    assert overlap <= 1, "more than a word's remnant was heard again"


NAMES = [f" {a}{b}{c}" for a in "bdfgklmn" for b in "aeiou" for c in "nt"]
SPEECH = [(name, i * 320, i * 320 + 320) for i, name in enumerate(NAMES)]


@given(st.integers(0, 70), st.integers(5, 30), st.booleans(), st.sampled_from((1, 4, 20, 600)))
@settings(max_examples=40, deadline=None)
def test_speech_that_a_guess_leaves_out_is_not_cut_away(
    first: int, count: int, live: bool, every: int
) -> None:
    """Every guess but a careful one skips these words and stretches a neighbour over them."""
    skips = first * 320, (first + count) * 320
    recognizer = ScriptedRecognizer(SPEECH, skips=skips)
    stream = EmbeddedStream(options(live=live))
    assert texts(list(listen(stream, recognizer, blocks(SPEECH), every))) == words(SPEECH)


def test_after_a_stall_nothing_is_said_again() -> None:
    """A guess at more than 15 s: its front is cut away before the rest of it is committed."""
    script = [
        (f" {name.strip()}", s + 1_000 * (s > 3_000), e + 1_000 * (s > 3_000))
        for name, s, e in SPEECH
    ]
    feed = blocks(script)
    for stalled_at in range(60, 200, 20):
        stream, recognizer = EmbeddedStream(options()), ScriptedRecognizer(script)
        events: list[Event] = []
        for number, (pcm, speech) in enumerate(feed):
            stream.push(pcm, speech)
            if not stalled_at <= number < stalled_at + 15_500 // 32:
                events += stream.advance(recognizer)
        stream.finish()
        while not stream.done:
            events += stream.advance(recognizer)
        assert texts(events) == words(script)


def test_the_last_committed_word_stays_in_the_window_however_good_a_place_to_cut_it_is() -> None:
    """A window that begins at its end may hold a rest of it, which would be said again.

    Nothing agrees after the full stop, so the front is cut away up to where words are committed.
    """
    script = [(f" w{i}", i * 400, i * 400 + 400) for i in range(17)]
    script[16] = (" men.", 6_400, 6_800)
    unclear = [(6_800 + i * 400, 7_200 + i * 400) for i in range(18)]
    recognizer = Muddled(script, unclear)
    stream = EmbeddedStream(options())
    voice = [*script, *((" ?", begin, end) for begin, end in unclear)]
    events: list[Event] = []
    for pcm, speech in frames(voice, 0, 13_600):
        stream.push(pcm, speech)
        events += stream.advance(recognizer)
    assert texts(events)[:17] == words(script)
    assert " men." not in texts(events)[17:]
    starts = [start for start, _, _ in recognizer.windows]
    assert 0 < starts[-1] <= 6_400


def test_sound_without_words_is_heard_twice_and_not_at_every_guess() -> None:
    """Singing, or a far voice: the detector takes it for speech and no guess has a word."""
    recognizer = ScriptedRecognizer([(" la", 0, 20_000)], skips=(0, 20_000))
    recognizer.script = []
    feed = list(frames([(" la", 0, 20_000)], 0, 20_000))
    assert texts(list(listen(EmbeddedStream(options()), recognizer, feed))) == []
    cares = [care for _, _, care in recognizer.windows]
    assert 1 <= cares.count(Care.CAREFUL) <= cares.count(Care.QUICK) / 3


@given(scripts(), st.sampled_from(DELAYS), st.sampled_from(DELAYS), st.data())
@settings(max_examples=40, deadline=None)
def test_a_change_of_delay_loses_and_doubles_nothing(
    script: Script, first: int, second: int, data: st.DataObject
) -> None:
    feed = blocks(script)
    change = data.draw(st.integers(0, len(feed)))
    stream, recognizer = EmbeddedStream(options(0, (first,))), ScriptedRecognizer(script)
    events: list[Event] = []
    for pcm, speech in feed[:change]:
        stream.push(pcm, speech)
        events += stream.advance(recognizer)
    stream.set_delay(0, second)
    events += listen(stream, recognizer, feed[change:])
    assert texts(events) == words(script)


@given(scripts())
@settings(max_examples=20, deadline=None)
def test_two_delays_say_the_same_and_share_the_decodes(script: Script) -> None:
    recognizer, alone = ScriptedRecognizer(script), ScriptedRecognizer(script)
    events = list(
        listen(EmbeddedStream(options(0, (DELAYS[0], DELAYS[-1]))), recognizer, blocks(script))
    )
    list(listen(EmbeddedStream(options(0, (DELAYS[0],))), alone, blocks(script)))
    assert texts(events, 0) == texts(events, 1) == words(script)
    assert len(recognizer.windows) <= 1.5 * len(alone.windows) + 2


@given(scripts())
@settings(max_examples=30, deadline=None)
def test_a_file_is_heard_in_few_long_blocks(script: Script) -> None:
    recognizer = ScriptedRecognizer(script)
    stream = EmbeddedStream(options(0, (1000,), live=False))
    events = list(listen(stream, recognizer, blocks(script)))
    assert texts(events) == words(script)
    seconds = script[-1][2] / 1000
    assert len(recognizer.windows) <= seconds / 10 + 1
    assert all(care is Care.WHOLE for _, _, care in recognizer.windows)


def test_a_backlog_is_caught_up_in_blocks() -> None:
    script = [(f" w{i}", i * 320, i * 320 + 320) for i in range(300)]  # 96 s without a pause
    recognizer = ScriptedRecognizer(script)
    stream = EmbeddedStream(options())
    for pcm, speech in blocks(script):
        stream.push(pcm, speech)
    events = list(listen(stream, recognizer, []))
    assert texts(events) == words(script)
    assert max(end - start for start, end, _ in recognizer.windows) <= 28_000
    assert len(recognizer.windows) <= 8


@pytest.mark.parametrize(
    ("every", "longest_ms"), [(1, 12_000), (125, 16_000)], ids=["live", "slow"]
)
def test_windows_stay_short_live(every: int, longest_ms: int) -> None:
    """Even where each guess takes four seconds: longer windows would make it slower still."""
    script = [(f" w{i}", i * 320, i * 320 + 320) for i in range(200)]
    recognizer, stream = ScriptedRecognizer(script), EmbeddedStream(options())
    assert texts(list(listen(stream, recognizer, blocks(script), every))) == words(script)
    assert max(end - start for start, end, _ in recognizer.windows) <= longest_ms
    assert all(care is Care.QUICK for _, _, care in recognizer.windows)


def test_silence_is_never_decoded_and_settles() -> None:
    recognizer = ScriptedRecognizer(HELLO)
    stream = EmbeddedStream(options())
    feed = [(pcm, 0.02) for pcm, _ in frames(HELLO, 0, 20_000)]
    events = list(listen(stream, recognizer, feed))
    assert recognizer.windows == []
    assert said(events) == []
    assert progress(events)[-2].settled_ms > 19_000


def test_a_word_where_nobody_spoke_is_dropped() -> None:
    invented = [*HELLO, (" Thanks", 6000, 6500)]
    feed = list(frames(HELLO, 0, 8000))
    assert texts(
        list(listen(EmbeddedStream(options()), ScriptedRecognizer(invented), feed))
    ) == words(HELLO)


def test_a_pause_brings_out_the_last_words() -> None:
    stream, recognizer = EmbeddedStream(options()), ScriptedRecognizer(HELLO)
    events: list[Event] = []
    for pcm, speech in frames(HELLO, 0, HELLO[-1][2] + 700):
        stream.push(pcm, speech)
        events += stream.advance(recognizer)
    assert texts(events) == words(HELLO)
    assert not stream.done


@pytest.mark.parametrize("pause_ms", [0, 700], ids=["end", "pause"])
@pytest.mark.parametrize("delays", [(1000,), (DELAYS[0], DELAYS[-1])], ids=str)
def test_a_doubtful_last_word_is_heard_again_with_care(
    delays: tuple[int, ...], pause_ms: int
) -> None:
    """One guess alone has it, and hardly believes it: what was said last may be invented."""
    recognizer = ScriptedRecognizer(HELLO, invents=" What")
    feed = list(frames(HELLO, 0, HELLO[-1][2] + 32 + pause_ms))
    events = list(listen(EmbeddedStream(options(0, delays)), recognizer, feed))
    for track in range(len(delays)):
        assert texts(events, track) == words(HELLO)
    assert [care for _, _, care in recognizer.windows].count(Care.CAREFUL) == 1


def test_a_careful_guess_that_stops_early_takes_no_word_away() -> None:
    script = [(" w0", 320, 800), (" w1", 800, 1_400), (" w2", 1_400, 2_000), (" w3", 2_000, 2_500)]
    recognizer = ScriptedRecognizer(script)

    def transcribe(pcm: Pcm, care: Care) -> list[Guess]:
        heard = [replace(word, probability=0.3) for word in recognizer(pcm, care)]
        return [] if care is Care.CAREFUL else heard

    stream = EmbeddedStream(options())
    events: list[Event] = []
    for pcm, speech in [*frames(script, 0, 2_560), *frames([], 2_560, 4_000)]:
        stream.push(pcm, speech)  # the first guess is made after the pause
    while stream.next_work is not Work.NOTHING:
        events += stream.advance(transcribe)
    assert recognizer.windows[-1][2] is Care.CAREFUL
    assert texts(events) == words(script)


def test_words_that_are_believed_are_not_heard_again() -> None:
    recognizer = ScriptedRecognizer(HELLO)
    list(listen(EmbeddedStream(options()), recognizer, blocks(HELLO)))
    assert all(care is Care.QUICK for _, _, care in recognizer.windows)


def test_times_are_the_sessions_and_leave_out_the_pauses() -> None:
    far = [(text, start + 50_016, end + 50_016) for text, start, end in HELLO]
    feed = list(frames(far, 50_016, 53_000))
    events = list(listen(EmbeddedStream(options(50_016)), ScriptedRecognizer(far), feed))
    for (_, start, end), (_, true_start, true_end) in zip(said(events), far, strict=True):
        assert abs(start - true_start) <= 32
        assert abs(end - true_end) <= 32


def test_a_tail_is_replaced_whole_and_ends_empty() -> None:
    events = list(listen(EmbeddedStream(options()), ScriptedRecognizer(HELLO), blocks(HELLO)))
    tails = [event.text for event in events if isinstance(event, Tail)]
    assert any(tails)
    assert tails[-1] == ""


def test_an_unknown_delay_is_refused_with_those_on_offer() -> None:
    stream = EmbeddedStream(options())
    with pytest.raises(EngineError, match="no delay of 123 ms"):
        stream.set_delay(0, 123)


def test_a_closed_stream_does_nothing_more() -> None:
    stream, recognizer = EmbeddedStream(options()), ScriptedRecognizer(HELLO)
    for pcm, speech in blocks(HELLO):
        stream.push(pcm, speech)
    stream.close()
    assert stream.done
    assert stream.advance(recognizer) == []

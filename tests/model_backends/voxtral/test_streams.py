"""The engine on the tiny trained model: ids, words, times, lanes, tracks, delays, guards."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from model_backends.base import EngineError, Notice, Pcm, Progress, StreamOptions, Tail, Word
from model_backends.voxtral import pace
from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.schedule import ROW_SAMPLES
from model_backends.voxtral.speech_model import Decoded, DecodeWork, EncodeWork, SpeechModel
from model_backends.voxtral.stream import VoxtralStream
from tests.model_backends.voxtral.conftest import load
from tests.model_backends.voxtral.transcribing import (
    DELAYS,
    ITEMS,
    LONG,
    Hook,
    Job,
    Transcribed,
    clip,
    drain,
    keep_ids,
    reference_ids,
    reference_text,
    transcribe,
    transcribe_together,
)
from tests.support.likeness import assert_like

SHORT = [name for name in ITEMS if name != LONG]
RAGGED = [1, 37, 160, 1280, 5000, 320, 811]


def test_every_clip_gives_the_reference_ids_live(engine: VoxtralEngine) -> None:
    """All in one batch, as many voices of several delays would be, each delay at three clips or
    more; one at a time is the long stream's test."""
    check_together(engine, [(name, DELAYS[n % len(DELAYS)]) for n, name in enumerate(SHORT)])


@pytest.mark.exhaustive
@pytest.mark.parametrize("delay", DELAYS)
def test_every_clip_gives_them_at_every_delay(engine: VoxtralEngine, delay: int) -> None:
    check_together(engine, [(name, delay) for name in SHORT])


def check_together(
    engine: VoxtralEngine, pairs: Sequence[tuple[str, int]], realtime: bool = True
) -> None:
    """Clips, each at a delay, in one batch."""
    jobs = [Job(clip(name), delay) for name, delay in pairs]
    pieces = 1600 if realtime else 10**9
    results = transcribe_together(engine, jobs, pieces, realtime)
    for (name, delay), heard in zip(pairs, results, strict=True):
        assert heard.ids[0] == reference_ids(name, delay), name
        assert heard.text() == reference_text(name, delay), name


@pytest.mark.parametrize("delay", DELAYS)
def test_the_long_stream_gives_the_reference_ids_as_a_file(
    engine: VoxtralEngine, delay: int
) -> None:
    """Large encoder blocks, draft and verify; both windows are passed many times."""
    heard = transcribe(engine, clip(LONG), delay, pieces=10**9, realtime=False)
    assert heard.ids[0] == reference_ids(LONG, delay)


def test_the_long_stream_gives_the_reference_ids_live(engine: VoxtralEngine) -> None:
    heard = transcribe(engine, clip(LONG), 6, pieces=1280)
    assert heard.ids[0] == reference_ids(LONG, 6)


@pytest.mark.parametrize("name", ["join_03", "aligned_end", "quiet"])
def test_any_cutting_of_the_audio_gives_the_same_ids(engine: VoxtralEngine, name: str) -> None:
    for pieces in (RAGGED, [16_000], [641]):
        heard = transcribe(engine, clip(name), 6, pieces=pieces)
        assert heard.ids[0] == reference_ids(name, 6), pieces


def test_the_other_layout_gives_the_same_ids(hf_folder: Path) -> None:
    other = load(hf_folder)
    for name, delay in (("join_00", 6), ("fast_mixed", 1), ("white_noise", 30)):
        assert transcribe(other, clip(name), delay).ids[0] == reference_ids(name, delay)
    heard = transcribe(other, clip(LONG), 6, pieces=10**9, realtime=False)
    assert heard.ids[0] == reference_ids(LONG, 6)
    other.close()


def test_two_delays_of_one_audio_share_an_encoder(engine: VoxtralEngine) -> None:
    heard = transcribe(engine, clip("join_01"), 2, 12)
    assert heard.ids == [reference_ids("join_01", 2), reference_ids("join_01", 12)]
    assert heard.text(0) == reference_text("join_01", 2)
    assert heard.text(1) == reference_text("join_01", 12)


def test_lanes_opened_and_closed_at_any_time_do_not_disturb_each_other(
    engine: VoxtralEngine,
) -> None:
    """Five streams, different audio and delays, starting 0.4 s apart; one is dropped early."""
    names = ["join_00", "join_02", "long_pauses", "join_05", "fast_mixed"]
    delays = [6, 1, 30, 3, 12]
    audio = [clip(name) for name in names]
    streams: dict[int, VoxtralStream] = {}
    ids: dict[int, list[int]] = {}
    heard = Transcribed()
    for step in itertools.count():
        if step % 5 == 0 and step // 5 < len(names):
            number = step // 5
            options = StreamOptions(names[number], number, (80 * delays[number],), 0)
            streams[number] = engine.open(options)
            ids[number] = keep_ids(streams[number])[0]
        if step == 30:
            streams[2].close()
        for number, stream in streams.items():
            at = (step - 5 * number) * 1280
            if at < len(audio[number]):
                stream.push(audio[number][at : at + 1280], 0.0)
            else:
                stream.finish()
        heard.events += engine.advance()
        if len(streams) == len(names) and all(stream.done for stream in streams.values()):
            break
    for number in (0, 1, 3, 4):
        assert ids[number] == reference_ids(names[number], delays[number]), names[number]
        said = [e.text for e in heard.events if isinstance(e, Word) and e.utterance == number]
        assert "".join(said).strip() == reference_text(names[number], delays[number])


@pytest.mark.parametrize("delay", [1, 6, 30])
def test_words_begin_and_end_when_they_are_heard(engine: VoxtralEngine, delay: int) -> None:
    """Against the energy of the recordings that were joined (their own silence left out)."""
    ends: list[float] = []
    starts: list[float] = []
    for name in ("join_00", "join_01", "join_03", "join_05", "join_06", "join_07"):
        pcm, segments = clip(name), ITEMS[name]["segments"]
        words = transcribe(engine, pcm, delay, pieces=10**9, realtime=False).words()
        assert [w.text.strip() for w in words] == [text for *_, text in segments]
        for word, (begin, end, _) in zip(words, segments, strict=True):
            first, last = sounding(pcm, begin, end)
            starts.append(word.start_ms - first)
            ends.append(word.end_ms - last)
    assert abs(np.mean(ends)) < 30
    assert np.std(ends) < 100
    assert abs(np.mean(starts)) < 80
    assert np.std(starts) < 180


def sounding(pcm: Pcm, begin: float, end: float) -> tuple[int, int]:
    """Where a recording is within 30 dB of its loudest 10 ms, in ms; `begin`, `end` in s."""
    piece = pcm[int(16_000 * begin) : int(16_000 * end)]
    power = (piece[: len(piece) // 160 * 160].reshape(-1, 160) ** 2).mean(1)
    loud = np.flatnonzero(power > 1e-3 * power.max())
    return round(1000 * begin) + 10 * int(loud[0]), round(1000 * begin) + 10 * int(loud[-1] + 1)


def test_times_count_from_the_session_and_name_the_utterance(engine: VoxtralEngine) -> None:
    early = transcribe(engine, clip("join_00"), 6).words()
    late = transcribe(engine, clip("join_00"), 6, start_ms=86_400_000).words()
    assert [w.end_ms + 86_400_000 for w in early] == [w.end_ms for w in late]
    assert {(w.lane, w.track, w.utterance) for w in late} == {("me", 0, 3)}


def test_progress_only_grows_and_covers_the_audio(engine: VoxtralEngine) -> None:
    pcm = clip("long_pauses")
    events = transcribe(engine, pcm, 6, start_ms=5000).events
    progress = [e for e in events if isinstance(e, Progress)]
    assert [p.heard_ms for p in progress] == sorted(p.heard_ms for p in progress)
    assert [p.settled_ms for p in progress] == sorted(p.settled_ms for p in progress)
    end_ms = 5000 + len(pcm) // 16
    assert (progress[-1].heard_ms, progress[-1].settled_ms) == (end_ms, end_ms)
    assert all(p.settled_ms <= p.heard_ms for p in progress)
    settled = 0
    for event in events:
        if isinstance(event, Progress):
            settled = event.settled_ms
        elif isinstance(event, Word):
            assert event.end_ms >= settled, "a word came out before what was settled"


def test_a_tail_grows_into_the_word_and_vanishes(engine: VoxtralEngine) -> None:
    """Row by row, as it comes live: " ze", " zero", then the word, and an empty tail."""
    stream = engine.open(StreamOptions("me", 0, (480,), 0))
    heard, pcm = Transcribed(), clip("join_01")
    for at in range(0, 16_000 * 3, 1280):
        stream.push(pcm[at : at + 1280], 0.0)
        while not engine.idle:
            heard.events += engine.advance()
    stream.close()
    shown = [e for e in heard.events if isinstance(e, Tail | Word)][:4]
    assert [(type(e), e.text) for e in shown] == [
        (Tail, " ze"),
        (Tail, " zero"),
        (Word, " zero"),
        (Tail, ""),
    ]


def test_after_a_crash_the_settled_audio_need_not_be_replayed(engine: VoxtralEngine) -> None:
    """Kill the stream anywhere, open another where it was settled: no word lost or doubled."""
    pcm, delay = clip("join_05"), 6
    stream = engine.open(StreamOptions("me", 0, (80 * delay,), 0))
    heard, crashes = Transcribed(), range(12_800, len(pcm), 9_600)
    before: list[Transcribed] = []
    for at in range(0, crashes[-1], 1600):
        if at in crashes:
            before.append(Transcribed(list(heard.events)))
        stream.push(pcm[at : at + 1600], 1.0)
        heard.events += engine.advance()
    stream.close()
    settled = [max((e.settled_ms for e in b.events if isinstance(e, Progress)), default=0)
               for b in before]  # fmt: skip
    replays = [Job(pcm[16 * ms :], delay, ms) for ms in settled]
    for cut, again in zip(before, transcribe_together(engine, replays), strict=True):
        said = cut.words() + [w for w in again.words() if w.end_ms > last_end(cut) + 100]
        assert "".join(w.text for w in said).strip() == reference_text("join_05", delay)
    assert len(before) > 10


def last_end(heard: Transcribed) -> int:
    return max((word.end_ms for word in heard.words()), default=-1000)


@pytest.mark.parametrize(("before", "after"), [(6, 30), (30, 6), (2, 6), (12, 1), (1, 12)])
def test_a_delay_changed_while_someone_speaks_loses_and_doubles_no_word(
    engine: VoxtralEngine, before: int, after: int
) -> None:
    def changing(moment: int) -> Hook:
        def change(stream: VoxtralStream, at: int) -> None:
            if at <= moment < at + 1600:
                stream.set_delay(0, 80 * after)

        return change

    moments = [("join_03", moment) for moment in range(8_000, 136_000, 24_000)]
    moments.append(("fast_mixed", 40_000))
    jobs = [Job(clip(name), before, hook=changing(moment)) for name, moment in moments]
    for (name, moment), heard in zip(moments, transcribe_together(engine, jobs), strict=True):
        texts = (reference_text(name, before), reference_text(name, after))
        assert heard.text() in texts, moment
        ends = [word.end_ms for word in heard.words()]
        assert ends == sorted(ends)


def test_a_delay_may_be_changed_again_and_again(engine: VoxtralEngine) -> None:
    turns = itertools.cycle([30, 2, 6, 12, 1])

    def change(stream: VoxtralStream, at: int) -> None:
        if at % 12_800 == 0:
            stream.set_delay(0, 80 * next(turns))

    heard = transcribe(engine, clip(LONG)[: 16_000 * 30], 6, pieces=1280, hook=change)
    steady = transcribe(engine, clip(LONG)[: 16_000 * 30], 6)
    assert heard.text() == steady.text()


def test_the_slower_delay_really_waits(engine: VoxtralEngine) -> None:
    """How far the audio was ahead of a word's end when the word came out."""
    stream = engine.open(StreamOptions("me", 0, (480,), 0))
    lags: dict[bool, list[int]] = {False: [], True: []}
    pcm, change_at = clip(LONG)[: 16_000 * 20], 16_000 * 10
    for at in range(0, len(pcm), 320):
        if at == change_at:
            stream.set_delay(0, 2400)
        stream.push(pcm[at : at + 320], 0.0)
        for event in engine.advance():
            if isinstance(event, Word) and not 9_000 < event.end_ms < 10_500:
                lags[event.end_ms > 10_000].append((at + 320) // 16 - event.end_ms)
    stream.close()
    assert all(480 <= lag <= 480 + 6 * 80 for lag in lags[False])
    assert all(2400 <= lag <= 2400 + 6 * 80 for lag in lags[True])
    assert min(map(len, lags.values())) > 3


def test_a_track_that_does_not_change_is_not_touched_by_one_that_does(
    engine: VoxtralEngine,
) -> None:
    def change(stream: VoxtralStream, at: int) -> None:
        if at == 48_000:
            stream.set_delay(0, 80)

    heard = transcribe(engine, clip("join_07"), 6, 12, hook=change)
    assert heard.ids[1] == reference_ids("join_07", 12)
    assert heard.text(0) == reference_text("join_07", 6)


Replace = Callable[[DecodeWork, int, Decoded], Decoded]  # (work, position, what the model said)


class Passing(SpeechModel):
    """A model that has another do everything; the verbs are named, so that none is made up."""

    def __init__(self, model: SpeechModel) -> None:
        self._model = model
        self.spec, self.device, self.precision = model.spec, model.device, model.precision

    def open_encoder(self, first_row: int = 0) -> int:
        return self._model.open_encoder(first_row)

    def close_encoder(self, slot: int) -> None:
        self._model.close_encoder(slot)

    def encode(self, work: Sequence[EncodeWork]) -> None:
        self._model.encode(work)

    def open_decoder(self, delay_tokens: int, first_position: int = 0) -> int:
        return self._model.open_decoder(delay_tokens, first_position)

    def close_decoder(self, slot: int) -> None:
        self._model.close_decoder(slot)

    def decode(self, work: Sequence[DecodeWork]) -> list[list[Decoded]]:
        return self._model.decode(work)

    def close(self) -> None:
        self._model.close()


def test_the_stand_in_has_no_verb_that_a_model_lacks() -> None:
    assert_like(Encoding, SpeechModel, own={"rows"})


class Tampered(Passing):
    """A model of which single answers are replaced."""

    def __init__(self, model: SpeechModel, replace: Replace) -> None:
        super().__init__(model)
        self._replace = replace

    def decode(self, work: Sequence[DecodeWork]) -> list[list[Decoded]]:
        return [
            [self._replace(piece, piece.position + i, step) for i, step in enumerate(steps)]
            for piece, steps in zip(work, super().decode(work), strict=True)
        ]


def tampered(engine: VoxtralEngine, replace: Replace) -> VoxtralEngine:
    model = Tampered(engine._speech_model, replace)
    return VoxtralEngine(engine.info, "tampered", model, engine._tokens)


def test_a_mute_stretch_is_noticed_and_its_words_recovered(
    engine: VoxtralEngine,
) -> None:
    """From 8 s on the first decoder says nothing but [P], as seen in the field."""
    mute_from = 32 + 100 + 6  # position at 8 s of audio
    stuck_slot: list[int] = []

    def silence(piece: DecodeWork, position: int, step: Decoded) -> Decoded:
        if not stuck_slot:
            stuck_slot.append(piece.slot)
        stuck = piece.slot == stuck_slot[0] and position >= mute_from
        return Decoded(32, 5.0, -0.1) if stuck else step

    pcm = clip(LONG)[: 16_000 * 25]
    healthy = transcribe(engine, pcm, 6)
    stuck = transcribe(tampered(engine, silence), pcm, 6, speech=1.0)
    notices = [event for event in stuck.events if isinstance(event, Notice)]
    assert [notice.code for notice in notices] == ["mute"]
    assert stuck.text() == healthy.text()
    for mended, true in zip(stuck.words(), healthy.words(), strict=True):
        assert abs(mended.end_ms - true.end_ms) <= 160


def test_silence_and_noise_without_speech_raise_no_alarm(engine: VoxtralEngine) -> None:
    for name in ("silence", "rumble", "long_pauses"):
        events = transcribe(engine, clip(name), 6, speech=0.1).events
        assert not [event for event in events if isinstance(event, Notice)]


def hesitating(margin: float) -> Replace:
    """Every [P] ahead of the runner-up by so much, nothing else ever said."""
    return lambda piece, position, step: Decoded(32, margin, -0.1)


def test_sound_mistaken_for_speech_is_complained_of_once(engine: VoxtralEngine) -> None:
    """Twelve seconds that a detector and, half, the model take for speech; a restart brings
    nothing. Where the model is as sure as of silence nobody complains."""
    pcm = np.zeros(16_000 * 12, np.float32)
    for margin, complaints in ((5.2, 1), (8.5, 0)):
        events = transcribe(tampered(engine, hesitating(margin)), pcm, 6, speech=1.0).events
        assert len([event for event in events if isinstance(event, Notice)]) == complaints


def test_rumble_taken_for_speech_is_known_for_what_it_is(engine: VoxtralEngine) -> None:
    events = transcribe(engine, np.tile(clip("rumble"), 2), 6, speech=1.0).events
    assert not [event for event in events if isinstance(event, Notice)]


def test_a_word_is_as_sure_as_its_least_sure_token(engine: VoxtralEngine) -> None:
    """ " five" and " seven" have a doubtful token in their middle; [W] does not count."""
    tokens = engine._tokens

    def doubt(piece: DecodeWork, position: int, step: Decoded) -> Decoded:
        if not tokens.is_text(step.token):
            return step._replace(logprob=-9.0)
        return step._replace(logprob=-0.5 if tokens.text(step.token) == b"ve" else -0.1)

    words = transcribe(tampered(engine, doubt), clip("join_05"), 6).words()
    for word in words:
        doubted = word.text in (" five", " seven")
        assert word.confidence == pytest.approx(np.exp(-0.5 if doubted else -0.1), abs=1e-4)
    assert len({word.confidence for word in words}) == 2


def test_clear_words_are_sure_and_all_confidences_are_probabilities(engine: VoxtralEngine) -> None:
    heard = [transcribe(engine, clip(name), 6) for name in ("join_00", "join_03")]
    said = [word.confidence for each in heard for word in each.words()]
    assert all(c is not None and 0.0 < c <= 1.0 for c in said)
    assert np.median([c for c in said if c is not None]) > 0.9


def test_a_stream_without_audio_ends(engine: VoxtralEngine) -> None:
    heard = transcribe(engine, np.zeros(0, np.float32), 6)
    assert heard.text() == ""


def test_audio_that_is_not_a_number_does_not_poison_what_follows(engine: VoxtralEngine) -> None:
    pcm = clip("join_00")
    broken = np.concatenate([np.full(1280, np.nan, np.float32), pcm])
    assert transcribe(engine, broken, 6).text() == reference_text("join_00", 6)


def test_what_the_engine_refuses(engine: VoxtralEngine) -> None:
    for options in (
        StreamOptions("me", 0, (100,), 0),
        StreamOptions("me", 0, (), 0),
        StreamOptions("me", 0, (480, 960, 2400), 0),
        StreamOptions("me", 0, (480,), 0, language="en"),
    ):
        with pytest.raises(EngineError):
            engine.open(options)
    stream = engine.open(StreamOptions("me", 0, (480,), 0))
    with pytest.raises(EngineError, match="1300"):
        stream.set_delay(0, 1300)
    stream.close()
    assert engine.advance() == []
    assert engine.idle


def test_idle_means_that_nothing_would_happen(engine: VoxtralEngine) -> None:
    stream = engine.open(StreamOptions("me", 0, (480,), 0))
    stream.push(clip("join_00")[:16_000], 0.0)
    idle = [engine.idle]
    while not engine.idle:
        engine.advance()
    assert engine.advance() == []
    stream.finish()
    idle.append(engine.idle)
    drain(engine, stream, Transcribed())
    assert [*idle, engine.idle] == [False, False, True]


class Encoding(Passing):
    """A model of which the size of every encoder block is noted."""

    def __init__(self, model: SpeechModel) -> None:
        super().__init__(model)
        self.rows: list[int] = []

    def encode(self, work: Sequence[EncodeWork]) -> None:
        self.rows += [piece.rows for piece in work]
        super().encode(work)


def test_a_slow_machine_encodes_two_rows_at_once_and_says_the_same(engine: VoxtralEngine) -> None:
    model = Encoding(engine._speech_model)
    slow = VoxtralEngine(engine.info, "slow", model, engine._tokens)
    slow.rows_at_once = 2
    heard = transcribe(slow, clip("aligned_end"), 6, pieces=1280)
    assert heard.ids[0] == reference_ids("aligned_end", 6)
    live = model.rows[: len(clip("aligned_end")) // ROW_SAMPLES // 2]
    assert set(live) == {2}


@pytest.mark.parametrize(("seconds", "rows"), [(0.0001, 1), (0.1, 2)])
def test_the_pace_is_measured_at_load(
    engine: VoxtralEngine, monkeypatch: pytest.MonkeyPatch, seconds: float, rows: int
) -> None:
    """A clock that moves by so much whenever it is looked at."""
    ticks = itertools.count()
    measured = VoxtralEngine(engine.info, "pace", engine._speech_model, engine._tokens)
    monkeypatch.setattr(time, "monotonic", lambda: seconds * next(ticks))
    share = pace.keep_pace(measured)
    assert measured.rows_at_once == rows
    assert (share > 0.9) == (rows == 2)
    assert measured.idle

"""Two voices in one worker: real speech on both lanes, one that dies, and one that is too slow."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import jiwer
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from app.core.chunk import Chunk
from app.core.voices import ME, THEM
from app.worker import messages as m
from app.worker.echo import Echo
from app.worker.heartbeat import Heartbeat
from app.worker.loop import Loop
from model_backends import load
from model_backends.base import (
    Engine,
    Event,
    LoadOptions,
    Notice,
    Pcm,
    Progress,
    StreamOptions,
    Word,
)
from model_backends.embedded import store
from tests.support.rooms import chunks, leaking, noise, played, said, spoken
from tests.worker.helpers import Collector, start_message
from tests.worker.recording import INFO, LoudnessVad, sound
from tests.worker.recording import chunks as voice_chunks

SECONDS = 12.0
THEIRS = played(SECONDS)
MINE = said(SECONDS) + noise(round(SECONDS * 16_000))
SCRIPTS = {
    lane: [(f" {lane}{n}", start, end) for n, (start, end) in enumerate(spoken(pcm))]
    for lane, pcm in ((THEM, THEIRS), (ME, MINE))
}


def in_turn(theirs: Pcm, mine: Pcm) -> list[Chunk]:
    """What both captures deliver, as time goes by."""
    pairs = zip(chunks(theirs, THEM), chunks(mine, ME), strict=True)
    return [chunk for pair in pairs for chunk in pair]


def words_of(events: Iterable[object], lane: str) -> list[tuple[str, int, int]]:
    words = [event for event in events if isinstance(event, Word) and event.lane == lane]
    return [(word.text, word.start_ms, word.end_ms) for word in words]


# --- a worker that dies ------------------------------------------------------------------------


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    script = tmp_path / "scripts.json"
    script.write_text(json.dumps({"script": SCRIPTS}))
    made = Collector(start_message(tmp_path, model=str(script)))
    yield made
    made.client.close()


def test_a_killed_worker_costs_neither_voice_a_word_and_doubles_none(collector: Collector) -> None:
    client = collector.client
    client.start()
    pieces = in_turn(THEIRS, MINE)
    third = len(pieces) // 3
    for part in range(3):
        for chunk in pieces[part * third :] if part == 2 else pieces[part * third :][:third]:
            client.push(chunk)
        if part < 2:
            collector.wait_for(Word, 8 * (part + 1))
            collector.wait_for(m.Ready, part + 1)
            client._link.kill()  # type: ignore[union-attr]
    client.finish()
    collector.wait_for(m.Finished)
    for lane in (THEM, ME):
        assert words_of(collector.events, lane) == SCRIPTS[lane]
    assert len([e for e in collector.events if isinstance(e, m.Ready)]) == 3


# --- the loop, without a process ---------------------------------------------------------------


class Paced:
    """Satisfies what the loop needs of its inbox: sound comes when all before it has been heard."""

    def __init__(self, messages: Sequence[m.Message]) -> None:
        self._messages: list[m.Message] = [*messages, m.Finish()]

    def get(self) -> m.Message:
        return self._messages.pop(0)

    def get_nowait(self) -> m.Message:
        raise queue.Empty


@pytest.fixture(scope="module")
def weights(weights_dir: Path) -> Path:
    return weights_dir


def hear(weights: Path, messages: Sequence[m.Message]) -> list[m.Message]:
    """What the embedded engine says of both voices; nothing is ever late."""
    model = "tiny.en" if store.find("tiny.en", weights) else "base"
    engine = load("embedded", LoadOptions(model, None, weights), lambda fraction, text: None)
    start = m.Start(m.PROTOCOL_VERSION, "embedded", str(weights), delays_ms=(1000,), language="en")
    sent: list[m.Message] = []
    inbox = Paced(messages)
    heartbeat = Heartbeat(lambda beat: None)
    Loop(engine, start, inbox, sent.append, heartbeat).run()  # type: ignore[arg-type]
    engine.close()
    return sent


def text_of(events: Iterable[object], lane: str) -> str:
    return "".join(text for text, _, _ in words_of(events, lane)).strip()


def errors(said_text: str, heard: str) -> float:
    """The word error rate."""
    plain = EnglishTextNormalizer()
    return float(jiwer.wer(plain(said_text), plain(heard) or "nothing"))


class Noting(Echo):
    """What the microphone would have brought without it is noted."""

    raw: list[Word] = []  # noqa: RUF012  # of the one run of a test

    def take(self, message: m.Message) -> list[m.Message]:
        if isinstance(message, Word) and message.lane == ME:
            self.raw.append(message)
        return super().take(message)


@pytest.mark.weights
def test_no_sentence_comes_twice(weights: Path) -> None:
    mine = leaking(THEIRS, -10, 120) + noise(len(THEIRS))
    sent = hear(weights, in_turn(THEIRS, mine))
    assert text_of(sent, ME) == ""
    assert len(text_of(sent, THEM).split()) > 25


@pytest.mark.weights
def test_who_speaks_while_the_loudspeakers_do_is_captioned(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's words are cleaner than the microphone alone would have them."""
    Noting.raw = []
    monkeypatch.setattr("app.worker.loop.Echo", Noting)
    mine = said(15.0, 3.0) + leaking(played(15.0), -10, 80) + noise(15 * 16_000)
    sent = hear(weights, in_turn(played(15.0), mine))
    told = (
        "And so, my fellow Americans: ask not what your country can do for you, ask what you can "
        "do for your country."
    )
    raw = errors(told, "".join(word.text for word in Noting.raw))
    assert errors(told, text_of(sent, ME)) < raw - 0.2
    assert "danger" in text_of(sent, THEM) and "danger" not in text_of(sent, ME)


# --- an engine that is too slow for two ---------------------------------------------------------


class SlowStream:
    """Satisfies `base.Stream`: says a word for each second that has been heard."""

    def __init__(self, options: StreamOptions) -> None:
        self.options = options
        self.samples = self.heard_ms = self.said = 0
        self.finishing = self.done = False

    @property
    def waiting_ms(self) -> int:
        return self.samples // 16 - self.heard_ms

    def push(self, pcm: Pcm, speech: float) -> None:
        self.samples += len(pcm)

    def set_delay(self, track: int, ms: int) -> None: ...

    def finish(self) -> None:
        self.finishing = True

    def close(self) -> None:
        self.done = True

    def hear(self, ms: int) -> list[Event]:
        lane, begin_ms = self.options.lane, self.options.start_ms
        self.heard_ms += min(ms, self.waiting_ms)
        self.done = self.finishing and self.waiting_ms == 0
        heard_ms, events = begin_ms + self.heard_ms, list[Event]()
        while self.heard_ms >= 1_000 * (self.said + 1):
            end_ms = begin_ms + 1_000 * (self.said + 1)
            events.append(Word(lane, 0, 0, f" {self.said}", end_ms - 900, end_ms))
            self.said += 1
        return [*events, Progress(lane, 0, heard_ms, heard_ms)]


class SlowEngine:
    """Satisfies `base.Engine`: hears one voice at a time, by turns, `step_ms` at once."""

    info, model, device = INFO, "none", "cpu"

    def __init__(self, step_ms: int) -> None:
        self._step_ms = step_ms
        self._streams: list[SlowStream] = []

    def open(self, options: StreamOptions) -> SlowStream:
        self._streams.append(SlowStream(options))
        return self._streams[-1]

    def advance(self) -> list[Event]:
        for stream in list(self._streams):
            if stream.waiting_ms or stream.finishing:
                self._streams.remove(stream)
                events = stream.hear(self._step_ms)
                if not stream.done:
                    self._streams.append(stream)
                return events
        return []

    @property
    def idle(self) -> bool:
        return not any(stream.waiting_ms or stream.finishing for stream in self._streams)

    def close(self) -> None:
        self._streams.clear()


class Steady(Paced):
    """A piece of sound for each step of the engine, whether it has heard the last or not."""

    def __init__(self, messages: Sequence[m.Message]) -> None:
        super().__init__(messages)
        self._more = True

    def get_nowait(self) -> m.Message:
        self._more = not self._more
        if self._more or not self._messages:
            raise queue.Empty
        return self._messages.pop(0)


def spoken_to(step_ms: int, monkeypatch: pytest.MonkeyPatch) -> list[m.Message]:
    """Both speak for half a minute; 100 ms of one voice's sound come for each step."""
    monkeypatch.setattr("app.worker.loop.make_vad", lambda kind: LoudnessVad())
    monkeypatch.setattr("app.worker.loop.Echo", lambda: Echo(near="nobody"))  # they sound alike
    talk = sound((0.9, 30_000), (0.0, 3_000))
    pairs = zip(voice_chunks(talk, lane=ME), voice_chunks(talk, lane=THEM), strict=True)
    inbox = Steady([chunk for pair in pairs for chunk in pair])
    start = m.Start(m.PROTOCOL_VERSION, "slow", "/models", delays_ms=(480,), vad="webrtc")
    sent: list[m.Message] = []
    heartbeat = Heartbeat(lambda beat: None)
    engine: Engine = SlowEngine(step_ms)
    Loop(engine, start, inbox, sent.append, heartbeat).run()  # type: ignore[arg-type]
    return sent


def told(sent: list[m.Message]) -> list[bool]:
    """Of each notice that there are two voices too many: whether it says or takes back."""
    return [bool(e.message) for e in sent if isinstance(e, Notice) and e.code == "two-voices"]


def test_the_others_are_heard_first_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fast enough for one voice, not for two."""
    sent = spoken_to(60, monkeypatch)
    for lane in (ME, THEM):
        assert [text for text, _, _ in words_of(sent, lane)] == [f" {n}" for n in range(30)]
    assert told(sent) == [True, False]
    order = [event.lane for event in sent if isinstance(event, Word)]
    last = len(order) - order[::-1].index(THEM)
    assert order[:last].count(ME) < 15, "theirs were first"


def test_nobody_waits_for_an_engine_that_keeps_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = spoken_to(120, monkeypatch)
    order = [event.lane for event in sent if isinstance(event, Word)]
    assert told(sent) == []
    assert abs(order[:20].count(ME) - 10) <= 1, "by turns"

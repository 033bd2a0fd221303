"""vLLM's dialect of the realtime protocol, where `commit` with `final` false STARTS an utterance.

Known by its first event: a `session.update` with the model at top level, and in newer versions the
language, or a `commit`, with which nobody else begins. Sound is 16 kHz. What
vLLM loses silently (sound sent between `final` and `done`, a `final` without a start) is kept or
answered here. While somebody speaks a delta comes at least every quarter of a second of sound, an
empty one if there is no word: a client takes a server without deltas for a dead one.
"""

from __future__ import annotations

from app.share.realtime.sound import Sound
from app.share.realtime.speaker import (
    Answer,
    Event,
    RefusedError,
    Said,
    Say,
    Serving,
    Spoken,
    Tape,
    new_id,
    text_of,
)
from app.share.realtime.turns import Turn, Turns
from model_backends.base import SAMPLE_RATE, Progress, Word

_BEAT_MS = 250


class Vllm:
    """One connection; utterances one after another."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._language = serving.language
        self._sound = Sound(SAMPLE_RATE)
        self._tape = Tape()
        self._turns = Turns()
        self._beat_ms = -_BEAT_MS

    @property
    def waiting(self) -> bool:
        return self._turns.waiting

    def hear(self, event: Event) -> list[Answer]:
        match event.get("type"):
            case "session.update":
                return self._update(event)
            case "input_audio_buffer.append":
                return self._append(text_of(event, "audio"))
            case "input_audio_buffer.commit":
                if event.get("final") is True:
                    return self._final()
                self._turns.begin(self._tape.now_ms)
                return []
            case other:
                raise RefusedError("unknown_event", f"There is no event “{other}”.", "type")

    def _update(self, event: Event) -> list[Answer]:
        text_of(event, "model")  # whatever it is called: there is one
        answers: list[Answer] = []
        if event.get("language"):
            language = self._serving.spoken(text_of(event, "language"), "language")
            if self._tape.now_ms and language != self._language:
                message = "The language is chosen before the first sound."
                raise RefusedError("invalid_value", message, "language")
            self._language = language
            answers.append(Spoken(language))
        return [*answers, self._say("session.updated", model=self._serving.model)]

    def _append(self, encoded: str) -> list[Answer]:
        try:
            pcm = self._sound.add(encoded)
        except ValueError:
            raise RefusedError("invalid_audio", "The audio is no base64.", "audio") from None
        if pcm:
            self._turns.begin(self._tape.now_ms)
        return self._tape.add(pcm)

    def _final(self) -> list[Answer]:
        self._sound.end()
        turn = self._turns.end(self._tape.now_ms)
        if self._tape.in_turn:
            return self._tape.cut()
        turn.settled_ms = 0  # no sound, so no progress will come
        return [answer for each in self._turns.settled(0) for answer in self._done(each)]

    def take(self, said: Said) -> list[Answer]:
        if isinstance(said, Word):
            self._beat_ms = said.end_ms
            return [self._delta(self._turns.of(said).add(said))]
        if isinstance(said, Progress):
            done = [a for turn in self._turns.settled(said.settled_ms) for a in self._done(turn)]
            return done or self._beat(said.heard_ms)
        return []

    def _beat(self, heard_ms: int) -> list[Answer]:
        if not self._turns.waiting or heard_ms - self._beat_ms < _BEAT_MS:
            return []
        self._beat_ms = heard_ms
        return [self._delta("")]

    def _done(self, turn: Turn) -> list[Answer]:
        return [self._say("transcription.done", text=turn.text, usage=None)]

    def end(self) -> list[Answer]:
        """The server stops: what is being said is heard out as if the client had ended it."""
        return [] if self._turns.open is None else self._final()

    def refusal(self, error: RefusedError, event_id: object = None) -> Event:
        return self._say("error", error=error.message, code=error.code).event

    def _delta(self, text: str) -> Say:
        return self._say("transcription.delta", delta=text)

    def _say(self, kind: str, **fields: object) -> Say:
        return Say({"type": kind, "event_id": new_id("event"), **fields})

"""The OpenAI transcription dialect: turns as items, found by the gate or ended by the client.

`session.update`, `input_audio_buffer.append`, `.commit` (which ENDS a turn) and `.clear` come in;
`session.updated`, `input_audio_buffer.*` and `conversation.item.input_audio_transcription.*` go
out. A delta is never taken back. What an engine of ours does not do (`prompt`, thresholds, noise
reduction) is not refused: the acknowledgement of every update says what holds. Source: OpenAI's
reference of client and server events of the Realtime API, transcription sessions.
"""

from __future__ import annotations

from typing import Any

from app.core.timeline import Gap
from app.share.realtime.sound import RATES, Sound
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
from app.worker.messages import Speech
from model_backends.base import Progress, Word

_LEAST_COMMIT_MS = 100  # less is refused, as OpenAI does
_PREFIX = "conversation.item.input_audio_transcription"


class OpenAI:
    """One transcription session."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._id = new_id("sess")
        self._language = serving.language
        self._gated = True  # turns are found by the gate; else the client ends them
        self._sound = Sound(RATES[0])
        self._tape = Tape()
        self._turns = Turns()
        self._items: dict[int, str] = {}  # of the turns that are not done
        self._last_item: str | None = None
        self._heard_any = False

    @property
    def waiting(self) -> bool:
        return self._turns.waiting

    @property
    def session(self) -> dict[str, Any]:
        """What holds for this session, in OpenAI's shape."""
        gate = {
            "type": "server_vad",
            "silence_duration_ms": max(self._serving.info.hangover_ms.values(), default=0),
        }
        return {
            "id": self._id,
            "object": "realtime.transcription_session",
            "type": "transcription",
            "expires_at": 0,
            "include": None,
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": self._sound.rate},
                    "transcription": {
                        "model": self._serving.model,
                        "language": self._language,
                        "prompt": "",
                    },
                    "turn_detection": gate if self._gated else None,
                    "noise_reduction": None,
                }
            },
        }

    # --- from the client -------------------------------------------------------------------

    def hear(self, event: Event) -> list[Answer]:
        match event.get("type"):
            case "session.update":
                return self._update(event.get("session"))
            case "input_audio_buffer.append":
                return self._append(text_of(event, "audio"))
            case "input_audio_buffer.commit":
                return self._commit()
            case "input_audio_buffer.clear":
                return self._clear()
            case other:
                raise RefusedError("unknown_event", f"There is no event “{other}”.", "type")

    def _update(self, asked: Any) -> list[Answer]:
        """All of it or nothing: what is refused changes nothing."""
        asked = _table(asked, "session")
        if asked.get("type", "transcription") != "transcription":
            raise RefusedError(
                "invalid_value", "Only transcription sessions are served.", "session.type"
            )
        given = _table(_table(asked.get("audio", {}), "session.audio").get("input", {}), _INPUT)
        rate = self._rate(given)
        language = self._spoken(given)
        gated = self._gate(given)
        answers: list[Answer] = []
        if rate != self._sound.rate:
            self._sound = Sound(rate)
        if language != self._language:
            self._language = language
            answers.append(Spoken(language))
        self._gated = gated
        return [*answers, self._say("session.updated", session=self.session)]

    def _rate(self, given: Event) -> int:
        if given.get("format") is None:
            return self._sound.rate
        format_ = _table(given["format"], f"{_INPUT}.format")
        if format_.get("type", "audio/pcm") != "audio/pcm":
            raise RefusedError("invalid_value", "Only audio/pcm is heard.", f"{_INPUT}.format.type")
        rate = format_.get("rate", RATES[0])
        if type(rate) is not int or rate not in RATES:
            raise RefusedError(
                "invalid_value", f"The rate must be one of {RATES}.", f"{_INPUT}.format.rate"
            )
        if rate != self._sound.rate and self._tape.in_turn:
            raise RefusedError(
                "invalid_value",
                "The rate cannot change while a turn is being said; commit it first.",
                f"{_INPUT}.format.rate",
            )
        return rate

    def _spoken(self, given: Event) -> str | None:
        if given.get("transcription") is None:
            return self._language
        wanted = _table(given["transcription"], f"{_INPUT}.transcription")
        if wanted.get("language") in (None, ""):
            return self._serving.language if "language" in wanted else self._language
        field = f"{_INPUT}.transcription.language"
        language = self._serving.spoken(text_of(wanted, "language"), field)
        if self._heard_any and language != self._language:
            raise RefusedError(
                "invalid_value", "The language is chosen before the first sound.", field
            )
        return language

    def _gate(self, given: Event) -> bool:
        if "turn_detection" not in given:
            return self._gated
        if given["turn_detection"] is None:
            return False
        kind = _table(given["turn_detection"], f"{_INPUT}.turn_detection").get("type")
        if kind != "server_vad":
            raise RefusedError(
                "invalid_value", "Turns are found by server_vad, or by nobody (null).",
                f"{_INPUT}.turn_detection.type",
            )  # fmt: skip
        return True

    def _append(self, encoded: str) -> list[Answer]:
        try:
            pcm = self._sound.add(encoded)
        except ValueError:
            raise RefusedError("invalid_audio", "The audio is no base64.", "audio") from None
        return self._push(pcm)

    def _push(self, pcm: bytes) -> list[Answer]:
        if pcm and not self._gated:
            self._turns.begin(self._tape.now_ms)
        self._heard_any = self._heard_any or bool(pcm)
        return self._tape.add(pcm)

    def _commit(self) -> list[Answer]:
        sound_ms = self._tape.in_turn // 16 + self._sound.kept_ms
        if sound_ms < _LEAST_COMMIT_MS:
            raise RefusedError(
                "input_audio_buffer_commit_empty",
                f"There are {sound_ms} ms of sound; it takes {_LEAST_COMMIT_MS}.",
            )
        return [*self._push(self._sound.end()), *self._end_turn()]

    def _end_turn(self) -> list[Answer]:
        turn = self._turns.end(self._tape.now_ms)
        return [*self._tape.cut(), self._committed(turn)]

    def _clear(self) -> list[Answer]:
        """What was not committed is not wanted: it is heard, and nothing of it is told."""
        rest = self._push(self._sound.end())
        if self._tape.in_turn:
            self._turns.end(self._tape.now_ms).dropped = True
            rest += self._tape.cut()
        return [*rest, self._say("input_audio_buffer.cleared")]

    # --- from the engine -------------------------------------------------------------------

    def take(self, said: Said) -> list[Answer]:
        if isinstance(said, Word):
            return self._word(said)
        if isinstance(said, Progress):
            done = self._turns.settled(said.settled_ms)
            return [answer for turn in done for answer in self._done(turn)]
        if isinstance(said, Speech):
            return self._speech(said) if self._gated else []
        if isinstance(said, Gap):
            seconds = (said.end_ms - said.start_ms) / 1000
            message = f"{seconds:.1f} s of sound were lost."
            return [self._say("voxline.notice", code=said.reason, message=message, hint="")]
        return [self._say("voxline.notice", code=said.code, message=said.message, hint=said.hint)]

    def _word(self, word: Word) -> list[Answer]:
        turn = self._turns.of(word)
        if turn.dropped:
            return []
        item, delta = self._item(turn), turn.add(word)
        return [self._say(f"{_PREFIX}.delta", item_id=item, content_index=0, delta=delta)]

    def _speech(self, speech: Speech) -> list[Answer]:
        if speech.speaking:
            begun = self._turns.opened(speech.at_ms)
            if begun is None:
                return []
            at = {"audio_start_ms": begun.start_ms, "item_id": self._item(begun)}
            return [self._say("input_audio_buffer.speech_started", **at)]
        ended = self._turns.closed(speech.at_ms)
        if ended is None:
            return []
        self._tape.in_turn = 0
        at = {"audio_end_ms": speech.at_ms, "item_id": self._item(ended)}
        stopped = self._say("input_audio_buffer.speech_stopped", **at)
        return [stopped, self._committed(ended)]

    def _done(self, turn: Turn) -> list[Answer]:
        item = self._item(turn)
        del self._items[turn.number]
        if turn.dropped:
            return []
        usage = {"type": "duration", "seconds": round(turn.seconds, 3)}
        return [
            self._say(
                f"{_PREFIX}.completed",
                item_id=item,
                content_index=0,
                transcript=turn.text,
                usage=usage,
            )
        ]

    def end(self) -> list[Answer]:
        """The server stops: what is being said is committed as if the client had."""
        if self._turns.open is None and not self._tape.in_turn:
            return []
        return [*self._push(self._sound.end()), *self._end_turn()]

    # --- how it is said --------------------------------------------------------------------

    def created(self) -> Say:
        """The first event; a client of vLLM finds its `id` and `created` here, too."""
        return self._say("session.created", session=self.session, id=self._id)

    def refusal(self, error: RefusedError, event_id: object = None) -> Event:
        kind = "server_error" if error.code == "overloaded" else "invalid_request_error"
        told = {
            "type": kind,
            "code": error.code,
            "message": error.message,
            "param": error.param,
            "event_id": event_id if isinstance(event_id, str) else None,
        }
        return self._say("error", error=told).event

    def _item(self, turn: Turn) -> str:
        return self._items.setdefault(turn.number, new_id("item"))

    def _committed(self, turn: Turn) -> Say:
        item, before = self._item(turn), self._last_item
        self._last_item = item
        return self._say("input_audio_buffer.committed", item_id=item, previous_item_id=before)

    def _say(self, kind: str, **fields: Any) -> Say:
        return Say({"type": kind, "event_id": new_id("event"), **fields})


_INPUT = "session.audio.input"


def _table(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RefusedError("invalid_value", f"“{name}” must be an object.", name)
    return value

"""The conversation of a stand-in server: vLLM's realtime protocol, its traps, and faults to order.

Frames in, frames out; `stand_in` has the socket. Written against vLLM 0.32 running. Pure.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.measure.stand_in_model import BLOCK, Model, Samples

MODEL = "voxtral-tiny"
_PROMPT = 39  # tokens: `<s>`, 32 of left padding, 6 of delay
_LEAD = 7  # blocks that must have come before the first answer: the delay, and one
_FLUSH = 17  # steps of silence at the end: the delay, one, and a long last word


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes wrong on one connection. `after`: blocks of sound heard until then."""

    status: int = 0  # answer the handshake with this HTTP status
    retry_after: str = ""
    after: int = 1 << 30
    fault: str = ""  # "die", "hang", "error", "done", or "close"
    code: int = 1011  # of "close"
    silent: bool = False  # never say `session.created`


class Ended(Exception):  # noqa: N818 - an end, as planned
    """The connection ends here, after these frames: closed with a code, or cut off (None)."""

    def __init__(self, frames: list[str], code: int | None) -> None:
        super().__init__(code)
        self.frames = frames
        self.code = code


class Talk:
    """One connection, as `RealtimeConnection` of vLLM has it: frames in, frames out."""

    def __init__(
        self,
        make_model: Callable[[], Model],
        plan: Plan = Plan(),
        max_model_len: int = 16_384,
    ) -> None:
        self._make_model = make_model
        self._plan = plan
        self._max_model_len = max_model_len
        self._out: list[str] = []
        self._validated = False
        self._model: Model | None = None  # while it transcribes
        self._ended = 0  # stray ends that wait in the queue for the next utterance
        self._queued: list[Samples] = []
        self._rest = np.zeros(0, np.int16)
        self._blocks: list[Samples] = []
        self._said: list[str] = []
        self._heard = 0  # blocks, of all utterances

    def greeting(self) -> list[str]:
        """What the server says first."""
        if not self._plan.silent:
            self._send("session.created", id="sess-1", created=int(time.time()))
        return self._taken()

    def take(self, frame: str) -> list[str]:
        """A frame of the client: the answers. Raises Ended where the plan has it."""
        self._take(frame)
        return self._taken()

    def _taken(self) -> list[str]:
        out, self._out = self._out, []
        return out

    def _take(self, frame: str) -> None:
        try:
            event = json.loads(frame)
        except ValueError:
            self._error("invalid_json", "Invalid JSON")
            return
        kind = event.get("type")
        if kind == "session.update":
            self._update(event)
        elif kind == "input_audio_buffer.append":
            self._append(event)
        elif kind == "input_audio_buffer.commit":
            self._commit(bool(event.get("final")))
        else:
            self._error("unknown_event", f"Unknown event type: {kind}")

    def _update(self, event: Mapping[str, Any]) -> None:
        if "model" not in event:
            self._error("invalid_event", "model is required")
        elif event["model"] != MODEL:
            self._error("model_not_found", f"The model `{event['model']}` does not exist.")
        else:
            self._validated = True

    def _append(self, event: Mapping[str, Any]) -> None:
        try:
            pcm = np.frombuffer(base64.b64decode(event["audio"]), "<i2")
            if not len(pcm):
                raise ValueError("empty")
        except (KeyError, ValueError):
            self._error("invalid_audio", "Invalid audio data")
            return
        if self._model is None:
            self._queued.append(pcm)
        else:
            self._hear(pcm)

    def _commit(self, final: bool) -> None:
        if not self._validated:
            self._error("model_not_validated", "Model not validated. Send session.update first.")
        elif not final:
            self._begin()
        elif self._model is None:
            self._ended += 1  # rule 1: the next utterance will find it
        else:
            self._finish()

    def _begin(self) -> None:
        if self._model is not None:
            return
        self._model, self._blocks, self._said = self._make_model(), [], []
        self._rest = np.zeros(0, np.int16)
        if self._ended:
            self._ended -= 1
            self._queued.clear()
            self._done()
            return
        queued, self._queued = self._queued, []
        for pcm in queued:
            self._hear(pcm)

    def _hear(self, pcm: Samples) -> None:
        self._rest = np.concatenate([self._rest, pcm])
        while len(self._rest) >= BLOCK and self._model is not None:
            block, self._rest = self._rest[:BLOCK], self._rest[BLOCK:]
            self._blocks.append(block)
            self._heard += 1
            if self._heard > self._plan.after:
                self._go_wrong()
                continue
            if len(self._blocks) >= _LEAD:
                self._step(self._blocks[len(self._blocks) - _LEAD])

    def _step(self, block: Samples) -> None:
        assert self._model is not None
        self._say(self._model.hear(block))
        if len(self._said) >= self._max_model_len - _PROMPT:
            self._done()  # rule 3: what the delay holds back is lost

    def _finish(self) -> None:
        assert self._model is not None
        if self._heard > self._plan.after and self._plan.fault == "hang":
            return
        silence = np.zeros(BLOCK, np.int16)
        held = self._blocks[max(0, len(self._blocks) - _LEAD + 1) :]
        if len(self._rest):
            held = [*held, np.pad(self._rest, (0, BLOCK - len(self._rest)))]
        for block in [*held, *[silence] * _FLUSH]:
            if self._model is not None:
                self._step(block)
        if self._model is not None:
            self._done()

    def _say(self, text: str) -> None:
        self._said.append(text)
        self._send("transcription.delta", delta=text)

    def _done(self) -> None:
        self._model = None
        count = len(self._said)
        usage = {
            "prompt_tokens": _PROMPT,
            "completion_tokens": count,
            "total_tokens": _PROMPT + count,
        }
        self._send("transcription.done", text="".join(self._said), usage=usage)
        self._queued.clear()  # rule 2: what came after the end is dropped silently

    def _go_wrong(self) -> None:
        fault = self._plan.fault
        if fault == "die":
            raise Ended(self._taken(), None)
        if fault == "close":
            raise Ended(self._taken(), self._plan.code)
        if fault == "error":
            self._model = None
            self._error("processing_error", "engine failed")
        elif fault == "done":
            self._plan = Plan()
            self._done()

    def _error(self, code: str, message: str) -> None:
        self._send("error", error=message, code=code)

    def _send(self, kind: str, **fields: Any) -> None:
        self._out.append(json.dumps({"type": kind, **fields}))

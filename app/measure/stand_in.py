"""A stand-in for vLLM's realtime server: the same wire, no weights, and every fault on request.

    python -m app.measure.stand_in --port 8125 [--script FILE] [--key KEY]

Written against vLLM 0.32 running; tests run one list against both, so that it cannot drift. It
answers as soon as there is sound enough. `Plan` says what goes wrong on which connection.
"""

from __future__ import annotations

import argparse
import base64
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from app.measure.stand_in_model import BLOCK, Fox, Model, Samples, Script

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


Planned: TypeAlias = Callable[[int], Plan]


@dataclass(slots=True)
class StandIn:
    """One server. Use as a context manager; `url` is where it is."""

    make_model: Callable[[], Model] = Fox
    key: str = ""
    max_model_len: int = 16_384
    plan: Planned = lambda number: Plan()
    port: int = 0
    step_s: float = 0.0  # how long a step takes
    sessions: int = 0  # connections so far
    heard: list[Mapping[str, Any]] = field(default_factory=list)  # events of clients, sound as ""
    headers: list[Mapping[str, str]] = field(default_factory=list)  # of handshakes and requests
    active: int = 0
    _server: Server | None = None

    def __enter__(self) -> StandIn:
        self._server = serve(
            self._serve,
            "127.0.0.1",
            self.port,
            process_request=self._answer,
            compression=None,
            max_size=16 << 20,
            max_queue=None,
        )
        self.port = self._server.socket.getsockname()[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown(code=1012, reason="service restart")

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def serve_forever(self) -> None:
        """Until the process ends."""
        threading.Event().wait()

    # --- HTTP ------------------------------------------------------------------------------

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        self.headers.append(dict(request.headers.raw_items()))
        path = request.path.partition("?")[0]
        if path == "/health":
            return _text(200, "")
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return _text(401, '{"error":"Unauthorized"}')
        if path == "/v1/models":
            row = {"id": MODEL, "object": "model", "max_model_len": self.max_model_len}
            return _text(200, json.dumps({"object": "list", "data": [row]}))
        if path == "/metrics":
            return _text(200, f"vllm:websocket_connections_active {self.active}.0\n")
        if path != "/v1/realtime":
            return _text(404, "")
        plan = self.plan(self.sessions)
        if plan.status:
            self.sessions += 1
            return _text(plan.status, "", plan.retry_after)
        return None

    def _serve(self, connection: ServerConnection) -> None:
        plan = self.plan(self.sessions)
        self.sessions += 1
        self.active += 1
        try:
            _Session(self, connection, plan).run()
        except ConnectionClosed:
            pass
        finally:
            self.active -= 1


class _Session:
    """One connection, as `RealtimeConnection` of vLLM has it."""

    def __init__(self, server: StandIn, connection: ServerConnection, plan: Plan) -> None:
        self._server = server
        self._connection = connection
        self._plan = plan
        self._validated = False
        self._model: Model | None = None  # while it transcribes
        self._ended = 0  # stray ends that wait in the queue for the next utterance
        self._queued: list[Samples] = []
        self._rest = np.zeros(0, np.int16)
        self._blocks: list[Samples] = []
        self._said: list[str] = []
        self._heard = 0  # blocks, of all utterances

    def run(self) -> None:
        if self._plan.silent:
            threading.Event().wait(60)
        self._send("session.created", id="sess-1", created=int(time.time()))
        for frame in self._connection:
            if not isinstance(frame, str):
                raise RuntimeError("a binary frame ends the connection")
            self._take(frame)

    def _take(self, frame: str) -> None:
        try:
            event = json.loads(frame)
        except ValueError:
            self._error("invalid_json", "Invalid JSON")
            return
        self._server.heard.append({**event, **({"audio": ""} if "audio" in event else {})})
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
            pcm = np.frombuffer(base64.b64decode(event["audio"], validate=True), "<i2")
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
        self._model, self._blocks, self._said = self._server.make_model(), [], []
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
        if self._server.step_s:
            time.sleep(self._server.step_s)
        self._say(self._model.hear(block))
        if len(self._said) >= self._server.max_model_len - _PROMPT:
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
            self._connection.socket.shutdown(socket.SHUT_RDWR)
            raise RuntimeError("dead")
        if fault == "close":
            self._connection.close(self._plan.code, "as planned")
        elif fault == "error":
            self._model = None
            self._error("processing_error", "engine failed")
        elif fault == "done":
            self._plan = Plan()
            self._done()

    def _error(self, code: str, message: str) -> None:
        self._send("error", error=message, code=code)

    def _send(self, kind: str, **fields: Any) -> None:
        self._connection.send(json.dumps({"type": kind, **fields}))


def _text(status: int, body: str, retry_after: str = "") -> Response:
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
    if retry_after:
        headers["Retry-After"] = retry_after
    return Response(status, HTTPStatus(status).phrase, headers, body.encode())


def main() -> int:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--script", type=Path, help='JSON: [["text", start_ms, end_ms], …]')
    parser.add_argument("--key", default="")
    parser.add_argument("--max-model-len", type=int, default=16_384)
    args = parser.parse_args()
    lines = json.loads(args.script.read_text("utf-8")) if args.script else None
    model: Callable[[], Model] = Fox if lines is None else lambda: Script(lines)
    with StandIn(model, args.key, args.max_model_len, port=args.port) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())

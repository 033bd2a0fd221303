"""Every type that crosses the pipe between the app and its worker, and how it is written there.

A frame is `>II` (header length, payload length), a JSON header `{"type": name, ...fields}` and a
payload: int16 little-endian mono PCM at 16 kHz for `Chunk`, empty for all else. No pickle: the
worker may run on another interpreter with other packages. Times are integer milliseconds since
the session began.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field, fields
from typing import Any, BinaryIO, TypeAlias

from app.core.chunk import Chunk
from model_backends.base import Notice, Progress, Sentence, Tail, Word

PROTOCOL_VERSION = 1
_LENGTHS = struct.Struct(">II")
_MAX_HEADER = 1 << 20
_MAX_PAYLOAD = 1 << 26


class ProtocolError(Exception):
    """The other side sent something that is not a frame of this protocol."""


# --- app to worker -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """First message: what to load and how to listen."""

    version: int
    engine: str
    models_dir: str
    model: str | None = None
    device: str | None = None
    language: str | None = None
    delays_ms: tuple[int, ...] = ()
    realtime: bool = True
    first_utterance: int = 0  # numbers go on after a restart
    vad: str = "silero"  # or "webrtc"
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetDelay:
    """Change a track's delay, in order with the audio."""

    lane: str
    track: int
    ms: int


@dataclass(frozen=True, slots=True)
class Finish:
    """No more audio on any lane: flush everything, answer `Finished`."""


@dataclass(frozen=True, slots=True)
class Break:
    """The lane pauses: close its utterance and flush, more may come later."""

    lane: str


# --- worker to app -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello:
    """First message back, before anything heavy is imported."""

    version: int
    pid: int
    python: str


@dataclass(frozen=True, slots=True)
class Loading:
    """The model is being loaded; fraction 0..1."""

    fraction: float
    text: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine is loaded and listening."""

    engine: str
    model: str
    device: str
    load_ms: int


@dataclass(frozen=True, slots=True)
class Speech:
    """The gate opened or closed on a lane."""

    lane: str
    speaking: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class Failure:
    """The worker cannot go on and will exit; the user's sentence and what to do next."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """Everything that was pushed has been heard and returned."""


Message: TypeAlias = (
    Start | Chunk | SetDelay | Break | Finish
    | Hello | Loading | Ready | Speech | Failure | Finished
    | Word | Tail | Progress | Notice
)  # fmt: skip

_TYPES: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        Start, Chunk, SetDelay, Break, Finish,
        Hello, Loading, Ready, Speech, Failure, Finished,
        Word, Tail, Progress, Notice,
    )
}  # fmt: skip


_SENTENCES = {"message", "hint", "text"}  # fields that may hold a Sentence


def _written(value: Any) -> Any:
    return value.to_json() if isinstance(value, Sentence) else value


def encode(message: Message) -> bytes:
    """One frame."""
    values = {f.name: _written(getattr(message, f.name)) for f in fields(message)}
    payload = values.pop("pcm") if isinstance(message, Chunk) else b""
    header = json.dumps({"type": type(message).__name__, **values}, ensure_ascii=False).encode()
    return _LENGTHS.pack(len(header), len(payload)) + header + payload


def read(stream: BinaryIO) -> Message | None:
    """The next message, or None when the other side has closed the pipe.

    Raises ProtocolError for anything that is not a whole frame of a known type.
    """
    lengths = stream.read(_LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < _LENGTHS.size:
        raise ProtocolError("the pipe ended inside a frame")
    header_length, payload_length = _LENGTHS.unpack(lengths)
    if header_length > _MAX_HEADER or payload_length > _MAX_PAYLOAD:
        raise ProtocolError("a frame longer than any of ours: something else wrote to the pipe")
    header, payload = stream.read(header_length), stream.read(payload_length)
    if len(header) < header_length or len(payload) < payload_length:
        raise ProtocolError("the pipe ended inside a frame")
    return _decode(header, payload)


def _decode(header: bytes, payload: bytes) -> Message:
    try:
        values = json.loads(header)
        kind = _TYPES[values.pop("type")]
        if kind is Chunk:
            values["pcm"] = payload
        if kind is Start:
            values["delays_ms"] = tuple(values.get("delays_ms", ()))
        for name in _SENTENCES & values.keys():
            if isinstance(values[name], dict):
                values[name] = Sentence.from_json(values[name])
        message: Message = kind(**values)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise ProtocolError(f"not a message of this protocol: {header[:80]!r}") from error
    return message

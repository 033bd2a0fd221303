"""Every type that crosses the pipe between the app and its worker, and how it is written there.

A frame is `>II` (header length, payload length), a JSON header `{"type": name, ...fields}` and a
payload: int16 little-endian mono PCM at 16 kHz for `Chunk`, empty for all else. No pickle: the
worker may run on another interpreter with other packages. Times are integer milliseconds since
the session began.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, BinaryIO, TypeAlias

from app.core.chunk import Chunk
from model_backends.base import Acting, Notice, Progress, Sentence, Tail, Word

PROTOCOL_VERSION = 3
_LENGTHS = struct.Struct(">II")
_MAX_HEADER = 1 << 20
_MAX_PAYLOAD = 1 << 26
_MAX_NUMBER = 1 << 53  # what JSON's readers agree on; 285,000 years in milliseconds


class ProtocolError(Exception):
    """The other side sent something that is not a frame of this protocol."""


# --- app to worker -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """What to load and how to listen: the first message, and the first of each session after it.

    A worker that has loaded what another session wants (`loads_like`) keeps it and goes on.
    """

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
    background: bool = False  # use what processor time nobody else wants
    extra: dict[str, Any] = field(default_factory=dict)
    adapted: str = ""  # the model an earlier worker changed to by itself; see `Adapted`
    spoken: dict[str, str] = field(default_factory=dict)  # lane -> the language it spoke last
    names: str = ""  # the user's, as app.core.names writes them: so they are to be written

    def loads_like(self, other: Start) -> bool:
        """Whether a worker that loaded for `other` has what this needs."""
        return self._load == other._load

    @property
    def _load(self) -> tuple[object, ...]:
        extra = json.dumps(self.extra, sort_keys=True)
        return (
            *(self.version, self.engine, self.models_dir, self.model, self.device),
            *(self.realtime, extra),
        )


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
class Abandon:
    """Nobody waits for this session any more: drop what is open, answer `Finished`."""


@dataclass(frozen=True, slots=True)
class Break:
    """The lane pauses: close its utterance and flush, more may come later."""

    lane: str


@dataclass(frozen=True, slots=True)
class Enter:
    """A lane's sound is to come, in this language; None: the engine finds out."""

    lane: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """No sound comes on the lane any more: hear it out, forget it, answer `Left`."""

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
    """The engine is loaded and listening. `load_ms` is 0 where it was loaded already."""

    engine: str
    model: str
    device: str
    load_ms: int


@dataclass(frozen=True, slots=True)
class Adapted:
    """The engine has changed its model by itself; its successor shall begin with that one."""

    model: str


@dataclass(frozen=True, slots=True)
class Alive:
    """A heartbeat, whatever the working thread does: how many steps it has taken, whether it
    only waits for something to do, and the processor time the process has used."""

    steps: int
    idle: bool
    cpu_ms: int


@dataclass(frozen=True, slots=True)
class DelayRefused:
    """The engine did not take this delay for a track; the one it had stays."""

    lane: str
    track: int
    refused_ms: int
    kept_ms: int


@dataclass(frozen=True, slots=True)
class Speech:
    """The gate opened or closed on a lane."""

    lane: str
    speaking: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class Left:
    """A lane has been heard out and forgotten, as asked: nothing more is said on it."""

    lane: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The worker cannot go on and will exit; the user's sentence and what to do next."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """Everything that was pushed has been heard and returned, or dropped as asked.

    The worker stays, with its engine loaded, until the pipe closes or another `Start` comes.
    """


Message: TypeAlias = (
    Start | Chunk | SetDelay | Break | Enter | Leave | Finish | Abandon
    | Hello | Loading | Ready | Adapted | Alive | DelayRefused | Speech | Left | Failure | Finished
    | Word | Tail | Progress | Notice | Acting
)  # fmt: skip

_TYPES: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        Start, Chunk, SetDelay, Break, Enter, Leave, Finish, Abandon,
        Hello, Loading, Ready, Adapted, Alive, DelayRefused, Speech, Left, Failure, Finished,
        Word, Tail, Progress, Notice, Acting,
    )
}  # fmt: skip


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
        checks = _CHECKS[kind]
        if not checks.keys() >= values.keys():
            raise ValueError("a field that this message lacks")
        checked = {name: checks[name](value) for name, value in values.items()}
        message: Message = kind(**checked)
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ProtocolError(f"not a message of this protocol: {header[:80]!r}") from error
    return message


# --- what the fields may hold: the other side may be broken, and what passes here is trusted ----

Check: TypeAlias = Callable[[Any], Any]  # the value to use; ValueError or TypeError for a bad one


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = Sentence.from_json(value)
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode()  # half of a surrogate pair would break whoever prints or saves it
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("not a whole number")
    if not 0 <= value <= _MAX_NUMBER:
        raise ValueError("out of range")
    return value


def _fraction(value: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError("not a number")
    if not 0 <= value <= 1:  # NaN neither
        raise ValueError("not a fraction")
    return float(value)


def _exactly(kind: type) -> Check:
    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"not a {kind.__name__}")
        return value

    return check


def _or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


_BY_ANNOTATION: dict[str, Check] = {
    "str": _text,
    "str | None": _or_none(_text),
    "int": _whole,
    "float": _fraction,
    "float | None": _or_none(_fraction),
    "bool": _exactly(bool),
    "bytes": _exactly(bytes),
    "tuple[int, ...]": lambda value: tuple(_whole(item) for item in value),
    "dict[str, Any]": _exactly(dict),
    "dict[str, str]": lambda value: {_text(k): _text(v) for k, v in dict(value).items()},
}
_CHECKS: dict[type[Any], Mapping[str, Check]] = {
    kind: {f.name: _BY_ANNOTATION[str(f.type)] for f in fields(kind)} for kind in _TYPES.values()
}

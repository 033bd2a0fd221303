"""What a server says and is told, whatever its dialect. Pure: texts in, texts out, no socket.

A dialect is one connection's state machine. Order of calls: `opened()` once; `receive()` for each
frame that comes; when `ready`: `begin()`, then `append()` again and again, then `end()`, and when
`Ended` has come `begin()` again. Whatever is called out of order raises MisuseError: sent all the
same it would lose sound without a word (rules 1 and 2 of vLLM's protocol).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from model_backends.base import Sentence

SAMPLE_BYTES = 2  # PCM16, little endian, mono
MOST_TEXT = 100_000  # characters of one utterance: hours of speech; more is not said by anybody
TOO_MUCH = Sentence("it writes more than can be said")


class MisuseError(RuntimeError):
    """We were about to send what the server does not expect now."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user chose, as far as a server may be told."""

    model: str | None = None
    delay_ms: int | None = None
    language: str | None = None
    hotwords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """An utterance may begin."""


@dataclass(frozen=True, slots=True)
class Text:
    """More text of the utterance; never revised. Of a `stepped` dialect one for each 80 ms of
    sound, often empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance is over. `rest`: what of its text no `Text` has brought.

    `asked`: by our `end()`; else the server has come to its model's length. `delay_ms`: of the
    server's model, if it can be told.
    """

    rest: str = ""
    asked: bool = True
    delay_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """`kind`: "fatal": the server will never do what is asked; "full": not now; "lost": this
    connection's utterance is dead. `message`: the server's own words."""

    kind: str
    message: str


Said: TypeAlias = Ready | Text | Ended | Trouble


class Dialect(Protocol):
    """One connection's state machine."""

    @property
    def stepped(self) -> bool:
        """Each Text stands for 80 ms of sound."""

    @property
    def once(self) -> bool:
        """One utterance a connection."""

    @property
    def turns_s(self) -> tuple[float, float] | None:
        """Turns end at the first pause after, and at the latest after; None: they need not."""

    @property
    def lifetime_s(self) -> float | None:
        """How old a connection may become; None: as old as it likes."""

    @property
    def ready(self) -> bool:
        """Whether `begin()` is allowed."""

    def opened(self) -> list[str]:
        """The connection stands: the frames to send."""

    def receive(self, frame: str) -> tuple[list[Said], list[str]]:
        """What a frame means, and the frames to answer with. What is unknown means nothing."""

    def begin(self) -> list[str]:
        """An utterance begins."""

    def append(self, pcm: bytes) -> list[str]:
        """More sound of the utterance: PCM16, little endian, mono, 16 kHz."""

    def end(self) -> list[str]:
        """No more sound: `Ended` will follow."""


def read_json(text: str) -> Any:
    """What a server wrote. Raises ValueError. Halves of a surrogate pair, which can be escaped in
    JSON and saved or printed nowhere, are replaced."""
    try:
        value = json.loads(text)
        if "\\u" in text:
            whole = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
            value = json.loads(whole.decode("utf-16", "replace"))
    except RecursionError as error:
        raise ValueError(str(error)) from error
    return value


def parsed(frame: str) -> Mapping[str, Any]:
    """A frame's event; empty for what is none."""
    try:
        event = read_json(frame)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def text_in(event: Mapping[str, Any], name: str) -> str:
    """A field that ought to be a text."""
    value = event.get(name)
    return value if isinstance(value, str) else ""


def rest_of(whole: str, said: str) -> str:
    """What of the whole text has not been said yet; nothing where the two do not agree."""
    return whole[len(said) :] if whole.startswith(said) else ""


def dialect_of(event: Mapping[str, Any]) -> str | None:
    """Whose first frame this is; None for nobody's that we know."""
    if event.get("type") != "session.created":
        return None
    if "event_id" in event:
        return "openai"
    session = event.get("session")
    if isinstance(session, dict):
        return "mistral" if "audio_format" in session else "openai"
    return "vllm" if "created" in event else None


def other_dialect(event: Mapping[str, Any], ours: str) -> str:
    """The server's own words, as it were, if its first frame is of another dialect; else ""."""
    theirs = dialect_of(event)
    if theirs in (None, ours):
        return ""
    return Sentence(
        "it speaks the dialect “{theirs}” (--dialect {theirs}), not “{ours}”",
        theirs=theirs,
        ours=ours,
    )

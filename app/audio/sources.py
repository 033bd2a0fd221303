"""What can be listened to on this computer, and how a choice finds its source.

On Linux the names come from the sound server (PulseAudio or PipeWire), elsewhere from PortAudio.
Nothing is opened here. Every function that asks the computer takes a limit, `within_s`, holds to
it even while the sound server hangs, and may be called from any thread; still none belongs in a
thread that paints: `feeds.look_for()` is for those.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.audio.advice import advice
from app.audio.choice import (
    STANDARD_INPUT,
    Device,
    MediaFile,
    Microphone,
    SourceChoice,
    SystemSound,
)
from app.audio.devices.base import (
    AbsentSourceError,
    Door,
    NoAnswerError,
    NoSourceError,
    SourceError,
    SourceInfo,
    told_apart,
)
from app.audio.patience import Question
from app.native import DESKTOP
from model_backends.base import Sentence

WITHIN_S = 2.5  # a sound server answers in milliseconds; this one is stuck


def list_sources(within_s: float = WITHIN_S) -> list[SourceInfo]:
    """Everything that can be listened to now, microphones first; empty without sound hardware.

    Blocks for `within_s` seconds at most. Raises NoAnswerError when the sound server hangs.
    """
    try:
        return _SOURCES.answer(within_s)
    except TimeoutError:
        raise NoAnswerError(
            Sentence("The sound server does not answer."), advice("stalled")
        ) from None


def choose(choice: Device | Microphone | SystemSound, within_s: float = WITHIN_S) -> SourceInfo:
    """The source that was chosen: the default one of its kind, or by its id, else by its name.

    Blocks for `within_s` seconds at most. Raises NoSourceError when there is nothing to be the
    default, AbsentSourceError when the chosen one is not connected, NoAnswerError.
    """
    sources = list_sources(within_s)
    if isinstance(choice, Microphone):
        return _default(sources, "microphone")
    if isinstance(choice, SystemSound):
        return _default(sources, "system")
    found = [s for s in sources if s.id == choice.id]
    found = found or [s for s in sources if s.name == (choice.name or choice.id)]
    if not found:
        raise AbsentSourceError(
            Sentence("{name} is not connected.", name=choice.label), advice("lost")
        )
    return found[0]


def choice_named(text: str, within_s: float = WITHIN_S) -> SourceChoice:
    """What a person who typed `text` means: only for the command line, where all is text.

    `-` is standard input. Else it is a source's exact id, its exact name, a file that exists, a
    part of one source's name, in this order; and what else looks like a path is a file, which
    whoever opens it says is not there.
    Blocks for `within_s` seconds at most. Raises SourceError naming what there is, NoAnswerError.
    """
    path = Path(text)
    if path == STANDARD_INPUT:
        return MediaFile(path)
    exists = bool(text) and path.exists()
    try:
        sources = list_sources(within_s)
    except NoAnswerError:
        if exists:
            return MediaFile(path)
        raise
    key = text.casefold()
    exact = [s for s in sources if s.id == text] or [s for s in sources if s.name == text]
    exact = exact or [s for s in sources if key in (s.id.casefold(), s.name.casefold())]
    if exact:
        return exact[0].choice
    if exists:
        return MediaFile(path)
    partly = [s for s in sources if key and key in s.name.casefold()]
    if len(partly) == 1:
        return partly[0].choice
    if not partly and _looks_like_a_path(text):
        return MediaFile(path)
    raise _not_one(text, partly, sources)


def door_of(source: SourceInfo) -> Door:
    """The door that a listed source was found behind."""
    from app.audio.devices import portaudio, pulse

    return portaudio if portaudio.is_ours(source) else pulse


def _default(sources: list[SourceInfo], kind: str) -> SourceInfo:
    """The first of its kind: the list has defaults first."""
    for source in sources:
        if source.kind == kind:
            return source
    if kind == "system":
        raise NoSourceError(Sentence("This computer’s sound cannot be heard."), advice("none"))
    raise NoSourceError(Sentence("No microphone was found."), advice("none"))


def _not_one(text: str, partly: list[SourceInfo], sources: list[SourceInfo]) -> SourceError:
    names = ", ".join(f"“{s.name}”" for s in (partly or sources))
    hint = Sentence("There is: {names}.", names=names) if names else advice("none")
    if partly:
        return SourceError(
            Sentence("“{text}” is a part of more than one source’s name.", text=text), hint
        )
    return SourceError(Sentence("“{text}” is no source here, and no file.", text=text), hint)


def _looks_like_a_path(text: str) -> bool:
    """Only asked of what is neither a source nor a file, to find the better sentence."""
    suffix = Path(text).suffix
    return "/" in text or "\\" in text or (suffix.isascii() and suffix[1:].isalnum())


def _look() -> list[SourceInfo]:
    from app.audio.devices import portaudio, pulse  # NumPy and more: the captions show first

    found = pulse.sources() if DESKTOP == "linux" else None
    if found is None:
        found = portaudio.sources() or []
    found = sorted(found, key=lambda s: s.id)  # so that of twins the same one is always "(2)"
    names = told_apart(source.name for source in found)
    named = [replace(s, name=name) for s, name in zip(found, names, strict=True)]
    return sorted(named, key=lambda s: (s.kind != "microphone", not s.default, s.name.lower()))


_SOURCES = Question(_look, "list of sources")

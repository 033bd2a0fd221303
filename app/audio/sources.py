"""What can be listened to on this computer, and how a choice finds its source.

Each desktop has its doors to sound (`devices`): the sound server on Linux; PortAudio for
microphones elsewhere, WASAPI and Core Audio for what the computer plays. Nothing is opened here.
Every function that asks the computer takes a limit, `within_s`, holds to it even while the sound
server hangs, and may be called from any thread; still none belongs in a thread that paints:
`feeds.look_for()` is for those.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from app.audio.advice import advice
from app.audio.choice import (
    APPLICATION,
    AUTOMATIC,
    FOLLOWING,
    STANDARD_INPUT,
    Application,
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
    lacking,
    told_apart,
)
from app.audio.patience import Question
from app.native import DESKTOP
from model_backends import on_disk
from model_backends.base import Sentence

_T = TypeVar("_T")
# A sound server answers in milliseconds, or in seconds where all is slow; else it is stuck.
WITHIN_S = 6.0


def list_sources(within_s: float = WITHIN_S) -> list[SourceInfo]:
    """Everything that can be listened to now, microphones first; empty without sound hardware.

    Blocks for `within_s` seconds at most. Raises NoAnswerError when the sound server hangs.
    """
    return _answer(_SOURCES, within_s)


def choose(
    choice: Device | Application | Microphone | SystemSound, within_s: float = WITHIN_S
) -> SourceInfo:
    """The source that was chosen: the default one of its kind, or by its id, else by its name.

    An application is found whether it plays now or not.
    Blocks for `within_s` seconds at most. Raises NoSourceError when there is nothing to be the
    default, AbsentSourceError when the chosen one is not connected, NoAnswerError.
    """
    sources = list_sources(within_s)
    if isinstance(choice, Microphone):
        return _default(sources, "microphone")
    if isinstance(choice, SystemSound):
        return _default(sources, "system")
    if isinstance(choice, Application):
        return _application(choice, sources)
    found = [s for s in sources if s.id == choice.id]
    found = found or [s for s in sources if _is_called(s, choice)]
    found = found or _of_one_device(choice, sources)
    if not found:
        raise AbsentSourceError(
            Sentence("{name} is not connected.", name=choice.label), advice("lost")
        )
    return found[0]


def automatic(within_s: float = WITHIN_S) -> SourceChoice:
    """What is listened to where nobody has chosen: both voices where both can be heard.

    Where a computer has no way to hear itself, or only an output that nothing is connected to and
    no microphone, the microphone: whoever looks for that is told what is missing.
    Blocks for `within_s` seconds at most. Raises NoAnswerError.
    """
    sources = [source for source in list_sources(within_s) if source.usable]
    kinds = {source.kind for source in sources if source.id != _DUMMY}
    microphone_alone = "microphone" in kinds and not any(s.kind == "system" for s in sources)
    return Microphone() if microphone_alone or not kinds else AUTOMATIC


def choice_named(text: str, within_s: float = WITHIN_S) -> SourceChoice:
    """What a person who typed `text` means: only for the command line, where all is text.

    `meeting`, `microphone` and `system` follow the desktop, `app:NAME` is an application, `-` is
    standard input. Else it is a source's exact id, its exact name, a file that exists, a part of
    one source's name, in this order; and what else looks like a path is a file, which whoever
    opens it says is not there.
    Blocks for `within_s` seconds at most. Raises SourceError naming what there is, NoAnswerError.
    """
    path = Path(text)
    if path == STANDARD_INPUT:
        return MediaFile(path)
    if text.casefold() in FOLLOWING:
        return FOLLOWING[text.casefold()]
    exists = bool(text) and on_disk.exists(path)
    try:
        sources = [source for source in list_sources(within_s) if source.usable]
    except NoAnswerError:
        if exists:
            return MediaFile(path)
        raise
    if text.startswith(APPLICATION) and not exists:
        return _application_named(text.removeprefix(APPLICATION), sources)
    exact = _exactly(text, sources)
    if exact:
        return exact.choice
    if exists:
        return MediaFile(path)
    key = text.casefold()
    partly = [s for s in sources if key and key in s.name.casefold()]
    if len(partly) == 1:
        return partly[0].choice
    if not partly and _looks_like_a_path(text):
        return MediaFile(path)
    raise _not_one(text, partly, sources)


def door_of(source: SourceInfo) -> Door:
    """The door that a listed source was found behind."""
    return next(door for door in _doors() if door.is_ours(source))


@dataclass(frozen=True, slots=True)
class DoorInfo:
    """One way to sound, and why it leads nowhere on this computer, if it does not."""

    name: str
    hears: str
    why_not: str


def doors(within_s: float = WITHIN_S) -> list[DoorInfo]:
    """Those of this desktop. Blocks for `within_s` seconds at most. Raises NoAnswerError."""
    return _answer(_DOORS, within_s)


def _answer(question: Question[_T], within_s: float) -> _T:
    try:
        return question.answer(within_s)
    except TimeoutError:
        raise NoAnswerError(
            Sentence("The sound server does not answer."), advice("stalled")
        ) from None


def _is_called(source: SourceInfo, choice: Device) -> bool:
    """By its name; an output by the one that settings of before have for it, too."""
    name = choice.name or choice.id
    if choice.plays and source.kind != "system":
        return False
    return name in _names(source)


def _of_one_device(choice: Device, sources: list[SourceInfo]) -> list[SourceInfo]:
    """The only other source of the same device: a headset that goes from music to telephone, or a
    card whose profile changes, ends one and begins another."""
    kind = "system" if choice.plays else "microphone"
    device = _device_of(choice.id)
    found = [s for s in sources if device and s.kind == kind and _device_of(s.id) == device]
    return found if len(found) == 1 else []


def _device_of(ident: str) -> str:
    """The part of a sound server's id that says which device it is; "" where no part does.

    `bluez_input.38_18_4C_17_2F_61.headset-head-unit`, `alsa_input.usb-Jabra_65-00.mono-fallback`.
    """
    if not ident.startswith(("alsa_", "bluez_")):
        return ""
    device, _, _profile = ident.removesuffix(".monitor").rpartition(".")
    return device if "." in device else ""


def _exactly(text: str, sources: list[SourceInfo]) -> SourceInfo | None:
    """By id or name, if need be in whatever case. Raises SourceError where two have the name."""
    key = text.casefold()
    for matches in (
        lambda s: s.id == text,
        lambda s: text in _names(s),
        lambda s: key in (s.id.casefold(), *(name.casefold() for name in _names(s))),
    ):
        found = [source for source in sources if matches(source)]
        if len(found) > 1:
            raise _of_one_name(text, found)
        if found:
            return found[0]
    return None


def _names(source: SourceInfo) -> tuple[str, ...]:
    """What it is called, and was called once."""
    if source.kind == "system":
        return source.name, f"{_MONITOR_OF}{source.name}"
    return (source.name,)


def _application(choice: Application, sources: list[SourceInfo]) -> SourceInfo:
    """One that plays nothing now is no trouble: it is heard when it does."""
    lacks = [s for s in sources if s.kind == "application" and not s.usable]
    if lacks:
        raise NoSourceError(lacks[0].why_not, advice("other"))
    return SourceInfo(f"{APPLICATION}{choice.name}", choice.name, "application")


def _application_named(name: str, sources: list[SourceInfo]) -> Application:
    """By the name of one that plays, in whatever case; else as it was typed.

    Raises SourceError for none, and for a part of the names of several.
    """
    key = name.casefold()
    playing = {s.name.casefold(): s.choice for s in sources if s.kind == "application"}
    partly = [choice for known, choice in playing.items() if key and key in known]
    choice = playing.get(key) or (partly[0] if len(partly) == 1 else Application(name))
    if not name or not isinstance(choice, Application):
        raise _not_one(APPLICATION, [], sources)
    return choice


def _default(sources: list[SourceInfo], kind: str) -> SourceInfo:
    """The first of its kind: the list has defaults first, and what cannot be heard last."""
    of_kind = [source for source in sources if source.kind == kind]
    if of_kind and of_kind[0].usable:
        return of_kind[0]
    if of_kind:
        raise NoSourceError(of_kind[0].why_not, advice("other"))
    if kind == "system":
        raise NoSourceError(Sentence("This computer’s sound cannot be heard."), advice("output"))
    raise NoSourceError(Sentence("No microphone was found."), advice("none"))


def _of_one_name(text: str, found: list[SourceInfo]) -> SourceError:
    ids = ", ".join(f"“{source.id}”" for source in found)
    return SourceError(
        Sentence("More than one source is called “{text}”.", text=text),
        Sentence("Name one by its id: {ids}.", ids=ids),
    )


def _not_one(text: str, partly: list[SourceInfo], sources: list[SourceInfo]) -> SourceError:
    usable = [source for source in sources if source.usable]
    quoted = [f"“{source.name}”" for source in partly or usable]
    names = ", ".join(quoted if partly or not usable else [*FOLLOWING, *quoted])
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


def _doors() -> list[Door]:
    """Those of this desktop; where two can hear the same, the one that names it better first."""
    from app.audio.devices import portaudio, pulse  # NumPy and more: the captions show first

    if DESKTOP == "linux":
        return [pulse, portaudio]
    if DESKTOP == "windows":
        from app.audio.devices import wasapi

        return [portaudio, wasapi]
    from app.audio.devices import coreaudio_tap

    return [portaudio, coreaudio_tap]


def _look() -> list[SourceInfo]:
    found: list[SourceInfo] = []
    for door in _doors():
        behind = door.sources()
        found += behind or []
        if DESKTOP == "linux" and behind is not None:
            break  # PortAudio would list the same microphones again, by other names
    found += _not_to_be_had({source.kind for source in found})
    found.sort(key=lambda s: s.id)  # so that of twins the same one is always "(2)"
    names: dict[str, str] = {}
    for kind in _KINDS:
        of_kind = [source for source in found if source.kind == kind]
        told = told_apart(source.name for source in of_kind)
        names |= {source.id: name for source, name in zip(of_kind, told, strict=True)}
    named = [replace(source, name=names[source.id]) for source in found]
    order = {kind: place for place, kind in enumerate(_KINDS)}
    return sorted(named, key=lambda s: (order[s.kind], not s.usable, not s.default, s.name.lower()))


def _not_to_be_had(kinds: set[str]) -> list[SourceInfo]:
    """A Linux without a sound server has microphones at most."""
    if DESKTOP != "linux" or "system" in kinds:
        return []
    why_not = Sentence(
        "This computer’s sound is heard through a sound server, and none is running."
    )
    return [lacking("system", Sentence("This computer’s sound"), why_not)]


_KINDS = ("microphone", "system", "application")
_DUMMY = "auto_null.monitor"  # what a sound server has where there is no output at all
_MONITOR_OF = "Monitor of "  # sound servers name an output's sound so; so did settings of before
_SOURCES = Question(_look, "list of sources")
_DOORS = Question(
    lambda: [DoorInfo(door.NAME, door.HEARS, door.why_not()) for door in _doors()], "list of doors"
)

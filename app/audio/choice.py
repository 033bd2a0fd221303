"""What somebody has chosen to listen to: a device or a file, told apart by what they are.

A device's id may look like a path and a file's name like a device's, so neither is ever guessed
from its spelling: whoever chooses from a list has a `Device`, whoever names a file a `MediaFile`,
and settings keep which of the two it was. What follows the desktop (`Microphone`, `SystemSound`,
`Meeting`) has no id, and an `Application` only its name, which it has while it plays nothing too.
Knows nothing of what is connected or on the disk: `sources` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from app.core.voices import ME, THEM
from model_backends.base import Sentence

STANDARD_INPUT = Path("-")  # as a file's path
_DEVICE, _OUTPUT, _FILE, APPLICATION = "device:", "output:", "file:", "app:"
_MONITOR, _MONITOR_OF = ".monitor", "Monitor of "  # how sound servers name what an output plays


@dataclass(frozen=True, slots=True)
class Device:
    """A source of sound. `id` is one of `SourceInfo.id`.

    The name is kept so that a device that is absent can be named, and one that comes back under
    another id be known.
    """

    id: str
    name: str = ""
    plays: bool = False  # what this computer plays on it is heard, not what is said into it

    @property
    def label(self) -> str:
        """For people."""
        return self.name or self.id.removeprefix("portaudio:")


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file with sound in it, played at its own pace."""

    path: Path

    @property
    def label(self) -> str:
        """For people."""
        return self.path.name or str(self.path)


@dataclass(frozen=True, slots=True)
class Microphone:
    """The system's default microphone, whichever that is at the time."""

    @property
    def label(self) -> str:
        """For people."""
        return Sentence("the microphone")


@dataclass(frozen=True, slots=True)
class SystemSound:
    """What the computer plays on its default output, whichever that is at the time."""

    @property
    def label(self) -> str:
        """For people."""
        return Sentence("this computer’s sound")


@dataclass(frozen=True, slots=True)
class Application:
    """What one application plays, wherever it plays it. `name` as the sound server calls it."""

    name: str

    @property
    def label(self) -> str:
        """For people."""
        return self.name


@dataclass(frozen=True, slots=True)
class Meeting:
    """Automatic: the microphone and this computer's sound, each a voice of its own."""

    @property
    def label(self) -> str:
        """For people."""
        return Sentence("the microphone and this computer’s sound")


OneSource: TypeAlias = Microphone | SystemSound | Application | Device | MediaFile
SourceChoice: TypeAlias = Meeting | OneSource
FOLLOWING: Mapping[str, SourceChoice] = {  # what follows the desktop, as it is written
    "meeting": Meeting(),
    "microphone": Microphone(),
    "system": SystemSound(),
}
AUTOMATIC = Meeting()  # until somebody chooses


def voices(choice: SourceChoice) -> Mapping[str, OneSource]:
    """The lanes that a choice makes, and what each listens to; the one that is read first, first.

    What this computer plays is them; what is said into a microphone, and a file, is me.
    """
    match choice:
        case Meeting():
            return {THEM: SystemSound(), ME: Microphone()}
        case SystemSound() | Application() | Device(plays=True):
            return {THEM: choice}
    return {ME: choice}


def to_text(choice: SourceChoice) -> str:
    """As settings keep it.

    `meeting`, `microphone`, `system`, `app:NAME`, `file:PATH`, or `device:ID` (`output:ID` for
    what is played on it), a line break and the name.
    """
    match choice:
        case MediaFile(path=path):
            return f"{_FILE}{path}"
        case Application(name=name):
            return f"{APPLICATION}{name}"
        case Device(id=ident, name=name, plays=plays):
            prefix = _OUTPUT if plays else _DEVICE
            return f"{prefix}{ident}\n{name}" if name else f"{prefix}{ident}"
    return next(text for text, each in FOLLOWING.items() if each == choice)


def from_text(text: str) -> SourceChoice:
    """What `to_text()` wrote; or what settings held before it: an id alone, or a file's whole path.

    "": nothing was chosen yet. A whole path is no guess: no door to sound gives its devices ids
    that are absolute paths.
    """
    if not text:
        return AUTOMATIC
    if text in FOLLOWING:
        return FOLLOWING[text]
    if text.startswith(_FILE):
        return MediaFile(Path(text.removeprefix(_FILE)))
    if text.startswith(APPLICATION):
        return Application(text.removeprefix(APPLICATION))
    for prefix in (_DEVICE, _OUTPUT):
        if text.startswith(prefix):
            ident, _, name = text.removeprefix(prefix).partition("\n")
            return _device(ident, name, plays=prefix == _OUTPUT)
    path = Path(text)
    return MediaFile(path) if path.is_absolute() else _device(text)


def _device(ident: str, name: str = "", plays: bool = False) -> Device:
    """Settings of before told an output by the sound server's names alone."""
    if ident.endswith(_MONITOR) and not plays:
        return Device(ident, name.removeprefix(_MONITOR_OF), plays=True)
    return Device(ident, name, plays)


def same_source(one: SourceChoice, other: SourceChoice) -> bool:
    """Whether two choices mean the same source, whatever name is known of it."""
    if isinstance(one, Device) and isinstance(other, Device):
        return one.id == other.id
    return one == other

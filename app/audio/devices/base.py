"""What every door to sound has in common: its sources, its errors, the little it must offer.

A door is a module of this room: `pulse` (PulseAudio and PipeWire), `portaudio` (microphones
elsewhere), `wasapi` (what a Windows computer plays), `coreaudio_tap` (what a Mac plays).
Knows none of them: `app.audio.sources` asks them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from app.audio.choice import APPLICATION, Application, Device, SystemSound
from model_backends.base import Sentence, UserError

if TYPE_CHECKING:
    from app.audio.capture import Feed

_PLAYED = " (this computer’s sound)"  # ends the full name of what an output plays
EVERYTHING = "everything"  # the id of all that the computer plays, where outputs are not told apart


class SourceError(UserError):
    """A source cannot be had; message and hint are for the user."""


class NoSourceError(SourceError):
    """There is no microphone at all."""


class AbsentSourceError(SourceError):
    """The device that was chosen is not connected now; it may come back."""


class NoAnswerError(SourceError):
    """The sound server is there and does not answer in time; nothing is known of its sources."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Something that can be listened to, or that could be on another computer, with `why_not`.

    `id` is stable across starts and unique in a list; `name` is for people, and unique among those
    of its kind.
    """

    id: str
    name: str
    kind: str  # "microphone", "system" (what the computer plays) or "application" (what one does)
    default: bool = False
    why_not: str = ""  # a sentence for the user; what can be heard has none

    @property
    def usable(self) -> bool:
        return not self.why_not

    @property
    def choice(self) -> Device | Application | SystemSound:
        """This source as a choice that can be kept."""
        if self.id == EVERYTHING:
            return SystemSound()
        if self.kind == "application":
            return Application(self.id.removeprefix(APPLICATION))
        return Device(self.id, self.name, plays=self.kind == "system")

    @property
    def full_name(self) -> str:
        """For where nothing else says that it is what the computer plays."""
        if self.kind != "system" or self.id == EVERYTHING:
            return self.name
        return Sentence("{name} (this computer’s sound)", name=self.name)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def name_alone(full_name: str) -> str:
    """The name that `full_name` was made of."""
    return full_name.removesuffix(_PLAYED)


def lacking(kind: str, name: str, why_not: str) -> SourceInfo:
    """What this computer has no way to hear: shown with the reason."""
    return SourceInfo(f"lacking:{kind}", name, kind, why_not=why_not)


class Door(Protocol):
    """One way to the sound of this computer. A module with these names is one."""

    NAME: str  # for people
    HEARS: Sentence  # what it is there for, for people

    def why_not(self) -> str:
        """Why it leads nowhere on this computer; "" if it does not. May block as `sources`."""

    def sources(self) -> list[SourceInfo] | None:
        """What can be listened to, in the door's order, its names not yet told apart.

        None: there is no such door on this computer. May block for as long as the sound server
        does.
        """

    def is_ours(self, source: SourceInfo) -> bool:
        """Whether a source was listed by this door."""

    def feed(self, source: SourceInfo, follows: bool = False) -> Feed:
        """One of its sources, to be opened. Does not block.

        `follows`: what was chosen is the default one of its kind, whichever it is at the time.
        """


def told_apart(names: Iterable[str]) -> list[str]:
    """The names in their order, each a different one: the second “Mic” is “Mic (2)”."""
    taken: set[str] = set()
    told: list[str] = []
    for name in names:
        number, unique = 1, name
        while unique in taken:
            number += 1
            unique = f"{name} ({number})"
        taken.add(unique)
        told.append(unique)
    return told

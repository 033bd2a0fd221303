"""What every door to sound has in common: its sources, its errors, the little it must offer.

A door is a module of this room: `pulse` (PulseAudio and PipeWire), `portaudio` (everything else).
Knows none of them: `app.audio.sources` asks them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from app.audio.choice import Device
from model_backends.base import UserError

if TYPE_CHECKING:
    from app.audio.capture import Feed


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
    """Something that can be listened to. `id` is stable across starts; `name` is for people.

    Both are unique in a list.
    """

    id: str
    name: str
    kind: str  # "microphone" or "system" (what the computer plays)
    default: bool = False

    @property
    def choice(self) -> Device:
        """This source as a choice that can be kept."""
        return Device(self.id, self.name, plays=self.kind == "system")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Door(Protocol):
    """One way to the sound of this computer. A module with these functions is one."""

    def sources(self) -> list[SourceInfo] | None:
        """What can be listened to, in the door's order, its names not yet told apart.

        None: there is no such door on this computer. May block for as long as the sound server
        does.
        """

    def feed(self, source: SourceInfo) -> Feed:
        """One of its sources, to be opened. Does not block."""


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

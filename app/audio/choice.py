"""What somebody has chosen to listen to: a device or a file, told apart by what they are.

A device's id may look like a path and a file's name like a device's, so neither is ever guessed
from its spelling: whoever chooses from a list has a `Device`, whoever names a file a `MediaFile`,
and settings keep which of the two it was. No choice (None) is the system's microphone. Knows
nothing of what is connected or on the disk: `sources` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

STANDARD_INPUT = Path("-")  # as a file's path
_DEVICE, _FILE = "device:", "file:"


@dataclass(frozen=True, slots=True)
class Device:
    """A source of sound. `id` is one of `SourceInfo.id`.

    The name is kept so that a device that is absent can be named, and one that comes back under
    another id be known.
    """

    id: str
    name: str = ""

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


SourceChoice: TypeAlias = Device | MediaFile


def to_text(choice: SourceChoice | None) -> str:
    """As settings keep it: `device:ID`, a line break and the name, or `file:PATH`; "" for None."""
    if choice is None:
        return ""
    if isinstance(choice, MediaFile):
        return f"{_FILE}{choice.path}"
    return f"{_DEVICE}{choice.id}\n{choice.name}" if choice.name else f"{_DEVICE}{choice.id}"


def from_text(text: str) -> SourceChoice | None:
    """What `to_text()` wrote; or what settings held before it: an id alone, or a file's whole path.

    Such a path is no guess: no door to sound gives its devices ids that are absolute paths.
    """
    if not text:
        return None
    if text.startswith(_FILE):
        return MediaFile(Path(text.removeprefix(_FILE)))
    if text.startswith(_DEVICE):
        ident, _, name = text.removeprefix(_DEVICE).partition("\n")
        return Device(ident, name)
    path = Path(text)
    return MediaFile(path) if path.is_absolute() else Device(text)

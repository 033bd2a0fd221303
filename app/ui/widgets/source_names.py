"""What a source of sound is called in the windows: no sound server's words, no ids.

Knows the list of sources; knows nothing of how one is opened.
"""

from __future__ import annotations

from app.audio.choice import MediaFile, SourceChoice
from app.audio.devices.base import SourceInfo
from model_backends.base import Sentence

HEADINGS = (("microphone", "Microphones"), ("system", "This computer’s sound"))
DEFAULT = "Default microphone"
_MONITOR = "Monitor of "  # what PulseAudio and PipeWire put before the name of the loudspeaker


def human_name(source: SourceInfo) -> str:
    """As its maker calls it: “Speakers” for what a sound server calls “Monitor of Speakers”."""
    return source.name.removeprefix(_MONITOR) if source.kind == "system" else source.name


def full_name(source: SourceInfo) -> str:
    """For where no heading says that it is what the computer plays."""
    if source.kind != "system":
        return source.name
    return Sentence("This computer’s sound: {name}", name=human_name(source))


def absent(choice: SourceChoice) -> str:
    """One that is chosen and not listed: a file, or a device that is not plugged in."""
    if isinstance(choice, MediaFile):
        return Sentence("File: {name}", name=choice.label)
    return Sentence("{name} (not connected)", name=short(choice.label))


def short(name: str) -> str:
    """What a session listens to, which it knows by the sound server's name; without its kind."""
    return name.removeprefix(_MONITOR)


def spoken_of(name: str) -> str:
    """The same in full."""
    if not name.startswith(_MONITOR):
        return name
    return Sentence("This computer’s sound: {name}", name=name.removeprefix(_MONITOR))

"""What can be listened to, as a menu lists it, and what each is called there: no ids.

One list for the caption window and the main window. Knows the list of sources; knows nothing of
how one is opened, or of widgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.audio.advice import advice
from app.audio.choice import (
    Application,
    Device,
    MediaFile,
    Meeting,
    Microphone,
    SourceChoice,
    SystemSound,
    to_text,
)
from app.audio.devices.base import SourceInfo
from model_backends.base import Sentence

AUTOMATIC = Sentence("Automatic: meeting (microphone and this computer’s sound)")
DEFAULT = Sentence("Sound source")  # while it is not known what is listened to
HEADINGS = (
    ("microphone", Sentence("Microphones")),
    ("system", Sentence("This computer’s sound")),
    ("application", Sentence("Applications")),
)
A_FILE = Sentence("A file…")
ASK_FOR_FILE = "file:"  # the choice behind it: a file without a path is none
LOOKING = Sentence("Looking …")
_NOT_YET = Sentence("The sound server has not told yet what there is.")
_NONE_PLAYS = Sentence("Let it play something, then open this list again.")
_MONITOR = "Monitor of "  # what PulseAudio and PipeWire put before the name of the loudspeaker
_FOLLOWING: dict[str, tuple[str, Microphone | SystemSound]] = {
    "microphone": (Sentence("Default microphone"), Microphone()),
    "system": (Sentence("Default output"), SystemSound()),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list. `source` is the choice as settings keep it; a heading has none."""

    text: str
    source: str = ""
    chosen: bool = False
    why_not: str = ""  # cannot be chosen now

    @property
    def ours(self) -> bool:
        """The text is this app's, not a name from outside: it is never shortened."""
        return self.text == AUTOMATIC

    @property
    def heading(self) -> bool:
        return not self.source and not self.why_not


def rows(sources: Sequence[SourceInfo] | None, chosen: SourceChoice) -> list[Row]:
    """Automatic, then each kind under its heading, then a file. What is chosen is in it always.

    None: it is not known yet what there is.
    """
    if sources is None:
        return _before_the_list(chosen)
    picked = _listed(sources, chosen)
    found = [_row(AUTOMATIC, Meeting(), picked)]
    for kind, heading in HEADINGS:
        of_kind = [source for source in sources if source.kind == kind]
        below = [*_following(kind, of_kind, picked)]
        below += [_source_row(source, picked) for source in of_kind]
        below += _missing(kind, of_kind, picked)
        below = below or _nothing_of(kind, sources)
        found += [Row(heading), *below] if below else []
    if isinstance(chosen, MediaFile):
        found.append(_row(absent(chosen), chosen, picked))
    return [*found, Row(A_FILE, ASK_FOR_FILE)]


def in_full(row: Row) -> str:
    """The row for where its heading is not seen."""
    if row.source.startswith("output:"):
        return Sentence("This computer’s sound: {name}", name=row.text)
    return row.text


def absent(choice: SourceChoice) -> str:
    """One that is chosen and not listed: a file, a device that is not plugged in, …"""
    if isinstance(choice, MediaFile):
        return Sentence("File: {name}", name=choice.label)
    if isinstance(choice, Application):
        return Sentence("{name} (not playing)", name=choice.label)
    return Sentence("{name} (not connected)", name=short(choice.label))


def _before_the_list(chosen: SourceChoice) -> list[Row]:
    """What is there in any case; and what is chosen, which nobody calls absent yet."""
    found = [_row(AUTOMATIC, Meeting(), chosen)]
    found += [_row(text, choice, chosen) for text, choice in _FOLLOWING.values()]
    if not any(row.chosen for row in found):
        found.append(_row(_plainly(chosen), chosen, chosen))
    return [*found, Row(LOOKING, why_not=_NOT_YET), Row(A_FILE, ASK_FOR_FILE)]


def _plainly(choice: SourceChoice) -> str:
    """What is chosen, while nobody knows whether it is there."""
    return absent(choice) if isinstance(choice, MediaFile) else short(choice.label)


def short(name: str) -> str:
    """What a session listens to; settings of before may have the sound server's words."""
    return (
        name.removeprefix(_MONITOR) if name.startswith(_MONITOR) else name
    )  # a Sentence stays one


def spoken_of(name: str) -> str:
    """The same in full."""
    if not name.startswith(_MONITOR):
        return name
    return Sentence("This computer’s sound: {name}", name=name.removeprefix(_MONITOR))


def _listed(sources: Sequence[SourceInfo], chosen: SourceChoice) -> SourceChoice:
    """The choice as the list has it: a device is known by its id, else by its name."""
    if not isinstance(chosen, Device):
        return chosen
    of_kind = [s for s in sources if s.usable and (s.kind == "system") == chosen.plays]
    for matches in (
        [s for s in of_kind if s.id == chosen.id],
        [s for s in of_kind if s.name == short(chosen.name)],
    ):
        if matches:
            return matches[0].choice
    return chosen


def _row(text: str, choice: SourceChoice, picked: SourceChoice, why_not: str = "") -> Row:
    return Row(text, to_text(choice), choice == picked, why_not)


def _source_row(source: SourceInfo, picked: SourceChoice) -> Row:
    return _row(source.name, source.choice, picked, source.why_not)


def _following(kind: str, of_kind: Sequence[SourceInfo], picked: SourceChoice) -> list[Row]:
    """What follows the desktop, unless all of the kind is one source anyway."""
    text, choice = _FOLLOWING.get(kind, ("", None))
    if choice is None or any(source.choice == choice for source in of_kind):
        return []
    usable = any(source.usable for source in of_kind)
    return [_row(text, choice, picked)] if usable or choice == picked else []


def _missing(kind: str, of_kind: Sequence[SourceInfo], picked: SourceChoice) -> list[Row]:
    """The chosen one, if it is of this kind and not there now; an application may still play."""
    if picked in [source.choice for source in of_kind]:
        return []
    if isinstance(picked, Application) and kind == "application":
        return [_row(absent(picked), picked, picked)]
    if isinstance(picked, Device) and kind == ("system" if picked.plays else "microphone"):
        why_not = Sentence("It is not connected; captions take another one meanwhile.")
        return [_row(absent(picked), picked, picked, why_not)]
    return []


def _nothing_of(kind: str, sources: Sequence[SourceInfo]) -> list[Row]:
    """Where the computer can be heard so can each application, unless the door says otherwise."""
    if kind == "microphone":
        return [Row(Sentence("No microphone was found"), why_not=advice("none"))]
    if kind != "application" or not any(s.kind == "system" and s.usable for s in sources):
        return []
    return [Row(Sentence("None is playing now"), why_not=_NONE_PLAYS)]

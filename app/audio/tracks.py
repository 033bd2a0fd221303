"""The audio tracks of a file: how many, what they are called, and which is the one to hear.

A film has one a language, a recorder of games one for each app. Knows nothing of what is said in
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from model_backends.base import Sentence, UserError

# ISO 639-1 and the ISO 639-2 codes that files carry for it
_CODES = (
    "ar ara|bg bul|bn ben|ca cat|cs ces cze|da dan|de deu ger|el ell gre|en eng|es spa|et est|"
    "eu eus baq|fa fas per|fi fin|fr fra fre|ga gle|gl glg|he heb|hi hin|hr hrv|hu hun|id ind|"
    "is isl ice|it ita|ja jpn|ko kor|lt lit|lv lav|mk mkd mac|ms msa may|mt mlt|nb nob|nl nld dut|"
    "no nor|pl pol|pt por|ro ron rum|ru rus|sk slk slo|sl slv|sq sqi alb|sr srp|sv swe|ta tam|"
    "te tel|th tha|tr tur|uk ukr|ur urd|vi vie|zh zho chi"
)
_SAME = {code: group.split() for group in _CODES.split("|") for code in group.split()}


class TrackError(UserError):
    """There is no such track, or more than one."""


@dataclass(frozen=True, slots=True)
class Track:
    """One of a file's audio tracks, by its place among them."""

    number: int  # from 1
    stream: Any  # PyAV's
    language: str = ""  # as the file states it, usually ISO 639-2
    title: str = ""

    @property
    def label(self) -> str:
        """For people: the number and what the file says of it."""
        said = ", ".join(part for part in (self.language, self.title) if part)
        return f"{self.number} ({said})" if said else str(self.number)


def tracks_of(container: Any) -> list[Track]:
    """The audio tracks that can be decoded."""
    tracks = []
    for number, stream in enumerate(container.streams.audio, start=1):
        if stream.codec_context is not None:
            language = stream.metadata.get("language", "")
            language = "" if language == "und" else language
            tracks.append(Track(number, stream, language, stream.metadata.get("title", "")))
    return tracks


def usual(container: Any, tracks: Sequence[Track]) -> Track:
    """The one that players take: marked as default, else the first."""
    best = container.streams.best("audio")
    return next((t for t in tracks if best is not None and t.stream.index == best.index), tracks[0])


def named(tracks: Sequence[Track], wanted: str, file_name: str) -> Track:
    """The track with this number, language code (ISO 639-1 or -2) or title. Raises TrackError."""
    key = wanted.strip().casefold()
    codes = _SAME.get(key, [key])
    found = [t for t in tracks if str(t.number) == key]
    found = found or [t for t in tracks if t.language.casefold() in codes]
    found = found or [t for t in tracks if t.title.casefold() == key]
    if len(found) == 1:
        return found[0]
    problem = (
        "“{name}” has more than one audio track “{wanted}”."
        if found
        else "“{name}” has no audio track “{wanted}”."
    )
    raise TrackError(
        Sentence(problem, name=file_name, wanted=wanted),
        Sentence("It has: {tracks}.", tracks=", ".join(t.label for t in found or tracks)),
    )


def others_note(tracks: Sequence[Track], heard: Track, file_name: str) -> Sentence:
    """That there are more tracks than the one heard, and how to have another."""
    return Sentence(
        "“{name}” has {count} audio tracks; track {heard} was heard. "
        "With `transcribe --track` another is taken: {others}.",
        name=file_name,
        count=len(tracks),
        heard=heard.label,
        others=", ".join(t.label for t in tracks if t is not heard),
    )

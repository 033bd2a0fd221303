"""A session as the library keeps it: what was said, and the few facts that lists show.

Words are packed into one compressed piece for a session: five thousand of them take 40 kB and a
few milliseconds. Knows nothing of databases.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from app.core.export import Export
from app.core.paragraphs import paragraphs
from app.core.script import visible
from app.core.search import PARAGRAPH, folded_words
from app.core.timeline import Gap
from app.core.voices import NAMES
from app.language import said_names, say
from model_backends.base import Word

LIVE, RECOVERED, FILE = "live", "recovered", "file"  # where a session comes from
_PREVIEW = 120  # characters of what was said first
_FORBIDDEN = str.maketrans(dict.fromkeys('<>:"/\\|?*', "-"))  # in the name of a file
_FASTEST = 1  # of zlib: more saves a tenth and costs three times as long


@dataclass(frozen=True, slots=True)
class Said:
    """A session that is over, to be kept."""

    uid: str  # the same session is never kept twice
    started: datetime
    words: Sequence[Word]
    gaps: Sequence[Gap] = ()
    duration_ms: int = 0
    origin: str = LIVE
    file: str | None = None  # that was transcribed
    srt: Path | None = None  # the subtitle file of ours that goes when the session goes
    facts: Mapping[str, Any] = field(default_factory=dict)  # "engine", "source", "names", …
    shown: Sequence[Word] | None = None  # as the captions had it, if the words are better ones


@dataclass(frozen=True, slots=True)
class Entry:
    """A session in a list."""

    id: int
    started: datetime  # in the time zone in which it was
    duration_ms: int
    words: int
    preview: str  # what was said first
    title: str  # "": nobody has named it
    origin: str
    languages: tuple[str, ...]  # the most spoken first
    file: str | None = None
    edited: bool = False

    @property
    def ended(self) -> datetime:
        """When its last sound was."""
        return self.started + timedelta(milliseconds=self.duration_ms)

    @property
    def file_name(self) -> str:
        """What a file made of it is called, without ending: "2026-11-22 14.02 Board meeting"."""
        named = visible(self.title).translate(_FORBIDDEN).strip(". ")[:80]
        return f"{self.started:%Y-%m-%d %H.%M} {named}".strip()


@dataclass(frozen=True, slots=True)
class Stored:
    """A session that was opened."""

    entry: Entry
    words: Sequence[Word]
    gaps: Sequence[Gap]
    facts: Mapping[str, Any]
    shown: Sequence[Word] | None = None

    @property
    def names(self) -> Mapping[str, str]:
        """What the voices are called."""
        given = self.facts.get("names")
        return {**NAMES, **given} if isinstance(given, dict) else NAMES

    def export(self, start_ms: int | None = None, end_ms: int | None = None) -> Export:
        """All of it, or what was said between two times, for `core.export`.

        The times of what is cut out stay those of the session.
        """
        low = float("-inf") if start_ms is None else start_ms
        high = float("inf") if end_ms is None else end_ms
        facts = self.facts
        return Export(
            [word for word in self.words if low <= word.start_ms < high],
            [gap for gap in self.gaps if gap.end_ms > low and gap.start_ms < high],
            self.entry.duration_ms,
            self.entry.languages[0] if self.entry.languages else None,
            file=self.entry.file,
            engine=_text(facts, "engine"),
            model=_text(facts, "model"),
            delay_ms=delay if isinstance(delay := facts.get("delay_ms"), int) else None,
            names=said_names(self.names),
            name_in_srt=facts.get("name_in_srt") is not False,
            say=say,
        )

    def with_words(self, words: Sequence[Word]) -> Stored:
        """With other words: they are edited, or a better hearing's."""
        return replace(self, words=words)


def _text(facts: Mapping[str, Any], name: str) -> str | None:
    value = facts.get(name)
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Text:
    """What was said as text, a paragraph a line: for lists, and for search."""

    said: str
    folded: str
    preview: str


def text_of(words: Sequence[Word], gaps: Sequence[Gap]) -> Text:
    """Both texts have the same paragraphs, so that one leads to the other."""
    whole = paragraphs(words, gaps)
    said = [visible("".join(word.text for word in each)) for each in whole]
    folded = [folded_words(word.text for word in each) for each in whole]
    preview = " ".join(said)[: _PREVIEW + 1]
    if len(preview) > _PREVIEW:
        preview = preview[:_PREVIEW].rsplit(" ", 1)[0].rstrip() + " …"
    return Text(
        PARAGRAPH.join(each.replace(PARAGRAPH, " ") for each in said),
        PARAGRAPH.join(folded),
        preview,
    )


def languages_of(words: Iterable[Word]) -> tuple[str, ...]:
    """The languages spoken, the most spoken first."""
    counted = Counter(word.language for word in words if word.language)
    return tuple(language for language, _ in counted.most_common())


def zone_of(moment: datetime) -> int:
    """How many seconds the moment's clock is ahead of UTC."""
    offset = moment.utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def moment(at_ms: int, zone_s: int) -> datetime:
    """A time of the database, as the clock on the wall said it."""
    zone = timezone(timedelta(seconds=zone_s))
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(zone)


def packed(words: Sequence[Word], gaps: Sequence[Gap]) -> bytes:
    """Everything that is known of them, small."""
    lanes = list(dict.fromkeys(word.lane for word in words))
    number = {lane: at for at, lane in enumerate(lanes)}
    rows = [
        [number[w.lane], w.track, w.utterance, w.text, w.start_ms, w.end_ms, w.language,
         w.confidence]
        for w in words
    ]  # fmt: skip
    stops = [[gap.lane, gap.start_ms, gap.end_ms, gap.reason] for gap in gaps]
    text = json.dumps({"lanes": lanes, "words": rows, "gaps": stops}, separators=(",", ":"))
    return zlib.compress(text.encode(), _FASTEST)


def unpacked(data: bytes) -> tuple[list[Word], list[Gap]]:
    """What was packed. Raises ValueError, TypeError, KeyError, LookupError or zlib.error if it
    was not."""
    found = json.loads(zlib.decompress(data))
    lanes = found["lanes"]
    words = [Word(lanes[lane], *rest) for lane, *rest in found["words"]]
    return words, [Gap(*gap) for gap in found["gaps"]]

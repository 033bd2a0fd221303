"""What was said in a session: committed words in order, the record of them, gaps, and tails.

The one place where events become a transcript; captions, terminal, journal and exports read it.
Pure: knows nothing about threads, clocks, windows or files.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from app.core.reheard import Reheard, record_of
from app.core.script import needs_space
from model_backends.base import Event, Progress, Sentence, Tail, Word

_LANGUAGE_WORDS = 24  # the language shown is that of about the last ten seconds


@dataclass(frozen=True, slots=True)
class Gap:
    """Time of a lane in which nothing was heard, and why."""

    lane: str
    start_ms: int
    end_ms: int
    reason: str  # "paused", "device", "overflow", "worker"

    @property
    def why(self) -> str:
        """The reason in words for a reader, in lower case."""
        return _GAP_WORDS.get(self.reason, self.reason)


def gap_between(starts: Sequence[int], after_ms: int, until_ms: int) -> bool:
    """Whether one of the starts of gaps, ascending, lies after one time and not after the other."""
    return bisect_right(starts, until_ms) > bisect_right(starts, after_ms)


_GAP_WORDS = {
    "paused": Sentence("paused"),
    "device": Sentence("no sound from the source"),
    "overflow": Sentence("not transcribed: too far behind"),
    "worker": Sentence("not transcribed: the engine had stopped"),
}

TimelineEvent: TypeAlias = Event | Gap | Reheard


def spaced(previous: Word | None, word: Word) -> Word:
    """The word, with a space before it if it opens an utterance that did not bring its own.

    `Timeline.add` does this, so that whoever has a word from a timeline need not.
    """
    if previous is None or word.utterance == previous.utterance:
        return word
    if not needs_space(previous.text, word.text):
        return word
    return replace(word, text=" " + word.text)


class Timeline:
    """Committed words per lane and track, append-only; a word once added never changes.

    What was heard a second time stands beside them: `words()` is what was shown, `record()` what
    was said as far as is known by now.

    Words keep the order in which they arrived within their lane and track, whatever their times
    say: equal, overlapping or backward times are an engine's inaccuracy, the text is not.
    """

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self.duration_ms = 0
        self._words: defaultdict[tuple[str, int], list[Word]] = defaultdict(list)
        self._arrived: defaultdict[int, list[Word]] = defaultdict(list)
        self._tails: dict[tuple[str, int], str] = {}
        self._reheard: defaultdict[str, list[Reheard]] = defaultdict(list)

    def add(self, event: TimelineEvent) -> TimelineEvent:
        """Take in one event; those that say nothing about the transcript are ignored.

        Returns the event as it stands in the transcript: a word with the space that belongs
        between it and the one before.
        """
        if isinstance(event, Word):
            return self._add_word(event)
        if isinstance(event, Tail):
            self._tails[event.lane, event.track] = event.text
        elif isinstance(event, Gap):
            self._add_gap(event)
        elif isinstance(event, Progress):
            self._add_progress(event)
        elif isinstance(event, Reheard):
            self._reheard[event.lane].append(event)
            self._extend(max((word.end_ms for word in event.words), default=0))
        return event

    def words(self, lane: str | None = None, track: int = 0) -> list[Word]:
        """The words of a lane, or of all lanes merged by start time (each lane in its order)."""
        if lane is not None:
            return list(self._words.get((lane, track), ()))
        lanes = [words for (_, of), words in self._words.items() if of == track]
        return list(heapq.merge(*lanes, key=lambda word: word.start_ms))

    def record(self) -> list[Word]:
        """As `words()`, with what was heard a second time in the place of what was shown."""
        lanes = dict.fromkeys([*self.lanes(), *self._reheard])
        records = [record_of(self.words(lane), self._reheard.get(lane, ())) for lane in lanes]
        return list(heapq.merge(*records, key=lambda word: word.start_ms))

    @property
    def reheard(self) -> bool:
        """Whether the record may differ from what was shown."""
        return bool(self._reheard)

    def since(self, revision: int, track: int = 0) -> list[Word]:
        """The words that arrived after the first `revision` ones, all lanes, in order of arrival.

        `revision += len(since(revision))` follows the session at the cost of what is new.
        """
        return self._arrived[track][revision:]

    def lanes(self, track: int = 0) -> list[str]:
        """The lanes that have words."""
        return [lane for (lane, of), words in self._words.items() if of == track and words]

    def tail(self, lane: str, track: int = 0) -> str:
        """Tentative text after the lane's last word; empty if there is none."""
        return self._tails.get((lane, track), "")

    def text(self, track: int = 0) -> str:
        """The transcript of all lanes as one string."""
        return "".join(word.text for word in self.words(track=track)).strip()

    def language(self, lane: str | None = None, track: int = 0) -> str | None:
        """The language of most of the latest words; None when they do not agree or do not say."""
        recent = self._words.get((lane, track), []) if lane else self._arrived[track]
        languages = [word.language for word in recent[-_LANGUAGE_WORDS:]]
        if not languages:
            return None
        language, count = Counter(languages).most_common(1)[0]
        return language if 2 * count > len(languages) else None

    def _add_word(self, word: Word) -> Word:
        self._tails.pop((word.lane, word.track), None)
        lane = self._words[word.lane, word.track]
        word = spaced(lane[-1] if lane else None, word)
        lane.append(word)
        self._arrived[word.track].append(word)
        self._extend(word.end_ms)
        return word

    def _add_gap(self, gap: Gap) -> None:
        self.gaps.append(gap)
        for lane, track in list(self._tails):
            if lane == gap.lane:
                del self._tails[lane, track]
        self._extend(gap.end_ms)

    def _add_progress(self, progress: Progress) -> None:
        if progress.settled_ms >= progress.heard_ms:  # nothing is open, so nothing is tentative
            self._tails.pop((progress.lane, progress.track), None)
        self._extend(progress.heard_ms)

    def _extend(self, end_ms: int) -> None:
        self.duration_ms = max(self.duration_ms, end_ms)

"""Words → subtitle cues that read well.

Rules in order of precedence: no word lost; no overlap; at most 2 lines of 42 columns (full-width
characters count 2); 80 ms between cues; 5/6 s to 7 s on screen; at most 17 characters a second;
breaks at sentences and clauses, then words. A cue starts with its words, but may lag behind them
by a moment where a rule above would break otherwise.

Each lane's words are grouped into cues by least total cost (dynamic programming over the places
where a cue may end), then the cues of all lanes get their times in one pass. Knows nothing about
file formats.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from app.core.breaks import Break, break_between
from app.core.phrases import CONTEXT, LOOK_AHEAD, Seam, tied, units
from app.core.script import clusters, display_width, visible
from app.core.timeline import Gap, gap_between
from app.core.voices import NAMES, label_of
from model_backends.base import Word

LINE_COLUMNS = 42
GAP_MS = 80  # two frames at 25/s
MIN_MS = 834  # 5/6 s
MAX_MS = 7000
CHARACTERS_PER_SECOND = 17

_PAUSE_MS = 1500  # a cue never spans a longer silence: it would tell what is yet to be said
_LAG_MS = 500  # how late a cue may start so that the one before it can be read
_CROSSTALK_LAG_MS = 2000  # the same while two lanes speak at once

_INFINITE = float("inf")
_BREAK_COST = {
    Break.SENTENCE: 0.0,
    Break.CLAUSE: 0.6,
    Break.PHRASE: 1.5,
    Break.WORD: 2.5,
    Break.BAD: 5.0,
    Break.INSIDE: 12.0,
}


@dataclass(frozen=True, slots=True)
class Cue:
    """Text on screen from `start_ms` to `end_ms`; one "\\n" between its lines if it has two."""

    start_ms: int
    end_ms: int
    text: str
    lane: str
    language: str | None = None


@dataclass(slots=True)
class _Unit:
    """Text that holds together on a line, with the time in which it is said."""

    text: str
    space: bool  # a space before it, unless it begins a line
    start_ms: int
    end_ms: int
    language: str | None
    seam: Seam = Seam.SPACE  # with what is before it


@dataclass(frozen=True, slots=True)
class _Draft:
    """A cue before it has its place among the others."""

    start_ms: int
    end_ms: int
    text: str
    lane: str
    language: str | None


def cues(
    words: Sequence[Word],
    gaps: Sequence[Gap] = (),
    names: Mapping[str, str] = NAMES,
    labels: bool = True,
) -> list[Cue]:
    """Subtitle cues for words of one or more lanes (one track), each lane in its order.

    No cue holds words of two lanes. With more than one, and `labels`, each cue begins with its
    lane's name, "You: ".
    """
    lanes = list(dict.fromkeys(word.lane for word in words))
    drafts: list[_Draft] = []
    for lane in lanes:
        label = label_of(lane, names) if labels and len(lanes) > 1 else ""
        spoken = [word for word in words if word.lane == lane]
        units = _units(spoken, LINE_COLUMNS - display_width(label))
        cuts = sorted(gap.start_ms for gap in gaps if gap.lane == lane)
        drafts += _LaneCues(units, cuts, lane, label).drafts()
    drafts.sort(key=lambda draft: draft.start_ms)
    return _timed(drafts)


# --- words to units ------------------------------------------------------------------------


def _units(words: Iterable[Word], columns: int) -> list[_Unit]:
    """All text of the words in parts no wider than `columns`, start times ascending."""
    parts: list[_Unit] = []
    for part in _parts(words):
        if parts and part.seam <= Seam.WORD:
            parts[-1].text += part.text
            parts[-1].end_ms = max(parts[-1].end_ms, part.end_ms)
        else:
            parts.append(part)
    found = [unit for part in parts for unit in _split(part, columns)]
    for before, unit in pairwise(found):
        unit.start_ms = max(unit.start_ms, before.start_ms)
        unit.end_ms = max(unit.end_ms, unit.start_ms)
    return found


def _parts(words: Iterable[Word]) -> Iterator[_Unit]:
    """All words in parts that hold together, each word's time shared out by length."""
    spoken: list[tuple[Word, str]] = []
    space = False
    for word in words:
        text = visible(word.text)
        space = space or word.text[:1].isspace()
        if text:
            spoken.append((word, " " * space + text))
            space = word.text[-1].isspace()
    before = ""
    for at, (word, text) in enumerate(spoken):
        bare = text.lstrip()
        if bare.isascii() and before.isascii() and " " not in bare:  # nearly all words there are
            seam = Seam.SPACE if text != bare or not before else Seam.WORD
            end_ms = max(word.start_ms, word.end_ms)
            yield _Unit(bare, text != bare, word.start_ms, end_ms, word.language, seam)
            before = (before + text)[-CONTEXT:]
            continue
        after = "".join(text for _, text in spoken[at + 1 : at + 1 + LOOK_AHEAD])
        found = units(before, text, after or "\n", word.language)
        times = _shares(word.start_ms, word.end_ms, [unit.text for unit in found])
        for unit, (start, end) in zip(found, times, strict=True):
            space = unit.text[0] == " "
            yield _Unit(unit.text.strip(), space, start, end, word.language, unit.seam)
        before = (before + text)[-CONTEXT:]


def _split(unit: _Unit, columns: int) -> list[_Unit]:
    """Cut a part that is wider than a line between characters that may be apart."""
    if display_width(unit.text) <= columns:
        return [unit]
    chunks = [""]
    for part in tied(unit.text):
        for some in [part] if display_width(part) <= columns else clusters(part):
            if chunks[-1] and display_width(chunks[-1] + some) > columns:
                chunks.append("")
            chunks[-1] += some
    times = _shares(unit.start_ms, unit.end_ms, chunks)
    return [
        _Unit(
            chunk, unit.space and index == 0, start, end, unit.language,
            Seam.WORD if index else unit.seam,
        )
        for index, (chunk, (start, end)) in enumerate(zip(chunks, times, strict=True))
    ]  # fmt: skip


def _shares(start_ms: int, end_ms: int, texts: Sequence[str]) -> list[tuple[int, int]]:
    """Share a time out among texts by their length."""
    ends = list(accumulate(len(text) for text in texts))
    span = max(0, end_ms - start_ms)
    marks = [start_ms, *(start_ms + span * end // ends[-1] for end in ends)] if ends else []
    return list(pairwise(marks))


# --- units to cues -------------------------------------------------------------------------


class _LaneCues:
    """Groups one lane's units into cues.

    A range of units is (first, end), end excluded, as in slices.
    """

    def __init__(self, units: list[_Unit], cuts: list[int], lane: str, label: str) -> None:
        self._units = units
        self._lane = lane
        self._label = label
        self._width_before = [0, *accumulate(u.space + display_width(u.text) for u in units)]
        self._break_cost = [self._cost_of_break(index) for index in range(len(units))]
        self._blocks = self._find_blocks(cuts)
        fits_first = self._furthest(LINE_COLUMNS - display_width(label))
        fits_second = self._furthest(LINE_COLUMNS)
        self._fits_cue = [
            fits_second[end] if end < len(units) else end for end in fits_first
        ]  # from each unit: the end of the longest cue

    def drafts(self) -> list[_Draft]:
        """The cues of least total cost, block by block."""
        return [
            self._draft(first, end)
            for block in self._blocks
            for first, end in self._best_cues(*block)
        ]

    def _width(self, first: int, end: int) -> int:
        width = self._width_before[end] - self._width_before[first]
        return width - self._units[first].space

    def _furthest(self, columns: int) -> list[int]:
        """For each first unit the end of the longest range that fits into so many columns."""
        before = self._width_before
        return [
            max(first + 1, bisect_right(before, before[first] + unit.space + columns) - 1)
            for first, unit in enumerate(self._units)
        ]

    def _cost_of_break(self, index: int) -> float:
        """Cost of a break before a unit; a pause there makes it cheaper."""
        if index == 0:
            return 0.0
        before, after = self._units[index - 1], self._units[index]
        inside = after.seam <= Seam.PHRASE
        kind = Break.INSIDE if inside else break_between(before.text, after.text, after.language)
        cost = _BREAK_COST[kind]
        pause_ms = after.start_ms - before.end_ms
        return cost - min(pause_ms, 1000) / 1000 * 2 if pause_ms >= 200 else cost

    def _find_blocks(self, cuts: list[int]) -> list[tuple[int, int]]:
        """Ranges between which a cue must end: at silences and where sound was lost."""
        starts = [0]
        for index, (before, after) in enumerate(pairwise(self._units), 1):
            silent = after.start_ms - before.end_ms >= _PAUSE_MS
            if silent or gap_between(cuts, before.start_ms, after.start_ms):
                starts.append(index)
        return [block for block in pairwise([*starts, len(self._units)]) if block[0] < block[1]]

    def _best_cues(self, first: int, end: int) -> list[tuple[int, int]]:
        """Least-cost division of a block into ranges that each fit a cue.

        A range costs at least one cue and the break at its end; where that alone is no better
        than what is known, the rest is not worked out: true of five in six.
        """
        at_least = [1.0 + cost for cost in self._break_cost[first:end]] + [1.0]
        best = [0.0] + [_INFINITE] * (end - first)  # of all cues up to first + index
        came_from = [first] * (end - first + 1)
        for start in range(first, end):
            so_far = best[start - first]
            for index in range(start + 1 - first, min(self._fits_cue[start], end) + 1 - first):
                known = best[index]
                if so_far + at_least[index] >= known:
                    continue
                cost = so_far + self._cue_cost(start, first + index, end)
                if cost < known:
                    best[index], came_from[index] = cost, start
        ranges = []
        while end > first:
            ranges.append((came_from[end - first], end))
            end = came_from[end - first]
        return ranges[::-1]

    def _cue_cost(self, first: int, end: int, block_end: int) -> float:
        """What reads badly about a cue, in units of one more cue. Nothing here makes it cheaper
        than 1 and the break at its end.
        """
        units = self._units
        start_ms = units[first].start_ms
        said_ms = units[end - 1].end_ms - start_ms
        characters = (
            self._width_before[end] - self._width_before[first] + display_width(self._label)
        )
        reading_ms = characters * 1000 / CHARACTERS_PER_SECOND
        shown_ms = max(said_ms, reading_ms, MIN_MS)
        cost = 1.0
        if end < len(units):
            room_ms = units[end].start_ms - start_ms - GAP_MS
            if room_ms < MIN_MS:
                cost += 30 * (1 - max(room_ms, 0) / MIN_MS)
            shown_ms = min(shown_ms, max(room_ms, MIN_MS))
        if end < block_end:
            cost += self._break_cost[end]
            if characters < 16:  # a word or two alone, in the middle of speech
                cost += (16 - characters) / 8
        if said_ms > MAX_MS:
            cost += (said_ms - MAX_MS) / 20
        if reading_ms > shown_ms:
            cost += (reading_ms - shown_ms) / 150
        return cost

    def _draft(self, first: int, end: int) -> _Draft:
        units = self._units[first:end]
        split = self._line_break(first, end)
        rows = [self._text(first, end)] if split is None else [
            self._text(first, split), self._text(split, end),
        ]  # fmt: skip
        languages = Counter(unit.language for unit in units if unit.language)
        return _Draft(
            start_ms=max(0, units[0].start_ms),
            end_ms=max(unit.end_ms for unit in units),
            text=self._label + "\n".join(rows),
            lane=self._lane,
            language=languages.most_common(1)[0][0] if languages else None,
        )

    def _text(self, first: int, end: int) -> str:
        return "".join(" " * unit.space + unit.text for unit in self._units[first:end]).strip()

    def _line_break(self, first: int, end: int) -> int | None:
        """Where the second line begins: a good place, and lines of about one length."""
        label = display_width(self._label)
        if label + self._width(first, end) <= LINE_COLUMNS:
            return None
        best, least = None, float("inf")
        for split in range(first + 1, end):
            upper, lower = label + self._width(first, split), self._width(split, end)
            if upper > LINE_COLUMNS or lower > LINE_COLUMNS:
                continue
            cost = self._break_cost[split] + abs(upper - lower) / 7
            if cost < least:
                best, least = split, cost
        return best


# --- times ---------------------------------------------------------------------------------


def _timed(drafts: Sequence[_Draft]) -> list[Cue]:
    """Give every cue its time on screen; drafts sorted by start."""
    found: list[Cue] = []
    earliest_ms = 0
    for index, draft in enumerate(drafts):
        following = drafts[index + 1] if index + 1 < len(drafts) else None
        start_ms = max(draft.start_ms, earliest_ms)
        end_ms = _end_ms(draft, start_ms, following)
        found.append(Cue(start_ms, end_ms, draft.text, draft.lane, draft.language))
        earliest_ms = end_ms + GAP_MS
    return found


def _end_ms(draft: _Draft, start_ms: int, following: _Draft | None) -> int:
    columns = display_width(draft.text.replace("\n", " "))
    read_ms = start_ms - (-columns * 1000 // CHARACTERS_PER_SECOND)
    end_ms = min(max(draft.end_ms, read_ms, start_ms + MIN_MS), start_ms + MAX_MS)
    if following is None:
        return end_ms
    lag_ms = _LAG_MS if following.lane == draft.lane else _CROSSTALK_LAG_MS
    on_time_ms = following.start_ms - GAP_MS
    return min(end_ms, max(on_time_ms, start_ms + MIN_MS, min(read_ms, on_time_ms + lag_ms)))

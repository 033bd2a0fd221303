"""What the app keeps so that a dead worker costs nothing: audio and words not yet settled.

Pure bookkeeping without threads: chunks wait here to be sent, stay until they are settled, and
are sent again after `rewind()`; words committed after the settled point are remembered, so that a
replay's words can be aligned with them. Memory is bounded at MAX_KEPT_MS a lane.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.chunk import Chunk
from app.core.timeline import Gap
from app.worker.messages import Break
from model_backends.base import Progress, Word
from model_backends.replay import ReplayAligner

MAX_KEPT_MS = 30 * 60 * 1000  # 58 MB of int16 at 16 kHz
SKIP_MS = 10_000  # given up at once where worker after worker has died
_PARTS = 30  # the bound is kept by giving up a thirtieth of it (a minute) at once: one gap
_ROUNDING_MS = 2  # how far an end told by the worker may lie before that of the last chunk
_WORDS_KEPT_MS = 30_000  # committed words older than this before the settled point are forgotten


class ReplayBuffer:
    """All lanes of one client."""

    def __init__(self, delays_ms: Sequence[int]) -> None:
        self._tracks = range(max(1, len(delays_ms)))
        self._lanes: dict[str, _Lane] = {}

    def push(self, chunk: Chunk) -> list[Gap]:
        """Keep a chunk for sending; returns what had to be given up at the bound."""
        return self._lane(chunk.lane).push(chunk)

    def push_break(self, lane: str) -> None:
        """A pause, in order with the lane's audio."""
        self._lane(lane).push_break()

    def has_next(self, ahead_ms: int | None) -> bool:
        """Whether something may be sent: less than `ahead_ms` is with the worker, unheard."""
        return any(lane.may_send(ahead_ms) for lane in self._lanes.values())

    def next(self, ahead_ms: int | None) -> Chunk | Break:
        """The next thing to send; the lane that is furthest behind goes first."""
        sendable = [lane for lane in self._lanes.values() if lane.may_send(ahead_ms)]
        return min(sendable, key=lambda lane: lane.next_ms).take()

    def rewind(self) -> None:
        """A new worker begins: send everything unsettled again, and align what it says."""
        for lane in self._lanes.values():
            lane.rewind()

    def commit(self, word: Word) -> list[Word]:
        """A word has come: the words to deliver now (none while a replay is being aligned)."""
        return self._lane(word.lane).commit(word)

    def progress(self, progress: Progress) -> list[Word | Progress]:
        """A track has moved: free settled audio, deliver words whose alignment is now certain."""
        return self._lane(progress.lane).progress(progress)

    def finish(self) -> list[Word]:
        """Everything has been heard: deliver what an alignment still holds."""
        return [word for lane in self._lanes.values() for word in lane.finish()]

    def aligning(self, lane: str, track: int) -> bool:
        """Whether a replay has not yet come to what is new: a tail would show old text."""
        return self._lane(lane).aligning(track)

    def knows(self, lane: str, track: int) -> bool:
        """Whether anything was ever pushed on the lane, and there is such a track."""
        return lane in self._lanes and track in self._tracks

    def skip(self) -> list[Gap]:
        """Give up the oldest unheard sound of each lane: workers die of it."""
        gaps = (lane.skip(SKIP_MS) for lane in self._lanes.values())
        return [gap for gap in gaps if gap is not None]

    def give_up_all(self) -> list[Gap]:
        """No worker will come: what was pushed and never heard."""
        gaps: list[Gap] = []
        for lane in self._lanes.values():
            while (gap := lane.skip(MAX_KEPT_MS)) is not None:
                gaps.append(gap)
        return gaps

    @property
    def settled_ms(self) -> int:
        """How far all lanes and tracks have been settled by any worker, added up; only grows."""
        return sum(lane.all_settled_ms for lane in self._lanes.values())

    def ahead_ms(self, lane: str) -> int:
        """Audio of the lane that has been pushed and not yet heard."""
        return self._lane(lane).unheard_ms

    @property
    def kept_ms(self) -> int:
        """Audio held for a replay, all lanes together."""
        return sum(lane.kept_ms for lane in self._lanes.values())

    def _lane(self, name: str) -> _Lane:
        if name not in self._lanes:
            self._lanes[name] = _Lane(name, self._tracks)
        return self._lanes[name]


@dataclass(frozen=True, slots=True)
class _Item:
    """A message in the lane's order, with the audio time it covers (none for a Break)."""

    message: Chunk | Break
    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms


def _follows(before: _Item, item: _Item) -> bool:
    return item.length_ms > 0 and abs(item.start_ms - before.end_ms) <= _ROUNDING_MS


class _Lane:
    """Unsettled items in order: the first `_heard` of them are heard, the first `_sent` sent."""

    def __init__(self, name: str, tracks: range) -> None:
        self._name = name
        self._items: deque[_Item] = deque()
        self._sent = self._heard = 0
        self.kept_ms = self.unheard_ms = self._sent_unheard_ms = 0
        self._end_ms = 0
        self._broken = False  # the last that was pushed is a Break
        self._heard_ms: dict[int, int | None] = dict.fromkeys(tracks)  # by the present worker
        self._settled_ms = dict.fromkeys(tracks, 0)
        self._words: dict[int, deque[Word]] = {track: deque() for track in tracks}
        self._aligners: dict[int, ReplayAligner] = {}

    # --- audio -----------------------------------------------------------------------------

    def push(self, chunk: Chunk) -> list[Gap]:
        item = _Item(chunk, chunk.start_ms, chunk.end_ms)
        self._items.append(item)
        self._end_ms = item.end_ms
        self.kept_ms += item.length_ms
        self.unheard_ms += item.length_ms
        self._broken = False
        lost: list[Gap] = []
        while self.kept_ms > MAX_KEPT_MS:
            gap = self._give_up()
            if gap is not None:
                lost.append(gap)
        return lost

    def push_break(self) -> None:
        self._broken = True
        self._items.append(_Item(Break(self._name), self._end_ms, self._end_ms))

    def may_send(self, ahead_ms: int | None) -> bool:
        if self._sent >= len(self._items):
            return False
        return ahead_ms is None or self._sent_unheard_ms < ahead_ms

    @property
    def next_ms(self) -> int:
        return self._items[self._sent].start_ms

    def take(self) -> Chunk | Break:
        item = self._items[self._sent]
        self._sent += 1
        self._sent_unheard_ms += item.length_ms
        return item.message

    def rewind(self) -> None:
        self._sent = self._heard = 0
        self._sent_unheard_ms = 0
        self.unheard_ms = self.kept_ms
        self._heard_ms = dict.fromkeys(self._heard_ms)
        if not self._items:
            return
        replay_ms = self._items[0].start_ms
        for track, words in self._words.items():
            # what an unfinished alignment still held was never delivered: it will come again
            self._aligners[track] = ReplayAligner(list(words), replay_ms)

    def _give_up(self) -> Gap | None:
        """Make room: first with what is heard, then with the oldest sound that was not sent.

        What the worker has will be heard: to mark a gap there would be untrue, and to let more be
        sent instead would only move the backlog into the worker.
        """
        if self._heard or self._sent == len(self._items):
            self._forget_oldest()
            return None
        return self._cut_out(self._sent, MAX_KEPT_MS // _PARTS, "overflow")

    def _cut_out(self, earliest: int, most_ms: int, reason: str) -> Gap:
        """Take the first unbroken sound from item `earliest` on out, `most_ms` of it at most."""
        items = list(self._items)
        begin = next(i for i in range(earliest, len(items)) if items[i].length_ms)
        end = begin + 1
        while end < len(items) and _follows(items[end - 1], items[end]):
            if items[end].end_ms - items[begin].start_ms > most_ms:
                break
            end += 1
        gap = Gap(self._name, items[begin].start_ms, items[end - 1].end_ms, reason)
        given_up_ms = sum(item.length_ms for item in items[begin:end])
        self._items = deque(items[:begin] + items[end:])
        self.kept_ms -= given_up_ms
        self.unheard_ms -= given_up_ms
        return gap

    def skip(self, most_ms: int) -> Gap | None:
        """Between two workers: give up the oldest sound of which no word has come."""
        self.rewind()
        said_ms = min(words[-1].end_ms if words else 0 for words in self._words.values())
        known_ms = max(said_ms, min(self._settled_ms.values()))
        for index, item in enumerate(self._items):
            if item.length_ms and item.end_ms > known_ms:
                return self._cut_out(index, most_ms, "worker")
        return None

    @property
    def all_settled_ms(self) -> int:
        return sum(self._settled_ms.values())

    def _forget_oldest(self) -> _Item:
        item = self._items.popleft()
        self.kept_ms -= item.length_ms
        if self._heard:
            self._heard -= 1
        else:
            self.unheard_ms -= item.length_ms
            self._sent_unheard_ms -= item.length_ms if self._sent else 0
        self._sent = max(0, self._sent - 1)
        return item

    # --- what comes back -------------------------------------------------------------------

    def commit(self, word: Word) -> list[Word]:
        aligner = self._aligners.get(word.track)
        return self._remember(word.track, aligner.add(word) if aligner else [word])

    def progress(self, progress: Progress) -> list[Word | Progress]:
        track = progress.track
        self._heard_ms[track] = max(progress.heard_ms, self._heard_ms[track] or 0)
        self._settled_ms[track] = max(progress.settled_ms, self._settled_ms[track])
        words: list[Word] = []
        if (aligner := self._aligners.get(track)) is not None:
            words = self._remember(track, aligner.progress(progress.settled_ms, progress.heard_ms))
            if self._broken and progress.settled_ms >= self._end_ms - _ROUNDING_MS:
                words += self._remember(track, aligner.finish())  # a pause: no more comes for now
            if aligner.aligned:
                del self._aligners[track]
        self._advance()
        return [*words, progress]

    def aligning(self, track: int) -> bool:
        return track in self._aligners and not self._aligners[track].aligned

    def finish(self) -> list[Word]:
        words = []
        for track, aligner in self._aligners.items():
            words += self._remember(track, aligner.finish())
        self._aligners.clear()
        return words

    def _remember(self, track: int, words: list[Word]) -> list[Word]:
        self._words[track].extend(words)
        return words

    def _advance(self) -> None:
        """Move the heard mark; drop what every track has settled."""
        marks = [ms for ms in self._heard_ms.values() if ms is not None]
        heard_ms = min(marks) if len(marks) == len(self._heard_ms) else 0
        while self._heard < self._sent and self._items[self._heard].end_ms <= heard_ms:
            length_ms = self._items[self._heard].length_ms
            self.unheard_ms -= length_ms
            self._sent_unheard_ms -= length_ms
            self._heard += 1
        settled_ms = min(self._settled_ms.values())
        while self._heard and self._items[0].end_ms <= settled_ms:
            self._forget_oldest()
        for words in self._words.values():
            while words and words[0].end_ms < settled_ms - _WORDS_KEPT_MS:
                words.popleft()

"""Which words belong to which turn of a speaker, and when a turn has been heard to its end.

A turn is a stretch of one lane's time: from the first sound after the one before to where the
client ended it, or where speech began and ended. Words and progress come later, from the engine,
and are sorted by their times alone, so that a worker that dies and hears the sound again changes
nothing. Pure: no clock, no network; all times are milliseconds of the lane.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.core.script import needs_space
from model_backends.base import Word

_ONSET_MS = 600  # the gate opens up to so much after the first sound that it lets through
_GATE_MS = 500  # progress is told with this much kept back once a gate has closed
_ROUNDING_MS = 2


@dataclass(slots=True)
class Turn:
    """One item of a conversation. `dropped`: the client did not want it after all."""

    number: int
    start_ms: int
    end_ms: int | None = None  # of its sound; None while it is being said
    settled_ms: int = 0  # progress that says that all of it is out
    dropped: bool = False
    deltas: list[str] = field(default_factory=list)
    _utterance: int = -1  # of the last word

    @property
    def text(self) -> str:
        """All that has been said; exactly the deltas put together."""
        return "".join(self.deltas)

    @property
    def seconds(self) -> float:
        return ((self.end_ms or self.start_ms) - self.start_ms) / 1000

    def add(self, word: Word) -> str:
        """Say a word; the delta. Utterances put together get the space that neither brings."""
        text, said = word.text, self.deltas[-1] if self.deltas else ""
        if not said:
            text = text.lstrip()
        elif word.utterance != self._utterance and needs_space(said, text):
            text = f" {text}"
        self._utterance = word.utterance
        self.deltas.append(text)
        return text


class Turns:
    """The turns of one lane, from the first that is not done."""

    def __init__(self) -> None:
        self._turns: deque[Turn] = deque()
        self._count = 0
        self.ended_ms = 0  # where the last turn ended that has

    @property
    def open(self) -> Turn | None:
        """The turn that is being said."""
        return self._turns[-1] if self._turns and self._turns[-1].end_ms is None else None

    @property
    def waiting(self) -> bool:
        """Something has been begun that is not done."""
        return bool(self._turns)

    def begin(self, start_ms: int) -> Turn:
        """A turn begins; the one that was open, if any, goes on instead."""
        if (turn := self.open) is not None:
            return turn
        turn = Turn(self._count, start_ms)
        self._count += 1
        self._turns.append(turn)
        return turn

    def opened(self, at_ms: int) -> Turn | None:
        """The gate let speech through; the turn that begins, if one does. What a worker says who
        hears old sound again begins none."""
        if self.open is not None or at_ms <= self.ended_ms:
            return None
        return self.begin(max(self.ended_ms, at_ms - _ONSET_MS))

    def closed(self, at_ms: int) -> Turn | None:
        """The gate has closed; the turn that this ends, if it does."""
        turn = self.open
        if turn is None or at_ms <= turn.start_ms + _ONSET_MS:
            return None
        return self._end(turn, at_ms, at_ms - _GATE_MS)

    def end(self, at_ms: int) -> Turn:
        """The client ends its turn; a sound in which nobody spoke is one, too."""
        return self._end(self.begin(self.ended_ms), at_ms, at_ms - _ROUNDING_MS)

    def _end(self, turn: Turn, end_ms: int, settled_ms: int) -> Turn:
        turn.end_ms = self.ended_ms = end_ms
        turn.settled_ms = settled_ms
        return turn

    def of(self, word: Word) -> Turn:
        """The turn in which a word was said; one that begins with it, if there is none."""
        for turn in reversed(self._turns):
            if turn.start_ms <= word.start_ms + _ROUNDING_MS:
                return turn
        if self._turns:
            return self._turns[0]
        return self.begin(word.start_ms)

    def settled(self, settled_ms: int) -> Iterable[Turn]:
        """The turns that are done now that all words up to here have come, oldest first."""
        done = []
        while self._turns and self._turns[0].end_ms is not None:
            if self._turns[0].settled_ms > settled_ms:
                break
            done.append(self._turns.popleft())
        return done

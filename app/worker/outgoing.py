"""What a worker is to be told next: delays, breaks and audio in order, and everything once more
for a worker that takes the place of a dead one.

Pure bookkeeping on top of the replay buffer; knows no threads, pipes or processes.
"""

from __future__ import annotations

from dataclasses import replace

from app.worker import messages as m
from app.worker.replay_buffer import ReplayBuffer
from model_backends.base import Word

AHEAD_MS = 60_000  # how far the worker may be sent ahead of what it has heard


class Outgoing:
    """One client's side of the conversation."""

    def __init__(self, start: m.Start, buffer: ReplayBuffer) -> None:
        self._start = start
        self._buffer = buffer
        self._delays: dict[tuple[str, int], int] = {}  # as set, per lane and track
        self._urgent: list[m.SetDelay | m.Enter | m.Abandon] = []
        self._entered: dict[str, m.Enter] = {}  # lanes with a language of their own
        self._finishing = self._abandoned = False
        self.end_asked = False  # the present worker has been sent Finish or Abandon
        self.held = False  # nothing more is to be heard for now
        self._next_utterance = start.first_utterance
        self._languages: dict[str, str] = {}  # what each lane spoke last

    def begin(self) -> m.Start:
        """What the next worker is told first; everything unsettled will be sent again."""
        self._buffer.rewind()
        self.end_asked = False
        self._urgent = [m.SetDelay(*track, ms) for track, ms in self._delays.items()]
        self._urgent += self._entered.values()
        if self._abandoned:
            self._urgent.append(m.Abandon())
        return replace(
            self._start, first_utterance=self._next_utterance, spoken=dict(self._languages)
        )

    def set_delay(self, lane: str, track: int, ms: int) -> None:
        """It overtakes audio that waits, and is told to every later worker."""
        self._delays[lane, track] = ms
        self._urgent.append(m.SetDelay(lane, track, ms))

    def enter(self, lane: str, language: str | None) -> None:
        """The lane's language, before its first sound; told to every later worker."""
        self._entered[lane] = m.Enter(lane, language)
        self._urgent.append(self._entered[lane])

    def left(self, lane: str) -> None:
        """A worker has heard the lane out: nothing of it is told to a later one."""
        self._buffer.forget(lane)
        self._entered.pop(lane, None)
        self._languages.pop(lane, None)
        for track in [track for track in self._delays if track[0] == lane]:
            del self._delays[track]

    def delay_refused(self, refusal: m.DelayRefused) -> None:
        """A later worker shall not be asked for it again; unless another was set meanwhile."""
        track = refusal.lane, refusal.track
        if self._delays.get(track) == refusal.refused_ms:
            self._delays[track] = refusal.kept_ms

    def adapted(self, model: str) -> None:
        """A later worker begins with the model that this one came to."""
        self._start = replace(self._start, adapted=model)

    @property
    def model_adapted(self) -> str:
        """The model that a worker changed to by itself; empty while none has."""
        return self._start.adapted

    def spoken(self, word: Word) -> None:
        """A word has come: a later worker numbers utterances on from there, and need not guess
        from a few seconds what language the lane speaks."""
        self._next_utterance = max(self._next_utterance, word.utterance + 1)
        if word.language is not None:
            self._languages[word.lane] = word.language

    def finish(self) -> None:
        """When all audio has been sent, `Finish` follows."""
        self._finishing = True

    def abandon(self) -> None:
        """Nothing that waits is worth sending any more."""
        self._abandoned = True
        self._urgent.append(m.Abandon())

    @property
    def has_next(self) -> bool:
        """Whether something may be sent now."""
        if self._urgent:
            return True
        if self.end_asked or self.held:
            return False
        return self._buffer.has_next(AHEAD_MS) or self._finish_due

    def next(self) -> m.Message:
        """The next message; only when `has_next`."""
        if self._urgent:
            message = self._urgent.pop(0)
            self.end_asked = self.end_asked or isinstance(message, m.Abandon)
            return message
        if self._buffer.has_next(AHEAD_MS):
            return self._buffer.next(AHEAD_MS)
        self.end_asked = True
        return m.Finish()

    @property
    def _finish_due(self) -> bool:
        return self._finishing and not self._buffer.has_next(None)

"""What a worker says: what it means for what is kept and sent, and what of it is delivered.

Pure bookkeeping; the other half of `outgoing`. A worker that says what it cannot know is broken:
ProtocolError, and it is replaced. Knows no threads, pipes or processes.
"""

from __future__ import annotations

from app.worker import messages as m
from app.worker.outgoing import Outgoing
from app.worker.replay_buffer import ReplayBuffer
from app.worker.restarts import Restarts
from model_backends.base import Acting, Notice, Progress, Tail, Word

_LASTING = ("smaller-model", "light-vad")  # notices that are as true of the next worker
_TOLD_ON = (m.Hello, m.Loading, m.Speech, m.Failure, Acting)


class Incoming:
    """What one client is told by its workers, one after another.

    `lasting`: lane and code of the notices that hold and need not be told again.
    """

    def __init__(self, buffer: ReplayBuffer, outgoing: Outgoing, restarts: Restarts) -> None:
        self.lasting: set[tuple[str, str]] = set()
        self._buffer = buffer
        self._outgoing = outgoing
        self._restarts = restarts

    def take(self, message: m.Message) -> list[m.Message]:
        """Note what it means; the messages to deliver, in order. Raises ProtocolError."""
        if isinstance(message, (Word, Tail, Progress)):
            return self._take_event(message)
        if isinstance(message, Notice):
            return [message] if self._is_news(message) else []
        if isinstance(message, m.Alive):
            return []
        if isinstance(message, m.Ready):
            self._restarts.ready()
        elif isinstance(message, m.Adapted):
            self._outgoing.adapted(message.model)
        elif isinstance(message, m.DelayRefused):
            self._outgoing.delay_refused(message)
        elif isinstance(message, m.Left):
            self._outgoing.left(message.lane)
        elif isinstance(message, m.Finished):
            if not self._outgoing.end_asked:
                raise m.ProtocolError("Finished, and nobody had asked for the end")
            return [*self._buffer.finish(), message]
        elif not isinstance(message, _TOLD_ON):
            raise m.ProtocolError(f"{type(message).__name__} is for the app to say")
        return [message]

    def _is_news(self, notice: Notice) -> bool:
        """Whether it is not known from an earlier worker; one without words takes back."""
        if notice.code not in _LASTING:
            return True
        told = notice.lane, notice.code
        if not notice.message:
            self.lasting.discard(told)
            return True
        known = told in self.lasting
        self.lasting.add(told)
        return not known

    def _take_event(self, event: Word | Tail | Progress) -> list[m.Message]:
        """Words of a replay pass only if they are new."""
        if not self._buffer.knows(event.lane, event.track):
            raise m.ProtocolError(f"nothing was said on {event.lane!r}, track {event.track}")
        if isinstance(event, Tail):
            return [] if self._buffer.aligning(event.lane, event.track) else [event]
        if isinstance(event, Word):
            self._outgoing.spoken(event)
            words = self._buffer.commit(event)
            if words:
                self._restarts.progressed()
            return [*words]
        before_ms = self._buffer.settled_ms
        events = self._buffer.progress(event)
        if self._buffer.settled_ms > before_ms:
            self._restarts.progressed()
        return [*events]

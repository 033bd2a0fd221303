"""The record of a session as it comes to be: what was heard a second time, put beside the captions.

State only, as the rest of a session: what captions and second hearing say comes in, stretches of
the record go out, with the commands for the second hearing's worker where there is one. Knows no
thread, no client and no clock; `core.second_hearing` says which words replace which.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.core.reheard import Reheard
from app.core.second_hearing import SecondHearing
from app.core.timeline import Gap
from app.core.voices import ME, THEM
from app.session import events as e
from app.session.status import RecordWay
from app.worker import messages as m
from app.worker.client import ClientEvent
from model_backends.base import Progress, Sentence, Word

RECORD_TRACK = 1  # of an engine that makes the record from the same sound as the captions


class Rehearing:
    """All lanes of one session. Methods return what is to be done and told, in order."""

    def __init__(self, way: RecordWay) -> None:
        self._way = way
        self._lanes: dict[str, SecondHearing] = {}
        self._started = False  # there is a worker for it, or has been
        self._complete = self._captions_out = False  # … has heard all; captions have said all
        self._ended = False  # nothing more will be heard a second time
        self._held = False
        self._missed_ms = 0

    @property
    def pending(self) -> bool:
        """Something may still be heard a second time."""
        return self._started and not self._ended

    @property
    def remark(self) -> str:
        """What is worth knowing in the details; nothing of it concerns the captions."""
        if self._held:
            return _LATER
        if self._missed_ms:
            return Sentence(
                "{minutes} min of the transcript stay as they were captioned: there was no time "
                "to hear them again.",
                minutes=max(1, round(self._missed_ms / 60_000)),
            )
        return ""

    def caption(self, event: Word | Progress) -> list[e.Output]:
        """The captions have come further."""
        if self._way is RecordWay.NONE or self._ended:
            return []
        lane = self._lane(event.lane)
        if isinstance(event, Word):
            lane.caption(event)
            return self._begin()
        return _kept(lane.caption_progress(event.settled_ms))

    def track(self, event: Word | Progress) -> list[e.Output]:
        """The record's track has come further, in the captions' own engine."""
        return [] if self._ended else self._hear(event)

    def take(self, event: ClientEvent) -> list[e.Output]:
        """What the second hearing's worker says; what it says of itself is nobody's concern."""
        if self._ended:
            return []
        if isinstance(event, (Word, Progress, Gap)):
            return self._hear(event)
        if isinstance(event, m.Finished):
            self._complete = True
            return self._finish() if self._captions_out else []
        return self.give_up() if isinstance(event, m.Failure) else []

    def let_through(self, behind: bool) -> list[e.Output]:
        """Captions come first: while they are behind, nothing is heard a second time."""
        if behind == self._held or not self.pending:
            return []
        self._held = behind
        return [e.HoldAgain(behind)]

    def give_up(self) -> list[e.Output]:
        """Nothing more is heard a second time; what was not stays as the captions had it."""
        return self._end(stretch for lane in self._lanes.values() for stretch in lane.give_up())

    def captions_are_out(self) -> list[e.Output]:
        """No more words of the captions come, nor of a track of the same engine."""
        self._captions_out = True
        if self._way is RecordWay.TRACK or self._complete:
            return [] if self._ended else self._finish()
        return self.let_through(behind=False)

    # --- inside ----------------------------------------------------------------------------

    def _begin(self) -> list[e.Output]:
        """From now on there is something to hear again. Not before the first caption: loading the
        model a second time would hold that up by a second."""
        if self._way is not RecordWay.WORKER or self._started or self._ended:
            return []
        self._started = True
        return [e.HearAgain()]

    def _finish(self) -> list[e.Output]:
        """All has been heard twice."""
        return self._end(stretch for lane in self._lanes.values() for stretch in lane.finish())

    def _hear(self, event: Word | Progress | Gap) -> list[e.Output]:
        lane = self._lane(event.lane)
        if isinstance(event, Word):
            lane.hear(event)
            return []
        if isinstance(event, Progress):
            return _kept(lane.progress(event.settled_ms))
        self._missed_ms += event.end_ms - event.start_ms
        lane.miss(event.start_ms, event.end_ms)
        return []

    def _end(self, stretches: Iterable[Reheard]) -> list[e.Output]:
        out = _kept(stretches)
        if self.pending:
            out.append(e.EndAgain())
        self._ended, self._held = True, False
        return out

    def _lane(self, name: str) -> SecondHearing:
        if name not in self._lanes:
            self._lanes[name] = SecondHearing(name)
        if THEM in self._lanes and ME in self._lanes:
            self._lanes[ME].own_only = True
        return self._lanes[name]


def _kept(stretches: Iterable[Reheard]) -> list[e.Output]:
    return [output for stretch in stretches for output in (e.Keep(stretch), stretch)]


_LATER = Sentence("The transcript is heard again later: captions come first.")

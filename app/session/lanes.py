"""The voices of a session together: which are listened to, which come and go with the choice.

A lane that has no sound never stops another: what is shown is how the best of them is doing, and
of the others it is said what is wrong. State only, like the lanes themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.audio.capture import Feed
from app.audio.choice import SourceChoice, voices
from app.session import events as e
from app.session.delays import Delays
from app.session.lane import Lane
from model_backends.base import Notice, Sentence, UserError


class Lanes:
    """Methods return what is to be done and told, in order. Iterated over: those listened to."""

    def __init__(self, choice: SourceChoice) -> None:
        self._all = {name: Lane(name, source) for name, source in voices(choice).items()}
        self._wanted = list(self._all)  # the one that is read first, first
        self._leaving: list[str] = []  # heard until what takes their place has been found
        self._before: list[str] = []  # what was wanted before they were to leave

    def __iter__(self) -> Iterator[Lane]:
        return iter([self._all[name] for name in self._wanted])

    def __getitem__(self, name: str) -> Lane:
        return self._all[name]

    def get(self, name: str) -> Lane | None:
        """The lane; also one that is not listened to any more, whose words may still come."""
        return self._all.get(name)

    @property
    def everyone(self) -> list[Lane]:
        """Those that are not listened to any more, too."""
        return list(self._all.values())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._wanted)

    @property
    def heard(self) -> tuple[str, ...]:
        """Those that can be heard now; all, if none can."""
        heard = tuple(lane.name for lane in self if lane.sound.kind not in ("none", "lost"))
        return heard or self.names

    @property
    def first(self) -> Lane:
        """The voice that is read first."""
        return self._all[self._wanted[0]]

    def choices(self, delays: Delays) -> e.Choices:
        """What is listened to now, and how patiently."""
        acting, chosen = delays.shown_ms(self.names), delays.chosen_ms
        other = chosen if chosen != acting else None
        return e.Choices(self.source_name, acting, self.source_is_away, self.heard, other)

    @property
    def best(self) -> Lane:
        """The voice that says most truly how the session is doing: the first that has sound."""
        lanes = list(self)
        flowing = [lane for lane in lanes if lane.flowing]
        hopeful = [lane for lane in lanes if not lane.mute and lane.sound.kind != "silent"]
        sound = [lane for lane in lanes if not lane.mute]
        return (flowing or hopeful or sound or lanes)[0]

    @property
    def source_name(self) -> str:
        """What is listened to, for people."""
        names = [lane.source_name for lane in self]
        if len(names) == 1:
            return names[0]
        return Sentence("{one} and {other}", one=names[0], other=names[1])

    @property
    def source_is_away(self) -> bool:
        return any(lane.source_is_away for lane in self)

    @property
    def paused(self) -> bool:
        return self.first.paused

    @property
    def speaking(self) -> bool:
        return any(lane.speaking for lane in self)

    @property
    def levels(self) -> Mapping[str, float]:
        """Loudness of each, 0..1."""
        return {lane.name: lane.level for lane in self}

    @property
    def fault(self) -> UserError | None:
        """Why there can be no captions at all: nobody can be heard any more."""
        faults = [lane.fault for lane in self]
        return faults[0] if all(faults) else None

    @property
    def remark(self) -> str:
        """What is wrong or worth knowing while captions go on, with what to do; or empty."""
        best = self.best
        remarks = [best.remark, *(_remark_on(lane, best) for lane in self if lane is not best)]
        remarks = [remark for remark in remarks if remark]
        if len(remarks) < 2:
            return remarks[0] if remarks else ""
        return Sentence("{one} {other}", one=remarks[0], other=remarks[1])

    # --- what is listened to ---------------------------------------------------------------

    def begin(self, now_ms: int, feed: Feed | None) -> list[e.Output]:
        """Listen; `feed` has been found already, for the first of them."""
        first = self.first
        return [out for lane in self for out in lane.begin(now_ms, feed if lane is first else None)]

    def choose(self, now_ms: int, choice: SourceChoice) -> list[e.Output]:
        """Something else is wanted. What is not part of it is heard until the rest is found."""
        wanted = voices(choice)
        paused_at_ms = self.first.paused_at_ms
        if not self._leaving:
            self._before = list(self._wanted)
        leaving = dict.fromkeys([*self._leaving, *self._wanted])
        self._leaving = [name for name in leaving if name not in wanted]
        out: list[e.Output] = []
        for name, source in wanted.items():
            if name not in self._all:
                self._all[name] = Lane(name, source)
            lane = self._all[name]
            if name not in self._wanted and paused_at_ms is not None:
                lane.pause(paused_at_ms)
            if not lane.listens_to(source):
                out += lane.choose(now_ms, source)
        self._wanted = list(wanted)
        return out + self._let_leave()

    def answer(self, now_ms: int, answer: e.Found | e.NotFound) -> list[e.Output]:
        """A search has ended; a choice that is refused leaves all as it was."""
        lane = self._all[answer.lane]
        if isinstance(answer, e.Found):
            out = lane.found(now_ms, answer)
        else:
            out = lane.not_found(now_ms, answer)
        if lane.fault is not None and self._leaving:
            return out + self._go_back(lane.name, lane.fault)
        return out + self._let_leave()

    def _go_back(self, refused: str, fault: UserError) -> list[e.Output]:
        heard = {*self._wanted, *self._leaving}
        self._wanted, self._leaving = self._before, []
        out: list[e.Output] = [Notice(refused, "refused", fault.message, fault.hint)]
        for name in heard.difference(self._wanted):
            out += self._all[name].leave()
        return out

    def _let_leave(self) -> list[e.Output]:
        return [] if any(lane.searching for lane in self) else self._all_leave()

    def _all_leave(self) -> list[e.Output]:
        leaving, self._leaving = self._leaving, []
        return [out for name in leaving for out in self._all[name].leave()]

    def pause(self, now_ms: int) -> list[e.Output]:
        return [*self._all_leave(), *(out for lane in self for out in lane.pause(now_ms))]

    def resume(self, now_ms: int) -> list[e.Output]:
        return [out for lane in self for out in lane.resume(now_ms)]

    def let_go(self) -> list[e.Output]:
        """Listen no more."""
        return [out for lane in self.everyone for out in lane.let_go()]

    def release(self) -> list[e.Output]:
        """All gaps: no more words come."""
        return [out for lane in self.everyone for out in lane.release()]

    def tick(self, now_ms: int) -> list[e.Output]:
        """What happens because time has passed."""
        return [out for lane in self for out in lane.tick(now_ms)]


def _remark_on(lane: Lane, best: Lane) -> str:
    """What is to be said of a voice while another one is the best."""
    if not lane.mute or best.mute:
        return lane.trouble if lane.mute else lane.remark
    parts = {"problem": lane.sound.message, "other": best.wanted_name, "hint": lane.sound.hint}
    if lane.sound.hint:
        return Sentence("{problem} Only {other} is captioned meanwhile. {hint}", **parts)
    return Sentence("{problem} Only {other} is captioned meanwhile.", **parts)

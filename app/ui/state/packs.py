"""The acceleration pack as windows show it: which one would be of use here, whether it is there,
what is being done with it. It is installed here, so that goes on while no window is open; captions
know nothing of it.

    packs.look()         # in the background; `changed` when there is something to see
    packs.install()      # on a thread of its own

Nothing is looked for on the network unless `install()` is called. Knows no widget.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.ui.state.background import in_background
from app.ui.state.job import End, Job
from model_backends.base import UserError

if TYPE_CHECKING:
    from app.models.download import Progress
    from app.models.machine import Machine
    from app.packs.install import Plan
    from app.packs.kept import Installed
    from app.packs.pins import Kind, Pins
    from app.packs.sources import Sources
    from app.packs.suits import Suit

log = logging.getLogger(__name__)

_NAME = "pack"


@dataclass(frozen=True, slots=True)
class PackState:
    """As far as is known. `suit` is None until this computer has been looked at."""

    suit: Suit | None = None
    plan: Plan | None = None  # what an installation would do; None where none is to be had
    why_none: str = ""  # one would be of use, and there is none for this computer
    here: Installed | None = None
    begun: int = 0  # bytes that an earlier time has brought
    spare: bool = False  # what runs Voxline has the packages itself, and uses those
    progress: Progress | None = None  # of what is being done with it now
    stopping: bool = False
    failure: UserError | None = None  # of the last time

    @property
    def busy(self) -> bool:
        return self.progress is not None

    @property
    def kind(self) -> Kind | None:
        """The one that is here, else the one that could be."""
        if self.here is not None:
            return self.here.kind
        return self.plan.build.kind if self.plan is not None else None

    @property
    def usable(self) -> bool:
        return self.here is not None and self.here.trouble is None

    @property
    def of_interest(self) -> bool:
        """Whether there is anything to see: what nobody needs here is not offered."""
        if self.busy or self.here is not None or self.failure is not None:
            return True
        wanted = self.plan is not None or bool(self.why_none)
        return (wanted or (self.suit is not None and self.suit.to_be_made)) and not self.spare


class Packs(QObject):
    """The one pack of this computer."""

    changed = Signal()
    settled = Signal()  # it has come or gone: which engines can run may be another answer

    def __init__(
        self,
        parent: QObject | None = None,
        machine: Callable[[], Machine] | None = None,
        known: Callable[[], Pins] | None = None,
        sources: Callable[[], Sources] | None = None,
    ) -> None:
        super().__init__(parent)
        self._machine, self._known, self._sources = machine, known, sources
        self.state = PackState()
        self._job: Job | None = None

    def look(self, then: Callable[[], None] = lambda: None) -> None:
        """Find out, in the background, what is here and what would be of use."""
        machine, known = self._machine, self._known

        def take(found: PackState) -> None:
            self._put(
                suit=found.suit,
                plan=found.plan,
                why_none=found.why_none,
                here=found.here,
                begun=found.begun,
                spare=found.spare,
            )
            self.changed.emit()
            then()

        in_background(lambda: _look(machine, known), take, _log_failure, owner=self)

    def install(self) -> None:
        """Get it, or go on, or put another in its place. Nothing happens while something is being
        done with it."""
        intended, sources = self.state.plan, self._sources
        if intended is None:
            return

        def work(job: Job) -> None:
            from app.packs.install import install

            install(intended, job.report, job.stop, sources() if sources else None)

        self._begin(work)

    def cancel(self) -> None:
        """End what is being done with it; what has come is kept."""
        if self._job is not None:
            self._put(stopping=True)
            self._job.stop.ask()
            self.changed.emit()

    def remove(self) -> None:
        """Delete it, and what has come of another."""

        def work(_job: Job) -> None:
            from app.packs import kept

            kept.remove([pack.folder for pack in kept.installed()])

        self._begin(work)

    def forget(self) -> None:
        """Somebody else has deleted it."""
        from app.packs import kept

        kept.tell_engines()
        self.look(self.settled.emit)

    def close(self) -> None:
        """The app ends: what is being fetched lets go, and what has come is kept."""
        if self._job is not None:
            self._job.stop.ask()
            self._job.leave()

    def _begin(self, work: Callable[[Job], None]) -> None:
        if self._job is not None:
            return
        from app.models.download import Progress

        self._job = Job(work, self._show, self._end, _NAME)
        total = self.state.plan.bytes if self.state.plan is not None else 0
        first = Progress(self.state.begun, total, "beginning")
        self._put(progress=first, failure=None, stopping=False)
        self.changed.emit()
        self._job.start()

    def _show(self, _name: str, progress: Progress) -> None:
        if self._job is not None:
            self._put(progress=progress)
            self.changed.emit()

    def _end(self, _name: str, end: End) -> None:
        from app.packs import kept

        self._job = None
        kept.tell_engines()
        self._put(progress=None, stopping=False, failure=end.failure)
        self.changed.emit()
        self.look(self.settled.emit)

    def _put(self, **values: object) -> None:
        self.state = replace(self.state, **values)  # type: ignore[arg-type]


def _look(machine: Callable[[], Machine] | None, known: Callable[[], Pins] | None) -> PackState:
    from app.models.machine import this_machine
    from app.packs import install, kept
    from app.packs.pins import KINDS
    from app.packs.suits import suit

    suits = suit((machine or this_machine)())
    pins = known() if known else None
    here = next(iter(kept.installed(pins)), None)
    kind = here.kind.name if here is not None else suits.kind
    plan, why_none = None, ""
    if kind:
        try:
            plan = install.plan(kind, known=pins)
        except UserError as error:
            why_none = error.message
    return PackState(
        suit=suits,
        plan=plan,
        why_none=why_none,
        here=here,
        begun=install.begun(plan) if plan is not None else 0,
        spare=kept.tensors_of_our_own(KINDS[kind or "cuda"]),
    )


def _log_failure(error: Exception) -> None:
    log.error("the packs could not be looked at", exc_info=error)

"""The models as windows show them: where each is, whether it suits this computer, what is being
done with it. Downloads live here, so they go on while no window is open; captions know nothing of
them.

    models.look()                  # in the background; `changed` when there is something to see
    models.download("voxtral")     # on a thread of its own

`wanted` brings a model that the user has asked for and that can be used from now on. Nothing is
looked for on the network unless `download()` is called. Knows no widget.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app import paths
from app.models.catalogue import Model, for_captions
from app.ui.state.background import in_background
from app.ui.state.job import End, Job
from model_backends.base import Sentence, UserError

if TYPE_CHECKING:
    from app.models.download import Progress
    from app.models.machine import Fit, Machine
    from app.models.places import Place
    from app.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelState:
    """One model, as far as is known. `fit` is None until this computer has been looked at."""

    model: Model
    place: Place | None = None
    begun: int = 0  # bytes that an earlier download has brought
    fit: Fit | None = None
    progress: Progress | None = None  # of what is being done with it now
    stopping: bool = False
    failure: UserError | None = None  # of the last time

    @property
    def busy(self) -> bool:
        return self.progress is not None

    @property
    def engine(self) -> str:
        """What would run it here; "" if nothing can."""
        return self.fit.engine if self.fit is not None and self.fit.runs else ""

    @property
    def usable(self) -> bool:
        return self.place is not None and self.place.checked and bool(self.engine)

    @property
    def name_for_engine(self) -> str:
        """What settings call it: a name in the models folder, or a path."""
        if self.place is None:
            return ""
        if self.model.is_embedded:
            return self.model.name
        return self.place.name_for_engine(self.model, paths.models_dir())

    def is_chosen(self, settings: Settings) -> bool:
        """Whether the settings ask for this one."""
        if self.model.is_embedded:
            wanted = settings.model or "base"
            return settings.engine == "embedded" and wanted == self.model.name
        if self.place is None or settings.engine not in (*self.model.engines, "voxtral"):
            return False
        folder = self.place.folder
        named = [self.name_for_engine, str(folder)]
        named += [folder.name] if folder.parent == paths.models_dir() else []
        return settings.model in named


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look has found out, by the model's name."""

    places: dict[str, Place | None] = field(default_factory=dict)
    begun: dict[str, int] = field(default_factory=dict)
    fits: dict[str, Fit] = field(default_factory=dict)


class Models(QObject):
    """Every model of the catalogue, and what is being done with each."""

    changed = Signal()
    wanted = Signal(object)  # ModelState, usable from now on
    chosen = Signal(object)  # ModelState, usable, which the user wants to have now
    settled = Signal()  # models have come or gone: which engines can run may be another answer

    def __init__(
        self,
        parent: QObject | None = None,
        models_dir: Callable[[], Path] = paths.models_dir,
        offered: Callable[[], Sequence[Model]] = for_captions,
        machine: Callable[[], Machine] | None = None,
    ) -> None:
        super().__init__(parent)
        self._models_dir, self._machine = models_dir, machine
        self._states = {model.name: ModelState(model) for model in offered()}
        self._jobs: dict[str, Job] = {}
        self._wished: set[str] = set()  # of them: to be used when they have come

    @property
    def states(self) -> list[ModelState]:
        return list(self._states.values())

    def state(self, name: str) -> ModelState:
        return self._states[name]

    # --- looking -------------------------------------------------------------------------------

    def look(self, then: Callable[[], None] = lambda: None) -> None:
        """Find out, in the background, what is here and what suits this computer."""
        models = [state.model for state in self.states]
        models_dir, machine = self._models_dir(), self._machine

        def take(found: _Found) -> None:
            self._take(found)
            then()

        in_background(lambda: _look(models, models_dir, machine), take, _log_failure, owner=self)

    def _take(self, found: _Found) -> None:
        for name in found.places:
            self._put(name, place=found.places[name], begun=found.begun[name], fit=found.fits[name])
        self.changed.emit()

    def _put(self, name: str, **values: object) -> None:
        self._states[name] = replace(self._states[name], **values)  # type: ignore[arg-type]

    # --- doing ---------------------------------------------------------------------------------

    def download(self, name: str) -> None:
        """Get it, or go on. Nothing happens while something is being done with it."""
        model, models_dir = self.state(name).model, self._models_dir()

        def work(job: Job) -> None:
            from app.models.download import download

            download(model, models_dir, job.report, job.stop)

        self._begin(name, work)

    def check(self, name: str) -> None:
        """Hash what is here, so that it can be used as it is."""
        model, models_dir = self.state(name).model, self._models_dir()

        def work(job: Job) -> None:
            _check(model, models_dir, job)

        self._begin(name, work)

    def cancel(self, name: str) -> None:
        """End what is being done with it; what has come is kept."""
        job = self._jobs.get(name)
        if job is not None:
            self._put(name, stopping=True)
            job.stop.ask()
            self.changed.emit()

    def remove(self, name: str) -> None:
        """Delete it, in the background. Not while something is being done with it."""
        if name in self._jobs:
            return
        model, models_dir = self.state(name).model, self._models_dir()

        def work(_job: Job) -> None:
            from app.models import places

            places.remove(model, models_dir)
            places.clear_away(models_dir)

        self._begin(name, work, wanted=False)

    def close(self) -> None:
        """The app ends: what is being fetched lets go, and what has come is kept."""
        for job in self._jobs.values():
            job.stop.ask()
        for job in self._jobs.values():
            job.leave()

    def _begin(self, name: str, work: Callable[[Job], None], wanted: bool = True) -> None:
        if name in self._jobs:
            return
        from app.models.download import Progress

        job = self._jobs[name] = Job(work, self._show, self._end, name)
        if wanted:
            self._wished.add(name)
        state = self.state(name)
        first = Progress(state.begun, state.model.bytes, "beginning")
        self._put(name, progress=first, failure=None, stopping=False)
        self.changed.emit()
        job.start()

    def _show(self, name: str, progress: Progress) -> None:
        if name in self._jobs:
            self._put(name, progress=progress)
            self.changed.emit()

    def _end(self, name: str, end: End) -> None:
        del self._jobs[name]
        wanted = end.done and name in self._wished
        self._wished.discard(name)

        def then() -> None:
            self.settled.emit()
            if wanted and self.state(name).usable:
                self.wanted.emit(self.state(name))

        self._put(name, progress=None, stopping=False, failure=end.failure)
        self.changed.emit()
        self.look(then)


def _look(
    models: Sequence[Model], models_dir: Path, machine: Callable[[], Machine] | None
) -> _Found:
    from app.models import places
    from app.models.machine import fit, this_machine

    here = (machine or this_machine)()
    found = _Found()
    for model in models:
        found.places[model.name] = places.find(model, models_dir)
        found.begun[model.name] = places.unfinished(model, models_dir)
        found.fits[model.name] = fit(model, here)
    return found


def _check(model: Model, models_dir: Path, job: Job) -> None:
    from app.models import receipts
    from app.models.download import Progress, verify
    from model_backends.downloads.fetch import StoppedError

    told_at = 0

    def read(count: int) -> bool:
        nonlocal told_at
        if count - told_at >= model.bytes // 200 or count >= model.bytes:
            told_at = count
            job.report(Progress(count, model.bytes, "checking"))
        return not job.stop.asked

    try:
        problems = verify(model, models_dir, read)
    except receipts.StoppedError as error:
        raise StoppedError from error
    if problems:
        raise UserError(
            Sentence("These are not the published files: {first}", first=problems[0]),
            Sentence("Download it: what is right will not come again."),
        )


def _log_failure(error: Exception) -> None:
    log.error("the models could not be looked at", exc_info=error)

"""Files on their way into the library: one is heard at a time, the others wait.

A worker of its own recognises each in the background; captions go on meanwhile. Shows nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal

from app.session.importing import HeardFile, hear, shelve
from app.session.library import Library
from app.ui.state.background import in_background
from model_backends.base import EngineOptions, Sentence, UserError

log = logging.getLogger(__name__)


class State(Enum):
    """How far a file has come."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class StoppedError(Exception):
    """Nobody wants this file any more."""


@dataclass(slots=True, eq=False)
class Job:
    """One file. Changed in the UI thread alone, but for `unwanted`."""

    path: Path
    language: str = ""  # ISO 639-1; "": the engine finds out
    state: State = State.WAITING
    heard_ms: int = 0
    duration_ms: int | None = None
    notes: tuple[str, ...] = ()
    session: int | None = None  # in the library
    unwanted: threading.Event = field(default_factory=threading.Event)

    @property
    def over(self) -> bool:
        return self.state in (State.DONE, State.STOPPED, State.FAILED)


Hear = Callable[[Path, EngineOptions, Callable[[int, int | None], None]], HeardFile]


class Imports(QObject):
    """`changed` tells of each job whenever there is something new about it."""

    changed = Signal(object)  # Job

    _heard = Signal(object, int, object)  # from the thread that hears: Job, heard, duration

    def __init__(
        self,
        options: Callable[[], EngineOptions],
        library: Library | None = None,
        parent: QObject | None = None,
        hear_file: Hear = hear,
    ) -> None:
        """`options` are asked for when a file's turn comes."""
        super().__init__(parent)
        self.options = options
        self.jobs: list[Job] = []
        self._library, self._hear = library or Library(), hear_file
        self._heard.connect(self._progress, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether a file is being heard, or waits to be."""
        return any(not job.over for job in self.jobs)

    def add(self, jobs: Iterable[Job]) -> None:
        """Take these after those that wait."""
        for job in jobs:
            self.jobs.append(job)
            self.changed.emit(job)
        self._next()

    def stop(self, job: Job) -> None:
        """This one is not wanted after all."""
        job.unwanted.set()
        if job.state is State.WAITING:
            self._end(job, State.STOPPED)

    def forget(self, job: Job) -> None:
        """It is over, and has been seen."""
        if job.over and job in self.jobs:
            self.jobs.remove(job)

    def _next(self) -> None:
        if any(job.state is State.WORKING for job in self.jobs):
            return
        job = next((job for job in self.jobs if job.state is State.WAITING), None)
        if job is None:
            return
        job.state = State.WORKING
        self.changed.emit(job)
        options = replace(self.options(), language=job.language or None)
        in_background(
            lambda: self._imported(job, options),
            lambda _: self._end(job, State.DONE),
            lambda error: self._fail(job, error),
            owner=self,
        )

    def _imported(self, job: Job, options: EngineOptions) -> None:
        """In the thread that hears."""

        def heard(heard_ms: int, duration_ms: int | None) -> None:
            if job.unwanted.is_set():
                raise StoppedError
            self._heard.emit(job, heard_ms, duration_ms)

        file = self._hear(job.path, options, heard)
        if job.unwanted.is_set():
            raise StoppedError
        job.session = shelve(file, self._library)
        job.notes = file.notes

    def _progress(self, job: Job, heard_ms: int, duration_ms: int | None) -> None:
        if not job.over:
            job.heard_ms, job.duration_ms = heard_ms, duration_ms
            self.changed.emit(job)

    def _fail(self, job: Job, error: Exception) -> None:
        if isinstance(error, StoppedError):
            self._end(job, State.STOPPED)
            return
        if isinstance(error, UserError):
            job.notes = tuple(filter(None, (error.message, error.hint)))
        else:
            log.error("a file could not be imported", exc_info=error)
            told = Sentence("{name} could not be transcribed.", name=job.path.name)
            job.notes = (told, Sentence("The log has the details."))
        self._end(job, State.FAILED)

    def _end(self, job: Job, state: State) -> None:
        job.state = state
        self.changed.emit(job)
        self._next()

"""Files that somebody opened with Voxline: a subtitle file for each, and a place in the library.

They are recognised by a worker of their own, in the background, with the engine that is chosen for
captions; captions go on meanwhile. The result lies beside the file, or, where nothing may be
written, in the folder for transcripts. Nothing is ever written over.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app import paths
from app.core.export import FORMATS, Export
from app.session.files import FileProblem, named_after, write_new, write_unique
from app.session.importing import hear, shelve
from app.session.library import LibraryProblem
from app.ui.state.background import in_background
from app.ui.widgets.banner import BannerStack
from model_backends.base import Counted, EngineOptions, Sentence, UserError, joined

if TYPE_CHECKING:
    from app.session.transcription import Transcript

log = logging.getLogger(__name__)

_ABOUT = "opened file"


class StoppedError(Exception):
    """The user does not want this file any more."""


@dataclass(slots=True)
class Opened:
    """One file, and whether its result is still wanted."""

    path: Path
    keeps: bool = True  # what was said, in the library
    unwanted: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Result:
    """Where the subtitles are, and what there is to say about them."""

    path: Path
    notes: tuple[str, ...]


Transcribe = Callable[[Opened, EngineOptions], Result]


class OpenedFiles(QObject):
    """Takes files in any number at any time. `saved` tells each result."""

    saved = Signal(Path)

    def __init__(
        self,
        options: Callable[[], EngineOptions],
        banners: BannerStack,
        parent: QObject | None = None,
        transcribe: Transcribe | None = None,
        keeps: Callable[[], bool] = lambda: True,
    ) -> None:
        """`options` are asked for with each file: what is chosen then is taken."""
        super().__init__(parent)
        self._options, self._banners, self._keeps = options, banners, keeps
        self._transcribe = transcribe or to_subtitles
        self._waiting: deque[Opened] = deque()
        self._now: Opened | None = None

    def add(self, files: Iterable[Path]) -> None:
        """Take these, after those that are waiting."""
        self._waiting.extend(Opened(path, self._keeps()) for path in files)
        if self._now is None:
            self._next()
        else:
            self._tell_progress()

    def stop(self) -> None:
        """Leave everything that is not done."""
        self._waiting.clear()
        if self._now is not None:
            self._now.unwanted.set()

    def _next(self) -> None:
        self._banners.end(_ABOUT)
        self._now = self._waiting.popleft() if self._waiting else None
        if self._now is None:
            return
        self._tell_progress()
        now, options = self._now, self._options()
        in_background(lambda: self._transcribe(now, options), self._done, self._failed, owner=self)

    def _tell_progress(self) -> None:
        assert self._now is not None
        text = Sentence("Transcribing {name} …", name=self._now.path.name)
        waiting = len(self._waiting)
        after = Counted("1 more after it.", "{count} more after it.", count=waiting)
        hint = after if waiting else ""
        self._banners.end(_ABOUT)
        banner = self._banners.ask(text, hint)  # it stays until it is over
        banner.about = _ABOUT
        banner.add_button(Sentence("Stop"), self.stop)

    def _done(self, result: Result) -> None:
        for note in result.notes:
            self._banners.tell("info", note)
        self._next()
        self.saved.emit(result.path)

    def _failed(self, error: Exception) -> None:
        assert self._now is not None
        name = self._now.path.name
        self._next()
        if isinstance(error, StoppedError):
            told = Sentence("Stopped: nothing was written for {name}.", name=name)
            self._banners.tell("info", told)
        elif isinstance(error, UserError):
            self._banners.tell("failure", error.message, error.hint)
        else:
            log.error("a file could not be transcribed", exc_info=error)
            told = Sentence("{name} could not be transcribed.", name=name)
            self._banners.tell("failure", told, Sentence("The log has the details."))


def to_subtitles(opened: Opened, options: EngineOptions) -> Result:
    """Recognise one file and write its subtitles; slow. Raises UserError, StoppedError."""

    def heard(_heard_ms: int, _duration_ms: int | None) -> None:
        if opened.unwanted.is_set():
            raise StoppedError

    file = hear(opened.path, options, heard)
    result = Result(_write(file.transcript), file.notes)
    if opened.keeps:
        try:
            shelve(file)
        except LibraryProblem as problem:  # the subtitles are there
            return replace(result, notes=(*result.notes, joined(problem.message, problem.hint)))
    return result


def _write(transcript: Transcript) -> Path:
    """Beside the sound; in our own folder if nothing may be written there, or there is one."""
    srt = FORMATS["srt"]
    words, gaps = transcript.words, transcript.gaps
    text = srt.write(Export(words, gaps, transcript.duration_ms, transcript.language))
    target = transcript.path.parent / named_after(transcript.path, srt.suffix)
    try:
        return write_new(target, text)
    except FileProblem:
        return write_unique(paths.transcripts_dir() / target.name, text)

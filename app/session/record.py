"""What a session leaves behind: its journal while it runs, its subtitle file at the end."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app import paths
from app.core.cues import cues
from app.core.export import to_srt
from app.core.timeline import Gap, Timeline
from app.session import journal
from app.session.files import FileProblem, write_new, write_unique
from app.worker.messages import Ready
from model_backends.base import Word


@dataclass(frozen=True, slots=True)
class Saved:
    """The session's subtitle file has been written."""

    path: Path


class Record:
    """One session's journal and subtitle file."""

    def __init__(
        self,
        header: dict[str, object],
        srt: Path | None,
        force: bool,
        on_error: Callable[[str, str], None],
    ) -> None:
        self._started = datetime.now(UTC)
        self._srt = srt
        self._force = force
        self._journal = journal.Journal(journal.new_path(), header, on_error)

    def add(self, event: Word | Gap) -> None:
        """Keep a word or gap; returns at once."""
        self._journal.append(event)

    def worker(self, pid: int | None, ready: Ready) -> None:
        """A worker is ready; `voxline doctor` shows its process."""
        if pid is not None:
            self._journal.worker_started(pid)

    def save(self, timeline: Timeline) -> Saved | None:
        """Write the subtitles and let the journal go; None if nothing was said and none asked for.

        Raises FileProblem when they cannot be written there: `rescue()` is next.
        """
        words = timeline.words()
        if not words and self._srt is None:
            self._journal.close(ended=True)
            return None
        text = to_srt(cues(words, timeline.gaps))
        if self._srt is not None:
            return self._written(write_new(self._srt, text, self._force))
        return self._written(write_unique(journal.transcript_path(self._started), text))

    def rescue(self, timeline: Timeline) -> Saved | None:
        """After `save()` has failed: write the subtitles where there is room; None if nowhere.

        The journal stays only then: it holds what could be written of the words.
        """
        text = to_srt(cues(timeline.words(), timeline.gaps))
        name = journal.transcript_path(self._started).name
        for folder in (paths.transcripts_dir(), Path.home(), Path(tempfile.gettempdir())):
            with contextlib.suppress(FileProblem):
                return self._written(write_unique(folder / name, text))
        self._journal.close(ended=True)
        return None

    def _written(self, path: Path) -> Saved:
        self._journal.saved(path)
        self._journal.close(ended=True)
        return Saved(path)

    def abandon(self) -> None:
        """Leave the journal for the next start to offer."""
        threading.Thread(
            target=self._journal.close, args=(False,), daemon=True, name="journal close"
        ).start()

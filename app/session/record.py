"""What a session leaves: its journal while it runs; at the end its subtitles, and in the library.

All of it happens on a thread of its own, in the order it was asked for: whoever asks returns at
once, whatever the disk does. Knows nothing of sound or engines.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from app import paths
from app.core.export import Export, export_of, format_of
from app.core.reheard import Reheard
from app.core.timeline import Gap, Timeline
from app.language import say
from app.session import journal
from app.session.events import Kept, Saved
from app.session.files import FileProblem, write_new, write_unique
from app.session.shelving import shelve
from app.session.status import SessionOptions
from model_backends.base import Notice, Sentence, UserError, Word

log = logging.getLogger(__name__)


class Record:
    """One session's journal, subtitle file and place in the library.

    `deliver` is called on the record's threads: a Notice (code "journal") when words cannot be
    kept safe meanwhile, one (code "library") if the session cannot be kept there, one Kept in
    answer to `save()`.
    """

    def __init__(
        self,
        header: Mapping[str, object],
        options: SessionOptions,
        deliver: Callable[[Notice | Kept], None],
    ) -> None:
        self._started = datetime.now(UTC)
        self._header = {
            "session": uuid.uuid4().hex, "name_in_srt": options.name_in_srt, **header
        }  # fmt: skip
        self._options = options
        self._deliver = deliver
        self._timeline = Timeline()
        self._journal: journal.Journal | None = None
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._jobs.put(self._open)
        threading.Thread(target=self._work, daemon=True, name="record").start()

    def add(self, event: Word | Gap | Reheard) -> None:
        """Keep a word, a gap, or what was heard a second time."""
        self._jobs.put(partial(self._add, event))

    def worker(self, pid: int) -> None:
        """A worker is ready; `voxline doctor` shows its process."""
        self._jobs.put(partial(self._note_worker, pid))

    def save(self) -> None:
        """Write subtitles and library, let the journal go; the record ends. The answer is a Kept.

        Where they were wanted, else where there is room. Nothing is written if nothing was said
        and no file was asked for. The journal stays only if there is no room anywhere.
        """
        self._jobs.put(self._save)
        self._jobs.put(None)

    def abandon(self) -> None:
        """Leave the journal, if it holds a word, for the next start to make safe; then end."""
        self._jobs.put(lambda: self._close(ended=not self._timeline.words()))
        self._jobs.put(None)

    # --- the record's thread ---------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:  # one word that cannot be kept must not cost the others
                log.exception("record")
                why = str(error) or type(error).__name__
                self._complain(Sentence("A word could not be kept on disk: {why}.", why=why), "")

    def _open(self) -> None:
        """Without a journal, too, captions go on and are saved at the end: so it is only told."""
        try:
            self._journal = journal.Journal(journal.new_path(), self._header, self._complain)
        except UserError as error:
            self._complain(_not_safe(error.message), error.hint)
        except OSError as error:
            self._complain(_not_safe(error.strerror or str(error)), _WITHOUT_JOURNAL)

    def _complain(self, message: str, hint: str) -> None:
        self._deliver(Notice("", "journal", message, hint))

    def _add(self, event: Word | Gap | Reheard) -> None:
        self._timeline.add(event)
        if self._journal is not None:
            self._journal.append(event)

    def _note_worker(self, pid: int) -> None:
        if self._journal is not None:
            self._journal.worker_started(pid)

    def _save(self) -> None:
        kept = Kept()
        try:
            kept = self._saved_somewhere()
            self._shelve(kept.saved)
            if kept.saved is not None and self._journal is not None:
                self._journal.saved(kept.saved.path)
            self._close(ended=True)
        finally:
            self._deliver(kept)  # somebody waits for it

    def _shelve(self, saved: Saved | None) -> None:
        """Subtitles that nobody named go when the session goes."""
        ours = saved.path if saved is not None and self._options.srt is None else None
        told = shelve(self._header, self._started, self._timeline, ours)
        if told is not None:
            self._deliver(told)

    def _saved_somewhere(self) -> Kept:
        try:
            kept = Kept(self._written())
        except Exception as error:
            log.exception("the subtitles could not be written")
            kept = Kept(self._rescued(), _not_saved(error))
        try:
            self._write_as_shown()
        except Exception as error:
            log.exception("the captions as shown could not be written")
            kept = replace(kept, problem=kept.problem or _not_saved(error))
        return kept

    def _written(self) -> Saved | None:
        words = self._timeline.words()
        wanted = self._options.srt
        if not words and wanted is None:
            return None
        if wanted is not None:
            text = self._transcript(wanted.suffix)
            return Saved(write_new(wanted, text, self._options.force))
        path = journal.transcript_path(self._started)
        return Saved(write_unique(path, self._transcript(path.suffix)))

    def _write_as_shown(self) -> None:
        if (shown := self._options.as_shown) is not None:
            text = format_of(shown.suffix).write(self._export().as_shown)
            write_new(shown, text, self._options.force)

    def _transcript(self, suffix: str) -> str:
        """What the file's ending promises: a WebVTT file that held SubRip would not play."""
        return format_of(suffix).write(self._export())

    def _export(self) -> Export:
        """All that is kept of the session: the record, and what was shown."""
        chosen = self._options
        return export_of(self._timeline, chosen.names, chosen.name_in_srt, say)

    def _rescued(self) -> Saved | None:
        name = journal.transcript_path(self._started).name
        text = self._transcript(Path(name).suffix)
        places = (paths.transcripts_dir, Path.home, lambda: Path(tempfile.gettempdir()))
        for place in places:
            with contextlib.suppress(FileProblem, OSError, RuntimeError):  # there may be no home
                return Saved(write_unique(place() / name, text))
        return None

    def _close(self, ended: bool) -> None:
        if self._journal is not None:
            self._journal.close(ended)


_WITHOUT_JOURNAL = Sentence("Captions go on; they are saved when the session ends.")


def _not_safe(why: str) -> Sentence:
    return Sentence("What is said cannot be kept safe on disk meanwhile: {why}", why=why)


def _not_saved(error: Exception) -> Notice:
    if isinstance(error, UserError):
        return Notice("", "not-saved", error.message, error.hint)
    message = Sentence("The subtitles could not be written: {why}.", why=error)
    return Notice("", "not-saved", message, Sentence("The log has the details."))


__all__ = ["Record", "Saved"]

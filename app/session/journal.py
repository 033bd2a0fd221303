"""The journal of a session: every committed word on disk within a second of being committed.

JSON Lines, one file a session, readable by its owner only. First the header, then words and gaps
as they come, and what was heard a second time, last a line that says how it ended:

    {"type": "header", "version": 1, "session": "…", "started": "2026-11-22T13:30:05+00:00",
     "pid": 4711, "created": 1764000000.1, "engine": "embedded", …}
    {"type": "worker", "pid": 4712}
    {"type": "word", "lane": "me", "track": 0, "utterance": 3, "text": " so", "start_ms": …, …}
    {"type": "gap", "lane": "me", "start_ms": …, "end_ms": …, "reason": "paused"}
    {"type": "reheard", "lane": "me", "start_ms": …, "end_ms": …, "words": [{"lane": …}, …]}
    {"type": "end"}
    {"type": "saved", "path": "…/Voxline 2026-11-22 14.30.05.srt"}

Reading tolerates a torn last line and lines that are none of these.

Privacy: a journal exists only until its transcript is saved. `saved()` followed by `close()`, and
`recover()`, delete it, so that the file in the user's own folder is the only copy; `close()`
deletes one without words, `discard()` any other unsaved, and `prune()` what a crash at the last
moment has left. Only sessions that died before they could save stay, until the user decides.

Knows nothing about engines, sound or windows.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from app import paths
from app.core.export import FORMATS, Export
from app.core.reheard import Reheard
from app.core.timeline import Gap
from app.session.files import FileProblem, file_problem, write_new, write_unique
from app.session.journal_records import Contents, local_time, read
from app.session.processes import identity, is_alive
from model_backends.base import Event, Sentence, Word

VERSION = 1
SUFFIX = ".jsonl"
_RETRY_S = 0.5  # how long to wait after a failed write
_LOOK_S = 2.0  # how often the file is looked for while nothing is said
_PREVIEW_WORDS = 12

OnError: TypeAlias = Callable[[str, str], None]  # (message, hint), called in the writer's thread


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A session that died with words not saved."""

    path: Path
    started: datetime  # local time
    words: int
    preview: str  # its first words


@dataclass(frozen=True, slots=True)
class Running:
    """A session that is going on now, in this or another process."""

    path: Path
    pid: int
    worker_pid: int | None
    started: datetime
    engine: str | None


class Journal:
    """Writes one session's journal in a thread of its own.

    Never raises after a bad disk and never blocks: while lines cannot be written they wait in
    memory and are tried again twice a second. `on_error` is told once per outage.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], on_error: OnError) -> None:
        self.path = path
        self._on_error = on_error
        self._file = _JournalFile(path)
        self._waiting: deque[str] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._failing = False
        self._saved = False
        self._holds_words = False
        self._told_remade = 0
        self._append(_header(header))
        self._flush()  # at once, so that the session can be seen from outside
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def append(self, event: Event | Gap | Reheard) -> None:
        """Take in an event; only words, gaps and the record are kept. Returns at once."""
        if isinstance(event, Word):
            self._holds_words = True
            self._append({"type": "word", **asdict(event)})
        elif isinstance(event, Gap):
            self._append({"type": "gap", **asdict(event)})
        elif isinstance(event, Reheard):
            self._append({"type": "reheard", **asdict(event)})

    def worker_started(self, pid: int) -> None:
        """Record the worker's process, for `voxline doctor`."""
        self._append({"type": "worker", "pid": pid})

    def saved(self, path: Path) -> None:
        """The transcript is safely elsewhere: `close()` will delete the journal."""
        self._saved = True
        self._append({"type": "saved", "path": str(path.absolute())})

    def close(self, ended: bool, timeout_s: float = 2.0) -> bool:
        """Write what waits and stop. Returns whether every word is on disk (here or saved).

        `ended`: the session was stopped in good order. Waits at most `timeout_s`.
        """
        if ended:
            self._append({"type": "end"})
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)
        wordless = ended and self._file.holds_anything and not self._holds_words
        if self._saved or wordless:  # there is nothing to be offered again
            self._file.unwanted = True  # a slow disk may have us still write to it
            with contextlib.suppress(OSError):  # prune() will find it
                self.path.unlink(missing_ok=True)
            return True
        return not self._waiting and not self._thread.is_alive()

    def _append(self, record: Mapping[str, Any]) -> None:
        with self._changed:
            self._waiting.append(json.dumps(record, ensure_ascii=False) + "\n")
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing, _LOOK_S)
                if self._closing and not self._waiting:
                    break
                last_try = self._closing
            if self._flush():
                continue
            if last_try:
                break
            with self._changed:
                self._changed.wait_for(lambda: self._closing, _RETRY_S)
        self._file.close()

    def _flush(self) -> bool:
        """Put all waiting lines on disk; on failure they keep waiting."""
        with self._changed:
            lines = list(self._waiting)
        try:
            self._file.append("".join(lines).encode("utf-8", "replace"))
        except OSError as error:
            self._report(error)
            return False
        self._tell_if_gone()
        with self._changed:
            for _ in lines:
                self._waiting.popleft()
        self._failing = False
        return True

    def _report(self, error: OSError) -> None:
        if self._failing:
            return
        self._failing = True
        problem = file_problem(self.path, error)
        self._on_error(
            Sentence(
                "The transcript cannot be kept safe on disk. {problem}", problem=problem.message
            ),
            Sentence("{hint} Until then the words are kept in memory.", hint=problem.hint),
        )

    def _tell_if_gone(self) -> None:
        if self._file.path != self.path or self._file.remade > self._told_remade:
            self.path, self._told_remade = self._file.path, self._file.remade
            self._on_error(
                Sentence("The file that keeps this session’s words safe was removed."),
                Sentence("It has been written again. Leave it alone until the session ends."),
            )


class _JournalFile:
    """A file that grows by durable pieces; a piece that failed is written over by the next.

    If somebody removes it, or the folder, it is made again with all that was in it: the system
    keeps what we hold open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.remade = 0  # how often it was gone
        self.unwanted = False  # from now on it may go
        self._handle: int | None = None
        self._size = 0  # bytes known to be good

    def append(self, data: bytes) -> None:
        """Write and sync; nothing is written of no data, but the file is looked for all the same.

        Raises OSError; may be tried again.
        """
        if self._handle is None:
            self._handle = self._made(self.path)
        elif self._is_gone() and not self.unwanted:
            self._make_again()
        if data:
            self._write(self._handle, data)
            self._size += len(data)

    @property
    def holds_anything(self) -> bool:
        """Whether we have written to it, so that it is ours."""
        return self._size > 0

    def close(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):
                os.close(self._handle)
            self._handle = None

    def _write(self, handle: int, data: bytes, at: int | None = None) -> None:
        os.lseek(handle, self._size if at is None else at, os.SEEK_SET)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)

    def _made(self, path: Path) -> int:
        paths.make_private(path.parent, tighten=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)

    def _is_gone(self) -> bool:
        """Whether our name leads to another file, or none."""
        assert self._handle is not None
        ours = os.fstat(self._handle)
        try:
            there = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        same = (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
        return not same and there.st_size != ours.st_size  # some network systems number anew

    def _make_again(self) -> None:
        assert self._handle is not None
        path = new_path(self.path.parent) if os.path.lexists(self.path) else self.path
        os.lseek(self._handle, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self._handle), "rb") as old:
            written = old.read(self._size)
        fresh = self._made(path)
        try:
            self._write(fresh, written, at=0)
        except OSError:
            os.close(fresh)
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        os.close(self._handle)
        self._handle, self.path, self.remade = fresh, path, self.remade + 1


def new_path(folder: Path | None = None) -> Path:
    """A name no other session has, sorting by start: "20261122T133005Z-1a2b3c4d.jsonl"."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return (folder or paths.journal_dir()) / f"{stamp}-{uuid.uuid4().hex[:8]}{SUFFIX}"


def transcript_path(started: datetime, folder: Path | None = None) -> Path:
    """Where a session's subtitles go: "Voxline 2026-11-22 14.30.05.srt" in the Voxline folder."""
    name = local_time(started).strftime("Voxline %Y-%m-%d %H.%M.%S.srt")
    return (folder or paths.transcripts_dir()) / name


def unfinished(folder: Path) -> list[Unfinished]:
    """Sessions that died with words unsaved, oldest first; those still running are left out."""
    found = []
    for path, contents in _journals(folder):
        words = contents.words
        if words and contents.saved is None and not is_alive(contents.header):
            preview = "".join(word.text for word in words[:_PREVIEW_WORDS]).strip()
            found.append(Unfinished(path, contents.started, len(words), preview))
    return found


def running(folder: Path) -> list[Running]:
    """Sessions going on now, of every instance of the app."""
    return [
        Running(
            path,
            contents.header["pid"],
            contents.worker_pid,
            contents.started,
            engine if isinstance(engine := contents.header.get("engine"), str) else None,
        )
        for path, contents in _journals(folder)
        if not contents.ended and contents.saved is None and is_alive(contents.header)
    ]


def recover(
    path: Path,
    srt: Path | None = None,
    before_discard: Callable[[Contents, Path], None] = lambda contents, saved: None,
) -> Path:
    """Write the subtitles of an unfinished session and delete its journal. Returns their path.

    `srt` None: in the Voxline folder, under the session's own start time. `before_discard` may put
    the words elsewhere, too. Raises FileProblem, and then the journal stays.
    """
    contents = read(path)
    if contents.saved is not None and contents.saved.exists():
        discard(path)
        return contents.saved
    export = Export(contents.words, contents.gaps, names=contents.names, shown=contents.shown)
    text = FORMATS["srt"].write(export)
    saved = write_new(srt, text) if srt else write_unique(transcript_path(contents.started), text)
    before_discard(contents, saved)
    discard(path)
    return saved


def discard(path: Path) -> None:
    """Delete a journal. Raises FileProblem if the system refuses."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise file_problem(path, error, "delete") from error


def prune(folder: Path) -> None:
    """Delete journals nobody needs: saved ones and wordless ones of sessions that are over."""
    for path, contents in _journals(folder):
        if (contents.saved is not None or not contents.words) and not is_alive(contents.header):
            with contextlib.suppress(FileProblem):  # next time
                discard(path)


# --- reading -------------------------------------------------------------------------------


def _header(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "header",
        "version": VERSION,
        "session": uuid.uuid4().hex,
        "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
        **identity(),
        **given,
    }


def _journals(folder: Path) -> Iterable[tuple[Path, Contents]]:
    """The journals that can be read; the folder need not be there, nor be ours to look into."""
    try:
        found = sorted(folder.glob("*" + SUFFIX))
    except OSError:
        return
    for path in found:
        with contextlib.suppress(FileProblem):  # deleted meanwhile, not ours to read, a pipe
            yield path, read(path)

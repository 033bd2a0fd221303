"""The journal of a session: every committed word on disk within a second of being committed.

JSON Lines, one file a session, readable by its owner only. First the header, then words and gaps
as they come, last a line that says how it ended:

    {"type": "header", "version": 1, "session": "…", "started": "2026-11-22T13:30:05+00:00",
     "pid": 4711, "created": 1764000000.1, "engine": "embedded", …}
    {"type": "worker", "pid": 4712}
    {"type": "word", "lane": "me", "track": 0, "utterance": 3, "text": " so", "start_ms": …, …}
    {"type": "gap", "lane": "me", "start_ms": …, "end_ms": …, "reason": "paused"}
    {"type": "end"}
    {"type": "saved", "path": "…/Voxline 2026-11-22 14.30.05.srt"}

Reading tolerates a torn last line and lines that are none of these.

Privacy: a journal exists only until its transcript is saved. `saved()` followed by `close()`, and
`recover()`, delete it, so that the file in the user's own folder is the only copy; `discard()`
deletes it unsaved, and `prune()` what a crash at the last moment has left. Only sessions that
died before they could save stay, until the user decides.

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
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import psutil

from app import paths
from app.core.cues import cues
from app.core.export import to_srt
from app.core.timeline import Gap, Timeline
from app.session.files import FileProblem, file_problem, write_new, write_unique
from model_backends.base import Event, Word

VERSION = 1
SUFFIX = ".jsonl"
_RETRY_S = 0.5  # how long to wait after a failed write
_SAME_PROCESS_S = 5.0  # clock corrections move a process's start time by less
_PREVIEW_WORDS = 12

OnError: TypeAlias = Callable[[str, str], None]  # (message, hint), called in the writer's thread


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a journal holds."""

    header: dict[str, Any]
    words: list[Word] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    ended: bool = False  # the session was stopped, rather than cut off
    saved: Path | None = None  # where its subtitles were written
    worker_pid: int | None = None  # of the latest worker

    @property
    def started(self) -> datetime:
        """When the session began, in local time; the epoch if the header does not say."""
        try:
            return datetime.fromisoformat(self.header["started"]).astimezone()
        except (KeyError, TypeError, ValueError):
            return datetime.fromtimestamp(0, UTC).astimezone()


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
        self._append(_header(header))
        self._flush()  # at once, so that the session can be seen from outside
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def append(self, event: Event | Gap) -> None:
        """Take in an event; only words and gaps are kept. Returns at once."""
        if isinstance(event, Word):
            self._append({"type": "word", **asdict(event)})
        elif isinstance(event, Gap):
            self._append({"type": "gap", **asdict(event)})

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
        if self._saved:
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
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
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
            f"The transcript cannot be kept safe on disk. {problem.message}",
            f"{problem.hint} Until then the words are kept in memory.",
        )


class _JournalFile:
    """A file that grows by durable pieces; a piece that failed is written over by the next."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None
        self._size = 0  # bytes known to be good

    def append(self, data: bytes) -> None:
        """Write and sync. Raises OSError; may be tried again."""
        if self._handle is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            self._handle = os.open(self._path, flags, 0o600)
        os.lseek(self._handle, self._size, os.SEEK_SET)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._handle, rest) :]
        os.fsync(self._handle)
        self._size += len(data)

    def close(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):
                os.close(self._handle)
            self._handle = None


def new_path(folder: Path | None = None) -> Path:
    """A name no other session has, sorting by start: "20261122T133005Z-1a2b3c4d.jsonl"."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return (folder or paths.journal_dir()) / f"{stamp}-{uuid.uuid4().hex[:8]}{SUFFIX}"


def transcript_path(started: datetime, folder: Path | None = None) -> Path:
    """Where a session's subtitles go: "Voxline 2026-11-22 14.30.05.srt" in the Voxline folder."""
    name = started.astimezone().strftime("Voxline %Y-%m-%d %H.%M.%S.srt")
    return (folder or paths.transcripts_dir()) / name


def read(path: Path) -> Transcript:
    """What can be read of a journal. Raises FileProblem if it cannot be opened."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise file_problem(path, error, "read") from error
    timeline = Timeline()
    found: dict[str, Any] = {"header": {}, "ended": False, "saved": None, "worker_pid": None}
    for record in _records(lines):
        event = _event(record)
        if event is not None:
            timeline.add(event)
        else:
            found |= _note(record)
    return Transcript(words=timeline.words(), gaps=timeline.gaps, **found)


def unfinished(folder: Path) -> list[Unfinished]:
    """Sessions that died with words unsaved, oldest first; those still running are left out."""
    found = []
    for path, transcript in _journals(folder):
        words = transcript.words
        if words and transcript.saved is None and not _is_running(transcript):
            preview = "".join(word.text for word in words[:_PREVIEW_WORDS]).strip()
            found.append(Unfinished(path, transcript.started, len(words), preview))
    return found


def running(folder: Path) -> list[Running]:
    """Sessions going on now, of every instance of the app."""
    return [
        Running(
            path,
            transcript.header["pid"],
            transcript.worker_pid,
            transcript.started,
            transcript.header.get("engine"),
        )
        for path, transcript in _journals(folder)
        if not transcript.ended and transcript.saved is None and _is_running(transcript)
    ]


def recover(path: Path, srt: Path | None = None) -> Path:
    """Write the subtitles of an unfinished session and delete its journal. Returns their path.

    `srt` None: in the Voxline folder, under the session's own start time. Raises FileProblem, and
    then the journal stays.
    """
    transcript = read(path)
    if transcript.saved is not None and transcript.saved.exists():
        discard(path)
        return transcript.saved
    text = to_srt(cues(transcript.words, transcript.gaps))
    saved = write_new(srt, text) if srt else write_unique(transcript_path(transcript.started), text)
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
    for path, transcript in _journals(folder):
        if (transcript.saved is not None or not transcript.words) and not _is_running(transcript):
            with contextlib.suppress(FileProblem):  # next time
                discard(path)


# --- reading -------------------------------------------------------------------------------


def _header(given: Mapping[str, Any]) -> dict[str, Any]:
    process = psutil.Process()
    return {
        "type": "header",
        "version": VERSION,
        "session": uuid.uuid4().hex,
        "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "pid": process.pid,
        "created": process.create_time(),
        **given,
    }


def _journals(folder: Path) -> Iterable[tuple[Path, Transcript]]:
    for path in sorted(folder.glob("*" + SUFFIX)):
        with contextlib.suppress(FileProblem):  # deleted meanwhile, or not ours to read
            yield path, read(path)


def _records(lines: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):  # torn or garbage
            continue
        if isinstance(record, dict):
            yield record


def _event(record: dict[str, Any]) -> Word | Gap | None:
    """The word or gap that a record holds, if it holds one that is whole."""
    match record:
        case {"type": "word", "text": str(), "track": int(), "utterance": int()}:
            kind: type[Word | Gap] = Word
        case {"type": "gap", "reason": str()}:
            kind = Gap
        case _:
            return None
    match record:
        case {"lane": str(), "start_ms": int(), "end_ms": int()}:
            pass
        case _:
            return None
    known = {field.name for field in fields(kind)}
    return kind(**{key: value for key, value in record.items() if key in known})


def _note(record: dict[str, Any]) -> dict[str, Any]:
    """What a record that is neither word nor gap says about the session."""
    match record:
        case {"type": "header"}:
            return {"header": {k: v for k, v in record.items() if k != "type"}}
        case {"type": "worker", "pid": int(pid)}:
            return {"worker_pid": pid}
        case {"type": "saved", "path": str(path)}:
            return {"saved": Path(path)}
        case {"type": "end"}:
            return {"ended": True}
    return {}


def _is_running(transcript: Transcript) -> bool:
    """Whether the process that wrote the journal still lives; a reused pid does not count."""
    pid, created = transcript.header.get("pid"), transcript.header.get("created")
    if not isinstance(pid, int) or not isinstance(created, int | float):
        return False
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return bool(abs(process.create_time() - created) < _SAME_PROCESS_S)
    except (psutil.Error, ValueError):
        return False

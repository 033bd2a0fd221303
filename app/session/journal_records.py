"""What the lines of a journal mean, whoever wrote them: every record is checked by itself.

A torn last line, garbage, a record of impossible times or of wrong kinds is passed over; the rest
counts. Nothing here hangs or raises anything but FileProblem. Knows nothing of writing journals.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from app.core.reheard import Reheard
from app.core.timeline import Gap, Timeline
from app.core.voices import NAMES
from app.session.files import file_problem
from model_backends.base import Word

_LONGEST_LINE = 1 << 20  # bytes
_LATEST_MS = 10**11  # three years
_LONGEST_TEXT = 10_000  # characters of one word


@dataclass(frozen=True, slots=True)
class Contents:
    """What a journal holds."""

    header: dict[str, Any]
    words: list[Word] = field(default_factory=list)  # the record
    shown: list[Word] | None = None  # the captions, if some of it was heard a second time
    gaps: list[Gap] = field(default_factory=list)
    ended: bool = False  # the session was stopped, rather than cut off
    saved: Path | None = None  # where its subtitles were written
    worker_pid: int | None = None  # of the latest worker

    @property
    def started(self) -> datetime:
        """When the session began, in local time; the epoch if the header does not say."""
        try:
            return local_time(datetime.fromisoformat(self.header["started"]))
        except (KeyError, TypeError, ValueError, OverflowError):
            return local_time(datetime.fromtimestamp(0, UTC))

    @property
    def names(self) -> dict[str, str]:
        """What the voices were called; of what the header does not say, the usual names."""
        given = self.header.get("names")
        given = given if isinstance(given, dict) else {}
        texts = {lane: _whole(name) for lane, name in given.items() if isinstance(name, str)}
        return {**NAMES, **texts}


def local_time(moment: datetime) -> datetime:
    """The moment in the user's time zone; in UTC if the system's idea of that zone is nonsense."""
    try:
        return moment.astimezone()
    except (ValueError, OverflowError, OSError):
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return zoned.astimezone(UTC)


def read(path: Path) -> Contents:
    """What can be read of a journal. Raises FileProblem if it cannot be opened, or is no file."""
    timeline = Timeline()
    found: dict[str, Any] = {"header": {}, "ended": False, "saved": None, "worker_pid": None}
    try:
        with _opened(path) as file:
            for record in _records(_lines(file)):
                event = _event(record)
                if event is not None:
                    timeline.add(event)
                else:
                    found |= _note(record)
    except OSError as error:
        raise file_problem(path, error, "read") from error
    shown = timeline.words() if timeline.reheard else None
    return Contents(words=timeline.record(), shown=shown, gaps=timeline.gaps, **found)


def _opened(path: Path) -> BinaryIO:
    """The file; a pipe or device in its place would be waited for without end. Raises OSError."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a file")
    return file


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        yield line


def _records(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):  # torn or garbage
            continue
        if isinstance(record, dict):
            yield record


def _event(record: dict[str, Any]) -> Word | Gap | Reheard | None:
    """The word, gap or stretch that a record holds, if it holds one that is whole."""
    match record:
        case {"lane": str(), "start_ms": int(start_ms), "end_ms": int(end_ms)}:
            if not (abs(start_ms) <= _LATEST_MS and abs(end_ms) <= _LATEST_MS):
                return None
        case _:
            return None
    match record:
        case {"type": "word", "text": str(text), "track": int(), "utterance": int()}:
            kind: type[Word | Gap] = Word
            if len(text) > _LONGEST_TEXT or not isinstance(record.get("language"), str | None):
                return None
        case {"type": "gap", "reason": str()}:
            kind = Gap
        case {"type": "reheard", "words": list(words)}:
            return _stretch(record, words)
        case _:
            return None
    known = {each.name for each in fields(kind)}
    return kind(**{key: _whole(value) for key, value in record.items() if key in known})


def _stretch(record: dict[str, Any], words: list[Any]) -> Reheard | None:
    """With a word that is not whole the captions are the better record."""
    found = [_event({**word, "type": "word"}) for word in words if isinstance(word, dict)]
    whole = [word for word in found if isinstance(word, Word)]
    if len(whole) < len(words) or any(word.lane != record["lane"] for word in whole):
        return None
    lane, start_ms, end_ms = _whole(record["lane"]), record["start_ms"], record["end_ms"]
    return Reheard(lane, start_ms, end_ms, tuple(whole))


def _whole(value: Any) -> Any:
    """Text without halves of characters, which no file and no window could take."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


def _note(record: dict[str, Any]) -> dict[str, Any]:
    """What a record that is neither word nor gap says about the session."""
    match record:
        case {"type": "header"}:
            return {"header": {k: v for k, v in record.items() if k != "type"}}
        case {"type": "worker", "pid": int(pid)}:
            return {"worker_pid": pid}
        case {"type": "saved", "path": str(path)} if "\0" not in path:
            return {"saved": Path(_whole(path))}
        case {"type": "end"}:
            return {"ended": True}
    return {}

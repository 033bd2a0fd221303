"""The library: every session that was kept, to be listed, searched, read, named, edited, deleted.

    library = Library()
    library.keep(said)
    for entry in library.sessions(): ...        # the newest first
    for found in library.search("lighthouse"): ...

Each call opens the file and closes it again; any thread may call. Raises LibraryProblem, which is
a sentence for the user. Searching reads all that was said, the newest first: a year of it takes a
few hundredths of a second, and nothing of a deleted session stays behind in an index.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.script import pieces
from app.core.search import PARAGRAPH, places, sought
from app.core.timeline import Gap
from app.session.library_file import LibraryProblem, library_file, reading, remove, writing
from app.session.retention import Noted, looked, too_old
from app.session.stored import (
    Entry,
    Said,
    Stored,
    languages_of,
    moment,
    packed,
    text_of,
    unpacked,
    zone_of,
)
from model_backends.base import Sentence, Word

__all__ = ["UNDO_MS", "Found", "Library", "LibraryProblem", "Snippet"]

UNDO_MS = 10_000  # how long a deleted session can be had back
_TOUCHED_MS = 60_000  # a subtitle file changed later than this after it was written is the user's
_AROUND = 48  # characters before and after a hit
_ENTRY = (
    "session.id, started_ms, zone_s, duration_ms, words, preview, title, origin, languages, file, "
    "edited"
)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A hit and the words around it."""

    before: str
    hit: str
    after: str


@dataclass(frozen=True, slots=True)
class Found:
    """A session in which something was found."""

    entry: Entry
    count: int  # how often
    snippet: Snippet  # the first of it


class Library:
    """The sessions in one file; None: where Voxline keeps them."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or library_file()

    # --- reading -----------------------------------------------------------------------------

    def sessions(self) -> list[Entry]:
        """All, the newest first."""
        with reading(self.path) as connection:
            if connection is None:
                return []
            rows = connection.execute(
                f"SELECT {_ENTRY} FROM session WHERE deleted_ms IS NULL ORDER BY started_ms DESC"
            )
            return [_entry(row) for row in rows]

    def read(self, session: int) -> Stored:
        """One session with its words. Raises LibraryProblem also if there is no such session."""
        with reading(self.path) as connection:
            row = (
                connection
                and connection.execute(
                    f"SELECT {_ENTRY}, facts, kept, shown FROM session JOIN content USING (id) "
                    "WHERE session.id = ? AND deleted_ms IS NULL",
                    (session,),
                ).fetchone()
            )
        if not row:
            raise _no_such(session)
        *entry, facts, kept, shown = row
        words, gaps = self._unpacked(kept)
        as_shown = None if shown is None else self._unpacked(shown)[0]
        return Stored(_entry(entry), words, gaps, _facts(facts), as_shown)

    def search(self, query: str) -> Iterator[Found]:
        """The sessions in which this was said, the newest first, as they are found."""
        wanted = sought(query)
        if not wanted:
            return
        data = _bytes(wanted)
        with reading(self.path) as connection:
            if connection is None:
                return
            rows = connection.execute(
                f"SELECT {_ENTRY}, folded FROM session CROSS JOIN search USING (id) "
                "WHERE deleted_ms IS NULL ORDER BY started_ms DESC"
            )
            for *entry, text in rows:
                at = text.find(data)
                if at >= 0:
                    paragraph = text.count(PARAGRAPH.encode(), 0, at)
                    snippet = _snippet(_said(connection, entry[0]), paragraph, wanted)
                    yield Found(_entry(entry), text.count(data), snippet)

    def _unpacked(self, data: bytes) -> tuple[list[Word], list[Gap]]:
        try:
            return unpacked(data)
        except (ValueError, TypeError, LookupError, zlib.error) as error:
            message = Sentence("This session is damaged: its words cannot be read.")
            raise LibraryProblem(message, Sentence("Other sessions are not affected.")) from error

    # --- writing -----------------------------------------------------------------------------

    def keep(self, said: Said) -> int:
        """Add a session, unless it is there already; its number. On the disk when this returns."""
        with writing(self.path) as connection:
            there = connection.execute("SELECT id FROM session WHERE uid = ?", (said.uid,))
            if row := there.fetchone():
                return int(row[0])
            return _add(connection, said)

    def rename(self, session: int, title: str) -> None:
        """Give a session a name; "" takes it away."""
        with writing(self.path) as connection:
            changed = connection.execute(
                "UPDATE session SET title = ? WHERE id = ? AND deleted_ms IS NULL",
                (_whole(" ".join(title.split())), session),
            )
            if not changed.rowcount:
                raise _no_such(session)

    def edit(self, session: int, words: Sequence[Word]) -> None:
        """Put these words in the place of a session's. What was heard is kept beside them."""
        stored = self.read(session)
        with writing(self.path) as connection:
            connection.execute(
                "UPDATE content SET heard = coalesce(heard, kept), kept = ? WHERE id = ?",
                (packed(words, stored.gaps), session),
            )
            _write_text(connection, session, words, stored.gaps, edited=True)

    def unedit(self, session: int) -> None:
        """Back to what was heard."""
        with writing(self.path) as connection:
            row = connection.execute(
                "SELECT heard FROM content WHERE id = ? AND heard IS NOT NULL", (session,)
            ).fetchone()
            if row is None:
                return
            words, gaps = self._unpacked(row[0])
            connection.execute(
                "UPDATE content SET kept = heard, heard = NULL WHERE id = ?", (session,)
            )
            _write_text(connection, session, words, gaps, edited=False)

    def delete(self, *sessions: int) -> None:
        """They are gone from every list; `restore()` brings them back until they are purged."""
        self._mark(sessions, _now_ms())

    def restore(self, *sessions: int) -> None:
        """Undo a deletion."""
        self._mark(sessions, None)

    def purge(self, older_than_ms: int = 0) -> int:
        """Delete for good, with their subtitle files, what was deleted so long ago; how many."""
        if not self.path.exists():
            return 0
        with writing(self.path) as connection:
            now_ms = _now_ms()
            # a mark that is still to come was made while the clock was wrong
            until = (now_ms - older_than_ms, now_ms + UNDO_MS)
            which = "FROM session WHERE deleted_ms <= ? OR deleted_ms > ?"
            gone = connection.execute(f"SELECT srt, saved_ms {which}", until).fetchall()
            connection.execute(f"DELETE {which}", until)
        for srt, saved_ms in gone:
            _delete_subtitles(srt, saved_ms)
        return len(gone)

    def expire(self, days: int) -> int:
        """Delete for good what ended more than so many days ago; how many. 0 days: none, but the
        clock is looked at, without which there is no telling (`retention`)."""
        if not self.path.exists():
            return 0
        now_ms = _now_ms()
        with writing(self.path) as connection:
            noted = _look_at_clock(connection, now_ms, days)
            sessions = connection.execute(
                "SELECT id, started_ms + duration_ms, saved_ms FROM session ORDER BY id"
            ).fetchall()
            old = too_old(sessions, now_ms, noted, days) if days else ()
            connection.executemany(
                "UPDATE session SET deleted_ms = 0 WHERE id = ?", [(number,) for number in old]
            )
        return self.purge(older_than_ms=UNDO_MS)

    def clear(self) -> int:
        """Delete all of it for good, with the subtitle files; how many sessions that were."""
        if not self.path.exists():
            return 0
        with writing(self.path) as connection:
            connection.execute("UPDATE session SET deleted_ms = 0")
        gone = self.purge()
        remove(self.path)
        return gone

    def _mark(self, sessions: Sequence[int], deleted_ms: int | None) -> None:
        with writing(self.path) as connection:
            connection.executemany(
                "UPDATE session SET deleted_ms = ? WHERE id = ?",
                [(deleted_ms, session) for session in sessions],
            )


def _look_at_clock(connection: sqlite3.Connection, now_ms: int, days: int) -> Noted:
    """A table that an older Voxline does not know, and leaves alone."""
    connection.execute("CREATE TABLE IF NOT EXISTS clock (believed_ms INTEGER, seen_ms INTEGER)")
    row = connection.execute("SELECT believed_ms, seen_ms FROM clock").fetchone()
    noted = looked(Noted(*row) if row else None, now_ms, days)
    connection.execute("DELETE FROM clock")
    connection.execute("INSERT INTO clock VALUES (?, ?)", (noted.believed_ms, noted.seen_ms))
    return noted


def _add(connection: sqlite3.Connection, said: Said) -> int:
    text = text_of(said.words, said.gaps)
    values = {
        "uid": said.uid,
        "started_ms": round(said.started.timestamp() * 1000),
        "zone_s": zone_of(said.started),
        "duration_ms": said.duration_ms,
        "saved_ms": _now_ms(),
        "words": len(said.words),
        "preview": _whole(text.preview),
        "origin": said.origin,
        "languages": ",".join(languages_of(said.words)),
        "file": said.file and os.fsencode(said.file),  # a name need not be text
        "srt": said.srt and os.fsencode(said.srt),
        "facts": json.dumps(dict(said.facts)),
    }
    marks = ", ".join(f":{name}" for name in values)
    added = connection.execute(
        f"INSERT INTO session ({', '.join(values)}) VALUES ({marks})", values
    )
    session = added.lastrowid
    assert session is not None
    shown = None if said.shown is None else packed(said.shown, said.gaps)
    connection.execute(
        "INSERT INTO content (id, kept, shown, said) VALUES (?, ?, ?, ?)",
        (session, packed(said.words, said.gaps), shown, zlib.compress(_bytes(text.said))),
    )
    connection.execute(
        "INSERT INTO search (id, folded) VALUES (?, ?)", (session, _bytes(text.folded))
    )
    return session


def _write_text(
    connection: sqlite3.Connection,
    session: int,
    words: Sequence[Word],
    gaps: Sequence[Gap],
    edited: bool,
) -> None:
    """What follows from a session's words."""
    text = text_of(words, gaps)
    connection.execute(
        "UPDATE session SET words = ?, preview = ?, languages = ?, edited = ? WHERE id = ?",
        (len(words), _whole(text.preview), ",".join(languages_of(words)), edited, session),
    )
    said = zlib.compress(_bytes(text.said))
    connection.execute("UPDATE content SET said = ? WHERE id = ?", (said, session))
    folded = _bytes(text.folded)
    connection.execute("UPDATE search SET folded = ? WHERE id = ?", (folded, session))


def _entry(row: Sequence[Any]) -> Entry:
    (
        number,
        started_ms,
        zone_s,
        duration_ms,
        words,
        preview,
        title,
        origin,
        languages,
        file,
        edited,
    ) = row
    return Entry(
        number,
        moment(started_ms, zone_s),
        duration_ms,
        words,
        preview,
        title,
        origin,
        tuple(filter(None, languages.split(","))),
        file and os.fsdecode(file),
        bool(edited),
    )


def _facts(text: str) -> Mapping[str, Any]:
    try:
        facts = json.loads(text)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _said(connection: sqlite3.Connection, session: int) -> list[str]:
    row = connection.execute("SELECT said FROM content WHERE id = ?", (session,)).fetchone()
    return zlib.decompress(row[0]).decode().split(PARAGRAPH) if row else []


def _snippet(paragraphs: Sequence[str], number: int, wanted: str) -> Snippet:
    """The first hit in this paragraph, with what fits around it."""
    texts = pieces(paragraphs[number]) if number < len(paragraphs) else []
    found = places(texts, wanted)
    if not found:
        return Snippet("", "", "")
    first, last = found[0].first, found[0].last + 1
    before, after = "".join(texts[:first]), "".join(texts[last:])
    hit = "".join(texts[first:last])
    if hit != hit.lstrip():  # the space is not a part of what was found
        before, hit = before + " ", hit.lstrip()
    return Snippet(_end_of(before), hit, _beginning_of(after))


def _end_of(text: str) -> str:
    if len(text) <= _AROUND:
        return text
    return "… " + text[-_AROUND:].partition(" ")[2] if " " in text[-_AROUND:] else text[-_AROUND:]


def _beginning_of(text: str) -> str:
    if len(text) <= _AROUND:
        return text
    kept = text[:_AROUND]
    return (kept.rpartition(" ")[0] or kept) + " …"


def _delete_subtitles(srt: bytes | None, saved_ms: int) -> None:
    """Unless somebody has worked on the file: then it is theirs."""
    if srt is None:
        return
    path = Path(os.fsdecode(srt))
    with contextlib.suppress(OSError):
        if path.stat().st_mtime * 1000 <= saved_ms + _TOUCHED_MS:
            path.unlink()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # half a character is none


def _whole(text: str) -> str:
    return _bytes(text).decode()


def _no_such(session: int) -> LibraryProblem:
    return LibraryProblem(
        Sentence("There is no session {number}.", number=session),
        Sentence("`voxline sessions list` lists them."),
    )


def _now_ms() -> int:
    return round(time.time() * 1000)

"""The library's SQLite file: its tables, its version, and what is said when it cannot be used.

A file that a newer Voxline, or another program, made is left alone. Connections are opened for
each question and closed after it, so that another Voxline, a backup or "Delete everything" never
meets a file that is held open. Knows nothing of what is kept in the tables.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app import paths
from app.session.files import file_problem
from model_backends.base import Sentence, UserError

VERSION = 1
_OURS = 0x564F584C  # "VOXL", the file's application id
_PATIENCE_S = 10.0  # how long another Voxline may write
_PAGE = 8192  # bytes: text of a session is long

_TABLES = """
CREATE TABLE session (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL UNIQUE,
    started_ms INTEGER NOT NULL,        -- since 1970, UTC
    zone_s INTEGER NOT NULL,            -- of the clock on the wall, ahead of UTC
    duration_ms INTEGER NOT NULL,
    saved_ms INTEGER NOT NULL,
    words INTEGER NOT NULL,
    preview TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    origin TEXT NOT NULL,               -- 'live', 'recovered', 'file'
    languages TEXT NOT NULL,            -- with commas
    file BLOB,                          -- that was transcribed; its name as bytes
    srt BLOB,                           -- subtitles of ours, deleted with the session
    facts TEXT NOT NULL,                -- JSON
    edited INTEGER NOT NULL DEFAULT 0,
    deleted_ms INTEGER                  -- it goes a moment later, unless that is undone
);
CREATE INDEX by_start ON session (started_ms);
CREATE TABLE content (
    id INTEGER PRIMARY KEY REFERENCES session ON DELETE CASCADE,
    kept BLOB NOT NULL,                 -- words and gaps, as stored.packed() writes them
    shown BLOB,                         -- … as the captions had them, where those are others
    heard BLOB,                         -- … before somebody edited them
    said BLOB NOT NULL                  -- text, a paragraph a line, compressed
);
CREATE TABLE search (
    id INTEGER PRIMARY KEY REFERENCES session ON DELETE CASCADE,
    folded BLOB NOT NULL                -- the same paragraphs, as core.search folds them
);
"""


class LibraryProblem(UserError):  # noqa: N818 - what the user has, not what the program did wrong
    """The library cannot be read or written. `message` is the user's sentence."""


def library_file() -> Path:
    """Where the sessions are kept."""
    return paths.library_dir() / "sessions.db"


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that changes nothing; None while there is no library yet.

    Raises LibraryProblem, also for what goes wrong inside.
    """
    with _explained(path):
        if not path.exists():
            yield None
            return
        with closing(_connected(path)) as connection:
            known = _version(connection, path)
            connection.execute("PRAGMA query_only = 1")
            yield connection if known else None


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection within one transaction: all of it is done and on the disk, or nothing.

    Makes the library if there is none. Raises LibraryProblem, also for what goes wrong inside.
    """
    with _explained(path):
        _make_file(path)
        with closing(_connected(path)) as connection:
            _set_up(connection, path)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            connection.execute("PRAGMA incremental_vacuum")


def remove(path: Path) -> None:
    """Delete the file, after all that is in it. Raises LibraryProblem."""
    with _explained(path):
        for each in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
            each.unlink(missing_ok=True)


def _make_file(path: Path) -> None:
    """For its owner's eyes only; what SQLite puts beside it gets the same mode."""
    paths.make_private(path.parent, tighten=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = 1")
    return connection


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    """Tables in a new file, once, whoever else is at it; and how it is to be written."""
    if not _version(connection, path):
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("BEGIN IMMEDIATE")
        if not _version(connection, path):
            for statement in _TABLES.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_OURS}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    _let_read_while_writing(connection)
    connection.execute("PRAGMA synchronous = FULL")  # what is committed survives a power cut
    connection.execute("PRAGMA secure_delete = 1")  # what is deleted is written over


def _let_read_while_writing(connection: sqlite3.Connection) -> None:
    """Once for a file, by whoever finds nobody else at it: SQLite waits for none in this."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
    connection.execute(f"PRAGMA busy_timeout = {round(_PATIENCE_S * 1000)}")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the tables; 0: there are none yet. Raises LibraryProblem."""
    with _at_one_moment(connection):  # another Voxline may be making the tables
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (owner,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version > VERSION and owner == _OURS:
        raise LibraryProblem(_NEWER, _NEWER_HINT)
    if tables and (owner, version) != (_OURS, VERSION):
        raise LibraryProblem(Sentence(_FOREIGN, path=path), _ASIDE)
    return int(version)


@contextmanager
def _at_one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """What is read within is of one state of the file, whoever writes meanwhile."""
    within = connection.in_transaction
    if not within:
        connection.execute("BEGIN")
    try:
        yield
    finally:
        if not within and connection.in_transaction:  # a full disk has ended it, and says so itself
            connection.execute("COMMIT")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """What SQLite and the system say, in the user's words."""
    try:
        yield
    except sqlite3.Error as error:
        raise _problem(path, error) from error
    except OSError as error:
        told = file_problem(path, error)
        raise LibraryProblem(told.message, told.hint) from error


def _problem(path: Path, error: sqlite3.Error) -> LibraryProblem:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return LibraryProblem(Sentence(_DAMAGED, path=path), _ASIDE)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LibraryProblem(_BUSY, Sentence("Try again in a moment."))
    number = _ERRNO.get(code)
    if number is not None:
        told = file_problem(path, OSError(number, str(error)))
        return LibraryProblem(told.message, told.hint)
    what = Sentence("The library of sessions cannot be used: {why}.", why=error)
    return LibraryProblem(what, Sentence("It is {path}.", path=path))


_ERRNO = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EACCES,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
}
_NEWER = Sentence("The library of sessions was made by a newer Voxline; it is left as it is.")
_NEWER_HINT = Sentence(
    "Nothing in it is lost: open it with that version. To begin another library with this one, "
    "start Voxline with VOXLINE_DATA set to another folder."
)
_FOREIGN = "{path} is not a library of Voxline’s."
_DAMAGED = "The library of sessions is damaged: {path}."
_ASIDE = Sentence("Move the file elsewhere; a new library is begun then.")
_BUSY = Sentence("Another program is writing to the library of sessions.")

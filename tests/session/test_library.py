"""The library of sessions: what is kept is found again, and no accident damages it."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.core.timeline import Gap
from app.session import library as library_module
from app.session import library_file
from app.session.library import UNDO_MS, Library, LibraryProblem
from app.session.stored import FILE, Said
from model_backends.base import Word

TOKYO = timezone(timedelta(hours=9))
NOON = datetime(2026, 11, 22, 12, 2, tzinfo=TOKYO)


def words(text: str, lane: str = "me", start_ms: int = 1000, language: str = "en") -> list[Word]:
    """One word each 400 ms; what has no spaces is one word."""
    return [
        Word(lane, 0, 0, f" {each}", at, at + 300, language, 0.9)
        for at, each in enumerate(text.split())
        for at in [start_ms + 400 * at]
    ]


def said(text: str, uid: str = "a", started: datetime = NOON, **more: object) -> Said:
    heard = words(text)
    until = heard[-1].end_ms if heard else 0
    return replace(Said(uid, started, heard, duration_ms=until), **more)  # type: ignore[arg-type]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library" / "sessions.db")


def test_what_is_kept_is_read_back(library: Library) -> None:
    them = words("Good morning to you", "them", 2000, "de")
    facts = {"engine": "scripted", "delay_ms": 480, "names": {"them": "Maria"}}
    whole = Said(
        "a", NOON, [*words("Hello"), *them], [Gap("me", 5000, 9000, "paused")], 12_000,
        facts=facts, shown=words("Yellow"), file="talk\udcff.mp3", origin=FILE,
    )  # fmt: skip
    stored = library.read(library.keep(whole))
    assert stored.words == whole.words
    assert stored.gaps == whole.gaps
    assert stored.shown == whole.shown
    assert stored.facts == facts
    assert stored.names == {"me": "You", "them": "Maria"}
    entry = stored.entry
    assert [entry] == library.sessions()
    assert (entry.words, entry.origin, entry.file) == (5, FILE, "talk\udcff.mp3")
    assert entry.languages == ("de", "en")
    assert entry.preview == "Hello Good morning to you"
    assert f"{entry.started:%H:%M} {entry.ended:%H:%M:%S}" == "12:02 12:02:12"


def test_the_newest_is_listed_first_and_none_is_kept_twice(library: Library) -> None:
    numbers = {
        day: library.keep(said(f"day {day}", f"uid{day}", NOON + timedelta(days=day)))
        for day in (2, 0, 5)
    }
    assert library.keep(said("once more", "uid5")) == numbers[5]
    assert [entry.id for entry in library.sessions()] == [numbers[5], numbers[2], numbers[0]]


@pytest.mark.parametrize(
    ("text", "query", "hit"),
    [
        ("We saw the Lighthouse, at last.", "lighthouse at", "Lighthouse, at"),
        ("Ist die Krankenversicherung da?", "versicherung", "Krankenversicherung"),
        ("Un café crème", "CAFE CREME", "café crème"),
        ("Straße frei", "strasse", "Straße"),
        ("今日は天気がいいですね。", "天気", "天気"),
        ("がぎぐ かきく", "かきく", "かきく"),  # other letters, not accented ones
        ("مُحَمَّد هنا", "محمد", "مُحَمَّد"),
        ("don’t go", "don't", "don’t"),
        ("C++ is 50% done", "50%", "50%"),
    ],
)
def test_what_was_said_is_found_as_people_type_it(
    library: Library, text: str, query: str, hit: str
) -> None:
    library.keep(said("something else", "other"))
    library.keep(said(text))
    (found,) = library.search(query)
    assert found.count == 1
    assert hit in found.snippet.hit
    assert (found.snippet.before + found.snippet.hit + found.snippet.after) == text


def test_search_tells_how_often_and_the_words_around_the_first(library: Library) -> None:
    filler = "one two three four five six seven eight nine ten eleven twelve"
    library.keep(said(f"{filler} the tower {filler} a Tower stands"))
    (found,) = library.search(" tower ")
    assert found.count == 2
    assert found.snippet.before.startswith("… ") and found.snippet.before.endswith(" the ")
    assert found.snippet.hit == "tower"
    assert found.snippet.after.startswith(" one") and found.snippet.after.endswith(" …")


@pytest.mark.parametrize("query", ["", "  ", "…", "nowhere", "%", "_", "hello there\nyou"])
def test_what_was_not_said_is_not_found(library: Library, query: str) -> None:
    library.keep(said("Hello there"))
    assert list(library.search(query)) == []


def test_voices_that_speak_at_once_are_searched_each_by_itself(library: Library) -> None:
    both = [*words("the old pier"), *words("my new hat", "them", 1100)]
    both.sort(key=lambda word: word.start_ms)
    library.keep(replace(said(""), words=both))
    assert [found.count for found in library.search("the old pier")] == [1]
    assert [found.count for found in library.search("new hat")] == [1]
    assert not list(library.search("the my"))


def test_a_name_can_be_given_and_taken_away(library: Library) -> None:
    number = library.keep(said("Hello"))
    library.rename(number, "  Board\n meeting ")
    assert library.sessions()[0].title == "Board meeting"
    library.rename(number, "")
    assert library.sessions()[0].title == ""
    with pytest.raises(LibraryProblem, match="no session 77"):
        library.rename(77, "x")


def test_edited_words_are_found_and_what_was_heard_can_be_had_back(library: Library) -> None:
    number = library.keep(said("Hello Marina", gaps=[Gap("me", 3000, 4000, "paused")]))
    heard = library.read(number)
    for name in (" Maria", " Mary"):
        library.edit(number, [heard.words[0], replace(heard.words[1], text=name)])
    edited = library.read(number)
    assert [word.text for word in edited.words] == [" Hello", " Mary"]
    assert edited.gaps == heard.gaps
    assert edited.entry.edited and edited.entry.preview == "Hello Mary"
    assert not list(library.search("marina")) and list(library.search("mary"))
    library.unedit(number)
    assert library.read(number) == heard


def test_a_deleted_session_can_be_had_back_until_it_is_purged(
    library: Library, tmp_path: Path
) -> None:
    ours, touched = tmp_path / "ours.srt", tmp_path / "touched.srt"
    for path in (ours, touched):
        path.write_text("1")
    later = time.time() + 3600
    os.utime(touched, (later, later))  # somebody has worked on it
    numbers = [
        library.keep(said(f"secret {path.stem}", path.stem, srt=path)) for path in (ours, touched)
    ]
    library.delete(*numbers)
    assert library.sessions() == [] and not list(library.search("secret"))
    with pytest.raises(LibraryProblem):
        library.read(numbers[0])
    assert library.purge(older_than_ms=60_000) == 0
    library.restore(numbers[0])
    assert [found.entry.id for found in library.search("secret")] == [numbers[0]]
    library.delete(numbers[0])
    assert library.purge() == 2
    library.restore(*numbers)
    assert library.sessions() == []
    assert not ours.exists() and touched.exists()
    for file in library.path.parent.iterdir():
        assert b"secret" not in file.read_bytes()


class Clock:
    """The computer's, as a test moves it."""

    def __init__(self) -> None:
        self.now_ms = round(time.time() * 1000)

    def moves_on(self, days: int) -> None:
        self.now_ms += days * 86_400_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(library_module, "_now_ms", lambda: clock.now_ms)
    return clock


def test_what_is_older_than_wished_goes(library: Library, clock: Clock) -> None:
    now = datetime.now(UTC)
    library.keep(said("old", "old", now - timedelta(days=40)))
    recent = library.keep(said("new", "new", now))
    with closing(sqlite3.connect(library.path)) as connection, connection:
        connection.execute("UPDATE session SET saved_ms = started_ms")
    assert library.expire(30) == 0, "a clock that was never looked at may be wrong"
    clock.moves_on(days=1)
    assert library.expire(30) == 1
    assert [entry.id for entry in library.sessions()] == [recent]


def test_a_clock_that_was_wrong_for_a_minute_deletes_nothing(
    library: Library, clock: Clock
) -> None:
    library.keep(said("new", "new", datetime.now(UTC)))
    for _ in range(3):
        clock.moves_on(days=1)
        assert library.expire(30) == 0
    clock.moves_on(days=73 * 365)
    assert library.expire(30) == library.expire(30) == 0
    clock.moves_on(days=-73 * 365)
    assert library.expire(30) == 0
    clock.moves_on(days=28)
    assert library.expire(30) == 0
    clock.moves_on(days=1)
    assert library.expire(30) == 1, "and in its time it goes"


def test_who_comes_once_a_month_has_old_sessions_deleted_a_visit_later(
    library: Library, clock: Clock
) -> None:
    library.keep(said("new", "new", datetime.now(UTC)))
    gone = []
    for _ in range(4):
        gone.append(library.expire(30))
        clock.moves_on(days=31)
    assert gone == [0, 0, 1, 0]


def test_sessions_with_a_wrong_date_go_by_those_beside_them(library: Library, clock: Clock) -> None:
    """A battery that has died dates one to 2000, and one is still to come."""
    now = datetime.now(UTC)
    for uid in ("right", "past", "future"):
        library.keep(said(uid, uid, now))
    with closing(sqlite3.connect(library.path)) as connection, connection:
        for uid, year_ms in (("past", 946_684_800_000), ("future", 4_070_908_800_000)):
            connection.execute(
                "UPDATE session SET saved_ms = ?, started_ms = ? WHERE uid = ?",
                (year_ms, year_ms, uid),
            )
    for _ in range(5):
        assert library.expire(30) == 0
        clock.moves_on(days=1)
    for _ in range(30):
        clock.moves_on(days=1)
        library.expire(30)
    assert [entry.preview for entry in library.sessions()] == ["future"]


def test_what_was_deleted_by_a_wrong_clock_is_purged_all_the_same(
    library: Library, clock: Clock
) -> None:
    number = library.keep(said("secret"))
    clock.moves_on(days=365)
    library.delete(number)
    clock.moves_on(days=-365)
    assert library.purge(UNDO_MS) == 1


def test_an_old_session_that_was_recovered_now_is_kept_for_as_long_as_a_new_one(
    library: Library, clock: Clock
) -> None:
    library.keep(said("old", started=datetime.now(UTC) - timedelta(days=40)))
    for _ in range(3):
        assert library.expire(30) == 0
        clock.moves_on(days=1)


def test_all_of_it_can_be_deleted_and_begun_anew(library: Library, tmp_path: Path) -> None:
    srt = tmp_path / "talk.srt"
    srt.write_text("1")
    library.keep(said("one", "one", srt=srt))
    library.keep(said("two", "two"))
    assert library.clear() == 2
    assert not srt.exists() and not list(library.path.parent.iterdir())
    assert library.clear() == 0
    library.keep(said("three"))
    assert len(library.sessions()) == 1


def test_a_library_that_is_not_there_is_empty_and_not_made_by_looking(library: Library) -> None:
    assert library.sessions() == [] and list(library.search("x")) == []
    assert library.expire(30) == library.purge() == 0
    with pytest.raises(LibraryProblem):
        library.read(1)
    assert not library.path.parent.exists()


# --- accidents -------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX idea")
def test_nobody_else_may_look_into_it(library: Library) -> None:
    library.path.parent.mkdir(mode=0o755)
    library.keep(said("Hello"))
    with library_file.reading(library.path) as connection:  # with what SQLite puts beside it
        assert connection is not None
        connection.execute("SELECT * FROM session").fetchall()
        assert stat.S_IMODE(library.path.parent.stat().st_mode) == 0o700
        for file in library.path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


_KILLED = """
import os, signal, sys
from pathlib import Path
from app.session import library
from tests.session.test_library import said
store = library.Library(Path(sys.argv[1]))
store.keep(said("the first one", "first"))
real = library._add
def add(*args):
    real(*args)
    os.kill(os.getpid(), signal.SIGKILL)
library._add = add
store.keep(said("the second one", "second"))
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_kill_in_the_midst_of_keeping_costs_that_session_only(library: Library) -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED, str(library.path)], timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert [entry.preview for entry in library.sessions()] == ["the first one"]
    library.keep(said("the second one", "second"))  # as its journal's recovery does
    assert len(library.sessions()) == 2
    with closing(sqlite3.connect(library.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def _full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """SQLite itself says so, as it does of a disk."""
    real = library_file._connected

    def connected(path: Path) -> sqlite3.Connection:
        connection = real(path)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(library_file, "_connected", connected)
        yield


def test_a_full_disk_is_told_and_what_is_there_stays(
    library: Library, request: pytest.FixtureRequest
) -> None:
    library.keep(said("Hello"))
    request.getfixturevalue("_full_disk")
    long = said(" ".join(f"word{n}" for n in range(50_000)), "long")
    with pytest.raises(LibraryProblem, match="the disk is full") as told:
        library.keep(long)
    assert told.value.hint
    assert [entry.preview for entry in library.sessions()] == ["Hello"]


def test_a_library_of_a_newer_version_is_left_as_it_is(library: Library) -> None:
    library.keep(said("Hello"))
    with closing(sqlite3.connect(library.path)) as connection:
        connection.execute(f"PRAGMA user_version = {library_file.VERSION + 1}")
    before = library.path.read_bytes()
    for do in (
        library.sessions,
        lambda: library.keep(said("More", "more")),
        lambda: library.delete(1),
        library.clear,
    ):
        with pytest.raises(LibraryProblem, match="a newer Voxline"):
            do()
    assert library.path.read_bytes() == before


@pytest.mark.parametrize("what", ["garbage", "another program's"])
def test_what_is_no_library_is_left_as_it_is(library: Library, what: str) -> None:
    library.path.parent.mkdir()
    if what == "garbage":
        library.path.write_bytes(b"not a database" * 1000)
    else:
        with closing(sqlite3.connect(library.path)) as connection:
            connection.execute("CREATE TABLE recipes (name TEXT)")
    before = library.path.read_bytes()
    for do in (library.sessions, lambda: library.keep(said("Hello"))):
        with pytest.raises(LibraryProblem) as told:
            do()
        assert str(library.path) in told.value.message and told.value.hint
    assert library.path.read_bytes() == before


def test_a_damaged_session_does_not_hide_the_others(library: Library) -> None:
    bad, good = library.keep(said("bad", "bad")), library.keep(said("good", "good"))
    with closing(sqlite3.connect(library.path)) as connection, connection:
        connection.execute("UPDATE content SET kept = x'00ff' WHERE id = ?", (bad,))
    with pytest.raises(LibraryProblem, match="damaged"):
        library.read(bad)
    assert library.read(good).words
    assert len(library.sessions()) == 2


def test_two_voxlines_begin_and_write_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_file, "_PATIENCE_S", 60.0)  # of SQLite, which is not fair to each
    failures: list[Exception] = []
    path = tmp_path / "library" / "sessions.db"
    together = threading.Barrier(6)

    def keep(number: int) -> None:
        try:
            together.wait(30)
            for each in range(3):
                Library(path).keep(said(f"from {number}", f"{number}-{each}"))
                Library(path).sessions()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=keep, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    assert len(Library(path).sessions()) == 18


def test_a_disk_that_ends_a_transaction_is_what_is_told(tmp_path: Path) -> None:
    """And not that there is none to commit any more."""
    with (
        closing(sqlite3.connect(tmp_path / "any.db", isolation_level=None)) as connection,
        pytest.raises(sqlite3.OperationalError, match="disk I/O"),
        library_file._at_one_moment(connection),
    ):
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

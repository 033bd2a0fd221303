"""What was said survives: the journal's writer, its reader, and recovery."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.reheard import Reheard
from app.core.timeline import Gap
from app.session import journal
from app.session.files import FileProblem
from app.session.journal import Journal, prune, recover, running, unfinished
from app.session.journal_records import read
from app.session.library import Library
from app.session.shelving import recover_all
from model_backends.base import Tail
from tests.core.words import spoken

WORDS = spoken(" Nobody would ever have known, he thought.", 500)
GAP = Gap("me", 4000, 9000, "paused")
TIMEOUT_S = 60


class Errors:
    """Collects what the user would be told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.came = threading.Event()

    def __call__(self, message: str, hint: str) -> None:
        self.told.append((message, hint))
        self.came.set()


OLD = Path(__file__).parents[1] / "data" / "old" / "journal-0.1.0.jsonl"


def dead_header() -> dict[str, Any]:
    """A header whose process has ended."""
    process = psutil.Process()
    return {"pid": process.pid, "created": process.create_time() - 3600, "ticks": 1}


def drain(book: Journal) -> None:
    """Wait until all is on disk."""
    while book._waiting:
        book._thread.join(0.01)


def written(folder: Path, header: dict[str, Any] | None = None, ended: bool = False) -> Path:
    """A journal holding WORDS and GAP, of a dead process unless the header says otherwise."""
    book = Journal(journal.new_path(folder), dead_header() if header is None else header, Errors())
    for word in WORDS:
        book.append(word)
    book.append(GAP)
    assert book.close(ended, TIMEOUT_S)
    return book.path


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    transcript = read(written(tmp_path, {"engine": "embedded"}, ended=True))
    assert transcript.words == WORDS
    assert transcript.gaps == [GAP]
    assert transcript.ended
    assert transcript.header["engine"] == "embedded"
    assert transcript.header["version"] == journal.VERSION
    assert abs(transcript.started.timestamp() - datetime.now().timestamp()) < 3600


def test_a_session_cut_off_has_not_ended(tmp_path: Path) -> None:
    assert not read(written(tmp_path)).ended


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    assert stat.S_IMODE(written(tmp_path).stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX idea")
def test_nobody_else_may_look_into_its_folder_even_an_old_one(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir(mode=0o755)
    for folder in (old, tmp_path / "new" / "journal"):
        written(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


@pytest.mark.parametrize("removed", ["file", "folder", "moved", "replaced"])
def test_a_journal_that_is_removed_is_written_again_with_all_words(
    tmp_path: Path, removed: str
) -> None:
    folder, errors = tmp_path / "journal", Errors()
    book = Journal(journal.new_path(folder), {}, errors)
    for word in WORDS[:3]:
        book.append(word)
    drain(book)
    if removed == "moved":
        folder.rename(tmp_path / "elsewhere")
    elif removed == "folder":
        shutil.rmtree(folder)
    elif removed == "replaced":
        (tmp_path / "mine").write_text("mine")
        (tmp_path / "mine").replace(book.path)
    else:
        book.path.unlink()
    before = book.path
    for word in WORDS[3:]:
        book.append(word)
    assert book.close(False, TIMEOUT_S)
    assert read(book.path).words == WORDS
    assert stat.S_IMODE(book.path.stat().st_mode) == 0o600
    assert [message for message, _ in errors.told] == [
        "The file that keeps this session’s words safe was removed."
    ]
    if removed == "replaced":
        assert before.read_text() == "mine"


def test_that_it_was_removed_is_noticed_while_nobody_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_LOOK_S", 0.01)
    errors = Errors()
    book = Journal(journal.new_path(tmp_path / "journal"), {}, errors)
    book.append(WORDS[0])
    drain(book)
    shutil.rmtree(tmp_path / "journal")
    assert errors.came.wait(TIMEOUT_S)
    assert read(book.path).words == WORDS[:1]
    book.close(False, TIMEOUT_S)


def test_a_removed_journal_that_cannot_be_made_again_keeps_its_words_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_LOOK_S", 300.0)  # it looks when there is a word, not before
    folder, errors = tmp_path / "journal", Errors()
    book = Journal(journal.new_path(folder), {}, errors)
    drain(book)
    shutil.rmtree(folder)
    folder.write_text("in the way")
    book.append(WORDS[0])
    assert errors.came.wait(TIMEOUT_S)
    assert "in memory" in errors.told[0][1]
    folder.unlink()
    assert book.close(False, TIMEOUT_S)
    assert read(book.path).words == WORDS[:1]


def test_tentative_text_is_not_kept(tmp_path: Path) -> None:
    book = Journal(journal.new_path(tmp_path), {}, Errors())
    book.append(Tail("me", 0, 0, " perhaps"))
    book.append(WORDS[0])
    book.close(True, TIMEOUT_S)
    assert "perhaps" not in book.path.read_text("utf-8")


def test_an_existing_journal_is_never_touched(tmp_path: Path) -> None:
    path = written(tmp_path)
    before, errors = path.read_bytes(), Errors()
    book = Journal(path, {}, errors)
    assert errors.told
    assert not book.close(True, TIMEOUT_S)
    assert path.read_bytes() == before


@settings(max_examples=60)
@given(data=st.data())
def test_a_torn_journal_gives_all_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("torn") / "j.jsonl"
    lines = [b'{"type": "header", "version": 1}']
    lines += [
        json.dumps({"type": "word", **asdict(word)}, ensure_ascii=False).encode() for word in WORDS
    ]
    whole = b"\n".join(lines) + b"\n"
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    complete = [line for line in lines[1:] if whole.index(line) + len(line) <= cut]
    assert read(path).words == WORDS[: len(complete)]


def test_garbage_lines_are_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path)
    good = path.read_bytes().splitlines()
    junk = [
        b"\xff\xfe\x00garbage", b"", b"[]", b"3", b'{"type": "word"}', b'{"type": ["x"]}',
        b'{"type": "word", "lane": "me", "track": 0, "utterance": 0, "text": 5, "start_ms": 1, '
        b'"end_ms": 2}', b'{"type": "from the future", "x": 1}', b"[" * 100_000,
    ]  # fmt: skip
    mixed = [line for pair in zip(good, [*junk, *junk, *junk], strict=False) for line in pair]
    path.write_bytes(b"\n".join(mixed))
    assert read(path).words == WORDS[: len(mixed) // 2 - 1]


def lines_of(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


WORD = {"type": "word", **asdict(WORDS[0])}
HOSTILE = [
    WORD | {"language": []}, WORD | {"language": 5}, WORD | {"start_ms": 10**300},
    WORD | {"end_ms": -(10**300)}, WORD | {"start_ms": 1.5}, WORD | {"text": None},
    WORD | {"text": "x" * 100_000}, WORD | {"lane": {}}, WORD | {"track": "0"},
    {"type": "gap", "lane": "me", "start_ms": 10**300, "end_ms": 1, "reason": "paused"},
    {"type": "gap", "lane": "me", "start_ms": 1, "end_ms": 2, "reason": []},
    {"type": "saved", "path": "a\0b"}, {"type": "saved", "path": ["x"]},
    {"type": "worker", "pid": []},
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_record_costs_itself_only(tmp_path: Path, hostile: dict[str, Any]) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(lines_of(hostile, WORD, hostile))
    assert read(path).words == [WORDS[0]]
    assert recover(path, tmp_path / "a.srt").read_text("utf-8").count("-->") == 1


@pytest.mark.parametrize(
    "header",
    [
        {"pid": 10**300, "created": 1.0}, {"pid": 1, "created": 10**400}, {"started": "0001-01-01"},
        {"started": "9999-12-31T23:59:59-23:59"}, {"started": []}, {"engine": {}}, {"pid": True},
        {"pid": 2**31, "created": 0},
    ],
)  # fmt: skip
def test_a_hostile_header_hinders_nothing(tmp_path: Path, header: dict[str, Any]) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(lines_of({"type": "header", **header}, WORD))
    assert running(tmp_path) == []
    (found,) = unfinished(tmp_path)
    assert found.words == 1
    assert recover(path).exists()


def test_half_a_character_does_not_stop_recovery(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(lines_of(WORD | {"text": " a\ud800b"}, WORD))
    (found,) = unfinished(tmp_path)
    assert found.preview.encode("utf-8")
    assert "a?b" in recover(path).read_text("utf-8")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_or_a_link_to_itself_among_the_journals_is_passed_by(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "b.jsonl")
    (tmp_path / "c.jsonl").mkdir()
    (tmp_path / "d.jsonl").symlink_to("/dev/zero")
    kept = written(tmp_path)
    prune(tmp_path)
    assert [found.path for found in unfinished(tmp_path)] == [kept]


def test_a_folder_that_is_not_there_holds_no_sessions(tmp_path: Path) -> None:
    assert unfinished(tmp_path / "none") == []
    assert running(tmp_path / "none") == []
    prune(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_journal_of_an_earlier_version_is_recovered(tmp_path: Path) -> None:
    """As version 0.1.0 wrote it."""
    shutil.copy(OLD, tmp_path)
    (found,) = unfinished(tmp_path)
    assert (found.words, found.preview) == (9, "And so, my fellow Americans, ask not what 漢字?")
    contents = read(found.path)
    assert contents.header["engine"] == "embedded"
    assert [gap.reason for gap in contents.gaps] == ["paused"]
    text = " ".join(line.plaintext for line in pysubs2.load(str(recover(found.path))))
    assert text == "And so, my fellow Americans, ask not what 漢字?"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone is not the environment's here")
def test_a_time_zone_that_is_nonsense_costs_the_zone_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "XXX-25:99")
    time.tzset()
    try:
        path = written(tmp_path, dead_header() | {"started": "2026-11-22T13:30:05+00:00"})
        assert unfinished(tmp_path)
        assert recover(path).name == "Voxline 2026-11-22 13.30.05.srt"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such file"):
        read(tmp_path / "gone.jsonl")


def test_words_of_a_full_disk_wait_in_memory_and_are_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails halfway through a line, twice; then there is space again."""
    errors, full = Errors(), threading.Event()
    write, calls = os.write, []

    def failing(handle: int, data: bytes) -> int:
        if not full.is_set():
            return write(handle, data)
        calls.append(write(handle, bytes(data)[: len(data) // 2]))
        if len(calls) >= 2:
            full.clear()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", failing)
    book = Journal(journal.new_path(tmp_path), {}, errors)
    full.set()
    for word in WORDS:
        book.append(word)
    assert errors.came.wait(TIMEOUT_S)
    while full.is_set():  # until the retries have found space
        book._thread.join(0.01)
    assert book.close(True, TIMEOUT_S)
    assert read(book.path).words == WORDS
    assert len(errors.told) == 1
    message, hint = errors.told[0]
    assert "disk is full" in message and "memory" in hint
    assert all(json.loads(line) for line in book.path.read_bytes().splitlines())


def test_a_folder_that_cannot_be_written_is_told_and_nothing_raises(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    errors = Errors()
    book = Journal(tmp_path / "file" / "j.jsonl", {}, errors)
    book.append(WORDS[0])
    assert len(errors.told) == 1
    assert not book.close(True, TIMEOUT_S)


def test_saved_sessions_leave_no_second_copy(tmp_path: Path) -> None:
    book = Journal(journal.new_path(tmp_path), {}, Errors())
    book.append(WORDS[0])
    book.saved(tmp_path / "a.srt")
    assert book.close(True, TIMEOUT_S)
    assert not book.path.exists()


def test_a_disk_slower_than_the_end_brings_back_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session is saved and its journal gone while a line is still on its way to the disk."""
    errors, arrived, may_go_on = Errors(), threading.Event(), threading.Event()
    book = Journal(journal.new_path(tmp_path), {}, errors)
    sync = os.fsync

    def slow(handle: int) -> None:
        arrived.set()
        assert may_go_on.wait(TIMEOUT_S)
        sync(handle)

    monkeypatch.setattr(os, "fsync", slow)
    book.append(WORDS[0])
    assert arrived.wait(TIMEOUT_S)
    book.saved(tmp_path / "a.srt")
    assert book.close(True, 0)
    assert not book.path.exists()
    may_go_on.set()
    book._thread.join(TIMEOUT_S)
    assert not any(tmp_path.iterdir()) and not errors.told


def test_a_session_that_ends_without_words_leaves_nothing_behind(tmp_path: Path) -> None:
    book = Journal(journal.new_path(tmp_path), {}, Errors())
    book.append(Tail("me", 0, 0, " perhaps"))
    book.append(GAP)
    assert book.close(True, TIMEOUT_S)
    assert not any(tmp_path.iterdir())


# --- sessions of other processes -----------------------------------------------------------


def test_a_dead_session_is_unfinished_and_tells_what_it_holds(tmp_path: Path) -> None:
    path = written(tmp_path)
    (found,) = unfinished(tmp_path)
    assert (found.path, found.words) == (path, len(WORDS))
    assert found.preview == "Nobody would ever have known, he thought."
    assert running(tmp_path) == []


def test_a_running_session_is_not_unfinished(tmp_path: Path) -> None:
    book = Journal(journal.new_path(tmp_path), {"engine": "embedded"}, Errors())
    book.append(WORDS[0])
    book.worker_started(4711)
    book.close(False, TIMEOUT_S)
    assert unfinished(tmp_path) == []
    (found,) = running(tmp_path)
    assert (found.pid, found.worker_pid, found.engine) == (os.getpid(), 4711, "embedded")


def test_a_session_that_ended_is_not_running(tmp_path: Path) -> None:
    written(tmp_path, {}, ended=True)
    assert running(tmp_path) == []


def test_a_session_without_words_is_not_offered_and_is_pruned(tmp_path: Path) -> None:
    Journal(journal.new_path(tmp_path), dead_header(), Errors()).close(False, TIMEOUT_S)
    alive = Journal(journal.new_path(tmp_path), {}, Errors())
    alive.close(False, TIMEOUT_S)
    kept = written(tmp_path)
    assert [found.path for found in unfinished(tmp_path)] == [kept]
    prune(tmp_path)
    assert set(tmp_path.iterdir()) == {alive.path, kept}


def test_strange_headers_are_no_running_session(tmp_path: Path) -> None:
    for header in ({"pid": "x"}, {"pid": -5}, {"pid": None, "created": None}, {"created": "no"}):
        written(tmp_path, header)
    assert running(tmp_path) == []
    assert len(unfinished(tmp_path)) == 4


def test_recovery_writes_subtitles_and_is_done(tmp_path: Path) -> None:
    path = written(tmp_path)
    saved = recover(path, tmp_path / "found.srt")
    text = " ".join(line.plaintext for line in pysubs2.load(str(saved)))
    assert text == "Nobody would ever have known, he thought."
    assert unfinished(tmp_path) == []
    with pytest.raises(FileProblem):
        recover(path)


AGAIN = Reheard("me", 450, WORDS[4].end_ms, tuple(spoken(" Nobody would ever have nose,", 510)))


def test_what_was_heard_again_is_read_back_and_recovered(tmp_path: Path) -> None:
    book = Journal(tmp_path / "one.jsonl", dead_header(), Errors())
    for word in WORDS:
        book.append(word)
    book.append(AGAIN)
    assert book.close(False, TIMEOUT_S)
    contents = read(book.path)
    assert contents.shown == WORDS
    assert [word.text for word in contents.words[:5]] == [word.text for word in AGAIN.words]
    (recovered,) = recover_all(tmp_path)
    saved = recovered.saved
    assert saved is not None
    assert "nose" in saved.read_text("utf-8") and "known" not in saved.read_text("utf-8")
    stored = Library().read(Library().sessions()[0].id)
    assert (stored.words, stored.shown) == (contents.words, contents.shown)


@pytest.mark.parametrize(
    "harm",
    [
        {"words": "no list"},
        {"words": [{"lane": "me"}]},
        {"words": [7]},
        {"end_ms": None},
        {"lane": "them"},
        {"start_ms": 10**15},
    ],
)
def test_a_stretch_that_is_not_whole_leaves_the_captions(
    tmp_path: Path, harm: dict[str, Any]
) -> None:
    path = written(tmp_path)
    record = json.loads(json.dumps({"type": "reheard", **asdict(AGAIN)})) | harm
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    assert read(path).words == WORDS


def test_recovery_names_the_file_after_the_sessions_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXLINE_TRANSCRIPTS", str(tmp_path / "Voxline"))
    started = datetime(2026, 11, 22, 14, 30, 5).astimezone()
    header = dead_header() | {"started": started.isoformat()}
    names = [recover(written(tmp_path, header)).name for _ in range(2)]
    assert names == ["Voxline 2026-11-22 14.30.05.srt", "Voxline 2026-11-22 14.30.05 (2).srt"]


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX idea")
def test_what_is_recovered_is_for_its_owners_eyes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXLINE_TRANSCRIPTS", str(tmp_path / "Documents" / "Voxline"))
    saved = recover(written(tmp_path))
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert stat.S_IMODE(saved.parent.stat().st_mode) == 0o700


def test_recovery_that_cannot_write_keeps_the_journal(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "taken.srt").write_text("mine")
    with pytest.raises(FileProblem, match="already there"):
        recover(path, tmp_path / "taken.srt")
    assert len(unfinished(tmp_path)) == 1


_VICTIM = """
import sys, threading
from pathlib import Path
from app.session.journal import Journal
from tests.core.words import spoken
book = Journal(Path(sys.argv[1]), {}, print)
for word in spoken(" one two three four five"):
    book.append(word)
while book._waiting:  # all is on disk once nothing waits
    threading.Event().wait(0.01)
print("written", flush=True)
threading.Event().wait()
"""


def test_a_killed_process_leaves_its_words(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", _VICTIM, str(path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline().strip() == b"written"
        assert [found.pid for found in running(tmp_path)] == [victim.pid]
        assert unfinished(tmp_path) == []
        victim.send_signal(signal.SIGKILL)
        if hasattr(os, "waitid"):  # dead, and its parent has not looked yet
            os.waitid(os.P_PID, victim.pid, os.WEXITED | os.WNOWAIT)
            assert running(tmp_path) == []
    (found,) = unfinished(tmp_path)
    assert found.preview == "one two three four five"
    assert running(tmp_path) == []

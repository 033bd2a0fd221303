"""A session whose sound another worker hears once more: real processes, real files."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app import paths
from app.audio.choice import MediaFile
from app.core.reheard import Reheard
from app.session.files import FileProblem
from app.session.journal_records import Contents, read
from app.session.second_ear import MakeSecond
from app.session.session import HeardOut, Session, SessionEvent
from app.session.status import SessionOptions, Stage, Status
from app.worker import messages as m
from app.worker.background import BackgroundClient
from app.worker.client import ClientEvent
from model_backends import scripted
from model_backends.base import EngineOptions, Word
from tests.session.fakes import OnTime

# long after the gate has opened
CAPTIONS = [(" Captions", 1000, 1500), (" a", 1500, 1700), (" pier", 1700, 1900),
            (" wile", 1900, 2100), (" you", 2100, 2200), (" speak.", 2200, 2700)]  # fmt: skip
RECORD = [(" Captions", 1020, 1500), (" appear", 1520, 1900), (" while", 1900, 2100),
          (" you", 2100, 2200), (" speak.", 2200, 2700)]  # fmt: skip
SAID, RECORDED = "Captions a pier wile you speak.", "Captions appear while you speak."


def script(folder: Path, name: str, words: list[tuple[str, int, int]], slowness: float = 0) -> str:
    path = folder / name
    path.write_text(json.dumps({"script": words, "slowness": slowness}))
    return str(path)


@pytest.fixture
def options(tmp_path: Path, sample: Path, monkeypatch: pytest.MonkeyPatch) -> SessionOptions:
    """The scripted engine says in its table that it hears again."""
    monkeypatch.setattr(scripted, "INFO", replace(scripted.INFO, hears_again=True))
    return SessionOptions(
        engine=EngineOptions("scripted", model=script(tmp_path, "captions.json", CAPTIONS)),
        source=MediaFile(sample),
        srt=tmp_path / "kept.json",
        as_shown=tmp_path / "shown.txt",
        seconds=7,
    )


@pytest.fixture
def other(tmp_path: Path) -> MakeSecond:
    """The worker that hears again, with a script of its own; a busy computer lets it through."""
    model = script(tmp_path, "record.json", RECORD)

    def make(start: m.Start, deliver: Callable[[ClientEvent], None]) -> BackgroundClient:
        assert start.background and not start.realtime
        return BackgroundClient(replace(start, model=model, background=False), deliver)

    return make


def of_file(options: SessionOptions, make: MakeSecond) -> Session:
    """A session of a file whose time is the session's."""
    assert isinstance(options.source, MediaFile)
    feed = OnTime(options.source.path)
    feed.session = Session(options, feed=feed, make_second=make)
    return feed.session


def run(
    session: Session, each: Callable[[SessionEvent], None] = lambda event: None
) -> list[SessionEvent]:
    events: list[SessionEvent] = []
    session.start()
    deadline = time.monotonic() + 300
    while not session.over:
        assert time.monotonic() < deadline, session.status
        for event in session.wait(0.2):
            events.append(event)
            each(event)
    return events


def test_files_hold_the_record_and_what_was_shown(
    options: SessionOptions, other: MakeSecond, tmp_path: Path
) -> None:
    session = of_file(options, other)
    events = run(session)
    assert session.status.stage is Stage.STOPPED
    shown = [event for event in events if isinstance(event, Word)]
    assert "".join(word.text for word in shown).strip() == SAID
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert (kept["text"], kept["captions"]["text"]) == (RECORDED, SAID)
    assert kept["words"][0]["start_ms"] == 1020
    assert (tmp_path / "shown.txt").read_text().strip() == SAID
    assert session.timeline.text() == SAID
    assert not list(paths.journal_dir().glob("*.jsonl"))


def test_without_it_the_captions_are_the_record(options: SessionOptions, tmp_path: Path) -> None:
    def never(start: m.Start, deliver: Callable[[ClientEvent], None]) -> BackgroundClient:
        raise AssertionError("nothing is to be heard again")

    run(of_file(replace(options, hear_again=False), never))
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert kept["text"] == SAID and "captions" not in kept


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
@pytest.mark.parametrize("which", ["captions", "second", "both"])
def test_workers_that_die_cost_no_word_of_the_record(
    options: SessionOptions, other: MakeSecond, tmp_path: Path, which: str
) -> None:
    wanted = {"captions", "second"} if which == "both" else {which}
    for number in range(10):  # a session may be over before we come to it
        kept, killed = tmp_path / f"kept {number}.json", set[str]()
        chosen = replace(options, srt=kept, as_shown=None)
        session = of_file(chosen, other)

        def kill(_: SessionEvent, ours: Session = session, killed: set[str] = killed) -> None:
            """From “pier” on, whoever is there; the second begins with the first caption."""
            if " pier" in [word.text for word in ours.timeline.words()]:
                clients = {"captions": ours._client, "second": ours._second._client}
                for name in wanted - killed:
                    pid = getattr(clients[name], "worker_pid", None)
                    if pid is not None:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                            killed.add(name)

        run(session, kill)
        found = json.loads(kept.read_text())
        assert (found["text"], found["captions"]["text"]) == (RECORDED, SAID)
        if killed == wanted:
            break
    assert killed == wanted


def test_a_stop_while_the_transcript_is_finished_keeps_what_was_shown(
    options: SessionOptions, tmp_path: Path
) -> None:
    """The second hearing takes for ever: it is waited for until somebody wants no more."""
    slow = script(tmp_path, "slow.json", RECORD, slowness=1000)
    told: list[Status] = []

    def make(start: m.Start, deliver: Callable[[ClientEvent], None]) -> BackgroundClient:
        return BackgroundClient(replace(start, model=slow), deliver)

    def hurry(event: SessionEvent) -> None:
        if isinstance(event, Status) and event.can_hurry:
            told.append(event)
            session.ask_to_stop()

    session = of_file(options, make)
    events = run(session, hurry)
    assert told and any(isinstance(event, HeardOut) for event in events)
    assert not any(isinstance(event, Reheard) for event in events)
    assert json.loads((tmp_path / "kept.json").read_text())["text"] == SAID


def test_what_was_heard_again_is_in_the_journal_of_a_session_that_dies(
    options: SessionOptions, other: MakeSecond
) -> None:
    def left() -> Contents | None:
        """What a session that was killed has left; None of one that had ended before it was."""
        deadline = time.monotonic() + 60  # the disk is written by a thread of its own
        while time.monotonic() < deadline:
            try:
                (file,) = paths.journal_dir().glob("*.jsonl")
                contents = read(file)
            except (ValueError, FileProblem):
                return None  # its journal went with its end
            if contents.shown is not None:
                return contents
            time.sleep(0.05)
        raise AssertionError("the journal does not have what was heard again")

    for _ in range(10):
        session = of_file(replace(options, srt=None, force=True), other)  # it may be a second one

        def die(event: SessionEvent, dying: Session = session) -> None:
            if isinstance(event, Reheard):
                dying.abort()

        run(session, die)
        if contents := left():
            break
    assert contents is not None and contents.shown is not None
    assert "".join(word.text for word in contents.shown).strip() == SAID
    assert "".join(word.text for word in contents.words).strip() == RECORDED

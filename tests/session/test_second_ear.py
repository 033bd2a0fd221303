"""A session whose sound another worker hears once more: real processes, real files."""

from __future__ import annotations

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

# long after the gate has opened, on however slow a computer
CAPTIONS = [(" Captions", 3400, 3900), (" a", 3900, 4100), (" pier", 4100, 4300),
            (" wile", 4300, 4500), (" you", 4500, 4600), (" speak.", 4600, 5100)]  # fmt: skip
RECORD = [(" Captions", 3420, 3900), (" appear", 3920, 4300), (" while", 4300, 4500),
          (" you", 4500, 4600), (" speak.", 4600, 5100)]  # fmt: skip
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
    session = Session(options, make_second=other)
    events = run(session)
    assert session.status.stage is Stage.STOPPED
    shown = [event for event in events if isinstance(event, Word)]
    assert "".join(word.text for word in shown).strip() == SAID
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert (kept["text"], kept["captions"]["text"]) == (RECORDED, SAID)
    assert kept["words"][0]["start_ms"] == 3420
    assert (tmp_path / "shown.txt").read_text().strip() == SAID
    assert session.timeline.text() == SAID
    assert not list(paths.journal_dir().glob("*.jsonl"))


def test_without_it_the_captions_are_the_record(options: SessionOptions, tmp_path: Path) -> None:
    def never(start: m.Start, deliver: Callable[[ClientEvent], None]) -> BackgroundClient:
        raise AssertionError("nothing is to be heard again")

    run(Session(replace(options, hear_again=False), make_second=never))
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert kept["text"] == SAID and "captions" not in kept


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
@pytest.mark.parametrize("which", ["captions", "second", "both"])
def test_workers_that_die_cost_no_word_of_the_record(
    options: SessionOptions, other: MakeSecond, tmp_path: Path, which: str
) -> None:
    session = Session(options, make_second=other)
    killed: list[int] = []

    def kill(event: SessionEvent) -> None:
        if isinstance(event, Word) and event.text == " pier" and not killed:
            clients = {"captions": session._client, "second": session._second._client}
            for name, client in clients.items():
                pid = getattr(client, "worker_pid", None)
                if which in (name, "both") and pid is not None:
                    killed.append(pid)
                    os.kill(pid, signal.SIGKILL)

    run(session, kill)
    assert killed
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert (kept["text"], kept["captions"]["text"]) == (RECORDED, SAID)


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

    session = Session(options, make_second=make)
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
        session = Session(replace(options, srt=None), make_second=other)

        def die(event: SessionEvent, dying: Session = session) -> None:
            if isinstance(event, Reheard):
                dying.abort()

        run(session, die)
        if contents := left():
            break
    assert contents is not None and contents.shown is not None
    assert "".join(word.text for word in contents.shown).strip() == SAID
    assert "".join(word.text for word in contents.words).strip() == RECORDED

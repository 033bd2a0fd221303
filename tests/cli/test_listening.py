"""`voxline listen` and the readers of its output: slow, stopped, gone, or the wrong file."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import cli, paths
from app.cli.listen import _Listening
from app.cli.terminal import PlainScreen
from app.session import journal
from app.session.files import FileProblem
from app.session.journal_records import read
from app.session.lagging import TOO_LATE_MS
from app.session.session import Choices, Session, SessionEvent
from app.session.status import SessionOptions, Stage, Status
from app.worker.link import child_env
from model_backends.base import EngineOptions
from tests.session.fakes import text_of

SAID = " Captions appear while you speak, word by word."
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs small pipes")


@pytest.fixture
def listen(sample: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "app", "listen", "--engine", "scripted"]
        process = subprocess.Popen(
            [*command, "--source", str(sample), *arguments],
            stdin=subprocess.DEVNULL,
            env={**child_env(), "TERM": "xterm"},
            **streams,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def journaled() -> str:
    """Of the session that runs; all of it where that has come to its end meanwhile."""
    for file in paths.journal_dir().glob("*.jsonl"):
        with contextlib.suppress(FileProblem):  # it has just been saved
            return text_of(read(file).words)
    return SAID if saved() else ""


def saved() -> list[str]:
    return [" ".join(f.read_text().split()) for f in paths.transcripts_dir().glob("*.srt")]


def test_a_terminal_that_is_stopped_stops_neither_the_journal_nor_the_end(
    listen: Callable[..., subprocess.Popen[bytes]],
) -> None:
    """R4: Ctrl-S, then Ctrl-C."""
    _, terminal = pty.openpty()
    termios.tcflow(terminal, termios.TCOOFF)
    process = listen(stdout=terminal, stderr=terminal)
    wait_until(lambda: journaled() == SAID)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert SAID.strip() in saved()[0]


def test_what_the_log_has_to_say_waits_for_no_terminal(
    listen: Callable[..., subprocess.Popen[bytes]],
) -> None:
    """A worker dies while the terminal is stopped: the thread that logs it must go on."""
    _, terminal = pty.openpty()
    termios.tcflow(terminal, termios.TCOOFF)
    process = listen(stdout=terminal, stderr=terminal)
    wait_until(lambda: "Captions" in journaled())
    (running,) = journal.running(paths.journal_dir())
    assert running.worker_pid is not None
    os.kill(running.worker_pid, signal.SIGKILL)
    wait_until(lambda: journaled() == SAID)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert "killed by SIGKILL" in (paths.log_dir() / "voxline.log").read_text("utf-8")


def test_a_pipe_that_nobody_empties_stops_neither(
    listen: Callable[..., subprocess.Popen[bytes]],
) -> None:
    full, pipe = os.pipe()
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
    os.write(pipe, b"x" * 4096)
    process = listen("--json", stdout=pipe, stderr=subprocess.DEVNULL)
    wait_until(lambda: journaled() == SAID)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert SAID.strip() in saved()[0]
    os.close(full)


def test_a_slow_reader_gets_everything(listen: Callable[..., subprocess.Popen[bytes]]) -> None:
    out, pipe = os.pipe()
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
    process = listen("--json", "--seconds", "7", stdout=pipe, stderr=subprocess.DEVNULL)
    os.close(pipe)
    wait_until(lambda: bool(saved()))  # it is over, and its text is still on its way
    with os.fdopen(out) as reader:
        events = [json.loads(line) for line in reader]
    assert "".join(e["text"] for e in events if e["type"] == "word") == SAID
    assert events[-1]["stage"] == "stopped" and process.wait(60) == 0
    (srt,) = paths.transcripts_dir().glob("*.srt")
    assert [e["path"] for e in events if e["type"] == "saved"] == [str(srt)]


def test_a_full_disk_under_the_output_is_told_and_the_subtitles_are_written(
    listen: Callable[..., subprocess.Popen[bytes]],
) -> None:
    """B9: what was said goes on into the file."""
    with Path("/dev/full").open("wb") as full:
        process = listen("--json", stdout=full, stderr=subprocess.PIPE)
        _, told = process.communicate(timeout=60)
    assert told.count(b"cannot be written: the disk is full. Captions go on unseen") == 1
    assert b"Saved: " in told and b"Exception" not in told
    assert process.returncode == 1
    assert SAID.strip() in saved()[0]


def test_a_source_that_is_back_is_told_though_it_was_named_before() -> None:
    messages = io.StringIO()
    session = Session(SessionOptions(EngineOptions("scripted")))
    listening = _Listening(session, PlainScreen(io.StringIO(), messages))
    listening._tell(Choices("Headset", 480))
    listening._tell(Status(Stage.LISTENING, "Listening to Headset."))
    listening._tell(Choices("Webcam", 480, source_is_away=True))
    listening._tell(Status(Stage.SPEECH, "", remark="Headset is gone."))
    listening._tell(Choices("Headset", 480))
    listening._tell(Status(Stage.LISTENING, "Listening to Headset."))
    listening._showing.finish(patient=lambda: False)
    assert messages.getvalue().splitlines() == [
        "Listening to Headset. Ctrl-C stops.", "Headset is gone.", "Listening to Headset again.",
    ]  # fmt: skip


def test_a_reader_that_goes_ends_it_quietly(
    listen: Callable[..., subprocess.Popen[bytes]],
) -> None:
    out, pipe = os.pipe()
    process = listen("--json", stdout=pipe, stderr=subprocess.PIPE)
    os.close(pipe)
    wait_until(lambda: "Captions" in journaled())
    os.close(out)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"wrong" not in told and saved()


@pytest.mark.parametrize("by", ["name", "link", "way round"])
def test_the_subtitles_never_go_over_what_is_listened_to(
    tmp_path: Path, sample: Path, by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """B11, by any path to the same file."""
    own = tmp_path / "talk.flac"
    own.write_bytes(sample.read_bytes())
    link = tmp_path / "link.srt"
    link.symlink_to(own)
    round_about = tmp_path / ".." / tmp_path.name / "talk.flac"
    srt = {"name": own, "link": link, "way round": round_about}[by]
    command = ["listen", "--engine", "scripted", "--source", str(own), "--force"]
    for option in ("--srt", "--as-shown", "--follow"):
        assert cli.main([*command, "--seconds", "1", option, str(srt)]) == 2
        assert "overwritten" in capsys.readouterr().err
    assert own.read_bytes() == sample.read_bytes()


class Late(Session):
    """Its engine is so slow that words come later and later: once, for each second that passes."""

    def __init__(self, seconds: int) -> None:
        super().__init__(SessionOptions(EngineOptions("scripted")))
        self.now, self._seconds = 0.0, seconds

    def wait(self, timeout: float) -> list[SessionEvent]:
        self.now += 1
        lag_ms = self.delay_ms + TOO_LATE_MS + round(300 * self.now)
        over = self.now > self._seconds
        stage = Stage.STOPPED if over else Stage.CATCHING_UP
        self.status = Status(stage, lag_ms=0 if over else lag_ms)
        return [self.status]


@pytest.mark.parametrize(
    ("seconds", "live", "times"), [(20, True, 0), (300, True, 1), (300, False, 0)]
)
def test_an_engine_that_is_too_slow_is_told_once_with_what_helps(
    seconds: int, live: bool, times: int
) -> None:
    messages = io.StringIO()
    session = Late(seconds)
    listening = _Listening(
        session, PlainScreen(io.StringIO(), messages), live=live, now=lambda: session.now
    )
    listening._show_until_over()
    listening._showing.finish(patient=lambda: False)
    said = f"{session.info.label} cannot keep up on this computer: `voxline listen --engine embed"
    assert messages.getvalue().count(said) == times

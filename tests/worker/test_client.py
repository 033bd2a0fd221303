"""The real client and a real worker (with the scripted engine): fed, killed, brought back."""

from __future__ import annotations

import os
import queue
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from app import paths
from app.core.chunk import Chunk
from app.core.timeline import Gap
from app.worker import link
from app.worker import messages as m
from app.worker.client import EngineClient, Restarting
from app.worker.link import child_env, worker_command
from app.worker.restarts import Backoff
from app.worker.watchdog import Patience
from model_backends.base import Notice, Progress, Word
from tests.worker.helpers import TEXT, Collector, sample_chunks, start_message


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    collector = Collector(start_message(tmp_path))
    collector.client.start()
    yield collector
    collector.client.kill()


def push_all(client: EngineClient, chunks: list[Chunk]) -> None:
    for chunk in chunks:
        client.push(chunk)


def kill_worker(client: EngineClient) -> None:
    assert client.worker_pid is not None
    os.kill(client.worker_pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def test_words_come_in_order_and_finish_is_answered(collector: Collector) -> None:
    push_all(collector.client, sample_chunks())
    collector.client.finish()
    collector.wait_for(m.Finished)
    assert collector.text == TEXT
    kinds = [type(event) for event in collector.events]
    assert kinds.index(m.Hello) < kinds.index(m.Ready) < kinds.index(Word)
    last = [e for e in collector.events if isinstance(e, Progress)][-1]
    assert last.heard_ms == last.settled_ms == sample_chunks()[-1].end_ms
    assert collector.client.lag_ms("me") == 0


@pytest.mark.parametrize("killed_after", [1, 17, 36])
def test_a_killed_worker_costs_no_word_and_doubles_none(
    collector: Collector, killed_after: int
) -> None:
    push_all(collector.client, sample_chunks()[: killed_after * 3])
    collector.wait_for(m.Ready)
    if killed_after > 1:
        collector.wait_for(Word, killed_after - 3)
    kill_worker(collector.client)
    push_all(collector.client, sample_chunks()[killed_after * 3 :])
    collector.wait_for(Restarting)
    collector.client.finish()
    collector.wait_for(m.Finished)
    assert collector.text == TEXT
    words = [event for event in collector.events if isinstance(event, Word)]
    assert [w.start_ms for w in words] == sorted(w.start_ms for w in words)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a pipe that says nothing is its model")
def test_a_worker_killed_before_it_hears_anything_is_given_up_and_all_is_told(
    tmp_path: Path,
) -> None:
    os.mkfifo(tmp_path / "model")  # it loads until it is killed, however late we come to that
    start = start_message(tmp_path, model=str(tmp_path / "model"))
    collector = Collector(start, backoff=Backoff(waits_s=(0,)))
    push_all(collector.client, sample_chunks()[:30])
    collector.client.start()
    for attempt in range(1, 7):
        collector.wait_for(m.Hello, attempt)
        kill_worker(collector.client)
    failure = collector.wait_for(m.Failure)[0]
    assert isinstance(failure, m.Failure)
    assert "again and again" in failure.message and "memory" in failure.message
    assert failure.hint
    assert collector.of(Gap) == [Gap("me", 0, sample_chunks()[29].end_ms, "worker")]
    assert collector.client.finished.wait(60)
    assert collector.client.worker_pid is None


def test_a_worker_that_heard_something_comes_back_however_often_it_dies(tmp_path: Path) -> None:
    collector = Collector(start_message(tmp_path), backoff=Backoff(waits_s=(0,)))
    collector.client.start()
    chunks = sample_chunks()
    for attempt in range(7):
        push_all(collector.client, chunks[attempt * 10 : attempt * 10 + 10])
        collector.wait_for(m.Ready, attempt + 1)
        collector.wait_for(Word, 3 * attempt + 1)
        kill_worker(collector.client)
        collector.wait_for(Restarting, attempt + 1)
    push_all(collector.client, chunks[70:])
    collector.client.finish()
    collector.wait_for(m.Finished)
    assert collector.text == TEXT
    assert not collector.of(Gap)
    collector.client.kill()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that stops a process")
@pytest.mark.parametrize(
    ("when", "patience"),
    [(m.Hello, Patience(loading_silent_s=8)), (Word, Patience(silent_s=4))],
)
def test_a_worker_that_hangs_is_replaced_and_costs_no_word(
    tmp_path: Path, when: type, patience: Patience
) -> None:
    collector = Collector(start_message(tmp_path), patience=patience)
    push_all(collector.client, sample_chunks()[:60])
    collector.client.start()
    collector.wait_for(when)
    assert collector.client.worker_pid is not None
    os.kill(collector.client.worker_pid, signal.SIGSTOP)
    push_all(collector.client, sample_chunks()[60:])
    collector.client.finish()
    collector.wait_for(m.Finished)
    assert collector.text == TEXT
    assert {event.kind for event in collector.of(Restarting) if isinstance(event, Restarting)} == {
        "hung"
    }
    collector.client.kill()


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such signals")
@pytest.mark.parametrize(
    ("number", "kind", "says"),
    [
        ("SIGKILL", "killed", "memory"),
        ("SIGSEGV", "crashed", "crashed"),
        ("SIGTERM", "ended", "stopped"),
    ],
)
def test_how_a_worker_ended_is_told_and_logged(
    collector: Collector, caplog: pytest.LogCaptureFixture, number: str, kind: str, says: str
) -> None:
    collector.wait_for(m.Ready)
    assert collector.client.worker_pid is not None
    os.kill(collector.client.worker_pid, getattr(signal, number))
    (event,) = collector.wait_for(Restarting)
    assert isinstance(event, Restarting)
    assert event.kind == kind and says in event.message
    assert number in caplog.text or kind == "ended"
    if kind == "crashed":
        assert "Segmentation fault" in (paths.log_dir() / "worker.log").read_text()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_the_log_is_for_its_owner_alone(collector: Collector) -> None:
    collector.wait_for(m.Hello)
    log = paths.log_dir() / "worker.log"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_a_log_that_is_full_is_begun_anew() -> None:
    log = paths.private_file(paths.log_dir() / "worker.log")
    log.write_bytes(b"x" * 1_000_001)
    with link._worker_log() as errors:
        errors.write(b"new")
    assert log.read_bytes() == b"new"
    assert log.with_suffix(".1.log").stat().st_size == 1_000_001
    if os.name == "posix":
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_full_log_that_another_worker_has_open_is_gone_on_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Windows renames no file that is open."""

    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(13, "The process cannot access the file", str(path), 32, str(target))

    log = paths.private_file(paths.log_dir() / "worker.log")
    log.write_bytes(b"x" * 1_000_001)
    monkeypatch.setattr(Path, "replace", refuse)
    with link._worker_log() as errors:
        errors.write(b"new")
    assert log.read_bytes().endswith(b"xnew")


def test_a_delay_changes_in_mid_speech(collector: Collector) -> None:
    """A word of 2400 ms delay is held back; 80 ms let it go without more sound."""
    collector.client.set_delay("me", 0, 2400)
    push_all(collector.client, sample_chunks()[:40])
    collector.wait_for(Word, 3)
    collector.client.set_delay("me", 0, 80)
    push_all(collector.client, sample_chunks()[40:42])
    collector.wait_for(Word, 12)
    with pytest.raises(ValueError, match="no track 1"):
        collector.client.set_delay("me", 1, 80)


def test_a_delay_that_is_refused_is_a_notice_and_captions_go_on(collector: Collector) -> None:
    collector.client.set_delay("me", 0, 81)
    push_all(collector.client, sample_chunks())
    (notice,) = collector.wait_for(Notice)
    assert isinstance(notice, Notice) and notice.code == "delay-refused"
    kill_worker(collector.client)
    collector.wait_for(Restarting)
    collector.client.finish()
    collector.wait_for(m.Finished)
    assert collector.text == TEXT
    assert len(collector.of(Notice)) == 1, "the next worker is not asked for it again"


def test_a_break_flushes_what_was_said(collector: Collector) -> None:
    push_all(collector.client, sample_chunks()[:40])
    collector.client.pause("me")
    collector.wait_for(Word, 13)
    assert collector.text == TEXT[: len(collector.text)]
    collector.client.finish()
    collector.wait_for(m.Finished)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "/nowhere/script.json"}, "not a script"),
        ({"delays_ms": (123,)}, "no delay of 123 ms"),
        ({"language": "xx"}, "cannot be told"),
        ({"engine": "nonsense"}, "no engine called"),
        ({"version": 999}, "do not fit together"),
    ],
)
def test_what_cannot_work_is_a_failure_and_no_restart(
    tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    collector = Collector(start_message(tmp_path, **changes))
    collector.client.start()
    failure = collector.wait_for(m.Failure)[0]
    assert collector.client.finished.wait(60)
    assert says in failure.message  # type: ignore[union-attr]
    assert not collector.of(Restarting)


def test_an_interpreter_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    events: list[object] = []
    client = EngineClient(
        start_message(tmp_path), events.append, interpreter=str(tmp_path / "python")
    )
    client.start()
    assert client.finished.wait(60)
    assert [type(event) for event in events] == [m.Failure]


def test_a_worker_that_starts_while_the_client_closes_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Collector(start_message(tmp_path)).client
    workers: queue.Queue[subprocess.Popen[bytes]] = queue.Queue()
    start = subprocess.Popen

    def start_and_close(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] = start(*args, **options)
        client.kill()
        workers.put(process)
        return process

    monkeypatch.setattr(subprocess, "Popen", start_and_close)
    client.start()
    worker = workers.get(timeout=60)
    try:
        worker.wait(60)
    finally:
        worker.kill()


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the interpreter")
def test_a_worker_that_talks_nonsense_and_hears_nothing_is_given_up(tmp_path: Path) -> None:
    """Its pipe is full and the sender stuck in it; the reader must get out all the same."""
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("#!/bin/sh\nsleep 0.2\necho this is no frame of ours\nexec sleep 60\n")
    nonsense.chmod(0o755)
    collector = Collector(
        start_message(tmp_path), interpreter=str(nonsense), backoff=Backoff(waits_s=(0,))
    )
    collector.client.push(Chunk("me", 0, 0, bytes(2_000_000)))
    collector.client.start()
    failure = collector.wait_for(m.Failure)[0]
    assert isinstance(failure, m.Failure) and "nonsense" in failure.message
    collector.client.kill()


HOSTILE = {
    "an end nobody asked for": m.Finished(),
    "a word on a lane there is not": Word("nobody", 0, 0, " x", 0, 1),
    "a word on a track there is not": Word("me", 7, 0, " x", 0, 1),
    "progress on a track there is not": Progress("me", 7, 10, 10),
    "what the app says": m.Finish(),
}


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the interpreter")
@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_worker_is_replaced_and_nothing_of_it_is_delivered(
    tmp_path: Path, message: m.Message
) -> None:
    (tmp_path / "frames").write_bytes(m.encode(m.Hello(2, 1, "3")) + m.encode(message))
    hostile = tmp_path / "hostile"
    hostile.write_text(f"#!/bin/sh\ncat {tmp_path}/frames\nexec sleep 60\n")
    hostile.chmod(0o755)
    collector = Collector(
        start_message(tmp_path), interpreter=str(hostile), backoff=Backoff((0,), most_unready=2)
    )
    collector.client.push(sample_chunks()[0])
    collector.client.start()
    collector.wait_for(m.Failure)
    assert [type(event) for event in collector.events] == [
        m.Hello, Restarting, m.Hello, Gap, m.Failure,
    ]  # fmt: skip
    assert collector.client.finished.wait(60)
    collector.client.kill()


def test_a_log_that_cannot_be_written_stops_no_captions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("app.paths.log_dir", refuse)
    collector = Collector(start_message(tmp_path))
    collector.client.start()
    try:
        collector.wait_for(m.Ready)
    finally:
        collector.client.kill()


def test_closing_the_pipe_ends_the_worker_even_while_it_is_busy(tmp_path: Path) -> None:
    worker = subprocess.Popen(
        worker_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=child_env()
    )
    assert worker.stdin is not None and worker.stdout is not None
    worker.stdin.write(m.encode(start_message(tmp_path)))
    for chunk in sample_chunks():
        worker.stdin.write(m.encode(chunk))
    worker.stdin.flush()
    assert isinstance(m.read(worker.stdout), m.Hello)  # type: ignore[arg-type]
    worker.stdin.close()
    assert worker.wait(60) == 0
    worker.stdout.close()


def _has_ended(process: psutil.Process) -> bool:
    """Where nobody is left to bury it, it stays as a zombie."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_killed_app_leaves_no_worker(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.worker.helpers import Collector, start_message\n"
        "from app.worker import messages as m\n"
        "collector = Collector(start_message(Path(sys.argv[1])))\n"
        "collector.client.start()\n"
        "collector.wait_for(m.Ready)\n"
        "print(collector.client.worker_pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    app = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_env(),
        text=True,
    )
    assert app.stdout is not None and app.stdin is not None
    worker = psutil.Process(int(app.stdout.readline()))
    app.kill()
    app.wait()
    deadline = time.monotonic() + 60
    while not _has_ended(worker):
        assert time.monotonic() < deadline, "the worker lives on"
        time.sleep(0.02)
    app.stdin.close()
    app.stdout.close()


def test_a_frozen_app_does_not_lend_its_libraries_to_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/bundle")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/before")
    monkeypatch.setenv("_PYI_ARCHIVE_FILE", "/bundle/app")
    env = child_env()
    assert env["LD_LIBRARY_PATH"] == "/before"
    assert not [name for name in env if name.startswith("_PYI")]

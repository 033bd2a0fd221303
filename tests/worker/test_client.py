"""The real client and a real worker (with the scripted engine): fed, killed, brought back."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.core.chunk import Chunk
from app.worker import messages as m
from app.worker.client import EngineClient, Restarting, child_env, worker_command
from model_backends.base import Progress, Word
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


def test_a_worker_killed_again_and_again_is_given_up_with_a_sentence(collector: Collector) -> None:
    push_all(collector.client, sample_chunks()[:30])
    for attempt in range(1, 7):
        collector.wait_for(m.Hello, attempt)
        kill_worker(collector.client)
    failure = collector.wait_for(m.Failure)[0]
    assert isinstance(failure, m.Failure)
    assert "again and again" in failure.message
    assert failure.hint
    assert collector.client.worker_pid is None


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
    assert collector.client.finished.wait(10)
    assert says in failure.message  # type: ignore[union-attr]
    assert not collector.of(Restarting)


def test_an_interpreter_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    events: list[object] = []
    client = EngineClient(
        start_message(tmp_path), events.append, interpreter=str(tmp_path / "python")
    )
    client.start()
    assert client.finished.wait(10)
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
    worker = workers.get(timeout=10)
    try:
        worker.wait(10)
    finally:
        worker.kill()


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the interpreter")
def test_a_worker_that_talks_nonsense_and_hears_nothing_is_given_up(tmp_path: Path) -> None:
    """Its pipe is full and the sender stuck in it; the reader must get out all the same."""
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("#!/bin/sh\nsleep 0.2\necho this is no frame of ours\nexec sleep 60\n")
    nonsense.chmod(0o755)
    events: queue.Queue[Any] = queue.Queue()
    client = EngineClient(start_message(tmp_path), events.put, interpreter=str(nonsense))
    client.push(Chunk("me", 0, 0, bytes(2_000_000)))
    client.start()
    try:
        assert client.finished.wait(60)
    finally:
        client.kill()
    assert [type(events.get()) for _ in range(events.qsize())][-1] is m.Failure


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
    assert worker.wait(10) == 0
    worker.stdout.close()


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
    psutil.wait_procs([worker], timeout=10)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
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

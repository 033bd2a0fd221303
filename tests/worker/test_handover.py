"""A loaded worker goes from one client to the next; nothing said meanwhile is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.worker import messages as m
from app.worker.client import EngineClient, Restarting
from app.worker.link import Link
from app.worker.restarts import Backoff
from model_backends.base import Word
from tests.worker.helpers import TEXT, Collector, sample_chunks, start_message


@pytest.fixture
def first(tmp_path: Path) -> Iterator[Collector]:
    """A client whose worker is loaded and has heard three seconds; it never has another."""
    first = Collector(start_message(tmp_path), backoff=Backoff(waits_s=(3600,)))
    first.client.start()
    push(first, 0, 30)
    first.wait_for(Word, 3)
    yield first
    first.client.kill()


@pytest.fixture
def clients() -> Iterator[list[EngineClient]]:
    started: list[EngineClient] = []
    yield started
    for client in started:
        client.kill()


def push(collector: Collector, begin: int, end: int | None = None) -> None:
    for chunk in sample_chunks()[begin:end]:
        collector.client.push(chunk)


def successor(
    before: Collector,
    clients: list[EngineClient],
    folder: Path,
    alone: bool = False,
    **changes: object,
) -> Collector:
    start = start_message(folder, **changes)
    after = Collector(start, predecessor=before.client, alone=alone)
    clients.append(after.client)
    after.client.start()
    return after


def test_the_next_client_goes_on_with_the_loaded_worker(
    first: Collector, clients: list[EngineClient], tmp_path: Path
) -> None:
    pid = first.client.worker_pid
    second = successor(first, clients, tmp_path, delays_ms=(480,), first_utterance=70)
    push(second, 0)  # waits: the first still speaks
    first.client.finish()
    first.wait_for(m.Finished)
    first.client.kill()  # as sessions do at their end: it must not reach the worker now
    second.wait_for(m.Ready)
    assert second.client.worker_pid == pid
    second.client.finish()
    second.wait_for(m.Finished)
    assert second.text == TEXT
    assert TEXT.startswith(first.text)
    assert min(word.utterance for word in second.words) == 70
    ready = second.of(m.Ready)[0]
    assert isinstance(ready, m.Ready) and ready.load_ms == 0
    assert not second.of(m.Hello), "no other worker was started"


def test_a_client_closed_in_mid_speech_leaves_its_worker_to_the_next(
    first: Collector, clients: list[EngineClient], tmp_path: Path
) -> None:
    pid = first.client.worker_pid
    second = successor(first, clients, tmp_path)
    first.client.kill()
    told = len(first.events)
    push(second, 0)
    second.client.finish()
    second.wait_for(m.Finished)
    assert second.text == TEXT
    assert [event for event in second.events if isinstance(event, m.Ready)]
    assert not second.of(m.Hello) and not second.of(Restarting) and pid is not None
    # one that the reader had in its hands may still be let go
    assert len(first.events) <= told + 1, "who has closed hears nothing more"


def test_a_worker_passes_through_a_client_closed_before_its_turn(
    first: Collector, clients: list[EngineClient], tmp_path: Path
) -> None:
    second = successor(first, clients, tmp_path)
    third = successor(second, clients, tmp_path)
    second.client.kill()
    first.client.finish()
    push(third, 0)
    third.client.finish()
    third.wait_for(m.Finished)
    assert third.text == TEXT
    assert not third.of(m.Hello)
    assert not second.events


@pytest.mark.parametrize("changes", [{"model": None}, {"realtime": False}, {"extra": {"bits": 8}}])
def test_another_model_gets_a_worker_of_its_own(
    first: Collector, clients: list[EngineClient], tmp_path: Path, changes: dict[str, Any]
) -> None:
    second = successor(first, clients, tmp_path, **changes)
    second.wait_for(m.Hello)
    second.wait_for(m.Ready)
    assert first.client.worker_pid not in (None, second.client.worker_pid)


def test_where_memory_holds_one_model_the_other_worker_is_gone_before_ours_begins(
    first: Collector, clients: list[EngineClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    still_there: list[int | None] = []

    def start_worker(command: Sequence[str]) -> Link:
        still_there.append(first.client.worker_pid)
        return Link(command)

    monkeypatch.setattr("app.worker.client.Link", start_worker)
    second = successor(first, clients, tmp_path, alone=True, model=None)
    push(second, 0)
    second.client.finish()
    first.client.finish()
    second.wait_for(m.Finished)
    assert still_there == [None]
    assert second.of(m.Hello), "a worker of its own"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that stops a process")
@pytest.mark.parametrize("end", ["SIGKILL", "SIGSTOP"])
def test_a_predecessor_that_dies_or_hangs_does_not_keep_the_next_from_starting(
    first: Collector, clients: list[EngineClient], tmp_path: Path, end: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("app.worker.client.HAND_OVER_S", 0.5)
    second = successor(first, clients, tmp_path)
    assert first.client.worker_pid is not None
    os.kill(first.client.worker_pid, getattr(signal, end))
    first.client.kill()
    push(second, 0)
    second.client.finish()
    second.wait_for(m.Finished)
    assert second.text == TEXT
    assert second.of(m.Hello)
    assert first.client.finished.wait(60) and first.client.worker_pid is None


def test_nobody_left_to_take_it_over_ends_the_worker(
    first: Collector, clients: list[EngineClient], tmp_path: Path
) -> None:
    second = successor(first, clients, tmp_path)
    second.client.kill()
    assert second.client.finished.is_set()
    assert first.client.worker_pid is not None, "the first still listens"
    first.client.kill()
    assert first.client.worker_pid is None

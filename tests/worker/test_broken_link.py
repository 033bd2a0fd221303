"""Whatever goes wrong with a worker's pipes on our side, another worker goes on; no silence."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.chunk import Chunk
from app.worker import messages as m
from app.worker.client import Restarting
from app.worker.link import Link
from app.worker.restarts import Backoff
from model_backends.base import Word
from tests.worker.helpers import TEXT, Collector, sample_chunks, start_message

_ERRORS = [MemoryError("no room"), RecursionError("too deep"), TypeError("not a frame")]


def fail_once(monkeypatch: pytest.MonkeyPatch, verb: str, error: Exception, after: type) -> None:
    """The link's verb raises when it has handled one message of this kind, and then no more."""
    real: Callable[..., m.Message | None] = getattr(Link, verb)
    failed: list[Exception] = []

    def handle(link: Link, *args: m.Message) -> m.Message | None:
        message = real(link, *args)
        if isinstance(args[0] if args else message, after) and not failed:
            failed.append(error)
            raise error
        return message

    monkeypatch.setattr(Link, verb, handle)


@pytest.mark.parametrize("error", _ERRORS)
@pytest.mark.parametrize(("verb", "after"), [("receive", Word), ("send", Chunk)])
def test_an_error_in_a_pipe_costs_a_worker_and_no_word(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    verb: str,
    after: type,
    error: Exception,
) -> None:
    fail_once(monkeypatch, verb, error, after)
    collector = Collector(start_message(tmp_path), backoff=Backoff(waits_s=(0,)))
    collector.client.start()
    with caplog.at_level(logging.CRITICAL):
        for chunk in sample_chunks():
            collector.client.push(chunk)
        collector.client.finish()
        collector.wait_for(m.Finished)
    assert collector.text == TEXT
    assert len(collector.of(Restarting)) == 1
    collector.client.kill()


def test_an_error_that_comes_again_and_again_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def receive(link: Link) -> m.Message | None:
        raise MemoryError("no room")

    monkeypatch.setattr(Link, "receive", receive)
    collector = Collector(start_message(tmp_path), backoff=Backoff((0,), most_unready=2))
    with caplog.at_level(logging.CRITICAL):
        collector.client.start()
        (failure,) = collector.wait_for(m.Failure)
    assert isinstance(failure, m.Failure)
    assert failure.message.startswith("The connection to the speech engine broke")
    assert collector.client.finished.wait(60)
    collector.client.kill()

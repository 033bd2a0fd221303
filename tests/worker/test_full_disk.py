"""A worker whose log is on a full disk: what its engine has to say is heard all the same."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from app.worker import messages as m
from app.worker.link import child_env
from tests.worker.helpers import start_message

_FULL = Path("/dev/full")  # every write fails as on a full disk
_WORKER = """
import sys, warnings
from app.worker import loop, process
from model_backends.base import EngineError, Sentence

def load(engine, options, report):
    print("a library that talks " * 10_000)
    print("and complains", file=sys.stderr)
    warnings.warn("much")
    raise {error}

loop.load = load
sys.exit(process.main())
"""


@pytest.mark.skipif(not _FULL.exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("EngineError(Sentence('The weights are damaged.'))", "The weights are damaged."),
        ("KeyError('layers')", "The speech engine stopped: 'layers'."),
    ],
)
def test_a_full_disk_does_not_hide_the_engines_sentence(
    tmp_path: Path, error: str, sentence: str
) -> None:
    with _FULL.open("wb") as full:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-c", _WORKER.format(error=error)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=full,
            env=child_env(),
        )
    assert worker.stdin is not None and worker.stdout is not None
    with worker, worker.stdin, worker.stdout:
        worker.stdin.write(m.encode(start_message(tmp_path)))
        worker.stdin.flush()
        said = list(iter(partial(m.read, cast(BinaryIO, worker.stdout)), None))
    assert [message.message for message in said if isinstance(message, m.Failure)] == [sentence]

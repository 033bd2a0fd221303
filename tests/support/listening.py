"""`voxline listen --json` in a process of its own, and what it has said."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from app.measure.workers import captions_worker
from app.worker.link import child_env

_PATIENCE_S = 60.0


class Listening:
    """`voxline listen --json` and what it has said."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "app", "listen", "--json", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=child_env(),
        )
        self.events: list[dict[str, object]] = []
        self.told = ""

    def next(self, kind: str) -> dict[str, object] | None:
        """Read on to the next event of a kind; None at the end."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["type"] == kind:
                return self.events[-1]
        return None

    def until_ready(self) -> None:
        """The engine is loaded and hears: only then does anything make progress."""
        assert self.next("progress") is not None, self.end()

    def until_stage(self, *stages: str) -> None:
        while (event := self.next("status")) is not None:
            if event["stage"] in stages:
                return
        raise AssertionError(f"never {stages}: {self.end()}")

    def until_quiet(
        self, ms: int = 6_000, complete: Callable[[str], bool] = lambda text: True
    ) -> None:
        """Until so much sound has been heard without a word, after the last one.

        `complete`: whether the text is all that is waited for. If it is not, more of it may be
        late, or it was heard as other words: then thrice as much sound has to pass.
        """
        while (event := self.next("progress")) is not None:
            if not self.said:
                continue
            quiet_ms = int(str(event["heard_ms"])) - int(str(self.said[-1]["end_ms"]))
            if quiet_ms > (ms if complete(self.text) else 3 * ms):
                return
        raise AssertionError(f"never quiet: {self.end()}")

    def words(self, count: int) -> None:
        """Read until so many words have come."""
        while len(self.said) < count:
            assert self.next("word") is not None, self.end()

    def end(self) -> str:
        """Read to the end; what was written to standard error."""
        assert self.process.stdout is not None and self.process.stderr is not None
        if not self.process.stdout.closed:
            while self.next("none") is not None:
                pass
            self.told = self.process.stderr.read()
            self.process.wait(_PATIENCE_S)
            self.process.stdout.close()
            self.process.stderr.close()
        return self.told

    @property
    def said(self) -> list[dict[str, object]]:
        return [event for event in self.events if event["type"] == "word"]

    @property
    def text(self) -> str:
        return "".join(str(event["text"]) for event in self.said).strip()

    def worker(self) -> psutil.Process:
        """The one that captions, once there is one."""
        ends = time.monotonic() + _PATIENCE_S
        while (worker := captions_worker(self.process.pid)) is None:
            assert self.process.poll() is None and time.monotonic() < ends
            time.sleep(0.05)
        return worker


def saved_path(told: str) -> Path:
    """Where the session's subtitles were saved, from what was told on standard error."""
    (line,) = [line for line in told.splitlines() if line.startswith("Saved: ")]
    return Path(line.removeprefix("Saved: "))

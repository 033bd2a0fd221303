"""The windowed app captioning one file in a process of its own: for the benchmark and the tests.

Runs the real thing, with folders of its own, and reads its log of what was painted. On the
user's display if there is one, else on Qt's offscreen platform.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from app import paths, settings
from app.worker.link import child_env
from model_backends.base import Sentence, UserError, Word

_POLL_S = 0.05
_PAINTED_LOG = "VOXLINE_PAINTED_LOG"  # as in app.ui.painted_log, which would load Qt


@dataclass(slots=True)
class Load:
    """What the processes used: seconds of a core, and the largest resident memory, in bytes."""

    cpu_s: float = 0.0
    window_share: float | None = None  # of a core, the window's process since the first words
    app_rss: int = 0
    worker_rss: int = 0


@dataclass(slots=True)
class Painted:
    """A committed word and when it was first on the screen, in ms from the sound's first sample."""

    word: Word
    at_ms: int


@dataclass(slots=True)
class Seen:
    """What a reader of the window saw so far."""

    shown_ms: int | None = None  # the caption window, since the process began
    painted: list[Painted] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    first_painted_s: float | None = None  # since the process began
    first_in_page_s: float | None = None  # the same of the words in the page of the first run
    steps: list[tuple[int, float]] = field(default_factory=list)  # of it: number, s since then
    reached: dict[str, float] = field(default_factory=dict)  # stage: s since then, the first time


class WindowedApp:
    """A context manager: `python -m app` with these settings, in `folder`.

    Without settings it is a newcomer's. `command` starts another Voxline instead, with the models
    that it finds itself.
    """

    def __init__(
        self,
        chosen: settings.Settings | None,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self.seen = Seen()
        self.load = Load()
        self._log = folder / "painted.jsonl"
        self._read = 0
        environment = dict(environment or {})
        variables = {
            "VOXLINE_DATA": str(folder / "data"),
            "VOXLINE_CONFIG": str(folder / "config"),
            "VOXLINE_TRANSCRIPTS": str(folder / "transcripts"),
            _PAINTED_LOG: str(self._log),
        }
        if command is None:
            command = (sys.executable, "-P", "-m", "app")
            variables["VOXLINE_MODELS"] = str(paths.models_dir())
        (folder / "config").mkdir(parents=True)
        if chosen is not None:
            settings.save(chosen, folder / "config" / settings.settings_file().name)
        self._errors = (folder / "stderr").open("w+", encoding="utf-8")
        self._begun = time.time()
        self._captioning: tuple[float, float] | None = None  # monotonic s, s of a core, since when
        self.process = subprocess.Popen(
            list(command),
            env=child_env() | environment | variables,
            stdin=subprocess.DEVNULL,
            stderr=self._errors,
        )

    def __enter__(self) -> WindowedApp:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._errors.close()

    def follow(self, timeout_s: float) -> Iterator[Seen]:
        """What has been seen, again and again, until the session is over or the app has gone.

        Raises UserError if that takes longer.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self._measure()
            self._read_log()
            yield self.seen
            if self.process.poll() is not None or self._over():
                return
            time.sleep(_POLL_S)
        raise UserError(Sentence("The window did not finish in time."), self.errors()[-500:])

    def quit(self, timeout_s: float = 120.0) -> int:
        """End it as a user's Ctrl-C does; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def errors(self) -> str:
        """What it wrote to standard error."""
        self._errors.flush()
        return Path(self._errors.name).read_text("utf-8")

    @property
    def _since_begun_s(self) -> float:
        return time.time() - self._begun

    def _over(self) -> bool:
        return bool(self.seen.stages) and self.seen.stages[-1] in ("stopped", "failed")

    def _read_log(self) -> None:
        if not self._log.exists():
            return
        with self._log.open(encoding="utf-8") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind("\n") + 1]
        self._read += len(whole.encode())
        for line in whole.splitlines():
            self._take(json.loads(line))

    def _take(self, entry: dict[str, Any]) -> None:
        kind, at_ms = entry.pop("type"), entry.pop("ms", None)
        if kind == "shown":
            self.seen.shown_ms = at_ms
        elif kind == "status":
            self.seen.stages.append(entry["stage"])
            self.seen.reached.setdefault(entry["stage"], self._since_begun_s)
        elif kind == "step":
            self.seen.steps.append((entry["number"], self._since_begun_s))
        elif kind == "in page" and self.seen.first_in_page_s is None:
            self.seen.first_in_page_s = self._since_begun_s
        elif kind == "painted" and at_ms is not None:
            if self.seen.first_painted_s is None:
                self.seen.first_painted_s = self._since_begun_s
            self.seen.painted.append(Painted(Word(**entry), at_ms))

    def _measure(self) -> None:
        try:
            app = psutil.Process(self.process.pid)
            workers = app.children(recursive=True)
            times = [p.cpu_times() for p in (app, *workers)]
            self.load.cpu_s = max(self.load.cpu_s, sum(t.user + t.system for t in times))
            self._measure_window(times[0].user + times[0].system)
            self.load.app_rss = max(self.load.app_rss, app.memory_info().rss)
            for worker in workers:
                self.load.worker_rss = max(self.load.worker_rss, worker.memory_info().rss)
        except psutil.Error:
            return  # one of them has just ended

    def _measure_window(self, cpu_s: float) -> None:
        """What captioning costs the app itself: its start is over, and the engine is elsewhere."""
        now = time.monotonic()
        if self.seen.first_painted_s is None:
            return
        if self._captioning is None:
            self._captioning = now, cpu_s
        begun, before_s = self._captioning
        if now > begun:
            self.load.window_share = (cpu_s - before_s) / (now - begun)


def offscreen_if_none() -> dict[str, str]:
    """Environment for a window where there is no display."""
    from app.native.display import has_display

    return {} if has_display() else {"QT_QPA_PLATFORM": "offscreen"}

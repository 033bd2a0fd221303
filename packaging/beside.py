"""Size, start, first captions and memory: the frozen app's beside the checkout's, as a table.

    .venv/bin/python packaging/beside.py [--rounds N] [PATH/TO/voxline]

Without a path: the app that `build.py` froze here. Both are started in turn, on a screen of their
own where Xvfb and openbox are at hand, and caption the bundled sample; each has one start before
that does not count, since the first one verifies the weights. Processor time tells the two apart
on a busy computer, too; the other times mean something only where nothing else runs.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from product import ROOT
from tell import say

sys.path.append(str(ROOT))
import psutil

from app.measure.windowed import WindowedApp, offscreen_if_none
from app.settings import Settings

SAMPLE = ROOT / "resources" / "sample" / "jfk.flac"
_PATIENCE_S = 900
_STARTS = 3  # of the command, a round

# what is measured, and how it is written
ROWS: dict[str, str] = {
    "command: `--version`, s": "{:.2f}",
    "command: processor, s": "{:.2f}",
    "captions on the screen after, s": "{:.2f}",
    "… processor until then, s": "{:.2f}",
    "first caption after, s": "{:.1f}",
    "whole session of 11 s of speech: processor, s": "{:.1f}",
    "app: resident, MB": "{:.0f}",
    "app: its own share (PSS), MB": "{:.0f}",
    "worker: resident, MB": "{:.0f}",
    "worker: its own share (PSS), MB": "{:.0f}",
}


@dataclass
class One:
    """One of the two, and what was measured of it, by the names of the rows."""

    name: str
    command: Sequence[str]
    found: dict[str, list[float]] = field(default_factory=lambda: {row: [] for row in ROWS})

    def note(self, values: Mapping[str, float]) -> None:
        for row, value in values.items():
            self.found[row].append(value)


def main(arguments: list[str]) -> int:
    """Print the tables; 1 if the frozen app is not there."""
    parser = argparse.ArgumentParser(description="The frozen app beside the checkout's.")
    parser.add_argument("program", nargs="?", default=str(ROOT / "build/frozen/voxline/voxline"))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    program = Path(options.program).absolute()
    if not program.is_file():
        say(f"{program} is not there. Make it: ./test --packaging")
        return 1
    both = (One("frozen", [str(program)]), One("checkout", [sys.executable, "-P", "-m", "app"]))
    print("\n".join(sizes(program.parent)))
    with screen() as variables, tempfile.TemporaryDirectory(prefix="voxline-") as folder:
        for number in range(options.rounds + 1):
            say(
                f"round {number} of {options.rounds}" + ("" if number else ", which is not counted")
            )
            for one in both:
                values = one_round(one, Path(folder) / f"{one.name}{number}", variables)
                one.note(values if number else {})
    print("\n".join(table(*both)))
    return 0


def sizes(frozen: Path) -> Iterator[str]:
    """A row for the frozen folder and for each installer that has been built."""
    yield "| | MB |\n| --- | --- |"
    files = (path for path in frozen.rglob("*") if path.is_file() and not path.is_symlink())
    yield f"| frozen folder | {sum(path.stat().st_size for path in files) / 1e6:.0f} |"
    for path in sorted((ROOT / "dist").glob("*")):
        if path.name != "SHA256SUMS":
            yield f"| {path.name} | {path.stat().st_size / 1e6:.0f} |"
    yield ""


def table(frozen: One, checkout: One) -> Iterator[str]:
    """Medians, the range of each in brackets, and how many times the checkout's the frozen is."""
    yield f"load {os.getloadavg()[0]:.1f}, {len(frozen.found[next(iter(ROWS))])} values each\n"
    yield "| | frozen | checkout | frozen / checkout |\n| --- | --- | --- | --- |"
    for row, form in ROWS.items():
        ours, theirs = frozen.found[row], checkout.found[row]
        if ours and theirs:
            ratio = statistics.median(ours) / statistics.median(theirs)
            yield f"| {row} | {_written(ours, form)} | {_written(theirs, form)} | {ratio:.2f} |"


def _written(values: list[float], form: str) -> str:
    middle, least, most = (form.format(f(values)) for f in (statistics.median, min, max))
    return middle if least == most else f"{middle} ({least}–{most})"


def one_round(one: One, folder: Path, variables: Mapping[str, str]) -> dict[str, float]:
    """The command's start, then a session in the window, of a user who is new but for the models:
    they are verified in the first round and remembered in the others."""
    folder.mkdir()
    models = {"VOXLINE_MODELS": str(folder.parent / f"{one.name} models")}
    return _command(one.command) | _window(one.command, folder, {**variables, **models})


def _command(command: Sequence[str]) -> dict[str, float]:
    walls, processor = [], []
    for _ in range(_STARTS):
        before, began_s = _children_s(), time.monotonic()
        subprocess.run([*command, "--version"], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        walls.append(time.monotonic() - began_s)
        processor.append(_children_s() - before)
    names = ("command: `--version`, s", "command: processor, s")
    return dict(zip(names, map(statistics.median, (walls, processor)), strict=True))


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _window(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> dict[str, float]:
    """One session in the window: the sample, to its end."""
    chosen = Settings(engine="embedded", model="base", source=str(SAMPLE))
    shown_cpu_s: float | None = None
    with WindowedApp(chosen, folder, variables, command) as window:
        memory = Memory(window.process.pid)
        for seen in window.follow(_PATIENCE_S):
            if seen.shown_ms is not None and shown_cpu_s is None:
                shown_cpu_s = window.load.cpu_s
            if seen.shown_ms is not None:
                memory.look()
        seen, cpu_s = window.seen, window.load.cpu_s
        _wait_for_paint(window)
    values = {
        "captions on the screen after, s": seen.shown_ms and seen.shown_ms / 1000,
        "… processor until then, s": shown_cpu_s,
        "first caption after, s": seen.first_painted_s,
        "whole session of 11 s of speech: processor, s": cpu_s,
        **memory.most,
    }
    return {row: value for row, value in values.items() if value is not None}


def _wait_for_paint(window: WindowedApp) -> None:
    """On a busy computer the last words are painted after the session's end."""
    end = time.monotonic() + _PATIENCE_S
    while not window.seen.painted and time.monotonic() < end and window.process.poll() is None:
        for _ in window.follow(_PATIENCE_S):
            time.sleep(0.05)


class Memory:
    """What the app and its worker have held at most since the captions were shown, in MB."""

    def __init__(self, pid: int) -> None:
        self._app = psutil.Process(pid)
        self.most: dict[str, float] = {}

    def look(self) -> None:
        """Measure both now."""
        try:
            workers = self._app.children()
            for who, process in [("app", self._app), *(("worker", each) for each in workers)]:
                now = process.memory_full_info()
                self._keep(f"{who}: resident, MB", now.rss / 1e6)
                if hasattr(now, "pss"):
                    self._keep(f"{who}: its own share (PSS), MB", now.pss / 1e6)
        except psutil.Error:
            return  # one of them has just ended

    def _keep(self, row: str, value: float) -> None:
        self.most[row] = max(value, self.most.get(row, 0.0))


@contextmanager
def screen() -> Iterator[Mapping[str, str]]:
    """A private screen as the tests have it; else the user's own, or none."""
    from tests.support.screen import Screen, missing_tools

    if missing_tools():
        say(f"no screen of its own: {', '.join(missing_tools())} is missing")
        yield offscreen_if_none()
        return
    with tempfile.TemporaryDirectory(prefix="vx-") as folder:
        own = Screen(Path(folder))
        try:
            yield own.variables
        finally:
            own.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What captioning costs the app's own process, by thread: seconds of a core a second, and wakes.

The real app, both windows open, runs in a process of its own with a watcher inside, which reads
the kernel's count of every thread when the first words have been painted, and again some seconds
later; in between it sleeps. The engine is another process and is not counted. For Linux.

    python -m app.measure.window_cost --source speech.flac --seconds 60
    python -m app.measure.window_cost --source '…a source as settings keep it…' --engine scripted
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

from app.measure.windowed import WindowedApp, offscreen_if_none
from app.settings import Settings

_RESULT = "VOXLINE_MEASURE_COST"
_PERIOD = "VOXLINE_MEASURE_PERIOD"
_BEGIN = "VOXLINE_MEASURE_BEGIN"
_STARTING_S = 90.0
_SETTLING_S = 5.0  # after the first words
_POLL_S = 0.25

Count = tuple[float, int]  # seconds of a core, times that it had nothing to do


def main() -> int:
    """Print a row for each kind of thread, and one for the process."""
    if _RESULT in os.environ:
        return _measured()
    options = _arguments()
    settings = Settings(
        engine=options.engine,
        source=options.source,
        language=options.language,
        delay_ms={options.engine: options.delay_ms} if options.delay_ms else {},
    )
    with tempfile.TemporaryDirectory(prefix="voxline-cost-") as folder:
        begin, result = Path(folder) / "begin", Path(folder) / "result"
        environment = {
            **offscreen_if_none(),
            _BEGIN: str(begin),
            _RESULT: str(result),
            _PERIOD: str(options.seconds),
        }
        command = (sys.executable, "-P", "-m", "app.measure.window_cost")
        with WindowedApp(settings, Path(folder), environment, command) as window:
            _follow(window, begin, result, options)
            if not result.exists():
                sys.stderr.write(window.errors())
                return 1
            found = json.loads(result.read_text("utf-8"))
            sys.stdout.write(_table(found, len(window.seen.painted)) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--source", required=True, help="a sound file, or as settings keep it")
    parser.add_argument("--engine", default="embedded")
    parser.add_argument("--language", default="en")
    parser.add_argument("--delay-ms", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--wordless", action="store_true", help="begin without a first word")
    options = parser.parse_args()
    if Path(options.source).exists():
        options.source = str(Path(options.source).absolute())
    return options


def _follow(window: WindowedApp, begin: Path, result: Path, options: argparse.Namespace) -> None:
    """Let the watcher begin some seconds after the first words, and wait for what it finds."""
    ready_s = None
    for seen in window.follow(_STARTING_S + _SETTLING_S + options.seconds):
        words = seen.painted or (options.wordless and "listening" in seen.stages)
        if ready_s is None and words:
            ready_s = time.monotonic() + _SETTLING_S
        if ready_s is not None and time.monotonic() >= ready_s and not begin.exists():
            begin.touch()
        if result.exists():
            return


def _table(found: dict[str, list[float]], painted: int) -> str:
    rows = sorted(found.items(), key=lambda row: -row[1][0])
    lines = [f"{name:<24}{100 * cpu:7.2f} %{wakes:8.1f} wakes/s" for name, (cpu, wakes) in rows]
    total = [sum(row[1][part] for row in rows) for part in (0, 1)]
    lines.append(f"{'all':<24}{100 * total[0]:7.2f} %{total[1]:8.1f} wakes/s; {painted} words")
    return "\n".join(lines)


# --- in the process that is measured ---------------------------------------------------------


def _measured() -> int:
    """Be the app, and watch it from within."""
    where, begin = Path(os.environ[_RESULT]), Path(os.environ[_BEGIN])
    period_s = float(os.environ[_PERIOD])
    threading.Thread(
        target=_watch, args=(where, begin, period_s), daemon=True, name="measuring"
    ).start()
    sys.argv = ["voxline"]
    runpy.run_module("app", run_name="__main__", alter_sys=True)
    return 0


def _watch(where: Path, begin: Path, period_s: float) -> None:
    while not begin.exists():
        time.sleep(_POLL_S)
    before, since = _counts(), time.monotonic()
    time.sleep(period_s)
    after, names = _counts(), _names()
    took_s = time.monotonic() - since
    found: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for thread, (cpu_s, waits) in after.items():
        cpu_before, waits_before = before.get(thread, (0.0, 0))
        row = found[names.get(thread, _kernels_name(thread))]
        row[0] += (cpu_s - cpu_before) / took_s
        row[1] += (waits - waits_before) / took_s
    found.pop("measuring", None)
    unfinished = where.with_suffix(".part")
    unfinished.write_text(json.dumps(found), "utf-8")
    unfinished.replace(where)


def _counts() -> dict[int, Count]:
    """By the kernel's number of a thread."""
    counts = {}
    for task in Path("/proc/self/task").iterdir():
        try:
            cpu_s = int((task / "schedstat").read_text("ascii").split()[0]) / 1e9
            status = (task / "status").read_text("ascii", "replace")
        except OSError:
            continue  # it has ended
        waits = int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
        counts[int(task.name)] = (cpu_s, waits)
    return counts


def _names() -> dict[int, str]:
    return {t.native_id: t.name for t in threading.enumerate() if t.native_id is not None}


def _kernels_name(thread: int) -> str:
    try:
        return Path(f"/proc/self/task/{thread}/comm").read_text("ascii", "replace").strip()
    except OSError:
        return "ended"


if __name__ == "__main__":
    sys.exit(main())

"""What capture makes of all that can happen to a sound server, on a real one of its own.

Beeps play into a virtual microphone while it is unplugged and plugged in again, muted and put to
sleep, and while its server is frozen, killed and started again. Of each case it is told how soon
the sentence came, how soon there was sound again, whether a beep was lost while the source was
there and open, and how far what was heard afterwards stands from when it was made. That is known
from a recording beside it, of the output that the microphone hears, by the arrivals of its blocks.

    python -m app.measure.capture --server pulseaudio --cycles 50
    python -m app.measure.capture --server pipewire --cycles 50
    python -m app.measure.capture --soak 3

The last runs three hours of two lanes as fast as the machine can, and reads memory and threads.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import soundfile
from numpy.typing import NDArray

from app.audio.capture import Capture, CaptureEvent, SoundState
from app.audio.choice import Device, Microphone
from app.audio.clock import SessionClock
from app.audio.devices.libpulse import Recording, RecordingError
from app.audio.feeds import feed_for
from app.core.chunk import Chunk
from app.core.timeline import Gap
from app.measure.beeps import beeps, heard
from app.measure.soak import soak
from model_backends.base import SAMPLE_RATE, UserError

_T = TypeVar("_T")
_PATIENCE_S = 20.0
_BETWEEN_S = 2.2  # faults: two beeps
_COLUMNS = (
    "what happened",
    "times",
    "told after, s: p50 / most",
    "sound again after, s: p50 / most",
    "beeps lost while there",
    "off, ms: p95 / most",
    "gaps marked",
    "what is told",
)
_EDGE_MS = 250  # a beep nearer than this to a fault is neither there nor lost


@dataclass
class Run:
    """What came of one fault."""

    sentence: str
    told_s: float
    again_s: float = 0.0  # from its end to the first sound, where there was none
    fault_ms: tuple[int, int] = (0, 0)  # from when to when


@dataclass
class Case:
    """One row of the table."""

    name: str
    runs: list[Run] = field(default_factory=list)
    there: int = 0  # beeps while the source was there and open
    lost: int = 0
    off_ms: list[float] = field(default_factory=list)
    gaps: int = 0


class Ear:
    """A real capture of the virtual microphone, and all that it has said."""

    def __init__(self, choice: Device | Microphone, clock: SessionClock) -> None:
        self.clock = clock
        self.chunks: list[Chunk] = []
        self.gaps: list[Gap] = []
        self.states: list[tuple[int, SoundState]] = []
        self._changed = threading.Condition()
        self._capture = Capture(feed_for(choice), "me", clock, self._take)
        self._capture.start()
        self.sound_after(0)

    def close(self) -> None:
        self._capture.close()
        self._capture.join(_PATIENCE_S)

    def told(self, kinds: tuple[str, ...], after_ms: int) -> tuple[int, SoundState]:
        """The first state of these kinds after this time, and when it came. Waits for it."""
        return self._wait(
            lambda: next((s for s in self.states if s[0] >= after_ms and s[1].kind in kinds), None),
            f"told {kinds}",
        )

    def sound_after(self, after_ms: int) -> int:
        """When the first sound begins that was made after this time. Waits for it."""
        return self._wait(
            lambda: next((c.start_ms for c in self.chunks if c.start_ms >= after_ms), None),
            "there was sound",
        )

    def beeps(self) -> list[tuple[int, float]]:
        """Number and session time (ms) of all that were heard."""
        found, run = [], list[Chunk]()
        for chunk in [*self.chunks, None]:
            if run and (chunk is None or chunk.index != run[-1].index + run[-1].samples):
                pcm = _floats(b"".join(c.pcm for c in run))
                found += [
                    (b.number, run[0].start_ms + b.at_s * 1000) for b in heard(pcm, SAMPLE_RATE)
                ]
                run = []
            run += [chunk] if chunk is not None else []
        return found

    def _take(self, event: CaptureEvent) -> None:
        with self._changed:
            if isinstance(event, Chunk):
                self.chunks.append(event)
            elif isinstance(event, Gap):
                self.gaps.append(event)
            elif isinstance(event, SoundState):
                self.states.append((self.clock.now_ms(), event))
            self._changed.notify_all()

    def _wait(self, look: Callable[[], _T | None], what: str) -> _T:
        with self._changed:
            self._changed.wait_for(lambda: look() is not None, _PATIENCE_S)
            found = look()
        if found is not None:
            return found
        raise UserError(f"It was not {what} within {_PATIENCE_S:.0f} s.", str(self.states[-5:]))


class Truth:
    """Beside it: the output that the microphone hears, each block where it arrived."""

    def __init__(self, source: str, clock: SessionClock) -> None:
        self._source, self._clock = source, clock
        self._blocks: list[tuple[float, NDArray[np.float32]]] = []
        self._recording: Recording | None = None
        self.begin()

    def begin(self) -> None:
        """Listen, again if the server has gone meanwhile."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._recording = Recording(
                    self._source, 0.02, self._take, lambda: None, lambda _: None
                )
                return
            except RecordingError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def close(self) -> None:
        if self._recording is not None:
            self._recording.close()

    def beeps(self) -> list[tuple[int, float]]:
        """Number and session time (ms) of all that were played."""
        rate = 48_000
        found, run, begin_ms, length_ms = [], list[NDArray[np.float32]](), 0.0, 0.0
        for at, mono in [*self._blocks, (float("inf"), np.zeros(0, np.float32))]:
            block_ms = len(mono) / rate * 1000
            begun_ms = self._clock.at(at) - block_ms if at < float("inf") else at
            if run and begun_ms - begin_ms - length_ms > 300:
                whole = np.concatenate(run)
                found += [(b.number, begin_ms + b.at_s * 1000) for b in heard(whole, rate)]
                run = []
            if not run:
                begin_ms, length_ms = begun_ms, 0.0
            run.append(mono)
            length_ms += block_ms
            begin_ms = min(begin_ms, begun_ms + block_ms - length_ms)
        return found

    def _take(self, samples: NDArray[np.float32]) -> None:
        self._blocks.append((time.monotonic(), samples.mean(axis=1)))


def main() -> int:
    """Run the cases, or the soak, and print a table."""
    options = _arguments()
    if options.soak:
        print(soak(options.soak))
        return 0
    try:
        rows = _cases(options)
    except UserError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1
    _print(rows, options.server)
    return int(any(row.lost for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--server", choices=("pulseaudio", "pipewire"), default="pulseaudio")
    parser.add_argument("--cycles", type=int, default=50, help="of unplugging")
    parser.add_argument("--times", type=int, default=3, help="of every other fault")
    parser.add_argument("--soak", type=float, default=0.0, help="hours of two lanes instead")
    parser.add_argument("--only", default="", help="the cases whose name contains this")
    return parser.parse_args()


def _cases(options: argparse.Namespace) -> list[Case]:
    cases: list[tuple[str, int, Callable[[Any, Ear], Run]]] = [
        ("unplugged, plugged in again", options.cycles, _unplug),
        ("muted at the source", options.times, _mute),
        ("put to sleep", options.times, _suspend),
        ("server frozen for 3 s", options.times, lambda s, e: _freeze(s, e, 3.0)),
        ("server frozen for 8 s", options.times, lambda s, e: _freeze(s, e, 8.0)),
        ("server killed, started again", options.times, _kill),
        ("another default, of 16 kHz", 1, _default_changes),
    ]
    rows = []
    for name, times, fault in cases:
        if options.only in name:
            rows.append(_case(options.server, name, times, fault))
            print(_row(rows[-1]), file=sys.stderr)
    return rows


def _case(kind: str, name: str, times: int, fault: Callable[[Any, Ear], Run]) -> Case:
    case = Case(name)
    with tempfile.TemporaryDirectory(prefix="v") as folder:  # short: a socket's path is limited
        server = make_server(kind, Path(folder))
        clock = SessionClock()
        truth = ear = None
        try:
            path = Path(folder) / "beeps.wav"
            soundfile.write(path, beeps(900, 48_000), 48_000)
            truth = Truth(f"{server.sink}.monitor", clock)
            server.play(path, wait=False)
            server.started_again = partial(_play_again, server, truth, path)
            ear = Ear(Microphone(), clock)
            time.sleep(3)
            for _ in range(times):
                case.runs.append(fault(server, ear))
                time.sleep(_BETWEEN_S)
        finally:
            for each in (ear, truth):
                if each is not None:
                    each.close()
            server.close()
    _score(case, ear, truth)
    return case


def _play_again(server: Any, truth: Truth, path: Path) -> None:
    truth.begin()
    server.play(path, wait=False)


def make_server(kind: str, folder: Path) -> Any:
    """A private server, which this process and those it starts hear. Raises UserError."""
    try:
        from tests.support.pipewire import PipeWireServer
        from tests.support.pulse import PulseServer
    except ImportError:
        raise UserError("This runs in a checkout.", "The servers are made by its tests.") from None
    server = PipeWireServer(folder) if kind == "pipewire" else PulseServer(folder)
    os.environ.update({k: v for k, v in server.variables.items() if k != "HOME"})
    return server


# --- faults: done, told, undone, heard again ----------------------------------------------------


def _run(
    ear: Ear,
    kinds: tuple[str, ...],
    do: Callable[[], Any],
    undo: Callable[[], Any],
    lasts_s: float = 0.0,
    begun_ms: int | None = None,
) -> Run:
    """`begun_ms`: when it was done, if it has been done already."""
    begun_ms = ear.clock.now_ms() if begun_ms is None else begun_ms
    do()
    told_ms, state = ear.told(kinds, begun_ms)
    time.sleep(max(0.0, lasts_s - (ear.clock.now_ms() - begun_ms) / 1000))
    undo()
    ended_ms = ear.clock.now_ms()
    ear.told(("flowing",), told_ms)
    again_ms = ear.sound_after(ended_ms)
    run = Run(f"{state.message} {state.hint}", (told_ms - begun_ms) / 1000)
    run.again_s, run.fault_ms = (again_ms - ended_ms) / 1000, (begun_ms, again_ms)
    return run


def _unplug(server: Any, ear: Ear) -> Run:
    return _run(ear, ("lost",), server.unplug, server.plug, 1.0)


def _mute(server: Any, ear: Ear) -> Run:
    def mute(on: str) -> None:
        server.pactl("set-source-mute", server.source, on)

    return _run(ear, ("muted",), lambda: mute("1"), lambda: mute("0"), 4.0)


def _suspend(server: Any, ear: Ear) -> Run:
    begun_ms = ear.clock.now_ms()
    server.suspend()
    time.sleep(1)
    if ear.chunks[-1].end_ms > ear.clock.now_ms() - 500:  # PipeWire wakes what is recorded
        return Run("(it goes on)", 0.0, 0.0, (begun_ms, begun_ms + 1000))
    undo = partial(server.suspend, on=False)
    return _run(ear, ("stalled",), lambda: None, undo, 3.0, begun_ms)


def _freeze(server: Any, ear: Ear, seconds: float) -> Run:
    """PulseAudio plays what it missed afterwards: nothing may be missing. PipeWire skips it."""
    run = _run(ear, ("stalled",), lambda: server.freeze(), lambda: server.freeze(on=False), seconds)
    if type(server).__name__ == "PulseServer":
        run.fault_ms = (run.fault_ms[0], run.fault_ms[0])
    return run


def _kill(server: Any, ear: Ear) -> Run:
    def start() -> None:
        server.start()
        server.started_again()

    return _run(ear, ("lost",), server.kill, start, 3.0)


def _default_changes(server: Any, ear: Ear) -> Run:
    """A headset on the telephone profile: mono, at a rate of its own; nothing is told of it."""
    begun_ms = ear.clock.now_ms()
    server.pactl(
        *("load-module", "module-remap-source", f"master={server.sink}.monitor"),
        *("source_name=headset", "rate=16000", "channels=1", "channel_map=mono"),
        *("master_channel_map=front-left", "remix=yes"),
    )
    server.pactl("set-default-source", "headset")
    time.sleep(6)
    return Run("(nothing)", 0.0, 0.0, (begun_ms, begun_ms + 1500))


# --- what came of it ----------------------------------------------------------------------------


def _score(case: Case, ear: Ear, truth: Truth) -> None:
    """Which of the played beeps were heard, and where."""
    case.gaps = len(ear.gaps)
    found = ear.beeps()
    first_ms, last_ms = ear.chunks[0].start_ms + _EDGE_MS, ear.chunks[-1].end_ms - 2 * _EDGE_MS
    for number, at_ms in truth.beeps():
        faults = [run.fault_ms for run in case.runs if run.fault_ms[0] < run.fault_ms[1]]
        away = any(a - _EDGE_MS <= at_ms <= b + _EDGE_MS for a, b in faults)
        if away or not first_ms <= at_ms <= last_ms:
            continue
        case.there += 1
        off = [t - at_ms for n, t in found if n == number and abs(t - at_ms) < 20_000]
        if off:
            case.off_ms.append(min(off, key=abs))
        else:
            case.lost += 1


def _row(case: Case) -> str:
    told = sorted(run.told_s for run in case.runs)
    again = sorted(run.again_s for run in case.runs)
    off = sorted(abs(ms) for ms in case.off_ms) or [0.0]
    cells = [
        case.name,
        str(len(case.runs)),
        f"{told[len(told) // 2]:.1f} / {told[-1]:.1f}",
        f"{again[len(again) // 2]:.1f} / {again[-1]:.1f}",
        f"{case.lost} of {case.there}",
        f"{off[len(off) * 95 // 100]:.0f} / {off[-1]:.0f}",
        str(case.gaps),
        case.runs[-1].sentence.strip(),
    ]
    return "| " + " | ".join(cells) + " |"


def _print(rows: list[Case], server: str) -> None:
    print(f"{server}:\n")
    print(f"| {' | '.join(_COLUMNS)} |")
    print("|---" * len(_COLUMNS) + "|")
    for row in rows:
        print(_row(row))


def _floats(pcm: bytes) -> NDArray[np.float32]:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


if __name__ == "__main__":
    sys.exit(main())

"""Two voices at once, live: how late each one's words are, and what that costs.

    python -m app.measure.two_voices THEIRS.flac MINE.flac --model base --seconds 45

The worker's own loop, with its gates, its echo and the engine, on a clock of processor time: what
a computer with one core to itself would do, however busy this one is. Both sounds begin together
and are 16 kHz mono. Knows nothing of engines but their names.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from app.core.chunk import Chunk
from app.core.voices import ME, THEM
from app.session.start import resolved, start_message
from app.worker import messages as m
from app.worker.heartbeat import Heartbeat
from app.worker.loop import Loop, load_engine
from model_backends.base import SAMPLE_RATE, EngineOptions, Notice, Word

_STEP = SAMPLE_RATE // 10  # samples that a capture delivers at once
_Sounds = Mapping[str, NDArray[np.int16]]


class ProcessorClock:
    """Milliseconds that went by: those in which this process computed, and those it waited."""

    def __init__(self) -> None:
        self._waited_ms = -time.process_time() * 1000

    def now_ms(self) -> float:
        return self._waited_ms + time.process_time() * 1000

    def wait_until(self, ms: float) -> None:
        """Nothing is computed until then."""
        self._waited_ms += max(0.0, ms - self.now_ms())


class LiveInbox(queue.Queue[m.Message]):
    """What captures deliver, each piece when its last sample has been said."""

    def __init__(self, sounds: _Sounds, clock: ProcessorClock) -> None:
        super().__init__()
        self._clock = clock
        self._waiting: deque[tuple[float, m.Message]] = deque()
        length = max(map(len, sounds.values()))
        for at in range(0, length, _STEP):
            for lane, pcm in sounds.items():
                piece = pcm[at : at + _STEP].tobytes()
                chunk = Chunk(lane, at * 1000 // SAMPLE_RATE, at, piece)
                self._waiting.append(((at + _STEP) * 1000 / SAMPLE_RATE, chunk))
        self._waiting.append((length * 1000 / SAMPLE_RATE, m.Finish()))

    def get(self, block: bool = True, timeout: float | None = None) -> m.Message:
        """The next piece, once it is there."""
        due_ms, message = self._waiting.popleft()
        self._clock.wait_until(due_ms)
        return message

    def get_nowait(self) -> m.Message:
        if not self._waiting or self._waiting[0][0] > self._clock.now_ms():
            raise queue.Empty
        return self._waiting.popleft()[1]


def measured(options: EngineOptions, sounds: _Sounds) -> dict[str, object]:
    """One run: per lane how many words and how late they were, and the cores it took."""
    late_ms: dict[str, list[float]] = {lane: [] for lane in sounds}
    told: list[str] = []
    start = start_message(resolved(options)[1])
    engine = load_engine(start, lambda message: None)
    clock = ProcessorClock()

    def take(message: m.Message) -> None:
        if isinstance(message, Word):
            late_ms[message.lane].append(clock.now_ms() - message.end_ms)
        elif isinstance(message, Notice):
            told.append(message.code if message.message else f"({message.code} taken back)")

    inbox, begun = LiveInbox(sounds, clock), time.process_time()
    Loop(engine, start, inbox, take, Heartbeat(lambda beat: None)).run()
    seconds = max(map(len, sounds.values())) / SAMPLE_RATE
    lanes = {
        lane: {"words": len(ms), "p50_ms": _at(ms, 50), "p95_ms": _at(ms, 95)}
        for lane, ms in late_ms.items()
    }
    cores = round((time.process_time() - begun) / seconds, 2)
    return {"lanes": lanes, "cores": cores, "told": told}


def _sound(path: Path, seconds: float) -> NDArray[np.int16]:
    pcm, rate = soundfile.read(path, dtype="int16", frames=round(seconds * SAMPLE_RATE))
    if rate != SAMPLE_RATE or pcm.ndim != 1:
        raise SystemExit(f"{path}: not 16 kHz mono")
    return np.pad(pcm, (0, round(seconds * SAMPLE_RATE) - len(pcm)))


def _at(values: list[float], percent: int) -> int | None:
    return round(float(np.percentile(values, percent))) if values else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("theirs", type=Path)
    parser.add_argument("mine", type=Path)
    parser.add_argument("--engine", default="embedded")
    parser.add_argument("--model")
    parser.add_argument("--language")
    parser.add_argument("--alone", action="store_true", help="only theirs, to compare with")
    parser.add_argument("--seconds", type=float, default=45.0)
    args = parser.parse_args()
    sounds = {THEM: _sound(args.theirs, args.seconds), ME: _sound(args.mine, args.seconds)}
    if args.alone:
        del sounds[ME]
    options = EngineOptions(args.engine, args.model, language=args.language)
    sys.stdout.write(json.dumps(measured(options, sounds)) + "\n")


if __name__ == "__main__":
    main()

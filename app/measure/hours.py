"""Hours of one lane through the worker's own lane and gate into an engine, in minutes: whether
memory, threads or the time of a step grow.

    python -m app.measure.hours [--engine voxtral-cpu] [--model FOLDER] [--hours 3] FILE

The file is heard again and again, 80 ms at a time, as live captions are, but never waited for.
What is told is the time of this process' processors a step, so that other programs hardly count.
Knows nothing of the worker's process, its pipe or sound cards.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil

import model_backends
from app import paths
from app.audio.files import int16_bytes, open_sound
from app.core.chunk import Chunk
from app.worker.lane import Lane
from app.worker.messages import Speech
from app.worker.vad import SileroVad, Vad
from model_backends.base import Engine, LoadOptions, Progress, UserError, Word

_STEP = 1280  # samples: 80 ms
_STEPS_AN_HOUR = 45_000
_LOOKS_AN_HOUR = 2
HEAD = (
    "| hours | step, ms of processor | most | memory, MiB | threads | utterances | words |\n"
    "|---|---|---|---|---|---|---|"
)


def soak(engine: Engine, sound: bytes, hours: float, vad: Vad) -> Iterator[str]:
    """Rows of a table, each of the time since the row before. `sound`: 16 bit, mono, 16 kHz."""
    told: list[object] = []
    numbers = itertools.count()
    lane = Lane("me", engine, vad, (engine.info.default_delay_ms,), told.append,
                next_utterance=lambda: next(numbers))  # fmt: skip
    steps, a_look = round(_STEPS_AN_HOUR * hours), round(_STEPS_AN_HOUR / _LOOKS_AN_HOUR)
    taken: list[float] = []
    utterances = words = 0
    for step in range(steps):
        start = time.process_time()
        told += _heard(lane, engine, _chunk(sound, step))
        taken.append(1000 * (time.process_time() - start))
        utterances += sum(isinstance(event, Speech) and event.speaking for event in told)
        words += sum(isinstance(event, Word) for event in told)
        told.clear()
        if len(taken) == a_look or step + 1 == steps:
            yield _row((step + 1) / _STEPS_AN_HOUR, taken, utterances, words)
            taken.clear()
    lane.close()


def _heard(lane: Lane, engine: Engine, chunk: Chunk) -> list[object]:
    """What comes of one more chunk, all of it."""
    events: list[object] = []
    lane.take(chunk)
    lane.feed()
    while not engine.idle or lane.ready:
        events += [lane.annotate(event) for event in engine.advance()]
        lane.feed()
    return [event for event in events if not isinstance(event, Progress)]


def _chunk(sound: bytes, step: int) -> Chunk:
    at, size = 2 * _STEP * step % len(sound), 2 * _STEP
    pcm = (sound[at : at + size] + sound[: max(0, at + size - len(sound))])[:size]
    return Chunk("me", 80 * step, _STEP * step, pcm)


def _row(hours: float, taken: Sequence[float], utterances: int, words: int) -> str:
    memory = psutil.Process().memory_info().rss / 2**20
    return (
        f"| {hours:.2f} | {np.mean(taken):.3f} | {max(taken):.1f} | {memory:.1f} "
        f"| {threading.active_count()} | {utterances} | {words} |"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as it grows; 1 with a sentence if something cannot be loaded."""
    parser = argparse.ArgumentParser(description="Hours of one lane, as fast as they go.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--engine", default="voxtral-cpu")
    parser.add_argument("--model")
    parser.add_argument("--hours", type=float, default=3.0)
    options = parser.parse_args(arguments)
    try:
        with open_sound(options.file) as opened:
            sound = b"".join(int16_bytes(block) for block in opened.blocks())
        wanted = LoadOptions(options.model, None, paths.models_dir())
        engine = model_backends.load(options.engine, wanted, lambda done, what: None)
    except UserError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return 1
    sys.stdout.write(HEAD + "\n")
    for row in soak(engine, sound, options.hours, SileroVad()):
        sys.stdout.write(row + "\n")
        sys.stdout.flush()
    engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

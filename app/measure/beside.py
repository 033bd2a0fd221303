"""What a second hearing on another core costs the captions: their latency with it and without.

Every clip is captioned twice on the simulated clock of `embedded`, where a decode takes the
processor time that it took: once alone, and once while a worker that gives way decodes whole
blocks of the same speech. The two share caches, memory and, on some computers, one core's units;
so decodes take longer. `--duty` is the share of the captions' decodes that find it at work: what
it is in a session (the record's load of a core), or 1 for the worst that can be. For a quiet
computer: where others keep the cores busy anyway, there is nothing to be seen.

    python -m app.measure.beside ../shared/speech/manifest.jsonl --subset read-en --every 6 --duty 1
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np
import soundfile

from app.measure import embedded
from app.measure.embedded import Heard
from app.paths import models_dir
from app.worker.priority import give_way
from model_backends.base import Event, LoadOptions, StreamOptions
from model_backends.embedded.engine import EmbeddedEngine, load
from model_backends.embedded.stream import EmbeddedStream

_WARM_S = 8.0  # the other worker loads its model


class Beside:
    """The captions' engine; while it decodes, the other worker may be decoding, too."""

    def __init__(self, engine: EmbeddedEngine, other: int, duty: float) -> None:
        self._engine, self._other, self._duty = engine, other, duty
        self._chance = random.Random(0)
        self.weights = engine.weights

    def open(self, options: StreamOptions) -> EmbeddedStream:
        return self._engine.open(options)

    @property
    def idle(self) -> bool:
        return self._engine.idle

    def advance(self) -> list[Event]:
        at_work = self._chance.random() < self._duty
        if at_work:
            os.kill(self._other, signal.SIGCONT)
        try:
            return self._engine.advance()
        finally:
            if at_work:
                os.kill(self._other, signal.SIGSTOP)


def main() -> int:
    """Print a row without and a row with the second hearing."""
    options = _arguments()
    clips = list(embedded._clips(options))
    sounds = [options.manifest.parent / clip["file"] for clip in clips]
    other = multiprocessing.get_context("spawn").Process(
        target=_hear_again, args=(sounds,), daemon=True
    )
    other.start()
    engine = load(LoadOptions("base", None, models_dir()), lambda fraction, text: None)
    time.sleep(_WARM_S)
    assert other.pid is not None
    os.kill(other.pid, signal.SIGSTOP)
    rows: dict[str, list[Heard]] = {"alone": [], "beside": []}
    late: dict[str, list[float]] = {"alone": [], "beside": []}
    for clip, sound in zip(clips, sounds, strict=True):
        pcm, _ = soundfile.read(sound, dtype="float32")
        for name, duty in (("alone", 0.0), ("beside", options.duty)):
            with_it: object = Beside(engine, other.pid, duty)
            heard = embedded._hear(with_it, pcm, options, clip["file"])  # type: ignore[arg-type]
            rows[name].append(heard)
            late[name] += embedded._latencies(clip, pcm, heard, engine)
    os.kill(other.pid, signal.SIGCONT)
    other.kill()
    for name, heards in rows.items():
        decodes = [ms for heard in heards for ms in heard.decode_ms]
        p50, p95 = np.percentile(late[name], (50, 95))
        row = {
            "captions": name,
            "words": len(late[name]),
            "p50_ms": round(float(p50)),
            "p95_ms": round(float(p95)),
            "decode_p50_ms": round(float(np.percentile(decodes, 50))),
            "decode_p95_ms": round(float(np.percentile(decodes, 95))),
        }
        print(json.dumps(row))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--subset", action="append")
    parser.add_argument("--match", default="")
    parser.add_argument("--every", type=int, default=1, help="take every n-th clip")
    parser.add_argument("--delay-ms", type=int, default=1000)
    parser.add_argument("--duty", type=float, default=1.0)
    parser.set_defaults(language="en", file=False)
    return parser.parse_args()


def _hear_again(sounds: list[Path]) -> None:
    """In a process of its own: whole blocks, one after another, for ever."""
    give_way()
    engine = load(
        LoadOptions("base", None, models_dir(), realtime=False), lambda fraction, text: None
    )
    pcm = np.concatenate([soundfile.read(sound, dtype="float32")[0] for sound in sounds])
    while True:
        stream = engine.open(StreamOptions("me", 0, (1700,), 0, "en", realtime=False))
        stream.push(pcm, 1.0)
        stream.finish()
        while not stream.done:
            engine.advance()


if __name__ == "__main__":
    sys.exit(main())

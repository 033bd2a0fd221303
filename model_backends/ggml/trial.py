"""What a model really takes of this computer: three seconds of speech, heard once when it has come.

The figure is kept; it says at which chunk to begin, and is told. Knows no lanes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model_backends.base import SAMPLE_RATE, Pcm
from model_backends.ggml.families import Family, Kind
from model_backends.ggml.listening import listen

SECONDS = 3
_PIECE = SAMPLE_RATE * 80 // 1000
_FEW = 3  # rows of Voxtral, each of which is a step of the whole model
MOST_BEARABLE = 0.9  # of a core: more, and captions fall behind


def sample(path: Path) -> Pcm:
    """The first seconds of a sound file, shape (48000,), float32, 16 kHz. Raises OSError or
    ValueError for what is none."""
    import av

    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
        parts: list[Pcm] = []
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                parts.append(np.asarray(piece.to_ndarray(), np.float32).reshape(-1))
            if sum(map(len, parts)) >= SECONDS * SAMPLE_RATE:
                break
    return np.concatenate(parts)[: SECONDS * SAMPLE_RATE]


def load_at(
    model: Any,
    family: Family,
    delay_ms: int,
    sound: Pcm,
    threads: int,
    clock: Callable[[], float] = time.process_time,
) -> float:
    """The share of a core that hearing takes live: processor seconds for a second of sound."""
    listening = listen(model, family, delay_ms, _any_language(family), threads)
    began = clock()
    for at in range(0, len(sound), _PIECE):
        listening.feed(sound[at : at + _PIECE], 1.0)
    spent = clock() - began
    listening.close()
    return spent * SAMPLE_RATE / len(sound)


def warm_up(model: Any, family: Family, threads: int) -> None:
    """Hear one chunk of faint noise: what is made once is made before anybody speaks, and a file on
    which the library ends the process does so while it is loaded, where that is told as such.

    Raises EngineError.
    """
    delay_ms = family.default_delay_ms
    listening = listen(model, family, delay_ms, _any_language(family), threads)
    pieces = _FEW if family.kind is Kind.TEXT else delay_ms * SAMPLE_RATE // 1000 // _PIECE + 2
    noise = np.random.default_rng(0).standard_normal(_PIECE * pieces, np.float32)
    faint: Pcm = (noise / 1000).astype(np.float32)
    for at in range(0, len(noise), _PIECE):
        listening.feed(faint[at : at + _PIECE], 1.0)
    if family.kind is Kind.BLOCKS:
        listening.finish()
    listening.close()


def _any_language(family: Family) -> str | None:
    return next(iter(family.languages), None) if not family.detects else None


def first_delay(delays_ms: Sequence[int], wanted_ms: int, load: float) -> int:
    """Where to begin: what was wanted, or the next longer delay where that costs too much."""
    longer = [delay for delay in delays_ms if delay > wanted_ms]
    return wanted_ms if load <= MOST_BEARABLE or not longer else min(longer)

"""Two voices on one computer: real speech from its loudspeakers, and what its microphone hears."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from app.core.chunk import Chunk
from app.paths import resource
from model_backends.base import SAMPLE_RATE, Pcm

SPEECH = Path(__file__).parents[1] / "data" / "speech"
PLAYED = SPEECH / "kathleen_31s.flac"
_CHUNK = 1_600  # samples


def played(seconds: float) -> Pcm:
    """What the others say, from the beginning."""
    return _clip(PLAYED)[: round(seconds * SAMPLE_RATE)]


def said(seconds: float, begin_s: float = 0.0) -> Pcm:
    """What the user says, from `begin_s` on, in a room that is otherwise silent."""
    clip = _clip(resource("sample/jfk.flac"))
    samples, begin = round(seconds * SAMPLE_RATE), round(begin_s * SAMPLE_RATE)
    found: Pcm = np.pad(clip, (begin, samples))[:samples]
    return found


def leaking(pcm: Pcm, level_db: float, delay_ms: int, reverberation_s: float = 0.3) -> Pcm:
    """The sound as a microphone hears it from small loudspeakers, in a room.

    `level_db`: against what is played. The room is an exponential decay of noise, 3 dB below the
    direct sound, 60 dB down after `reverberation_s`; the loudspeaker has neither lows nor highs.
    """
    noise = np.random.default_rng(7).standard_normal(round(reverberation_s * SAMPLE_RATE))
    tail = noise * 10.0 ** (-3 * np.linspace(0, 1, len(noise)))
    room = np.concatenate([[1.0], tail * np.sqrt(0.5 / np.sum(tail**2))])
    size = len(pcm) + len(room)
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    speaker = 1 / (1 + (200 / np.maximum(hz, 1)) ** 2) / (1 + (hz / 6_000) ** 2)
    heard = np.fft.irfft(np.fft.rfft(pcm, size) * np.fft.rfft(room, size) * speaker, size)
    heard = np.pad(heard, (delay_ms * SAMPLE_RATE // 1000, 0))[: len(pcm)]
    gain = 10 ** (level_db / 20) * np.sqrt(np.mean(pcm**2) / np.mean(heard**2))
    leak: Pcm = (heard * gain).astype(np.float32)
    return leak


def noise(samples: int, level_db: float = -65.0) -> Pcm:
    """That of a microphone; dBFS."""
    found = np.random.default_rng(3).standard_normal(samples) * 10 ** (level_db / 20)
    return found.astype(np.float32)


def chunks(pcm: Pcm, lane: str, start_ms: int = 0) -> list[Chunk]:
    """The sound as a capture delivers it."""
    ints = (np.clip(pcm, -1, 1) * 32767).astype("<i2")
    return [
        Chunk(lane, start_ms + at // 16, at, ints[at : at + _CHUNK].tobytes())
        for at in range(0, len(ints), _CHUNK)
    ]


def spoken(pcm: Pcm, least_db: float = -35.0, length_ms: int = 320) -> list[tuple[int, int]]:
    """Times (start, end in ms) in which there is speech, each about as long as a word."""
    step = length_ms * 16
    levels = [
        10 * np.log10(np.mean(np.square(pcm[at : at + step])) + 1e-12)
        for at in range(0, len(pcm) - step, step)
    ]
    return [
        (index * length_ms, (index + 1) * length_ms)
        for index, level in enumerate(levels)
        if level > least_db
    ]


def _clip(path: Path) -> Pcm:
    pcm, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE
    return np.asarray(pcm)

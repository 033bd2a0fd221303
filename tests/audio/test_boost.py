"""Very quiet speech is lifted, slowly; nothing else is changed at all."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from app.audio.boost import Boost

RATE = 16_000
BLOCK = 512
Sound = NDArray[np.float32]


@pytest.fixture
def speech(sample: Path) -> Sound:
    """11 s of real speech with a microphone's faint noise, at its own level."""
    pcm, rate = soundfile.read(sample, dtype="float32")
    assert rate == RATE
    return np.asarray(pcm + noise(len(pcm) / RATE), dtype=np.float32)


def noise(seconds: float, dbfs: float = -85.0) -> Sound:
    drawn = np.random.default_rng(0).normal(0.0, 10 ** (dbfs / 20), round(RATE * seconds))
    return drawn.astype(np.float32)


def as_quiet_as(speech: Sound, peak_dbfs: float) -> Sound:
    quiet = speech / np.abs(speech).max() * 10 ** (peak_dbfs / 20)
    return np.asarray(quiet, dtype=np.float32)


def lifted(boost: Boost, sound: Sound) -> tuple[Sound, list[float]]:
    out, gains = [], []
    for at in range(0, len(sound), BLOCK):
        mono, gain = boost.lift(sound[at : at + BLOCK], RATE)
        out.append(mono)
        gains.append(20 * np.log10(gain))
    return np.concatenate(out), gains


@pytest.mark.parametrize("peak_dbfs", [-1.0, -12.0, -20.0])
def test_speech_of_usual_loudness_is_not_touched(speech: Sound, peak_dbfs: float) -> None:
    usual = as_quiet_as(speech, peak_dbfs)
    out, _ = lifted(Boost(), usual)
    assert np.array_equal(out, usual)


@pytest.mark.parametrize("peak_dbfs", [-44.0, -50.0])
def test_very_quiet_speech_is_lifted_within_seconds(speech: Sound, peak_dbfs: float) -> None:
    out, gains = lifted(Boost(), as_quiet_as(speech, peak_dbfs))
    assert -38.0 < 20 * np.log10(np.abs(out[3 * RATE :]).max()) < -20.0
    assert max(b - a for a, b in pairwise(gains)) < 0.7, "slowly"


def test_noise_is_never_pumped_up(speech: Sound) -> None:
    boost = Boost()
    _, alone = lifted(boost, noise(60.0))
    assert max(alone) == 0.0, "noise alone is no speech"
    _, gains = lifted(boost, as_quiet_as(speech, -46.0))
    _, pause = lifted(boost, noise(120.0))
    assert max(gains) > 6.0
    assert max(pause) == pytest.approx(gains[-1]) == pytest.approx(min(pause))


def test_who_shouts_after_a_whisper_is_not_clipped_and_soon_as_loud_as_they_are(
    speech: Sound,
) -> None:
    boost = Boost()
    _, quiet = lifted(boost, as_quiet_as(speech, -50.0))
    assert quiet[-1] > 10.0
    loud = as_quiet_as(speech, -0.5)
    out, gains = lifted(boost, loud)
    assert np.abs(out).max() <= np.abs(loud).max()
    assert max(gains[-200:]) == 0.0


def test_zeros_between_are_no_noise_to_measure_by(speech: Sound) -> None:
    """A microphone that gates itself sends zeros; the hiss after them is not speech."""
    boost = Boost()
    gated = np.concatenate([np.zeros(RATE, np.float32), noise(1.0, -70.0)] * 30)
    _, gains = lifted(boost, gated)
    assert max(gains) == 0.0

"""A device's clock that is off is made good by the resampler, in a real capture."""

from __future__ import annotations

import numpy as np
import pytest

from app.audio.resampling import Resampler
from app.measure.soak import soak


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("pace", [0.9995, 1.0, 1.0005])
def test_a_second_of_the_device_becomes_as_much_as_it_is_told(rate: int, pace: float) -> None:
    resample = Resampler(rate)
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(60 * rate) / rate)).astype(np.float32)
    blocks = np.array_split(tone, 60 * 30)
    out = np.concatenate([resample(block, pace) for block in blocks])
    assert len(out) + 16 * resample.kept_ms == pytest.approx(60 * 16_000 * pace, abs=40)
    assert 0 < resample.kept_ms < 20
    assert np.abs(np.diff(out[200:])).max() < 0.5 * 2 * np.pi * 440 / 16_000 * 1.02, "no jump"


def test_a_file_is_its_own_clock() -> None:
    steady = Resampler(16_000, steady=True)
    block = np.ones(512, dtype=np.float32)
    assert steady(block, 1.01) is block


def test_two_captures_of_devices_that_drift_apart_stay_together() -> None:
    """Three minutes: 200 ppm would be 36 ms by then."""
    last = soak(0.05).splitlines()[-1]
    apart_ms, furthest_ms = (float(cell) for cell in last.split("|")[2:4])
    assert 0 < apart_ms < 40
    assert 0 < furthest_ms < 25

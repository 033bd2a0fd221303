"""A whole multiple of 16 kHz becomes 16 kHz: the same sound, in blocks of any length."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.audio import decimation
from app.audio.decimation import Decimator

Samples = NDArray[np.float32]
# as many pieces as a block of 64 ms is cut into: one that stands still, one, three, none
PACES = [1.0, 1.00003, 0.9999, 1.002]


def tone(hertz: float, rate: float, samples: int) -> Samples:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(samples) / rate)
    return np.asarray(wave, dtype=np.float32)


def decimated(sound: Samples, times: int, pace: float = 1.0, block: int = 3072) -> Samples:
    decimate = Decimator(times)
    blocks = [decimate(sound[at : at + block], pace) for at in range(0, len(sound), block)]
    rest = decimate(np.zeros(0, dtype=np.float32), pace, last=True)
    return np.concatenate([*blocks, rest])


def below_db(wrong: Samples, right: Samples) -> float:
    return 10 * float(np.log10((wrong**2).mean() / (right**2).mean()))


@pytest.mark.parametrize("times", [2, 3, 6, 12])
@pytest.mark.parametrize("pace", PACES)
def test_a_tone_stays_what_it_is_and_where_it_is(times: int, pace: float) -> None:
    for hertz, least_db in ((200, -60), (1000, -60), (4000, -50), (7000, -40)):
        out = decimated(tone(hertz, 16_000 * times, 16_000 * times), times, pace)
        assert len(out) == pytest.approx(16_000 * pace, abs=2)
        right = tone(hertz, 16_000 * pace, len(out))
        inner = slice(100, -100)  # there is nothing before the beginning, nor behind the end
        assert below_db((out - right)[inner], right[inner]) < least_db


@pytest.mark.parametrize("pace", PACES)
def test_what_is_above_the_voice_does_not_come_back_below_it(pace: float) -> None:
    for hertz in (9_000, 15_000, 23_000):
        sound = tone(hertz, 48_000, 48_000)
        assert below_db(decimated(sound, 3, pace)[100:-100], sound) < -70


@pytest.mark.parametrize("block", [1, 7, 441, 20_000])
def test_blocks_of_any_length_give_the_same(block: int) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 20_000).astype(np.float32)
    whole, cut = decimated(sound, 3, block=len(sound)), decimated(sound, 3, block=block)
    assert np.abs(whole - cut).max() < 1e-6


def test_it_keeps_back_less_than_two_milliseconds() -> None:
    out = Decimator(3)(tone(440, 48_000, 48_000))
    assert 16_000 - 32 < len(out) < 16_000


@pytest.mark.parametrize(("pace", "pieces"), [(1.0, 0), (1.00003, 10), (0.9999, 30)])
def test_no_filter_is_made_twice(pace: float, pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next piece begins with the one that the last has ended with; of a clock that runs as
    the computer's does there is but one."""
    made: list[float] = []
    fill = decimation._Matrix.fill

    def counted(matrix: decimation._Matrix, place: float, taps: Samples) -> None:
        made.append(place)
        fill(matrix, place, taps)

    monkeypatch.setattr(decimation._Matrix, "fill", counted)
    decimate = Decimator(3)
    for _ in range(10):
        decimate(tone(440, 48_000, 3840), pace)
    assert len(made) <= 1 + 1.2 * pieces  # and another where the place passes a sample

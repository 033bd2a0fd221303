"""What is in one channel is in the mix: whatever the others do, and without a click."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.audio.mixdown import Mixer

RATE, BLOCK = 48_000, 1_536
Channels = NDArray[np.float32]  # (channels, samples)


def mixed(sound: Channels, block: int = BLOCK) -> NDArray[np.float32]:
    mixer = Mixer()
    starts = range(0, sound.shape[1], block)
    return np.concatenate([mixer.mix(sound[:, at : at + block], RATE) for at in starts])


def voice(seconds: float, hertz: float = 440) -> NDArray[np.float32]:
    at = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


def noise(channels: int, seconds: float, scale: float, seed: int = 0) -> Channels:
    rng = np.random.default_rng(seed)
    return rng.normal(0, scale, (channels, round(seconds * RATE))).astype(np.float32)


def rms(sound: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


@pytest.mark.parametrize("block", [160, BLOCK, 48_000])
@pytest.mark.parametrize(
    "gains",
    [
        (1.0,),
        (1, 1),
        (1,) * 8,
        (1, 0),
        (0, 0, 1, 0),
        (1, -1),
        (1, -0.97),
        (1, 1, -1, -1),
        (1, -1, -1),
    ],
)
def test_one_voice_is_as_loud_as_in_its_loudest_channel(
    gains: tuple[float, ...], block: int
) -> None:
    sound = np.outer(gains, voice(1.0)).astype(np.float32)
    assert rms(mixed(sound, block)) == pytest.approx(rms(voice(1.0)), rel=0.02)


def test_a_pair_that_cancels_is_found_beside_a_louder_channel() -> None:
    one, other = voice(1.0), 2 * voice(1.0, 700)
    out = mixed(np.stack([one, -one, other]).astype(np.float32))
    spectrum = np.abs(np.fft.rfft(out))
    assert spectrum[440] > 0.3 * spectrum[700]


@pytest.mark.parametrize("speaking", [0, 3, 7])
def test_a_voice_is_not_buried_under_the_hiss_of_the_others(speaking: int) -> None:
    sound = noise(8, 1.0, 1e-3)
    sound[speaking] += voice(1.0)
    assert rms(mixed(sound)) == pytest.approx(rms(voice(1.0)), rel=0.02)


def test_two_voices_on_two_channels_are_both_heard() -> None:
    out = mixed(np.stack([voice(1.0), voice(1.0, 700)]))
    spectrum = np.abs(np.fft.rfft(out))
    assert spectrum[440] == pytest.approx(spectrum[700], rel=0.05)
    assert rms(out) == pytest.approx(rms(voice(1.0)), rel=0.05)


def test_a_side_that_turns_round_is_heard_on_and_does_not_click() -> None:
    one = voice(4.0)
    turned = one.copy()
    turned[2 * RATE :] *= -1
    out = mixed(np.stack([one, turned]))
    tenths = out.reshape(-1, RATE // 10)
    assert min(rms(tenth) for tenth in tenths[22:]) > 0.9 * rms(one)
    steepest = np.abs(np.diff(one)).max()
    assert np.abs(np.diff(out)).max() < 1.5 * steepest


def test_silence_and_what_comes_after_it() -> None:
    quiet = np.zeros((2, RATE), dtype=np.float32)
    one = voice(1.0)
    out = mixed(np.concatenate([quiet, np.stack([one, -one])], axis=1))
    assert not out[:RATE].any()
    assert rms(out[RATE:]) == pytest.approx(rms(one), rel=0.02)


def test_a_glitch_beyond_all_scale_is_forgotten_within_seconds() -> None:
    one = voice(8.0)
    sound = np.stack([one, one])
    sound[1, RATE] = 1e30
    out = mixed(sound)
    assert np.isfinite(out).all() and np.abs(out).max() <= 1.0
    assert rms(out[-RATE:]) == pytest.approx(rms(one), rel=0.05)


def test_no_samples_are_no_samples() -> None:
    assert Mixer().mix(np.zeros((2, 0), dtype=np.float32), RATE).shape == (0,)


def test_loud_speech_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """To bring back what is loud beyond all measure takes as long as all else does together."""
    clipped: list[float] = []
    clip = np.clip

    def counted(sound: Channels, low: float, high: float) -> Channels:
        clipped.append(high)
        return clip(sound, low, high)

    monkeypatch.setattr(np, "clip", counted)
    loud = np.stack([voice(1.0), voice(1.0)]) * 3
    mixed(loud)
    assert clipped == []
    loud[0, 100] = 1e30
    mixed(loud[:, :BLOCK])
    assert clipped == [4.0]

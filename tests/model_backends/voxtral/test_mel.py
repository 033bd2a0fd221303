"""The frontend: any feed size gives the frames of the offline transform."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from model_backends.base import Pcm
from model_backends.voxtral.mel import SILENCE, MelStream, log_mel, mel_filters
from model_backends.voxtral.schedule import LEFT_PAD_ROWS, ROW_SAMPLES, Schedule
from tests.model_backends.voxtral.transcribing import TINY, clip

SECONDS = 3


def noise() -> Pcm:
    rng = np.random.default_rng(7)
    return (0.2 * rng.standard_normal(16_000 * SECONDS)).astype(np.float32)


def offline(pcm: Pcm) -> np.ndarray:
    """Frames of left padding + pcm, centred, zeros outside."""
    zeros = np.zeros(LEFT_PAD_ROWS * ROW_SAMPLES, np.float32)
    return log_mel(np.concatenate([np.zeros(200, np.float32), zeros, pcm, np.zeros(200)]))


def fed(pcm: Pcm, sizes: list[int], first_row: int) -> np.ndarray:
    """Frames of a MelStream fed in pieces, as many rows at a time as there are."""
    stream, frames, at, turn = MelStream(first_row), [], 0, 0
    while at < len(pcm):
        size = sizes[turn % len(sizes)]
        stream.push(pcm[at : at + size])
        at, turn = at + size, turn + 1
        if stream.ready:
            frames.append(stream.take(stream.ready)[3:])
    return np.concatenate(frames)


@pytest.mark.parametrize("size", [1, 37, 160, 1280, 5000])
def test_incremental_frames_equal_the_offline_ones(size: int) -> None:
    pcm = noise()[: 16_000 if size == 1 else None]
    frames = fed(pcm, [size], first_row=0)
    assert np.abs(frames - offline(pcm)[: len(frames)]).max() < 1e-6
    rows = (len(pcm) - 40) // ROW_SAMPLES + LEFT_PAD_ROWS
    assert len(frames) == 8 * rows


@given(sizes=st.lists(st.integers(1, 4000), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
def test_any_mixture_of_sizes_and_a_primed_start_change_nothing(sizes: list[int]) -> None:
    pcm = noise()
    frames = fed(pcm, sizes, first_row=LEFT_PAD_ROWS - 1)
    expected = offline(pcm)[8 * (LEFT_PAD_ROWS - 1) :]
    assert np.abs(frames - expected[: len(frames)]).max() < 1e-6


def test_the_context_is_what_came_before() -> None:
    stream = MelStream()
    stream.push(noise())
    first, second = stream.take(3), stream.take(2)
    assert np.array_equal(second[:3], first[-3:])


def test_a_row_needs_exactly_40_samples_of_look_ahead() -> None:
    stream = MelStream()
    stream.push(np.zeros(39, np.float32))
    assert stream.ready == 0
    stream.push(np.zeros(1, np.float32))
    assert stream.ready == 1


def test_silence_and_numbers_that_are_none() -> None:
    stream = MelStream()
    stream.push(np.full(ROW_SAMPLES, np.nan, np.float32))
    stream.push(np.full(ROW_SAMPLES, np.inf, np.float32))
    assert np.all(stream.take(stream.ready) == np.float32(SILENCE))


def test_filters_have_unit_area_and_cover_the_band() -> None:
    filters = mel_filters()
    assert filters.shape == (201, 128)
    wide = filters[:, 100:]  # narrow triangles fall between the bins
    assert np.allclose(wide.sum(0) * 40.0, 1.0, atol=0.02)


def test_frames_equal_the_reference_implementation() -> None:
    pcm = clip("join_00")
    with safe_open(TINY / "reference_tensors.safetensors", "np") as tensors:
        expected = tensors.get_tensor("mel").T
    rows = Schedule(6).rows(len(pcm))
    stream = MelStream(first_row=0)
    stream.push(pcm)
    stream.push(np.zeros(rows * ROW_SAMPLES, np.float32))
    frames = stream.take(rows)[3:]
    assert frames.shape == expected.shape
    assert np.abs(frames - expected).max() < 1e-4  # the reference computes in float32

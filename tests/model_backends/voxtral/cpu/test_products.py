"""Packed weights and their products: against NumPy on the very codes, for every kernel here."""

from __future__ import annotations

import numpy as np
import pytest

from model_backends.voxtral.cpu.library import kernels_here, pack, packed_bytes, product
from tests.model_backends.voxtral.cpu import reference
from tests.model_backends.voxtral.cpu.conftest import need_library

SHAPES = [(16, 32), (1, 1), (17, 33), (160, 256), (48, 992), (1400, 160), (300, 96), (2064, 64)]


def kernels() -> list[str]:
    need_library()
    return list(kernels_here())


def weights(rows: int, inputs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, inputs)).astype(np.float32)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_kernel_multiplies_the_very_codes(shape: tuple[int, int], bits: int) -> None:
    rows, inputs = shape
    blocks = pack(weights(rows, inputs), bits)
    assert len(blocks) == packed_bytes(bits, rows, inputs)
    for count in (1, 2, 3, 4, 5, 8, 13):
        x = 3 * weights(count, inputs, seed=count)
        x[0, 0] *= 50
        expected = reference.product(x, reference.unpacked(blocks, bits, rows, inputs))
        for name in kernels():
            for threads in (1, 3):
                y = product(blocks, bits, rows, x, name, threads)
                assert np.abs(y - expected).max() < 3e-6 * np.abs(x).max() * inputs, name


@pytest.mark.parametrize("bits", [4, 8])
def test_the_largest_codes_do_not_saturate(bits: int) -> None:
    """All weights and activations at an end of their range, of either sign."""
    for sign in (1.0, -1.0):
        w = np.full((16, 96), -1.0, np.float32)
        x = np.full((3, 96), sign, np.float32)
        for name in kernels():
            y = product(pack(w, bits), bits, 16, x, name)
            assert np.allclose(y, -96 * sign, rtol=2e-3), name


def test_a_row_does_not_depend_on_its_company() -> None:
    blocks, x = pack(weights(80, 160), 4), weights(9, 160, 1)
    x[3] *= 1000.0
    x[4] = 0.0
    for name in kernels():
        alone = np.concatenate([product(blocks, 4, 80, row[None], name) for row in x])
        assert np.array_equal(product(blocks, 4, 80, x, name, 2), alone)
        assert not alone[4].any()


def test_what_is_no_number_crashes_nothing() -> None:
    blocks, x = pack(weights(32, 64), 4), weights(2, 64, 1)
    x[0, 5], x[0, 40] = np.nan, np.inf
    for name in kernels():
        y = product(blocks, 4, 32, x, name)
        assert np.isfinite(y[1]).all(), name


@pytest.mark.parametrize(("bits", "most"), [(4, 0.0825), (8, 0.006)])
def test_the_error_of_packing_is_as_stated(bits: int, most: float) -> None:
    """Relative to normal weights; a group of zeros stays zero, the smallest and largest survive."""
    w = weights(256, 512)
    w[3] = 0.0
    w[4] *= 1e-4
    w[5] *= 1e4
    codes, scales = reference.unpacked(pack(w, bits), bits, 256, 512)
    back = (codes * scales[..., None]).reshape(256, -1)
    wrong = np.sqrt(np.square(back - w).mean(1)) / np.maximum(np.sqrt(np.square(w).mean(1)), 1e-9)
    assert wrong[3] == 0.0
    assert np.delete(wrong, 3).max() < 1.2 * most
    assert np.sqrt(np.square(wrong[6:]).mean()) < most


def test_weights_that_are_multiples_of_a_scale_are_kept_exactly() -> None:
    """As in files that were packed with the same groups before (GGUF's Q4_0)."""
    rng = np.random.default_rng(4)
    codes = rng.integers(-8, 8, (64, 96))
    codes[:, ::32] = -8
    scales = np.float16(rng.uniform(0.001, 0.1, (64, 3))).astype(np.float32)
    w = codes * np.repeat(scales, 32, 1)
    found, found_scales = reference.unpacked(pack(w.astype(np.float32), 4), 4, 64, 96)
    assert np.array_equal(found_scales, scales)
    assert np.array_equal(found.reshape(64, -1), codes)

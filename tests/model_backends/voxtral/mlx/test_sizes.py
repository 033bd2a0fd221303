"""The published model's sizes, computed: no tensor library needed."""

from __future__ import annotations

import pytest

from model_backends.voxtral import memory
from model_backends.voxtral.mlx import chip as mlx_chip
from model_backends.voxtral.spec import PUBLISHED


def test_four_bits_fit_a_16_gb_mac_beside_a_browser() -> None:
    held = memory.weight_bytes(PUBLISHED, mlx_chip.storage(4)) + memory.cache_bytes(PUBLISHED)
    assert held < 3.8e9
    assert mlx_chip.memory_needed(PUBLISHED, 4) < 4.2e9  # spare buffers and activations too


@pytest.mark.parametrize(("bits", "gigabytes"), [(16, 8.859), (8, 4.717), (6, 3.612), (4, 2.507)])
def test_weights(bits: int, gigabytes: float) -> None:
    """The specification's figures: everything but norms, convolutions and delay MLP packed."""
    computed = memory.weight_bytes(PUBLISHED, mlx_chip.storage(bits))
    assert computed == pytest.approx(1e9 * gigabytes, rel=1e-3)


def test_16_bits_are_the_published_file() -> None:
    assert (
        memory.weight_bytes(PUBLISHED, mlx_chip.storage(16))
        == 2 * PUBLISHED.parameters
        == 8_859_358_720
    )

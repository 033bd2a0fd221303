"""Linear layers whose weights are stored in 8, 6, 5, 4, 3 or 2 bits (MLX's affine format).

w = scale * q + bias for each group of 32, 64 or 128 inputs; q is packed into uint32, little end
first. Activations stay in 16 or 32 bits; norms, convolutions and the delay MLP are never packed
by us. Knows nothing about checkpoints or their names.
"""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx

from model_backends.voxtral.mlx.chip import GROUP_SIZE
from model_backends.voxtral.mlx.model import Dense, Linear


class Affine:
    """A packed weight: `weight` uint32 (out, in * bits / 32), `scales`, `biases` (out, groups)."""

    def __init__(
        self,
        weight: mx.array,
        scales: mx.array,
        biases: mx.array,
        bits: int,
        group_size: int,
        bias: mx.array | None = None,
    ) -> None:
        self.weight, self.scales, self.biases, self.bias = weight, scales, biases, bias
        self.bits, self.group_size = bits, group_size

    @classmethod
    def packed(cls, weight: mx.array, bits: int, group_size: int = GROUP_SIZE) -> Affine:
        """Pack a weight (out, in); `group_size` must divide `in`."""
        return cls(*mx.quantize(weight, group_size, bits), bits, group_size)

    def __call__(self, x: mx.array) -> mx.array:
        y = mx.quantized_matmul(
            x,
            self.weight,
            self.scales,
            self.biases,
            transpose=True,
            group_size=self.group_size,
            bits=self.bits,
        )
        return y if self.bias is None else y + self.bias

    def rows(self, ids: mx.array) -> mx.array:
        return self._unpacked(self.weight[ids], self.scales[ids], self.biases[ids])

    @property
    def arrays(self) -> list[mx.array]:
        held = [self.weight, self.scales, self.biases]
        return held if self.bias is None else [*held, self.bias]

    def dense(self) -> Dense:
        """The same layer with its weight unpacked."""
        return Dense(self._unpacked(self.weight, self.scales, self.biases), self.bias)

    def _unpacked(self, weight: mx.array, scales: mx.array, biases: mx.array) -> mx.array:
        return mx.dequantize(weight, scales, biases, self.group_size, self.bits)


class SideBySide:
    """Layers of different storage with the same input: their outputs joined."""

    def __init__(self, parts: Sequence[Linear], bias: mx.array | None) -> None:
        self.parts, self.bias = parts, bias

    def __call__(self, x: mx.array) -> mx.array:
        y = mx.concatenate([part(x) for part in self.parts], axis=-1)
        return y if self.bias is None else y + self.bias

    def rows(self, ids: mx.array) -> mx.array:
        raise TypeError("an embedding is one weight")

    @property
    def arrays(self) -> list[mx.array]:
        held = [array for part in self.parts for array in part.arrays]
        return held if self.bias is None else [*held, self.bias]


def stacked(parts: Sequence[Dense | Affine], bias: mx.array | None) -> Linear:
    """One layer with the outputs of all `parts` in order: one product where storage allows."""
    dense = [part for part in parts if isinstance(part, Dense)]
    if len(dense) == len(parts):
        return Dense(_joined([part.weight for part in dense]), bias)
    packed = [part for part in parts if isinstance(part, Affine)]
    kinds = {(part.bits, part.group_size) for part in packed}
    if len(packed) == len(parts) and len(kinds) == 1:
        weight, scales, biases = (
            _joined([getattr(part, field) for part in packed])
            for field in ("weight", "scales", "biases")
        )
        return Affine(weight, scales, biases, *kinds.pop(), bias)
    return SideBySide(parts, bias)


def _joined(arrays: Sequence[mx.array]) -> mx.array:
    return arrays[0] if len(arrays) == 1 else mx.concatenate(list(arrays))

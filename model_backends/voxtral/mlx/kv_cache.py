"""KV caches of one stream, and the arithmetic of where its positions stand in them.

Each slot has caches of its own: at full length from the start where memory allows, else growing in
doubling steps up to the window, so that a short utterance costs little. A closed slot gives its
memory back at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from model_backends.voxtral.memory import cache_cells
from model_backends.voxtral.mlx.model import LayerCache
from model_backends.voxtral.schedule import rope
from model_backends.voxtral.spec import Tower

_SHORTEST = 512


class KVCache:
    """Keys and values of one tower for one stream: per layer two arrays (K, C, d)."""

    def __init__(
        self,
        tower: Tower,
        block: int,
        dtype: mx.Dtype,
        saved: Sequence[LayerCache] = (),
        full_length: bool = False,
    ) -> None:
        """`block`: most positions written at once; the cache keeps that many besides the window.
        `saved`: what `prefix()` gave, to begin with those positions behind."""
        self._tower = tower
        self._longest = cache_cells(tower, block)
        self._first = 0
        empty = mx.zeros((tower.kv_heads, 0, tower.head_dim), dtype)
        self.layers: list[LayerCache] = list(saved) or [(empty, empty)] * tower.layers
        self._grow(self._longest if full_length else min(_SHORTEST, self._longest))

    @property
    def length(self) -> int:
        """C: cells."""
        return int(self.layers[0][0].shape[1])

    @property
    def size_bytes(self) -> int:
        return sum(array.nbytes for cache in self.layers for array in cache)

    @property
    def first_position(self) -> int:
        return self._first

    def begin_at(self, position: int) -> None:
        """Count from `position` on; the cache must be empty."""
        self._first = position

    def reserve(self, end_position: int) -> None:
        """Make room for positions up to `end_position` (exclusive)."""
        count, length = end_position - self._first, self.length
        while count > length and length < self._longest:
            length = min(2 * length, self._longest)
        if length != self.length:
            self._grow(length)

    def places(self, positions: NDArray[np.int64]) -> NDArray[np.int32]:
        """(T, 3) int32 for absolute positions: cell, key limit, C."""
        count = positions - self._first
        limit = np.minimum(count + 1, self._tower.window)
        cells = np.full_like(count, self.length)
        return np.stack([count % self.length, limit, cells], -1).astype(np.int32)

    def rope(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        return rope(positions, self._tower.head_dim, self._tower.rope_theta)

    def prefix(self, count: int) -> list[LayerCache]:
        """A copy of the first `count` positions, evaluated so that it holds no more than that."""
        saved = [
            (mx.contiguous(keys[:, :count]), mx.contiguous(values[:, :count]))
            for keys, values in self.layers
        ]
        mx.eval(saved)
        return saved

    def _grow(self, length: int) -> None:
        """Move to longer arrays. A cache that is still growing has not wrapped: append room."""
        for i, cache in enumerate(self.layers):
            keys, values = (self._padded(array, length) for array in cache)
            mx.eval(keys, values)  # layer by layer, so that the old ones go at once
            self.layers[i] = (keys, values)

    @staticmethod
    def _padded(array: mx.array, length: int) -> mx.array:
        kv_heads, cells, head_dim = array.shape
        room = mx.zeros((kv_heads, length - cells, head_dim), array.dtype)
        return mx.concatenate([array, room], axis=1)

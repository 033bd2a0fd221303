"""KV caches of many slots in static memory, and the arithmetic of who stands where.

On a GPU all cells of all slots are taken at load, so that nothing moves while somebody speaks.
Elsewhere memory is taken in doubling steps up to the window: a short utterance costs little and
a long one stops growing. Growing moves the tensors: `version` changes, and with it every step
that was made over the old ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model_backends.voxtral.memory import cache_cells
from model_backends.voxtral.schedule import rope
from model_backends.voxtral.spec import Tower

_SHORTEST = 512


class KVCache:
    """Keys and values of one tower: per layer a tensor (slots, K, C, d)."""

    def __init__(
        self, tower: Tower, block: int, device: torch.device, dtype: torch.dtype, slots: int = 0
    ) -> None:
        """`block`: most positions written at once; the cache keeps that many besides the window.
        `slots`: so many at full length at once; 0: one short one, which grows."""
        self.tower = tower
        self.version = 0
        self._longest = cache_cells(tower, block, scratch=1)
        self._device, self._dtype = device, dtype
        self._first: dict[int, int] = {}  # open slot -> its first position
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []
        self._allocate(slots or 1, self._longest if slots else min(_SHORTEST, self._longest))

    @property
    def slots(self) -> int:
        return self.keys[0].shape[0]

    @property
    def length(self) -> int:
        """C: cells, the scratch cell included."""
        return self.keys[0].shape[2]

    @property
    def size_bytes(self) -> int:
        return sum(t.nbytes for t in (*self.keys, *self.values))

    def open(self, first_position: int) -> int:
        """The lowest free slot, after making room for it."""
        slot = next(i for i in range(len(self._first) + 1) if i not in self._first)
        if slot >= self.slots:
            self._allocate(2 * self.slots, self.length)
        self._first[slot] = first_position
        return slot

    def close(self, slot: int) -> None:
        del self._first[slot]

    def reserve(self, slot: int, end_position: int) -> None:
        """Make room for positions up to `end_position` (exclusive)."""
        count = end_position - self._first[slot]
        length = self.length
        while count > length - 1 and length < self._longest:
            length = min(2 * length, self._longest)
        if length != self.length:
            self._allocate(self.slots, length)

    def first_position(self, slot: int) -> int:
        return self._first[slot]

    def places(self, slot: int, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """(T, 3) int64 for absolute positions: cell to write, to query from, key limit."""
        count = positions - self._first[slot]
        cell = count % (self.length - 1)
        return np.stack([cell, cell, np.minimum(count + 1, self.tower.window)], -1)

    def idle(self, steps: int) -> NDArray[np.int64]:
        """(T, 3) for a slot that has nothing to do: it writes to scratch and sees one cell."""
        return np.tile(np.array([self.length - 1, 0, 1], np.int64), (steps, 1))

    def rope(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """(T, d) float32: cosine and sine of each pair of channels in turn, times d ** -0.25.

        Queries and keys are both turned by them, so their products come out with attention's
        scale of d ** -0.5: in float32, before anything is rounded to 16 bits, at no cost.
        """
        d = self.tower.head_dim
        cosines, sines = np.split(rope(positions, d, self.tower.rope_theta), 2, -1)
        return np.stack([cosines, sines], -1).reshape(*positions.shape, d) * np.float32(d**-0.25)

    def view(self, start: int, count: int) -> tuple[list[Tensor], list[Tensor]]:
        """Caches of `count` consecutive slots, per layer (B, K, C, d)."""
        part = slice(start, start + count)
        return [k[part] for k in self.keys], [v[part] for v in self.values]

    def read(self, slot: int, count: int) -> Tensor:
        """A copy of the first `count` cells: (2, layers, K, count, d)."""
        keys = torch.stack([k[slot, :, :count] for k in self.keys])
        return torch.stack([keys, torch.stack([v[slot, :, :count] for v in self.values])])

    def write(self, slot: int, saved: Tensor) -> None:
        """Put back what `read` copied."""
        count = saved.shape[3]
        for layer, (key, value) in enumerate(zip(self.keys, self.values, strict=True)):
            key[slot, :, :count] = saved[0, layer]
            value[slot, :, :count] = saved[1, layer]

    def _allocate(self, slots: int, length: int) -> None:
        """Move to larger tensors. A cache that is still growing has not wrapped: plain copy."""
        for layers in (self.keys, self.values):
            for layer in range(self.tower.layers):  # one at a time: the old one is freed at once
                layers[layer : layer + 1] = [self._moved(layer, layers, slots, length)]
        self.version += 1

    def _moved(self, layer: int, old: list[Tensor], slots: int, length: int) -> Tensor:
        shape = (slots, self.tower.kv_heads, length, self.tower.head_dim)
        new = torch.zeros(shape, device=self._device, dtype=self._dtype)
        if layer < len(old):
            was = old[layer]
            kept = min(was.shape[2], length) - (was.shape[2] != length)
            new[: was.shape[0], :, :kept] = was[:, :, :kept]
        return new


def spans(total: int) -> list[tuple[int, int]]:
    """(first, count) of every run of slots that a batch may take: powers of two, aligned."""
    sizes = [1 << i for i in range(total.bit_length())]
    return [(start, size) for size in sizes for start in range(0, total, size)]


def span(slots: Sequence[int], total: int) -> tuple[int, int]:
    """The smallest of `spans` that holds all of `slots`."""
    low, high = min(slots), max(slots)
    return min(
        (run for run in spans(total) if run[0] <= low and high < sum(run)),
        key=lambda run: run[1],
    )

"""Key/value rings of many slots in static memory, and the arithmetic of who stands where.

Memory is taken in doubling steps up to the window, so that a short utterance costs little and a
long one stops growing; after that nothing is allocated. Growing moves the tensors: `version`
changes, and whatever was captured over the old ones must be captured again.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model_backends.voxtral.schedule import rope
from model_backends.voxtral.spec import Tower

_STEP = 64  # ring lengths are multiples of this
_SHORTEST = 512


class Rings:
    """Keys and values of one tower: per layer a tensor (slots, K, C, d)."""

    def __init__(self, tower: Tower, block: int, device: torch.device, dtype: torch.dtype) -> None:
        """`block`: most positions written at once; the ring keeps that many besides the window."""
        self.tower = tower
        self.version = 0
        self._longest = -(-(tower.window + block + 1) // _STEP) * _STEP
        self._device, self._dtype = device, dtype
        self._first: dict[int, int] = {}  # open slot -> its first position
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []
        self._allocate(1, min(_SHORTEST, self._longest))

    @property
    def slots(self) -> int:
        return self.keys[0].shape[0]

    @property
    def length(self) -> int:
        """C: ring slots and the scratch slot."""
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
        """(T, 3) int64 for absolute positions: ring slot to write, to query from, key limit."""
        count = positions - self._first[slot]
        ring = count % (self.length - 1)
        return np.stack([ring, ring, np.minimum(count + 1, self.tower.window)], -1)

    def idle(self, steps: int) -> NDArray[np.int64]:
        """(T, 3) for a lane that has nothing to do: it writes to scratch and sees one slot."""
        return np.tile(np.array([self.length - 1, 0, 1], np.int64), (steps, 1))

    def rope(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        return rope(positions, self.tower.head_dim, self.tower.rope_theta)

    def view(self, start: int, lanes: int) -> tuple[list[Tensor], list[Tensor]]:
        """Rings of `lanes` consecutive slots, per layer (B, K, C, d)."""
        part = slice(start, start + lanes)
        return [k[part] for k in self.keys], [v[part] for v in self.values]

    def read(self, slot: int, count: int) -> Tensor:
        """A copy of the first `count` ring slots: (2, layers, K, count, d)."""
        keys = torch.stack([k[slot, :, :count] for k in self.keys])
        return torch.stack([keys, torch.stack([v[slot, :, :count] for v in self.values])])

    def write(self, slot: int, saved: Tensor) -> None:
        """Put back what `read` copied."""
        count = saved.shape[3]
        for layer, (key, value) in enumerate(zip(self.keys, self.values, strict=True)):
            key[slot, :, :count] = saved[0, layer]
            value[slot, :, :count] = saved[1, layer]

    def _allocate(self, slots: int, length: int) -> None:
        """Move to larger tensors. A ring that is still growing has not wrapped: plain copy."""
        for rings in (self.keys, self.values):
            for layer in range(self.tower.layers):  # one at a time: the old one is freed at once
                rings[layer : layer + 1] = [self._moved(layer, rings, slots, length)]
        self.version += 1

    def _moved(self, layer: int, old: list[Tensor], slots: int, length: int) -> Tensor:
        shape = (slots, self.tower.kv_heads, length, self.tower.head_dim)
        new = torch.zeros(shape, device=self._device, dtype=self._dtype)
        if layer < len(old):
            was = old[layer]
            kept = min(was.shape[2], length) - (was.shape[2] != length)
            new[: was.shape[0], :, :kept] = was[:, :, :kept]
        return new

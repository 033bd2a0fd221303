"""Keys and values of one slot, as Python holds them: `native/kv_cache.h` says how they lie."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from model_backends.base import EngineError, Sentence
from model_backends.voxtral.cpu.library import address, library

NO_MEMORY = (
    Sentence("The computer has no memory left for this stream."),
    Sentence("Close other programs, or use one delay."),
)


class KvCache:
    """One slot's keys and values, freed with the object."""

    def __init__(self, handle: int | None) -> None:
        if not handle:
            raise EngineError(*NO_MEMORY)
        self.handle: int | None = handle

    @classmethod
    def restored(cls, model: int, tower: int, count: int, data: NDArray[np.uint8]) -> Self | None:
        """What `stored()` gave of `count` positions from 0 on; None if it is of another size."""
        handle = library().vx_kv_restore(model, tower, count, address(data), data.nbytes)
        return cls(handle) if handle else None

    def copy(self, count: int) -> KvCache:
        """Another that begins with the same `count` positions."""
        return KvCache(library().vx_kv_copy(self.handle, count))

    def stored(self) -> NDArray[np.uint8]:
        """All that it holds."""
        data = np.empty(self.size_bytes, np.uint8)
        library().vx_kv_store(self.handle, address(data))
        return data

    def fill(self, count: int) -> None:
        """Made-up contents for `count` positions, for measuring."""
        if library().vx_kv_fill(self.handle, count) != 0:
            raise EngineError(*NO_MEMORY)

    @property
    def size_bytes(self) -> int:
        return int(library().vx_kv_bytes(self.handle))

    def close(self) -> None:
        if self.handle is not None:
            library().vx_kv_free(self.handle)
            self.handle = None

    def __del__(self) -> None:
        self.close()

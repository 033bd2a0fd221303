"""The sound of one utterance that has not been heard for good: taken in as it comes, read again
from wherever a restart begins, forgotten once it is settled. Counts samples; knows no model."""

from __future__ import annotations

from collections import deque

import numpy as np

from model_backends.base import Pcm


class KeptSound:
    """`start` and `end`: sample numbers of what is kept, from the utterance's first on."""

    def __init__(self) -> None:
        self.start = self.end = 0
        self._parts: deque[tuple[Pcm, float]] = deque()

    def push(self, pcm: Pcm, speech: float) -> None:
        if len(pcm):
            self._parts.append((pcm, speech))
            self.end += len(pcm)

    def read(self, at: int, count: int) -> tuple[Pcm, float]:
        """`count` samples from number `at` on (fewer at the end), and the best score among them."""
        found, best, position = [], 0.0, self.start
        for pcm, speech in self._parts:
            begin, end = max(at - position, 0), min(at + count - position, len(pcm))
            if begin < end:
                found.append(pcm[begin:end])
                best = max(best, speech)
            position += len(pcm)
            if position >= at + count:
                break
        return (np.concatenate(found) if found else np.zeros(0, np.float32)), best

    def forget(self, before: int) -> None:
        """Whole pushes that end before this sample."""
        while self._parts and self.start + len(self._parts[0][0]) <= before:
            self.start += len(self._parts.popleft()[0])

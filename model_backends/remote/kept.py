"""The sound of one utterance, in blocks of 80 ms, until no server can ask for it again. Pure."""

from __future__ import annotations

from collections import deque

import numpy as np

from model_backends.base import Pcm

BLOCK_SAMPLES = 1280
BLOCK_MS = 80


class Kept:
    """Blocks are numbered from the utterance's first; those before `first` are forgotten."""

    def __init__(self) -> None:
        self.first = 0
        self.finished = False
        self._blocks: deque[tuple[bytes, float]] = deque()
        self._rest = np.zeros(0, np.float32)
        self._rest_speech = 0.0
        self._samples = 0

    @property
    def count(self) -> int:
        """How many whole blocks there have been."""
        return self.first + len(self._blocks)

    @property
    def length_ms(self) -> int:
        """Of the whole sound, that which fills no block included."""
        return self._samples // 16

    def push(self, pcm: Pcm, speech: float) -> None:
        """More sound; `speech`: the voice detector's probability for it."""
        self._samples += len(pcm)
        self._rest = np.concatenate([self._rest, pcm])
        self._rest_speech = max(self._rest_speech, speech)
        while len(self._rest) >= BLOCK_SAMPLES:
            self._add(self._rest[:BLOCK_SAMPLES])
            self._rest = self._rest[BLOCK_SAMPLES:]
            self._rest_speech = speech if len(self._rest) else 0.0

    def finish(self) -> None:
        """No more sound: silence fills the last block."""
        self.finished = True
        if len(self._rest):
            self._add(np.pad(self._rest, (0, BLOCK_SAMPLES - len(self._rest))))
            self._rest = self._rest[:0]

    def block(self, number: int) -> bytes:
        """PCM16 of one block, little endian, 16 kHz; IndexError if it is not here."""
        return self._at(number)[0]

    def speech(self, number: int) -> float:
        """The best score within a block."""
        return self._at(number)[1]

    def silent(self, until: int, blocks: int, below: float) -> bool:
        """Whether the last `blocks` before block `until` all score less."""
        first = until - blocks
        return first >= self.first and all(self.speech(n) < below for n in range(first, until))

    def forget(self, before: int) -> None:
        """What comes before this block will not be asked for any more."""
        while self.first < before and self._blocks:
            self._blocks.popleft()
            self.first += 1

    def _at(self, number: int) -> tuple[bytes, float]:
        if number < self.first:
            raise IndexError(f"block {number} is forgotten")
        return self._blocks[number - self.first]

    def _add(self, pcm: Pcm) -> None:
        data = (np.clip(pcm, -1.0, 1.0) * 32767).astype("<i2").tobytes()
        self._blocks.append((data, self._rest_speech))

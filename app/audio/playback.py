"""A file heard at real-time pace, as if it were a microphone. A pause stops it where it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from app.audio.files import open_sound
from app.audio.listening import BLOCK_S, Block
from model_backends.base import SAMPLE_RATE, Pcm

_BLOCK_MS = round(BLOCK_S * 1000)
# Of a file that is decoded at once: a decoder that is called for each block finds the processor's
# caches emptied by the engine each time, which takes it three times as long.
_AHEAD_MS = 12 * _BLOCK_MS


class Playback:
    """Satisfies `capture.Feed`."""

    live = False
    system = False

    def __init__(self, path: Path) -> None:
        """`-` is standard input. Raises SoundFileError for what holds no sound."""
        self._sound = open_sound(path)
        self.name = self._sound.name
        self._blocks = self._cut(_AHEAD_MS if path.is_file() else _BLOCK_MS)  # a pipe's are awaited
        self._playing = threading.Lock()  # one opening plays at a time

    @property
    def notes(self) -> Sequence[str]:
        """What the decoder has to say about the file, complete once it has been played."""
        return self._sound.notes

    def open(self, deliver: Callable[[Block | None], None]) -> _Playing:
        """Play on from where the last opening stopped."""
        playing = _Playing()
        threading.Thread(
            target=self._play, args=(playing.closed, deliver), daemon=True, name="playback"
        ).start()
        return playing

    def _cut(self, at_once_ms: int) -> Iterator[Pcm]:
        """Blocks of BLOCK_S, and of what is left at the end; so much is decoded at once."""
        size = _BLOCK_MS * SAMPLE_RATE // 1000
        for sound in self._sound.blocks(at_once_ms):
            yield from np.split(sound, range(size, len(sound), size))

    def _play(self, closed: threading.Event, deliver: Callable[[Block | None], None]) -> None:
        with self._playing:
            begun, played = time.monotonic(), 0
            while not closed.is_set():
                block = next(self._blocks, None)
                if block is None:
                    self._sound.close()
                    deliver(None)
                    return
                played += len(block)
                due = begun + played / SAMPLE_RATE
                closed.wait(max(0.0, due - time.monotonic()))
                deliver(Block(block, due))


class _Playing:
    """Satisfies `capture.Opened`."""

    rate = SAMPLE_RATE

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()

    def moved_to(self) -> None:
        return None

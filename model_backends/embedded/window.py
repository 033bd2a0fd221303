"""The stretch of audio an utterance is being heard in, with the voice detector's scores for it.

Positions are samples since the utterance began and stay true when the front is cut away. Knows
nothing about words, models or the session's clock.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from model_backends.base import Pcm

FRAME = 512  # samples one score stands for: Silero's block, 32 ms
VOICED = 0.35  # score from which a frame counts as speech; below the gate's own threshold


class Window:
    """Audio from `start` to `end`; grows at the end by `push`, shrinks at the front by `cut`."""

    def __init__(self) -> None:
        self.start = 0
        self.end = 0
        self._blocks: deque[Pcm] = deque()
        self._voiced = bytearray()  # 1 for speech, one byte a frame from `_first_frame` on
        self._first_frame = 0

    def push(self, pcm: Pcm, speech: float) -> None:
        """Add audio whose blocks share one score."""
        if not len(pcm):
            return
        self._blocks.append(pcm)
        known = self._first_frame + len(self._voiced)
        if self.end % FRAME and speech >= VOICED:
            self._voiced[-1] = 1
        self.end += len(pcm)
        self._voiced += bytes([speech >= VOICED]) * (-(-self.end // FRAME) - known)

    def cut(self, at: int) -> None:
        """Drop everything before `at`."""
        at = min(max(at, self.start), self.end)
        while self._blocks and self.start + len(self._blocks[0]) <= at:
            self.start += len(self._blocks.popleft())
        if at > self.start:
            self._blocks[0] = self._blocks[0][at - self.start :]
            self.start = at
        gone = at // FRAME - self._first_frame
        del self._voiced[:gone]
        self._first_frame += gone

    def audio(self, until: int, since: int | None = None) -> Pcm:
        """The samples from `start`, or from `since`, to `until`, float32."""
        parts: list[Pcm] = []
        at, since = self.start, max(self.start, since or 0)
        for block in self._blocks:
            if at >= until:
                break
            if at + len(block) > since:
                parts.append(block[max(0, since - at) : until - at])
            at += len(block)
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    @property
    def silence(self) -> int:
        """Samples since the last speech, or since the window's start."""
        last = self._voiced.rfind(1)
        since = self.start if last < 0 else (self._first_frame + last + 1) * FRAME
        return max(0, self.end - since)

    def speech(self, begin: int, end: int) -> int:
        """How many samples between two positions lie in frames with speech."""
        return FRAME * sum(self._frames(begin, end))

    def voiced_span(self, begin: int, end: int) -> tuple[int, int] | None:
        """The first and last moment of speech between two positions; None if there is none."""
        frames = self._frames(begin, end)
        if 1 not in frames:
            return None
        first = max(begin // FRAME, self._first_frame)
        span_begin = (first + frames.find(1)) * FRAME
        span_end = (first + frames.rfind(1) + 1) * FRAME
        return max(begin, span_begin), min(end, span_end)

    def spoken(self, begin: int, end: int, breath: int) -> list[tuple[int, int]]:
        """Stretches of speech between two positions, parted by silences of `breath` and more."""
        found = []
        at = begin
        for pause_begin, pause_end in [*self.pauses(begin, end), (end, end + breath)]:
            if pause_end - pause_begin < breath:
                continue
            if (span := self.voiced_span(at, pause_begin)) is not None:
                found.append(span)
            at = pause_end
        return found

    def pauses(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Stretches without speech between two positions, as (begin, end)."""
        first = max(begin // FRAME, self._first_frame)
        found: list[tuple[int, int]] = []
        since: int | None = None
        for i, voiced in enumerate(self._frames(begin, end) + b"\1"):
            if voiced and since is not None:
                found.append((since * FRAME, (first + i) * FRAME))
                since = None
            elif not voiced and since is None:
                since = first + i
        return found

    def _frames(self, begin: int, end: int) -> bytes:
        first = max(begin // FRAME - self._first_frame, 0)
        last = max(-(-end // FRAME) - self._first_frame, first)
        return bytes(self._voiced[first:last])

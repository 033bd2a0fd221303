"""A stretch of one lane's sound, as it goes from capture to the worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Chunk:
    """Audio of one lane. `index` is the lane's running sample number within an unbroken run.

    A `start_ms` that does not follow from the chunk before is a gap in what was heard.
    """

    lane: str
    start_ms: int  # session time of the first sample
    index: int
    pcm: bytes = b""  # int16 little-endian, mono, 16 kHz

    @property
    def samples(self) -> int:
        return len(self.pcm) // 2

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.samples // 16

    def follows(self, before: Chunk) -> bool:
        """Whether it goes on where another of its lane ends."""
        return self.lane == before.lane and self.index == before.index + before.samples


def joined(chunks: Sequence[Chunk]) -> Chunk:
    """One or more chunks, each of which follows the one before, as one."""
    return replace(chunks[0], pcm=b"".join(chunk.pcm for chunk in chunks))

"""A scripted voice: audio that says where it is, and a recogniser that reads the script for it.

Each sample's value is its own number since the session began, so that a recogniser handed any
window knows what it covers and returns the words of the script that end inside it, in the window's
time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from model_backends.base import Event, Pcm, Progress, StreamOptions, Word
from model_backends.embedded.listening import Care
from model_backends.embedded.stream import EmbeddedStream
from model_backends.guess import Guess

FRAME = 512
MS = 16  # samples in a millisecond

LONGEST_MS = {Care.QUICK: 27_000, Care.CAREFUL: 27_000, Care.WHOLE: 30_000}  # Whisper's encoder
_FEWEST_SKIPPED = 5  # one word less is a word misheard; that nobody can see

Script = Sequence[tuple[str, int, int]]  # (text, start_ms, end_ms) of the session


@dataclass
class ScriptedRecognizer:
    """Hears what the script says; the last word of an unfinished window is misheard.

    With `skips`, a stretch in session time, whoever is not careful leaves out the words in it, and
    a word beside it is stretched over the place, as Whisper's attention does.
    """

    script: Script
    invents: str = ""  # heard, with little belief, behind the last word by whoever is quick
    skips: tuple[int, int] | None = None
    windows: list[tuple[int, int, Care]] = field(default_factory=list)  # start, end in ms

    def __call__(self, pcm: Pcm, care: Care) -> list[Guess]:
        start, end = int(pcm[0]) // MS, (int(pcm[-1]) + 1) // MS
        self.windows.append((start, end, care))
        if end - start > LONGEST_MS[care]:
            raise ValueError(f"Invalid input features shape: {end - start} ms")
        heard = [
            Guess(word if e <= end else f"{word}-{end}", max(s, start) - start, min(e, end) - start)
            for word, s, e in self.script
            if (s + e) // 2 >= start and s < end - 40
        ]
        if self.skips is not None and care is not Care.CAREFUL:
            heard = _skipping(heard, self.skips[0] - start, self.skips[1] - start, end - start)
        if self.invents and care is Care.QUICK and end > self.script[-1][2]:
            heard.append(Guess(self.invents, heard[-1].end_ms - 32, heard[-1].end_ms, 0.3))
        return heard


class Muddled(ScriptedRecognizer):
    """What is unclear is heard as another word each time."""

    def __init__(self, script: Script, unclear: Sequence[tuple[int, int]]) -> None:
        super().__init__(script)
        self._unclear = unclear

    def __call__(self, pcm: Pcm, care: Care) -> list[Guess]:
        heard = super().__call__(pcm, care)
        start, end, _ = self.windows[-1]
        count = len(self.windows)
        return heard + [
            Guess(f" x{count}y{begin}", begin - start, min(stop, end) - start)
            for begin, stop in self._unclear
            if begin >= start and begin < end - 40
        ]


def _skipping(words: list[Guess], begin: int, end: int, window: int) -> list[Guess]:
    kept = [w for w in words if w.start_ms < begin or w.end_ms > end]
    if len(words) - len(kept) < _FEWEST_SKIPPED:
        return words
    after = next((i for i, w in enumerate(kept) if w.start_ms >= begin), None)
    if after is not None:
        kept[after] = replace(kept[after], start_ms=kept[after - 1].end_ms if after else 0)
    elif kept:
        kept[-1] = replace(kept[-1], end_ms=window)
    return kept


def audio(start_ms: int, end_ms: int) -> Pcm:
    """Samples that are their own numbers; exact in float32 for the first 17 minutes."""
    return np.arange(start_ms * MS, end_ms * MS, dtype=np.float32)


def frames(script: Script, start_ms: int, end_ms: int) -> Iterator[tuple[Pcm, float]]:
    """Blocks of 32 ms and their scores: speech wherever the script has a word."""
    pcm = audio(start_ms, end_ms)
    for at in range(0, len(pcm), FRAME):
        begin = start_ms + at // MS
        speech = any(s < begin + 32 and e > begin for _, s, e in script)
        yield pcm[at : at + FRAME], 0.9 if speech else 0.02


def options(
    start_ms: int = 0, delays: tuple[int, ...] = (1000,), live: bool = True
) -> StreamOptions:
    return StreamOptions("me", 0, delays, start_ms, None, live)


def listen(
    stream: EmbeddedStream,
    recognizer: ScriptedRecognizer,
    blocks: Sequence[tuple[Pcm, float]],
    every: int = 1,
) -> Iterator[Event]:
    """Push the blocks, letting the stream work after each `every` of them, then finish it."""
    for count, (pcm, speech) in enumerate(blocks, start=1):
        stream.push(pcm, speech)
        if count % every == 0:
            yield from stream.advance(recognizer)
    stream.finish()
    while not stream.done:
        yield from stream.advance(recognizer)


def said(events: Sequence[Event], track: int = 0) -> list[tuple[str, int, int]]:
    """The words of a track as a script."""
    words = (e for e in events if isinstance(e, Word) and e.track == track)
    return [(w.text, w.start_ms, w.end_ms) for w in words]


def progress(events: Sequence[Event], track: int = 0) -> list[Progress]:
    return [e for e in events if isinstance(e, Progress) and e.track == track]

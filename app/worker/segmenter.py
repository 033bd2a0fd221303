"""The VAD gate: speech scores in, utterances out.

A detector scores each 32 ms frame; this decides which frames belong to an utterance, with onset,
pre-roll and hangover, and never cuts anything inside one. It counts frames and holds no audio:
the caller keeps recent frames and sends from `Opened.frame` on, up to and including
`Closed.frame`. Knows nothing about detectors, engines or clocks.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

FRAME_SAMPLES = 512  # at 16 kHz: the frame Silero VAD was trained on
FRAME_MS = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """An utterance begins. `frame`: the first frame to send, pre-roll included."""

    frame: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The utterance is over. `frame`: the last frame that belongs to it, hangover included."""

    frame: int


class Segmenter:
    """Opens when `onset` frames of the last `window` score `enter` or more, closes after
    `hangover_ms` of frames that all score less than `stay`.

    enter 0.5 and stay 0.35 are Silero's own pair; 3 of 5 frames (96 of 160 ms) ignores clicks.
    Frames are numbered from 0 in the order fed, through `reset()` too.
    """

    def __init__(
        self,
        preroll_ms: int = 320,
        onset: int = 3,
        window: int = 5,
        hangover_ms: int = 800,
        enter: float = 0.5,
        stay: float = 0.35,
    ) -> None:
        if not 1 <= onset <= window:
            raise ValueError(f"onset {onset} must be from 1 to the window of {window} frames")
        self.hangover_ms = hangover_ms  # may change at any time, e.g. with the engine's delay
        self._preroll = -(-preroll_ms // FRAME_MS)
        self._onset = onset
        self._enter = enter
        self._stay = stay
        self._recent: deque[bool] = deque(maxlen=window)
        self._next = 0  # number of the frame to be fed next
        self._earliest = 0  # frames before this belong to an earlier utterance or run
        self._open = False
        self._silent = 0  # frames since speech, while open

    @property
    def is_open(self) -> bool:
        """Whether frames fed now belong to an utterance."""
        return self._open

    @property
    def keep_frames(self) -> int:
        """How many frames before the latest one an `Opened` may still ask for."""
        return self._preroll + (self._recent.maxlen or 0) - 1

    def feed(self, score: float) -> Opened | Closed | None:
        """Score (0..1) of the next frame; NaN counts as silence."""
        frame = self._next
        self._next += 1
        if self._open:
            return self._while_open(frame, score)
        return self._while_shut(frame, score)

    def open(self) -> Opened:
        """An utterance begins with the next frame, whatever it scores."""
        self._open = True
        self._silent = 0
        return Opened(self._next)

    def reset(self) -> Closed | None:
        """The sound is interrupted: end the open utterance. Pre-roll stops here."""
        closed = Closed(self._next - 1) if self._open else None
        self._shut(self._next)
        return closed

    def _while_shut(self, frame: int, score: float) -> Opened | None:
        self._recent.append(score >= self._enter)
        if sum(self._recent) < self._onset:
            return None
        first_speech = frame - len(self._recent) + 1 + list(self._recent).index(True)
        self._open = True
        self._silent = 0
        return Opened(max(self._earliest, first_speech - self._preroll))

    def _while_open(self, frame: int, score: float) -> Closed | None:
        self._silent = 0 if score >= self._stay else self._silent + 1
        if self._silent * FRAME_MS < self.hangover_ms or not self._silent:
            return None
        self._shut(frame + 1)
        return Closed(frame)

    def _shut(self, earliest: int) -> None:
        self._open = False
        self._recent.clear()
        self._earliest = earliest

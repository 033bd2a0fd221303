"""When a segment ends before its utterance does: at a pause, before the server's model is full.

Rotating at a pause costs nothing; without one the next segment hears the last seconds again. It
also spares the server's memory, and servers that write only once a turn is over are given turns.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from model_backends.remote.dialects.base import Dialect
from model_backends.remote.kept import BLOCK_MS, Kept
from model_backends.remote.segment import FORCED, PAUSE, Segment
from model_backends.remote.utterance import CONTEXT_BLOCKS, QUIET

OVERLAP_BLOCKS = 50  # heard again after a forced end
_PAUSE_BLOCKS = 4
_NO_SPEECH = 0.5
_SOFT, _HARD = 0.6, 0.9  # of the model's length: end at a pause from here on, here at all events
_LONGEST_BLOCKS = 3750  # five minutes, then at a pause
_EASE = 0.6  # of a turn's longest: from here on the shortest pause will do


def end_before_next(segment: Segment, kept: Kept, dialect: Dialect, capacity: int | None) -> str:
    """Why the segment must end before its next block; "" if it need not. `capacity`: 80 ms steps
    that a session of the server may have; None: it does not say."""
    sent, at = segment.sent, segment.next
    pause = kept.silent(at, _PAUSE_BLOCKS, QUIET)
    if dialect.turns_s is not None:
        soft, hard = (round(seconds * 1000) // BLOCK_MS for seconds in dialect.turns_s)
        short = sent >= hard * _EASE and kept.silent(at, 1, _NO_SPEECH)
        return PAUSE if short or (pause and sent >= soft) or sent >= hard else ""
    most = None if capacity is None else int(capacity * _HARD)
    soft = _LONGEST_BLOCKS if capacity is None else min(_LONGEST_BLOCKS, int(capacity * _SOFT))
    if pause and sent >= soft and segment.aligned:
        return PAUSE
    return FORCED if most is not None and sent >= most else ""


def context_blocks(capacities: Iterable[int | None]) -> int:
    """Blocks before the settled point that are heard again after a loss: of a short model no more
    than a quarter."""
    return min([CONTEXT_BLOCKS, *(steps // 4 for steps in capacities if steps)])

"""What a source gives and what is told of it: the types between doors, capture and session.

Knows nothing of how a source is opened or watched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model_backends.base import UserError

# Of sound that a source hands over at once. Each block costs what its handling costs, however short
# it is; half of it is how much older a word is than need be when it comes to the engine.
BLOCK_S = 0.08


@dataclass(frozen=True, slots=True)
class Block:
    """Sound as it comes: float32, shape (frames, channels), complete at `arrived` (monotonic s)."""

    samples: NDArray[np.float32]
    arrived: float


@dataclass(frozen=True, slots=True)
class Condition:
    """What the system says of a source that is open, where it says anything."""

    muted: bool = False  # at the source itself: nothing can be heard
    output_muted: bool = False  # the output whose sound it is; some can be heard all the same
    suspended: bool = False  # it is put to sleep, and sends nothing


@dataclass(frozen=True, slots=True)
class Superseded:
    """The feed follows the desktop, and is another source now: it should be opened again. What
    is open still gives sound."""


# What an opening delivers. An error is an end that has a reason; None is one that has none.
Delivered: TypeAlias = Block | Condition | Superseded | UserError | None
Deliver: TypeAlias = Callable[[Delivered], None]


@dataclass(frozen=True, slots=True)
class SoundState:
    """How the source is doing. `source` is the one that sound really comes from, for people.

    starting, flowing, ended: as they say. Trouble: stalled: nothing arrives; silent: zeros do;
    muted: it is muted at its source; lost: it is gone, and tried again. Sound comes, but it is
    worth a remark: quiet: speech as quiet as that is hardly recognised; faint: there has only been
    noise so far; loud: it is distorted; unheard: what the computer plays may not be heard, and
    why. moved: the system gives us `source` instead of the one that was chosen; gone: it does so
    since that one is connected no more; back: it no longer does. These three say nothing of
    whether sound flows: the last of the others holds.
    """

    kind: str
    message: str = ""
    hint: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """Loudness of the last block: root mean square, 0..1."""

    rms: float


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another source that the system gives us; whether the chosen one is `gone`, or only left."""

    name: str
    gone: bool


class Opened(Protocol):
    """One opening of a feed. A late `close()` of it does nothing to the next opening."""

    rate: int  # Hz

    def close(self) -> None:
        """Stop. May hang when the sound server does."""

    def moved_to(self) -> Elsewhere | None:
        """Where the system has moved us, if it has. Does not block."""


class Feed(Protocol):
    """Something that can be opened and then delivers blocks from a thread of its own.

    Two feeds of the same source may be equal; then finding it again changes nothing.
    """

    name: str  # for people
    live: bool  # a device: when it ends it is lost, and tried again; False: a file, which ends
    system: bool  # what the computer plays: silence is nothing wrong

    @property
    def notes(self) -> Sequence[str]:
        """Sentences about what was heard, complete when it has ended."""

    def open(self, deliver: Deliver) -> Opened:
        """Start; what comes is delivered until it has ended. Raises UserError if it cannot."""

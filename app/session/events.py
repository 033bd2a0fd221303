"""What a session's state is told, and what it answers: commands for the shell, news for the owner.

Plain values, so that a test is a playbook: these come in, those go out. Knows nothing of who
sends or obeys them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from app.audio.capture import Feed, Level, SoundState
from app.core.reheard import Reheard
from app.core.timeline import Gap
from app.core.voices import ME
from app.session.sources import SourceChoice
from app.session.status import Status
from app.worker import messages as m
from app.worker.client import ClientEvent
from model_backends.base import Notice, Progress, Tail, UserError, Word

# --- in: what the owner asks ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """Listen: to this feed, or to what the options name, which has to be found first."""

    feed: Feed | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop listening for now."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Listen again."""


@dataclass(frozen=True, slots=True)
class SetDelay:
    """Hear with this delay from now on; the engine offers it."""

    ms: int


@dataclass(frozen=True, slots=True)
class SetSource:
    """Listen to something else."""

    source: SourceChoice


@dataclass(frozen=True, slots=True)
class Stop:
    """Hear out what was said, save, end."""


@dataclass(frozen=True, slots=True)
class Abort:
    """End now; what was committed is in the journal."""


# --- in: what comes back -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """The n-th search of a lane has found what it was for."""

    lane: str
    search: int
    feed: Feed


@dataclass(frozen=True, slots=True)
class NotFound:
    """The n-th search of a lane has found nothing.

    `why`: "none": there is no microphone at all; "absent": a device that is not connected now;
    "stuck": the sound server does not say; "refused": it can never be listened to.
    """

    lane: str
    search: int
    why: str
    error: UserError


@dataclass(frozen=True, slots=True)
class Heard:
    """Sound of this time has been handed to the engine."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Sound:
    """What the n-th capture of a lane has to say."""

    lane: str
    capture: int
    event: Level | SoundState | Gap | Heard


@dataclass(frozen=True, slots=True)
class Again:
    """What the worker of the second hearing has to say."""

    event: ClientEvent


@dataclass(frozen=True, slots=True)
class Dead:
    """The worker has ended. `held`: words that a replay held back, and now never will say."""

    held: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """The session's subtitle file has been written."""

    path: Path


@dataclass(frozen=True, slots=True)
class Kept:
    """All that can be done to keep the words has been done."""

    saved: Saved | None = None
    problem: Notice | None = None  # they are not where they were wanted


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed. `lag_ms`: sound of each lane that the engine has not heard yet."""

    lag_ms: Mapping[str, int] = field(default_factory=dict)


Input: TypeAlias = (
    Begin | Pause | Resume | SetDelay | SetSource | Stop | Abort
    | Found | NotFound | Sound | Again | Dead | Kept | Tick | ClientEvent
)  # fmt: skip

# --- out: commands -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Find:
    """Look for a source, and answer with Found or NotFound."""

    lane: str
    search: int
    source: SourceChoice


@dataclass(frozen=True, slots=True)
class Listen:
    """Begin the lane's n-th capture; the one before it is heard until this one brings sound."""

    lane: str
    capture: int
    feed: Feed


@dataclass(frozen=True, slots=True)
class LetGo:
    """End the lane's n-th capture."""

    lane: str
    capture: int


@dataclass(frozen=True, slots=True)
class Flush:
    """The lane is silent from here on for a while: the engine finishes what was said."""

    lane: str


@dataclass(frozen=True, slots=True)
class StartEngine:
    """Start the worker."""


@dataclass(frozen=True, slots=True)
class ChangeDelay:
    """Tell the engine a lane's new delay."""

    lane: str
    track: int
    ms: int


@dataclass(frozen=True, slots=True)
class Finish:
    """Tell the engine that no more sound comes."""


@dataclass(frozen=True, slots=True)
class EndEngine:
    """End the worker, whatever it is doing. The answer is Dead, after all that it has said."""


@dataclass(frozen=True, slots=True)
class HearAgain:
    """Start the second hearing's worker: there is something to hear."""


@dataclass(frozen=True, slots=True)
class HoldAgain:
    """Captions come first: hear nothing a second time for now, or go on."""

    held: bool


@dataclass(frozen=True, slots=True)
class EndAgain:
    """End the second hearing's worker, whatever it is doing."""


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """Begin to keep what is said."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep this on disk."""

    event: Word | Gap | Reheard


@dataclass(frozen=True, slots=True)
class KeepWorker:
    """Note that a worker is ready."""

    ready: m.Ready


@dataclass(frozen=True, slots=True)
class Save:
    """Write what was kept; the answer is Kept."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """Leave the journal as it is."""


Command: TypeAlias = (
    Find | Listen | LetGo | Flush | StartEngine | ChangeDelay | Finish | EndEngine
    | HearAgain | HoldAgain | EndAgain | OpenRecord | Keep | KeepWorker | Save | Abandon
)  # fmt: skip

# --- out: news for the owner ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choices:
    """What the session listens to, and how patiently."""

    source_name: str
    delay_ms: int  # the one that acts
    source_is_away: bool = False  # another one stands in for the one that was chosen
    voices: tuple[str, ...] = (ME,)  # the lanes that are heard
    chosen_delay_ms: int | None = None  # where the engine takes another time by itself


@dataclass(frozen=True, slots=True)
class HeardOut:
    """Every word of the session is out; what remains is to save them."""


SessionEvent: TypeAlias = (
    Word | Tail | Gap | Reheard | Progress | Status | Notice | Saved | Choices | HeardOut
)
Output: TypeAlias = Command | SessionEvent

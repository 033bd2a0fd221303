"""What a session was asked to do, and what the user is told of how it is doing.

`stage_of()` is the one place that decides what is shown: a pure function of the facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from app.audio.choice import Microphone, SourceChoice
from app.core.voices import NAMES
from model_backends.base import EngineOptions, Notice, Sentence

_LAG_STEP_MS = 1000


class RecordWay(StrEnum):
    """Where a session's record comes from."""

    NONE = "none"  # the captions are the record
    TRACK = "track"  # the engine makes it from the same sound, with more patience
    WORKER = "worker"  # another worker hears everything once more


class Stage(StrEnum):
    """What a session is doing, as the user sees it."""

    IDLE = "idle"
    STARTING = "starting"
    LISTENING = "listening"
    SPEECH = "speech"
    NO_SOUND = "no sound"
    CATCHING_UP = "catching up"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """The session has ended: nothing more will come of it."""
        return self in (Stage.STOPPED, Stage.FAILED)

    @property
    def off(self) -> bool:
        """No session runs: there is one to be started."""
        return self is Stage.IDLE or self.over

    @property
    def running(self) -> bool:
        """There is a session that has not ended."""
        return not self.off

    @property
    def ending(self) -> bool:
        """Nothing can be asked of the session any more: it is on its way out, or has ended."""
        return self is Stage.STOPPING or self.over


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What the user chose. None or empty: the default."""

    engine: EngineOptions = field(default_factory=EngineOptions)
    source: SourceChoice = field(default_factory=Microphone)
    srt: Path | None = None
    as_shown: Path | None = None  # where the captions go as they were read, if anywhere
    force: bool = False
    seconds: float | None = None
    hear_again: bool = True  # False: the captions are the record
    keep_transcript: bool = True  # False: no journal, no subtitle file
    boost_quiet_speech: bool = True
    names: Mapping[str, str] = field(default_factory=lambda: NAMES)  # of the voices, by lane
    name_in_srt: bool = True  # where there are two voices, each cue says whose it is
    remark: Notice | None = None  # told at the beginning: what had to be chosen otherwise


@dataclass(frozen=True, slots=True)
class Status:
    """The stage, a sentence for people, and what to do next."""

    stage: Stage
    message: str = ""
    hint: str = ""
    fraction: float | None = None  # of loading
    lag_ms: int = 0  # audio not yet heard, while catching up
    remark: str = ""  # something else that is worth knowing for as long as it lasts
    about_record: str = ""  # … in the details only: it does not concern the captions
    can_hurry: bool = False  # another stop saves the transcript as it is

    def lag_to_tell(self, lag_ms: int) -> int:
        """What was told, for as long as it is less than a second off.

        Told anew with each tenth, it would have both windows laid out ten times a second, on a
        computer that is too slow as it is.
        """
        if self.lag_ms and abs(lag_ms - self.lag_ms) < _LAG_STEP_MS:
            return self.lag_ms
        return lag_ms // 100 * 100


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the stage depends on."""

    source_name: str = ""
    paused: bool = False
    finishing: bool = False  # no more sound is taken
    heard_out: bool = False  # every word is out
    hearing_again: bool = False  # … and the record of them is still being made
    ready: bool = False  # the engine is loaded
    loading: bool = False  # … or has begun to be
    fraction: float | None = None  # of loading, if it says
    lag_ms: int = 0  # 0 while the engine keeps up
    speaking: bool = False
    sound: str = "starting"  # a kind of SoundState, or "none": there is nothing to listen to
    sound_message: str = ""
    sound_hint: str = ""
    live: bool = True  # a device: its silence is worth a word
    remark: str = ""
    about_record: str = ""


@lru_cache(maxsize=4)  # it is asked with each sign of life of each thread, and changes seldom
def stage_of(facts: Facts) -> Status:
    """What to tell of a session that has not ended."""
    return replace(_stage_of(facts), about_record=facts.about_record)


def _stage_of(facts: Facts) -> Status:
    if facts.finishing:
        return _ending(facts)
    if facts.paused:
        return Status(Stage.PAUSED, Sentence("Paused."))  # a remark is about sound that comes
    silent = facts.sound == "silent" and facts.live
    no_sound = Status(Stage.NO_SOUND, facts.sound_message, facts.sound_hint, remark=facts.remark)
    if facts.sound in ("none", "stalled", "lost", "muted") or (silent and not facts.ready):
        return no_sound
    if not facts.ready:
        text = Sentence("Loading the speech model …") if facts.loading else Sentence("Starting …")
        return Status(Stage.STARTING, text, fraction=facts.fraction, remark=facts.remark)
    if facts.lag_ms:
        text = Sentence("Catching up …")
        return Status(Stage.CATCHING_UP, text, lag_ms=facts.lag_ms, remark=facts.remark)
    if silent:
        return no_sound
    if facts.speaking:
        return Status(Stage.SPEECH, Sentence("Someone is speaking."), remark=facts.remark)
    listening = Sentence("Listening to {source}.", source=facts.source_name)
    return Status(Stage.LISTENING, listening, remark=facts.remark)


def _ending(facts: Facts) -> Status:
    if not facts.heard_out:
        return Status(Stage.STOPPING, Sentence("Finishing the last words …"))
    if facts.hearing_again:
        return Status(
            Stage.STOPPING, Sentence("Finishing the transcript …"), _HURRY, can_hurry=True
        )
    return Status(Stage.STOPPING, Sentence("Saving the transcript …"))


_HURRY = Sentence("What was said is heard once more, with care. Stop again to save it as it is.")

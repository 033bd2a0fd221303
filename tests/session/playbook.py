"""Timed events in; statuses, words and commands out: a session's state with nothing around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from app.audio.capture import Block, Opened, SoundState
from app.audio.choice import Device
from app.core.timeline import Gap
from app.session import events as e
from app.session.state import SessionState
from app.session.status import RecordWay, SessionOptions, Stage, Status
from app.worker import messages as m
from model_backends.base import Notice, Progress, Word

T = TypeVar("T")
LANE, THEIRS = "me", "them"
READY = m.Ready("scripted", "hello", "cpu", 900)
FLOWING = SoundState("flowing")


class StillFeed:
    """A source that the tests only name."""

    def __init__(
        self, name: str, live: bool = True, notes: Sequence[str] = (), system: bool = False
    ) -> None:
        self.name, self.live, self.notes = name, live, notes
        self.system = system

    def open(self, deliver: Callable[[Block | None], None]) -> Opened:
        raise AssertionError("the state opens nothing")


JABRA = Device("alsa_input.usb-GN_Netcom_A_S_Jabra_EVOLVE_65-00.mono-fallback", "Jabra Evolve 65")
WEBCAM = Device("portaudio:USB2.0 Camera", "USB2.0 Camera")
MICROPHONE = StillFeed("Built-in Audio Analog Stereo")
HEADSET = StillFeed("Jabra Evolve 65 Mono")
SPEAKERS = StillFeed("Speakers (this computer’s sound)", system=True)
FILE = StillFeed("talk.flac", live=False, notes=["talk.flac is cut short."])


def word(text: str, start_ms: int, end_ms: int | None = None, utterance: int = 0) -> Word:
    return Word(LANE, 0, utterance, f" {text}", start_ms, end_ms or start_ms + 200)


def settled(ms: int) -> Progress:
    """Everything before this has been heard and said."""
    return Progress(LANE, 0, ms, ms)


def heard(start_ms: int, end_ms: int, capture: int = 1) -> e.Sound:
    return e.Sound(LANE, capture, e.Heard(start_ms, end_ms))


def sound(kind: str, message: str = "", hint: str = "", capture: int = 1) -> e.Sound:
    return e.Sound(LANE, capture, SoundState(kind, message, hint))


class Play:
    """One session's state, played; `out` is all it has answered, `said` the answer to the last."""

    def __init__(
        self, options: SessionOptions | None = None, way: RecordWay = RecordWay.NONE
    ) -> None:
        self.state = SessionState(options or SessionOptions(), 480, way)
        self.now_ms = 0
        self.out: list[e.Output] = []
        self.said: list[e.Output] = []

    def at(self, ms: int, *events: e.Input) -> list[e.Output]:
        """Let these happen at this session time; what they brought, in order."""
        assert ms >= self.now_ms, "a playbook goes forward"
        self.now_ms = ms
        self.said = [output for event in events for output in self.state.take(ms, event)]
        self.out += self.said
        return self.said

    def listening(self, ms: int = 100, feed: StillFeed = MICROPHONE) -> Play:
        """Begun, loaded, and sound is coming."""
        self.at(ms, e.Begin(feed), READY, e.Sound(LANE, 1, FLOWING))
        assert self.status.stage is Stage.LISTENING
        return self

    def ended(self, ms: int, saved: e.Kept | None = None) -> Play:
        """The worker has gone, the file is written."""
        self.at(ms, e.Dead(), saved or e.Kept())
        return self

    @property
    def status(self) -> Status:
        """The last that was told."""
        return self.of(Status)[-1]

    @property
    def stages(self) -> list[Stage]:
        return [status.stage for status in self.of(Status)]

    @property
    def transcript(self) -> list[str]:
        """Words and gaps as they were shown: "one", "(paused 1000-2000)"."""
        shown = [output for output in self.out if isinstance(output, (Word, Gap))]
        return [
            each.text.strip()
            if isinstance(each, Word)
            else f"({each.reason} {each.start_ms}-{each.end_ms})"
            for each in shown
        ]

    def notices(self) -> list[str]:
        return [notice.code for notice in self.of(Notice)]

    def of(self, kind: type[T]) -> list[T]:
        return [output for output in self.out if isinstance(output, kind)]

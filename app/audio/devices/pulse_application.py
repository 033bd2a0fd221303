"""What one application plays, of all that a PulseAudio or PipeWire server plays.

Each of its streams is recorded by itself and they are mixed, wherever it plays them: on Linux this
is the only place where they are apart. An application is told by the name it gives itself; while
it plays nothing there is silence.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from app.audio.advice import advice
from app.audio.choice import APPLICATION
from app.audio.devices.base import SourceError, SourceInfo
from app.audio.devices.libpulse import (
    FIXED_CHANNELS,
    FIXED_RATE,
    Recording,
    RecordingError,
    Samples,
)
from app.audio.devices.pulse_news import News
from app.audio.devices.silence import SilenceFilled
from app.audio.listening import BLOCK_S, Deliver
from model_backends.base import Sentence

log = logging.getLogger(__name__)

_PATIENCE_S = 4.0
_FROZEN_S = 2.2  # without an answer to a question that is asked every second
_LATE_S = 0.15  # a stream without sound for this long is not waited for
_MOST_S = 0.25  # of one stream is kept while another is waited for
# libraries that give their own name for that of the program
_LIBRARIES = re.compile(r"WEBRTC VoiceEngine|libcanberra|audio-src|PipeWire ALSA", re.I)
_IN_BRACKETS = re.compile(r"(?:ALSA plug-in|PipeWire ALSA) \[(.+)\]")
_EVENTS = "event"  # beeps of the desktop; nobody captions those


def application_name(properties: Mapping[str, str]) -> str:
    """What a stream's program is called for people; "" for what is no program's.

    `properties` as the server lists them for a sink input.
    """
    if properties.get("media.role") == _EVENTS:
        return ""
    name = properties.get("application.name", "")
    if inner := _IN_BRACKETS.fullmatch(name):
        return inner[1]
    if not name or _LIBRARIES.fullmatch(name):
        binary = properties.get("application.process.binary", "")
        return binary or name
    return name


def playing(server: Any) -> list[SourceInfo]:
    """The applications that play something now, each once. `server` is a pulsectl.Pulse."""
    names = {application_name(each.proplist) for each in server.sink_input_list()} - {""}
    return [SourceInfo(f"{APPLICATION}{name}", name, "application") for name in sorted(names)]


class PlayedBy:
    """Satisfies `capture.Feed`: what the application of this name plays."""

    live = True
    system = True
    notes: Sequence[str] = ()

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, deliver: Deliver) -> _Opened:
        """Hear it, whether it plays now or later. Raises SourceError within 4 s."""
        opened = _Opened(self.name, deliver)
        if opened.begins(_PATIENCE_S):
            return opened
        opened.close()
        raise SourceError(
            Sentence("{name} cannot be heard: the sound server does not answer.", name=self.name),
            advice("server"),
        )


class _Opened:
    """Satisfies `capture.Opened`."""

    rate = FIXED_RATE

    def __init__(self, name: str, deliver: Deliver) -> None:
        self._name = name
        self._deliver = deliver
        self._begun = threading.Event()
        self._answered: float | None = None  # monotonic s of the server's last answer
        self._recordings: dict[int, Recording] = {}  # of the news' thread
        self._over: set[int] = set()  # those that have ended; the library's threads add to it
        self._mixing = threading.Lock()
        self._mix = Mix()
        self._filled = SilenceFilled(FIXED_RATE, FIXED_CHANNELS, deliver, self._server_lives)
        self._closed = threading.Event()
        self._news = News("sink_input", self._look, self._gone, every_second=True)

    def begins(self, within_s: float) -> bool:
        """Wait for the server's first answer; whether there is one."""
        self._begun.wait(within_s)
        return self._answered is not None

    def close(self) -> None:
        self._closed.set()
        self._filled.close()
        self._news.close()
        for recording in list(self._recordings.values()):
            recording.close()

    def moved_to(self) -> None:
        """Nowhere: an application is heard wherever it plays."""

    def _look(self, server: Any) -> None:
        """Record what it plays now, and nothing else."""
        now = {
            each.index
            for each in server.sink_input_list()
            if application_name(each.proplist).casefold() == self._name.casefold()
        }
        for index in [i for i in self._recordings if i not in now or i in self._over]:
            self._recordings.pop(index).close()
            self._over.discard(index)
            with self._mixing:
                self._mix.end(index)
        for index in now - self._recordings.keys():
            self._record(index)
        self._answered = time.monotonic()
        self._begun.set()

    def _server_lives(self) -> bool:
        """One that is frozen is not silence: whoever watches must see that nothing comes."""
        answered = self._answered
        return answered is not None and time.monotonic() - answered < _FROZEN_S

    def _record(self, index: int) -> None:
        def take(samples: Samples) -> None:
            self._take(index, samples)

        def ended() -> None:  # it stopped, or went to another output, where it is found again
            self._over.add(index)
            self._news.look_again()

        try:
            recording = Recording(None, BLOCK_S, take, ended, lambda _: None, input_index=index)
        except RecordingError as error:  # it has stopped meanwhile
            log.debug("a stream of %s is not recorded: %s", self._name, error)
            return
        self._recordings[index] = recording
        if self._closed.is_set():
            recording.close()

    def _take(self, index: int, samples: Samples) -> None:
        with self._mixing:
            mixed = self._mix.take(index, samples, time.monotonic())
            if len(mixed):
                self._filled.take(mixed)

    def _gone(self) -> None:
        begun = self._answered is not None
        self._begun.set()
        if begun and not self._closed.is_set():
            self._deliver(None)


class Mix:
    """Sound of several streams → the sum of what all of them have. Pure."""

    def __init__(self) -> None:
        self._waiting: dict[int, Samples] = {}
        self._last: dict[int, float] = {}  # monotonic s of each one's last sound

    def take(self, stream: int, samples: Samples, now: float) -> Samples:
        """More of one stream, shape (frames, channels); what can be delivered, maybe nothing.

        A stream that has stopped sending is not waited for.
        """
        before = self._waiting.get(stream)
        self._waiting[stream] = samples if before is None else np.concatenate([before, samples])
        self._last[stream] = now
        flowing = [s for s, last in self._last.items() if now - last < _LATE_S]
        frames = min(len(self._waiting[s]) for s in flowing)
        longest = max(map(len, self._waiting.values()))
        if longest > _MOST_S * FIXED_RATE:
            frames = longest
        return self._out(frames)

    def end(self, stream: int) -> None:
        """It sends nothing more."""
        self._waiting.pop(stream, None)
        self._last.pop(stream, None)

    def _out(self, frames: int) -> Samples:
        heads = [waiting[:frames] for waiting in self._waiting.values()]
        self._waiting = {s: waiting[frames:] for s, waiting in self._waiting.items()}
        return _sum(heads, frames)


def _sum(parts: Iterable[Samples], frames: int) -> Samples:
    total = np.zeros((frames, FIXED_CHANNELS), dtype=np.float32)
    for part in parts:
        total[: len(part)] += part
    return total

"""Core Audio process taps: what a Mac plays, all of it or one application's, through catap.

Not yet run on hardware: written from the library's own source and tested against a stand-in that
has its shape. macOS gives taps since 14.2, and reliably since 14.4; older ones are listed as
lacking. Whoever may not record the computer's sound gets exact zeros and no error: whoever watches
what comes from here (`app.audio.capture`) tells what zeros may mean.
"""

from __future__ import annotations

import logging
import os
import platform
import re
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.audio.advice import advice
from app.audio.choice import APPLICATION
from app.audio.devices.base import EVERYTHING, SourceError, SourceInfo, lacking
from app.audio.devices.silence import SilenceFilled
from app.audio.listening import Deliver
from model_backends.base import Sentence

log = logging.getLogger(__name__)

_SINCE = (14, 4)
_LOOK_S = 0.5
_RATE, _CHANNELS = 48_000, 2  # of the silence of an application that has played nothing yet
_HELPER = re.compile(r"(.+?) Helper(?: \(\w+\))?")
_UNKNOWN = "Unknown"
_SYSTEM, _ONE = Sentence("This computer’s sound"), Sentence("One application")
NAME = "Core Audio tap"
HEARS = Sentence("what this computer plays, what each application plays")


def why_not() -> str:
    """Why this door leads nowhere; "" if it does not. Does not block."""
    return _library()[0]


def sources() -> list[SourceInfo] | None:
    """All of the computer's sound, and the applications that play; or why it cannot be heard."""
    why_not, catap = _library()
    if catap is None:
        return [lacking("system", _SYSTEM, why_not), lacking("application", _ONE, why_not)]
    names = {_application_of(process) for process in _playing(catap)} - {""}
    system = SourceInfo(EVERYTHING, _SYSTEM, "system", default=True)
    return [system, *(SourceInfo(APPLICATION + n, n, "application") for n in sorted(names))]


def is_ours(source: SourceInfo) -> bool:
    """Whether a source was listed by this door."""
    return source.id == EVERYTHING or source.kind == "application"


def feed(source: SourceInfo, follows: bool = False) -> Tap:
    """One of the sources, to be opened. All of it follows the output by nature."""
    return Tap(source)


def _library() -> tuple[str, Any]:
    """catap; or why it cannot be had, and None."""
    version = platform.mac_ver()[0]
    if _numbers(version) < _SINCE:
        needs = "macOS lets apps hear this computer’s sound since 14.4; this is {version}."
        return Sentence(needs, version=version or "?"), None
    try:
        import catap
    except (ImportError, OSError):
        missing = Sentence("This computer’s sound is heard through catap, which is not installed.")
        return Sentence(missing), None
    return "", catap


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _playing(catap: Any) -> list[Any]:
    """Processes that play something now, without this one."""
    try:
        processes = catap.list_audio_processes()
    except OSError as error:
        log.warning("the processes that play are not told", exc_info=error)
        return []
    return [p for p in processes if p.is_outputting and p.pid != os.getpid()]


def _application_of(process: Any) -> str:
    """What people call it: browsers play through helpers, some of which have no name at all."""
    name = process.name if process.name != _UNKNOWN else process.bundle_id or ""
    helper = _HELPER.fullmatch(name)
    return helper[1] if helper else str(name)


class Tap:
    """Satisfies `capture.Feed`."""

    live = True
    system = True
    notes: Sequence[str] = ()

    def __init__(self, source: SourceInfo) -> None:
        self.name = source.name
        self._application = source.name if source.kind == "application" else ""

    def open(self, deliver: Deliver) -> _Opened:
        """Record at the tap's own rate. Raises SourceError."""
        why_not, catap = _library()
        if catap is None:
            raise SourceError(why_not, advice("other"))
        try:
            return _Opened(catap, self._application, deliver)
        except (OSError, ValueError, LookupError, RuntimeError) as error:
            reason = str(error).rstrip(".")
            raise SourceError(
                Sentence("{name} cannot be opened: {reason}.", name=self.name, reason=reason),
                Sentence(
                    "Allow it in System Settings > Privacy & Security > Screen & System Audio "
                    "Recording, then start Voxline again."
                ),
            ) from error


class _Opened:
    """Satisfies `capture.Opened`: one recording session of the library, or one that waits."""

    def __init__(self, catap: Any, application: str, deliver: Deliver) -> None:
        self._catap = catap
        self._application = application
        self._deliver = deliver
        self._closed = threading.Event()
        self._session: Any = None
        self._tapped: set[int] = set()  # Core Audio's ids of the application's processes
        self._filled: SilenceFilled | None = None
        self.rate = _RATE
        channels = self._begin()
        self._filled = SilenceFilled(self.rate, channels, deliver)
        threading.Thread(target=self._watch, daemon=True, name="Core Audio tap").start()

    def close(self) -> None:
        """Stop; may hang while the system's sound does."""
        self._closed.set()
        if self._filled is not None:
            self._filled.close()
        if self._session is not None:
            try:
                self._session.close()
            except (OSError, RuntimeError) as error:
                log.warning("a tap was not closed cleanly", exc_info=error)

    def moved_to(self) -> None:
        """Nowhere: a tap hears what is played wherever it is played."""

    def _begin(self) -> int:
        """Tap what there is to tap now; the number of channels. Raises what the library raises."""
        if not self._application:
            self._session = self._catap.record_system_audio(on_buffer=self._take)
        elif processes := self._processes():
            self._tapped = {process.audio_object_id for process in processes}
            self._session = self._catap.record_processes(processes, on_buffer=self._take)
        else:
            return _CHANNELS  # it plays nothing yet
        self._session.start()
        shape = self._session.stream_format
        self.rate = int(shape.sample_rate)
        return int(shape.num_channels)

    def _processes(self) -> list[Any]:
        """All of the application's that use sound, whether they play now or not."""
        try:
            processes = self._catap.list_audio_processes()
        except OSError:
            return []
        wanted = self._application.casefold()
        return [p for p in processes if _application_of(p).casefold() == wanted]

    def _take(self, buffer: Any) -> None:
        """In the library's worker thread."""
        filled = self._filled
        if filled is not None:
            filled.take(_samples(buffer))

    def _watch(self) -> None:
        """Until it is closed, or has to be opened anew."""
        while not self._closed.wait(_LOOK_S):
            if self._session is not None and self._session.capture_failed:
                break
            if self._application and not self._follow_processes():
                break
        if not self._closed.is_set():
            self._deliver(None)

    def _follow_processes(self) -> bool:
        """Tap the processes that the application has now; False: open anew for that."""
        processes = self._processes()
        now = {process.audio_object_id for process in processes}
        if not now or now == self._tapped:
            return True  # what was tapped and has gone is silent
        if self._session is None:
            return False
        try:
            self._session.set_processes(processes)
        except (OSError, ValueError, LookupError, RuntimeError) as error:
            log.warning("a tap could not be given other processes", exc_info=error)
            return False
        self._tapped = now
        return True


def _samples(buffer: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """catap's buffer as float32 of shape (frames, channels), full scale at 1."""
    shape = buffer.format
    if shape.is_float:
        sound = np.frombuffer(buffer.data, dtype=f"<f{shape.bytes_per_sample}")
    else:
        sound = np.frombuffer(buffer.data, dtype=f"<i{shape.bytes_per_sample}")
        sound = sound / np.float32(2 ** (shape.bits_per_sample - 1))
    return sound.astype(np.float32).reshape(-1, shape.num_channels)

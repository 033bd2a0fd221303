"""A file played to the ear, from any place in it on: to hear a word again.

Decoded as it is played, so that a film of hours begins at once; what is heard is the same track
that was recognised, and times are those of its words. Knows nothing of words or windows.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av

from app.audio.devices.output import CHANNELS, RATE, Output, open_output
from app.audio.opening import SoundFileError, open_container
from app.audio.tracks import tracks_of, usual
from model_backends.base import Sentence, UserError

log = logging.getLogger(__name__)

_FRAME = 2 * CHANNELS  # bytes
_PIECE = RATE // 20 * _FRAME  # written at once: a stop is heard after so long


class FilePlayer:
    """Plays one thing at a time; `ended` is called in its thread, with what went wrong, if so.

    It is not called for what `stop()` or another `play()` has ended.
    """

    def __init__(
        self,
        ended: Callable[[UserError | None], None],
        open_sink: Callable[[], Output] = open_output,
    ) -> None:
        self._ended, self._open = ended, open_sink
        self._now: threading.Event | None = None  # set: it is to stop

    @property
    def playing(self) -> bool:
        """Whether something is to be heard."""
        return self._now is not None

    def play(self, path: Path, at_ms: int) -> None:
        """From this time on. Returns at once."""
        self.stop()
        stop = self._now = threading.Event()
        threading.Thread(
            target=self._run, args=(path, at_ms, stop), daemon=True, name="player"
        ).start()

    def stop(self) -> None:
        """Be silent."""
        if self._now is not None:
            self._now.set()
        self._now = None

    def _run(self, path: Path, at_ms: int, stop: threading.Event) -> None:
        problem: UserError | None = None
        try:
            self._play(path, at_ms, stop)
        except UserError as error:
            problem = error
        except Exception as error:  # of a decoder or a sound server: many kinds
            log.warning("a file could not be played", exc_info=True)
            what = Sentence("“{name}” cannot be played: {why}.", name=path.name, why=error)
            problem = UserError(what)
        if not stop.is_set():
            self._now = None
            self._ended(problem)

    def _play(self, path: Path, at_ms: int, stop: threading.Event) -> None:
        with open_container(path) as container:
            pieces = samples(container, at_ms)
            output = self._open()
            try:
                for data in pieces:
                    for at in range(0, len(data), _PIECE):
                        if stop.is_set():
                            return
                        output.write(data[at : at + _PIECE])
                output.finish()
            finally:
                output.close()


def samples(container: Any, at_ms: int) -> Iterator[bytes]:
    """The usual track from a time on: int16 little-endian, stereo, RATE Hz.

    Raises SoundFileError if there is no sound in it.
    """
    tracks = tracks_of(container)
    if not tracks:
        name = Path(container.name).name
        raise SoundFileError(Sentence("There is no sound in “{name}”.", name=name))
    stream = usual(container, tracks).stream
    begin_s = (container.start_time or 0) / av.time_base + at_ms / 1000
    _seek(container, stream, begin_s)
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=RATE)
    at_s: float | None = None  # where the next frame belongs, if it does not say
    for frame in container.decode(stream):
        start_s = frame.time if frame.time is not None else at_s or 0.0
        at_s = start_s + frame.samples / frame.sample_rate
        if at_s <= begin_s:
            continue
        early = max(0, round((begin_s - start_s) * RATE)) * _FRAME
        for made in resampler.resample(frame):
            data = bytes(made.planes[0])[: made.samples * _FRAME]
            yield data[early:]
            early = max(0, early - len(data))


def _seek(container: Any, stream: Any, begin_s: float) -> None:
    """To a place before it; a file that cannot be sought in is decoded from its beginning."""
    if begin_s <= 1.0:
        return
    try:
        container.seek(round((begin_s - 0.5) / stream.time_base), stream=stream, backward=True)
    except (av.error.FFmpegError, OSError):
        container.seek(0)

"""Any audio or video file as the sound an engine hears: 16 kHz, mono, in blocks, as a stream.

Decodes with PyAV, mixes channels down, resamples with soxr, and keeps time true: where a file's
own timestamps jump, silence is put in. Memory stays bounded however long the file is. Knows
nothing about engines, lanes or windows.
"""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from model_backends.base import SAMPLE_RATE, Pcm, UserError

_JUMP_S = 0.1  # timestamps that run ahead of the samples by more are a gap
_LONGEST_JUMP_S = 6 * 3600.0  # beyond this the timestamps are wrong, not the sound
_PIECE_S = 10  # input resampled at once, so that a 1 Hz file does not swell in memory
_LOW_RATE = 4_000  # Hz; below, most of what tells consonants apart is gone
_CUT_SHORT_S = 0.1  # missing at the end before we say so: encoders pad and trim a little
_LARGEST = 32767 / 32768  # in int16
_MP3_HEAD = 1 << 18  # bytes: tags with a small picture come first
_UNKNOWN_RIFF_SIZE = 0x7FFF_0000  # writers to a pipe put this much or more, or 0

# what FFmpeg takes a text or an unknown file for: a screen of characters
_NOT_MEDIA = {"tty", "bin", "xbin", "adf", "idf"}

# containers whose header states a length, rather than one guessed from the bit rate
_STATES_LENGTH = {"wav", "w64", "flac", "aiff", "caf", "au", "matroska", "mov", "asf", "avi"}


class SoundFileError(UserError):
    """A file that cannot be heard: why, and what to do about it."""


class Sound:
    """An opened file: what `open_sound` returns. Read `blocks()` once.

    `duration_ms` is what the file says of itself, None if it does not; `notes` are sentences
    for the user (cut short, damaged, not numbers) and `heard_ms` how much sound there was, both
    complete when `blocks()` is exhausted.
    """

    def __init__(self, path: Path, container: Any, stream: Any) -> None:
        self.path = path
        self.notes: list[str] = []
        self.heard_ms = 0
        self.duration_ms = _duration_ms(container, stream)
        self._container = container
        self._stream = stream
        self._mixer = _Mixer()
        self._clock = _Clock(container.start_time)
        self._pieces = self._decode()
        self._first = self._first_piece()

    def __enter__(self) -> Sound:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; reading to the end does so too."""
        self._container.close()

    def blocks(self, block_ms: int = 200) -> Iterator[Pcm]:
        """The sound from time 0 on: float32 mono 16 kHz in [-1, 1], `block_ms` each but the last.

        Time 0 is the container's start, so that subtitles fit the picture of a video.
        """
        size = block_ms * SAMPLE_RATE // 1000
        waiting: list[Pcm] = []
        held = total = 0
        for piece in chain([self._first], self._pieces):
            waiting.append(piece)
            held += len(piece)
            if held >= size:
                sound = np.concatenate(waiting)
                whole = held - held % size
                yield from np.split(sound[:whole], whole // size)
                waiting, held, total = [sound[whole:]], held - whole, total + whole
        if held:
            yield np.concatenate(waiting)
        self.heard_ms = (total + held) * 1000 // SAMPLE_RATE
        self._take_notes(self.heard_ms / 1000)
        self.close()

    def _first_piece(self) -> Pcm:
        piece = next(self._pieces, None)
        if piece is None:
            raise SoundFileError(f"There is no sound in “{self.path.name}”: it holds 0 samples.")
        return piece

    def _decode(self) -> Iterator[Pcm]:
        """Mono at 16 kHz in pieces of any length above 0."""
        resampler: _Resampler | None = None
        for frame in self._frames():
            mono = self._mixer.mix(frame)
            silence_s = self._clock.silence_before(frame)
            if resampler is None or resampler.rate != frame.sample_rate:
                yield from resampler.flush() if resampler else ()
                resampler = _Resampler(frame.sample_rate)
            yield from resampler.silence(silence_s)
            yield from resampler.push(mono)
        yield from resampler.flush() if resampler else ()

    def _frames(self) -> Iterator[Any]:
        """Decoded frames; damaged packets are skipped, an unreadable rest ends the file."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError):
                packet = None
                self._note_once(f"“{self.path.name}” could not be read to its end.")
            if packet is None:
                return
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self._note_once(f"“{self.path.name}” is damaged; what could be decoded was heard.")
                continue
            yield from (frame for frame in frames if frame.samples and frame.sample_rate)

    def _note_once(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _take_notes(self, heard_s: float) -> None:
        name = f"“{self.path.name}”"
        stated_s = _stated_length_s(self._container, self._stream, self.path)
        if stated_s is not None and stated_s - heard_s > max(_CUT_SHORT_S, 0.01 * stated_s):
            self._note_once(
                f"{name} is cut short: it says {stated_s:.1f} s and holds {heard_s:.1f} s."
            )
        elif _riff_is_cut(self.path):
            self._note_once(f"{name} is cut short: its header promises more than {heard_s:.1f} s.")
        if self._clock.missing_s:
            self._note_once(
                f"{name} lacks {self._clock.missing_s:.1f} s in the middle; "
                "they were heard as silence."
            )
        if self._mixer.not_numbers:
            self._note_once(
                f"{self._mixer.not_numbers} samples of {name} are not numbers; "
                "they were heard as silence."
            )
        if self._stream.rate and self._stream.rate < _LOW_RATE:
            self._note_once(
                f"{name} was sampled at {self._stream.rate} Hz; few words can be made out in it."
            )


def open_sound(path: Path) -> Sound:
    """Open a file and decode its beginning. Raises SoundFileError for whatever holds no sound."""
    _check_readable(path)
    container = _open(path)
    try:
        return Sound(path, container, _sound_of(container, path))
    except BaseException:
        container.close()
        raise


def int16_bytes(pcm: Pcm) -> bytes:
    """Samples as the pipe carries them: float32 in [-1, 1] → int16 little-endian."""
    return bytes(np.round(np.clip(pcm, -1.0, _LARGEST) * 32768).astype("<i2").tobytes())


class _Clock:
    """Compares a file's timestamps with its samples; both in seconds since the container began."""

    def __init__(self, container_start_us: int | None) -> None:
        self._origin = None if container_start_us is None else container_start_us / 1e6
        self._samples_s = 0.0
        self.missing_s = 0.0  # in the middle: lost, or never there

    def silence_before(self, frame: Any) -> float:
        """Seconds of silence that belong before this frame, which is then counted as heard."""
        silence_s = 0.0
        if frame.time is not None:
            if self._origin is None:
                self._origin = frame.time
            ahead = frame.time - self._origin - self._samples_s
            silence_s = ahead if _JUMP_S < ahead < _LONGEST_JUMP_S else 0.0
        self.missing_s += silence_s if self._samples_s else 0.0
        self._samples_s += silence_s + frame.samples / frame.sample_rate
        return silence_s


class _Mixer:
    """Mixes a frame down to mono: the mean of the channels that have ever carried a sound.

    Unused channels of a multi-track recorder are exact zeros and would only make speech quieter.
    The subwoofer's channel is left out: it carries effects.
    """

    def __init__(self) -> None:
        self.not_numbers = 0
        self._live: NDArray[np.bool_] | None = None

    def mix(self, frame: Any) -> Pcm:
        """One frame of any sample format → float32, shape (samples,), finite, in [-1, 1]."""
        sound = _as_float(frame)
        finite = np.isfinite(sound)
        if not finite.all():
            self.not_numbers += int(finite.size - finite.sum())
            sound = np.where(finite, sound, np.float32(0))
        if len(sound) > 1:
            sound = sound[self._used(sound, frame)]
        return np.asarray(np.clip(sound.mean(axis=0), -1.0, 1.0), dtype=np.float32)

    def _used(self, sound: Pcm, frame: Any) -> NDArray[np.bool_]:
        live: NDArray[np.bool_] = np.any(sound != 0.0, axis=1)
        if self._live is not None and len(self._live) == len(live):
            live |= self._live
        self._live = live
        names = [channel.name for channel in frame.layout.channels]
        wanted = live & np.array([name != "LFE" for name in names] or True)
        return wanted if wanted.any() else np.ones_like(live)


class _Resampler:
    """One run at one input rate → 16 kHz."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._soxr = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")

    def push(self, mono: Pcm) -> Iterator[Pcm]:
        """Samples at the input rate in, whatever is ready at 16 kHz out."""
        for at in range(0, len(mono), _PIECE_S * self.rate):
            yield from self._run(mono[at : at + _PIECE_S * self.rate])

    def silence(self, duration_s: float) -> Iterator[Pcm]:
        """This much silence."""
        left = round(duration_s * self.rate)
        while left > 0:
            piece = min(left, _PIECE_S * self.rate)
            yield from self._run(np.zeros(piece, dtype=np.float32))
            left -= piece

    def flush(self) -> Iterator[Pcm]:
        """What the filter still holds."""
        yield from self._run(np.zeros(0, dtype=np.float32), last=True)

    def _run(self, mono: Pcm, last: bool = False) -> Iterator[Pcm]:
        out = np.clip(self._soxr.resample_chunk(mono, last=last), -1.0, 1.0)
        if len(out):
            yield out


def _as_float(frame: Any) -> Pcm:
    """A frame of any sample format as float32 of shape (channels, samples), full scale ±1."""
    raw = frame.to_ndarray()
    if frame.format.is_packed:
        raw = raw.reshape(-1, frame.layout.nb_channels).T
    if raw.dtype == np.uint8:
        raw = (raw.astype(np.float32) - 128.0) / 128.0
    elif raw.dtype.kind == "i":
        raw = raw / float(2 ** (8 * raw.dtype.itemsize - 1))
    with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, then silence
        return np.asarray(raw, dtype=np.float32)


def _check_readable(path: Path) -> None:
    """Raise SoundFileError for what is not a file one can read, before a decoder sees it."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise SoundFileError(f"“{path}” is a folder.", "Name the files in it.")
        if stat.S_ISREG(status.st_mode):  # a pipe could not be opened a second time
            path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        raise SoundFileError(
            f"There is no file “{path}”.", "Check the name and the folder."
        ) from None
    except PermissionError:
        raise SoundFileError(
            f"“{path}” may not be read.", "Check the permissions of the file and its folder."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SoundFileError(f"“{path}” cannot be read: {reason}.") from error
    if stat.S_ISREG(status.st_mode) and status.st_size == 0:
        raise SoundFileError(f"“{path.name}” is empty: it holds 0 bytes.")


def _open(path: Path) -> Any:
    refusal = SoundFileError(
        f"“{path.name}” is not audio or video that can be read.",
        "It may be damaged, cut off, or something else under this name.",
    )
    try:
        # absolute, so that a colon in the name is not taken for a protocol
        container = av.open(str(path.absolute()), metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise refusal from error
    if container.format.name in _NOT_MEDIA:
        container.close()
        raise refusal
    return container


def _sound_of(container: Any, path: Path) -> Any:
    """The default audio stream, else the first."""
    stream = container.streams.best("audio")
    if stream is not None and stream.codec_context is not None:
        return stream
    if container.streams.audio:
        raise SoundFileError(
            f"The sound in “{path.name}” cannot be decoded.",
            "It may be damaged, protected, or in a format that is not supported.",
        )
    if container.streams.video:
        raise SoundFileError(f"“{path.name}” is a video without sound.")
    raise SoundFileError(f"There is no sound in “{path.name}”.")


def _duration_ms(container: Any, stream: Any) -> int | None:
    if stream.duration is not None and stream.time_base is not None:
        return max(0, round(float(stream.duration * stream.time_base * 1000)))
    return None if container.duration is None else max(0, round(float(container.duration) / 1000))


def _stated_length_s(container: Any, stream: Any, path: Path) -> float | None:
    """How long the sound should be, if the header states it for this stream alone."""
    formats = set(container.format.name.split(","))
    if not (formats & _STATES_LENGTH or ("mp3" in formats and _counts_mp3_frames(path))):
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if len(container.streams) == 1 and container.duration is not None:
        return float(container.duration / 1e6)
    return None


def _counts_mp3_frames(path: Path) -> bool:
    """Whether an MP3 has a Xing or Info header: its name, then flags below 16, big-endian."""
    head = _head(path, _MP3_HEAD)
    return b"Xing\0\0\0" in head or b"Info\0\0\0" in head


def _riff_is_cut(path: Path) -> bool:
    """Whether a WAV or AVI file is shorter than its first header says.

    FFmpeg quietly takes the file's size for the truth.
    """
    head = _head(path, 8)
    promised = int.from_bytes(head[4:], "little")
    known = head[:4] == b"RIFF" and 0 < promised < _UNKNOWN_RIFF_SIZE
    return known and promised + 8 > path.stat().st_size + 1


def _head(path: Path, size: int) -> bytes:
    """The first bytes of a file; none of a pipe, which can be read only once."""
    try:
        with path.open("rb") if path.is_file() else io.BytesIO() as file:
            return file.read(size)
    except OSError:
        return b""

"""Any audio or video file as the sound an engine hears: 16 kHz, mono, in blocks, as a stream.

Decodes with PyAV, mixes channels down, resamples with soxr, and keeps time true: where a file's
own timestamps jump, silence is put in. Memory stays bounded however long the file is. Knows
nothing about engines, lanes or windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
import soxr

from app.audio import tracks as tracks_of_file
from app.audio.headers import duration_ms, riff_is_cut, stated_length_s, wav_goes_on
from app.audio.level import TOO_QUIET_DBFS, dbfs
from app.audio.mixdown import Mixer
from app.audio.opening import SoundFileError, name_of, open_container
from app.audio.tracks import Track
from model_backends.base import SAMPLE_RATE, Pcm, Sentence

__all__ = ["Sound", "SoundFileError", "int16_bytes", "open_sound"]

_JUMP_S = 0.1  # timestamps that run ahead of the samples by more are a gap
_BACK_S = 0.5  # … and that go back by more begin another recording; less is jitter
_LONGEST_JUMP_S = 6 * 3600.0  # beyond this the timestamps are wrong, not the sound
_LONGEST_JOINED_JUMP_S = 10.0  # the same where files are joined by mere copying, as FFmpeg has it
_MAY_JUMP = 0x0200  # AVFMT_TS_DISCONT
_PIECE_S = 10  # input resampled at once, so that a 1 Hz file does not swell in memory
_LOW_RATE = 4_000  # Hz; below, most of what tells consonants apart is gone
_CUT_SHORT_S = 0.1  # missing at the end before we say so: encoders pad and trim a little
_DAMAGED_S = 0.1  # undecodable before we say so: a pad byte or a tag between two MP3 is nothing
_LARGEST = 32767 / 32768  # in int16
_LOOK_FOR_SOUND_S = 600.0  # of a silent track, before another is looked at
_SOUNDLESS = 2e-4  # of full scale: what encoders make of silence stays below

# whose streams say themselves which channel is the subwoofer's; FLAC and PCM are only guessed at
_STATES_LAYOUT = {"ac3", "eac3", "dca", "truehd", "mlp", "aac", "aac_latm", "opus", "vorbis"}


class Sound:
    """An opened file: what `open_sound` returns. Read `blocks()` once.

    `duration_ms` is what the file says of itself, None if it does not; `notes` are sentences
    for the user (cut short, damaged, silent, more tracks) and `heard_ms` how much sound there
    was, both complete when `blocks()` is exhausted.
    """

    def __init__(self, path: Path, container: Any, track: Track) -> None:
        self.path = path
        self.name = name_of(path)
        self.notes: list[str] = []
        self.heard_ms = 0
        self._container = container
        self._stream = track.stream
        self._goes_on = wav_goes_on(path)
        self.duration_ms = None if self._goes_on else duration_ms(container, self._stream)
        self._mixer = Mixer()
        self._not_numbers = 0
        self._undecoded_s = 0.0
        self._loudest = 0.0  # mean square of the loudest piece of a tenth of a second
        self._clock = _Clock(container.start_time, bool(container.format.flags & _MAY_JUMP))
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
            raise SoundFileError(
                Sentence("There is no sound in “{name}”: it holds 0 samples.", name=self.name)
            )
        return piece

    def _decode(self) -> Iterator[Pcm]:
        """Mono at 16 kHz in pieces of any length above 0."""
        resampler: _Resampler | None = None
        for frame in self._frames():
            mono = self._mixer.mix(self._channels(frame), frame.sample_rate)
            self._measure(mono, frame.sample_rate)
            silence_s = self._clock.silence_before(frame)
            if resampler is None or resampler.rate != frame.sample_rate:
                yield from resampler.flush() if resampler else ()
                resampler = _Resampler(frame.sample_rate)
            yield from resampler.silence(silence_s)
            yield from resampler.push(mono)
        yield from resampler.flush() if resampler else ()

    def _channels(self, frame: Any) -> Pcm:
        """What is to be mixed of a frame: finite, shape (channels, samples)."""
        sound = _as_float(frame)
        finite = np.isfinite(sound)
        if not finite.all():
            self._not_numbers += int(finite.size - finite.sum())
            sound = np.where(finite, sound, np.float32(0))
        if self._stream.codec_context.codec.canonical_name not in _STATES_LAYOUT:
            return sound
        full = np.array([channel.name != "LFE" for channel in frame.layout.channels])
        return sound[full] if len(full) == len(sound) and full.any() else sound

    def _measure(self, mono: Pcm, rate: int) -> None:
        size = max(1, rate // 10)
        for at in range(0, len(mono), size):
            piece = mono[at : at + size]
            self._loudest = max(self._loudest, float(np.dot(piece, piece)) / len(piece))

    def _frames(self) -> Iterator[Any]:
        """Decoded frames; damaged packets are skipped, an unreadable rest ends the file."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError):
                packet = None
                self._note(Sentence("“{name}” could not be read to its end.", name=self.name))
            if packet is None:
                return
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self._undecoded_s += _length_s(packet)
                continue
            yield from (frame for frame in frames if frame.samples and frame.sample_rate)

    def _note(self, note: Sentence) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _take_notes(self, heard_s: float) -> None:
        self._note_lengths(heard_s)
        if self._undecoded_s > _DAMAGED_S:
            self._note(
                Sentence("“{name}” is damaged; what could be decoded was heard.", name=self.name)
            )
        if self._clock.missing_s:
            self._note(
                Sentence(
                    "“{name}” lacks {missing:.1f} s in the middle; they were heard as silence.",
                    name=self.name,
                    missing=self._clock.missing_s,
                )
            )
        if self._not_numbers:
            self._note(
                Sentence(
                    "{count} samples of “{name}” are not numbers; they were heard as silence.",
                    name=self.name,
                    count=self._not_numbers,
                )
            )
        rate = self._stream.rate
        if rate and rate < _LOW_RATE:
            self._note(
                Sentence(
                    "“{name}” was sampled at {rate} Hz; few words can be made out in it.",
                    name=self.name,
                    rate=rate,
                )
            )
        self._note_loudness()

    def _note_lengths(self, heard_s: float) -> None:
        if self._goes_on:
            self._note(
                Sentence(
                    "The header of “{name}” promises less than there is; all of it was heard.",
                    name=self.name,
                )
            )
            return
        stated_s = stated_length_s(self._container, self._stream, self.path)
        if stated_s is not None and stated_s - heard_s > max(_CUT_SHORT_S, 0.01 * stated_s):
            self._note(
                Sentence(
                    "“{name}” is cut short: it says {stated:.1f} s and holds {heard:.1f} s.",
                    name=self.name,
                    stated=stated_s,
                    heard=heard_s,
                )
            )
        elif riff_is_cut(self.path):
            self._note(
                Sentence(
                    "“{name}” is cut short: its header promises more than {heard:.1f} s.",
                    name=self.name,
                    heard=heard_s,
                )
            )

    def _note_loudness(self) -> None:
        loudest_dbfs = dbfs(self._loudest**0.5)
        if self._loudest == 0.0:
            self._note(
                Sentence("There is only silence in “{name}”: every sample is zero.", name=self.name)
            )
        elif loudest_dbfs < TOO_QUIET_DBFS:
            self._note(
                Sentence(
                    "“{name}” is very quiet: its loudest part is at {level:.0f} dB of full scale. "
                    "Speech as quiet as that is hardly recognised; make it louder first.",
                    name=self.name,
                    level=loudest_dbfs,
                )
            )


def open_sound(path: Path, track: str | None = None) -> Sound:
    """Open a file and decode its beginning. `-` is standard input.

    `track` is an audio track's number, from 1, or its language; None takes the usual one, or
    another if that is silent, and the notes say so. Raises SoundFileError for whatever holds no
    sound, TrackError for a track that is not there.
    """
    container = open_container(path)
    try:
        tracks = _tracks(container, path)
        if track is not None:
            return Sound(path, container, tracks_of_file.named(tracks, track, name_of(path)))
        usual = tracks_of_file.usual(container, tracks)
        heard = _with_sound(path, tracks, usual)
        sound = Sound(path, container, heard)
    except BaseException:
        container.close()
        raise
    if heard is not usual:
        sound.notes.append(
            Sentence(
                "Track {usual} of “{name}” is silent; track {heard} was heard instead.",
                usual=usual.label,
                name=sound.name,
                heard=heard.label,
            )
        )
    if len(tracks) > 1:
        sound.notes.append(tracks_of_file.others_note(tracks, heard, sound.name))
    return sound


def int16_bytes(pcm: Pcm) -> bytes:
    """Samples as the pipe carries them: float32 in [-1, 1] → int16 little-endian."""
    return bytes(np.round(np.clip(pcm, -1.0, _LARGEST) * 32768).astype("<i2").tobytes())


class _Clock:
    """Compares a file's timestamps with its samples; both in seconds.

    Each stretch of timestamps that run on has an origin of its own: where they jump back, or in
    formats made to be joined (transport streams, Ogg) far ahead, another recording begins, and
    what it counts from says nothing of the first.
    """

    def __init__(self, container_start_us: int | None, joinable: bool) -> None:
        self._origin = None if container_start_us is None else container_start_us / 1e6
        self._longest_s = _LONGEST_JOINED_JUMP_S if joinable else _LONGEST_JUMP_S
        self._samples_s = 0.0
        self._next: float | None = None  # the timestamp at which the last frame ended
        self.missing_s = 0.0  # in the middle: lost, or never there

    def silence_before(self, frame: Any) -> float:
        """Seconds of silence that belong before this frame, which is then counted as heard."""
        length_s = frame.samples / frame.sample_rate
        silence_s = 0.0
        if frame.time is not None:
            if self._origin is None or self._begins_anew(frame.time):
                self._origin = frame.time - self._samples_s
            ahead = frame.time - self._origin - self._samples_s
            silence_s = ahead if _JUMP_S < ahead < _LONGEST_JUMP_S else 0.0
            self._next = frame.time + length_s
        self.missing_s += silence_s if self._samples_s else 0.0
        self._samples_s += silence_s + length_s
        return silence_s

    def _begins_anew(self, time_s: float) -> bool:
        if self._next is None:
            return False
        return not -_BACK_S < time_s - self._next < self._longest_s


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


def _tracks(container: Any, path: Path) -> list[Track]:
    """The file's audio tracks, at least one. Raises SoundFileError."""
    if tracks := tracks_of_file.tracks_of(container):
        return tracks
    name = name_of(path)
    if container.streams.audio:
        raise SoundFileError(
            Sentence("The sound in “{name}” cannot be decoded.", name=name),
            Sentence("It may be damaged, protected, or in a format that is not supported."),
        )
    if container.streams.video:
        raise SoundFileError(Sentence("“{name}” is a video without sound.", name=name))
    raise SoundFileError(Sentence("There is no sound in “{name}”.", name=name))


def _with_sound(path: Path, tracks: Sequence[Track], usual: Track) -> Track:
    """The usual track, unless it is silent and another is not."""
    if len(tracks) == 1 or not path.is_file():
        return usual
    for track in (usual, *(t for t in tracks if t is not usual)):
        if _begins_to_sound(path, track):
            return track
    return usual


def _begins_to_sound(path: Path, track: Track) -> bool:
    """Whether there is any sound in the first minutes of a track."""
    heard_s = 0.0
    with open_container(path) as container:
        try:
            for frame in container.decode(container.streams[track.stream.index]):
                if np.abs(_as_float(frame)).max(initial=0.0) > _SOUNDLESS:
                    return True
                heard_s += frame.samples / max(1, frame.sample_rate)
                if heard_s > _LOOK_FOR_SOUND_S:
                    return False
        except (av.error.FFmpegError, OSError):
            return False  # whoever hears the file says what is wrong with it
    return False


def _length_s(packet: Any) -> float:
    """How much sound a packet should hold; an MP3's frame if it does not say."""
    if packet.duration and packet.time_base:
        return float(packet.duration * packet.time_base)
    return 0.026


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

"""What a sound file's header promises, as far as it can be believed.

Lengths that are really ends, sizes that wrapped round or were never filled in: FFmpeg takes them as
they are, and drops or misses sound. Knows nothing of what the sound is.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

_MP3_HEAD = 1 << 18  # bytes: tags with a small picture come first
_UNKNOWN_RIFF_SIZE = 0x7FFF_0000  # writers to a pipe put this much or more, or 0
_CHUNK_NAME = re.compile(rb"[A-Za-z0-9_ ]{4}")

# containers whose header states a length, rather than one guessed from the bit rate
_STATES_LENGTH = {"wav", "w64", "flac", "aiff", "caf", "au", "matroska", "mov", "asf", "avi"}
_STATES_END = {"matroska", "mov"}  # counted from 0, though the sound may begin later


def duration_ms(container: Any, stream: Any) -> int | None:
    """How long the sound of a file is, as the file says; None if it does not."""
    if stream.duration is not None and stream.time_base is not None:
        length_s = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        length_s = container.duration / 1e6
    else:
        return None
    return max(0, round(1000 * (length_s - _begins_s(container, length_s))))


def stated_length_s(container: Any, stream: Any, path: Path) -> float | None:
    """How long the sound should be, if the header states it for this stream alone."""
    formats = _formats(container)
    if not (formats & _STATES_LENGTH or ("mp3" in formats and _counts_mp3_frames(path))):
        return None
    if stream.duration is not None and stream.time_base is not None:
        length_s = float(stream.duration * stream.time_base)
    elif len(container.streams) == 1 and container.duration is not None:
        length_s = container.duration / 1e6
    else:
        return None
    return length_s - _begins_s(container, length_s)


def riff_is_cut(path: Path) -> bool:
    """Whether a WAV or AVI file is shorter than its first header says.

    FFmpeg quietly takes the file's size for the truth.
    """
    head = _head(path, 8)
    promised = int.from_bytes(head[4:], "little")
    known = head[:4] == b"RIFF" and 0 < promised < _UNKNOWN_RIFF_SIZE
    return known and promised + 8 > path.stat().st_size + 1


def wav_goes_on(path: Path) -> bool:
    """Whether a WAV file's sound goes on after its header says that it ends.

    A size that wrapped round at 4 GiB, one written before the recording ended, or two files
    joined: what follows the data is then no chunk of the RIFF, but sound.
    """
    try:
        if not path.is_file():  # of a pipe nothing can be read twice
            return False
        with path.open("rb") as file:
            return _goes_on(file, path.stat().st_size)
    except OSError:
        return False


def _goes_on(file: BinaryIO, size: int) -> bool:
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return False
    past_data = False
    for name, at, length in _chunks(file, size):
        if past_data and (not _CHUNK_NAME.fullmatch(name) or name == b"RIFF" or at + length > size):
            return True
        if name == b"data":
            if length in (0, 0xFFFF_FFFF):  # FFmpeg reads these to the file's end by itself
                return False
            past_data = True
    return False


def _chunks(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and length of each chunk, for as long as they look like some."""
    at = 12
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        yield head[:4], at + 8, length
        at += 8 + length + length % 2


def _begins_s(container: Any, end_s: float) -> float:
    """Where the sound of a container begins whose length is really an end; else 0."""
    if not _formats(container) & _STATES_END or container.start_time is None:
        return 0.0
    begins_s = float(container.start_time) / 1e6
    return begins_s if 0 < begins_s < end_s else 0.0


def _formats(container: Any) -> set[str]:
    return set(container.format.name.split(","))


def _counts_mp3_frames(path: Path) -> bool:
    """Whether an MP3 has a Xing or Info header: its name, then flags below 16, big-endian."""
    head = _head(path, _MP3_HEAD)
    return b"Xing\0\0\0" in head or b"Info\0\0\0" in head


def _head(path: Path, size: int) -> bytes:
    """The first bytes of a file; none of a pipe, which can be read only once."""
    try:
        with path.open("rb") if path.is_file() else io.BytesIO() as file:
            return file.read(size)
    except OSError:
        return b""

"""Opening a file with sound in it, or the one sentence that says why it cannot be heard.

Refuses what would never end or never begin: devices, pipes nobody writes to. Knows nothing of
what the sound is decoded to.
"""

from __future__ import annotations

import io
import os
import re
import select
import stat
import sys
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

import av

from app.audio.choice import STANDARD_INPUT
from app.audio.headers import wav_goes_on
from model_backends import on_disk
from model_backends.base import Sentence, UserError

WRITER_S = 30.0  # a program that fills a pipe may take this long to begin

# what FFmpeg takes a text or an unknown file for: a screen of characters
_NOT_MEDIA = {"tty", "bin", "xbin", "adf", "idf"}
_FILE_URL = re.compile(r"file:/+(localhost/+)?", re.IGNORECASE)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]")  # `Path` has made one slash of two
_STANDARD_INPUTS = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


class SoundFileError(UserError):
    """A file that cannot be heard: why, and what to do about it."""


def is_standard_input(path: Path) -> bool:
    """`-`, or one of the names that the system has for it."""
    return path == STANDARD_INPUT or str(path) in _STANDARD_INPUTS


def name_of(path: Path) -> str:
    """What a file is called in a sentence."""
    return "standard input" if is_standard_input(path) else path.name or str(path)


def open_container(path: Path) -> Any:
    """PyAV's container of a file, a pipe or standard input. Raises SoundFileError.

    Blocks while a pipe has nothing to give, at most WRITER_S until its first byte.
    """
    check_readable(path)
    refusal = SoundFileError(
        Sentence("“{name}” is not audio or video that can be read.", name=name_of(path)),
        Sentence("It may be damaged, cut off, or something else under this name."),
    )
    options = {"ignore_length": "1"} if wav_goes_on(path) else {}
    try:
        container = av.open(_what_to_open(path), metadata_errors="replace", options=options)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise refusal from error
    if container.format.name in _NOT_MEDIA:
        container.close()
        raise refusal
    return container


def _what_to_open(path: Path) -> str | IO[bytes] | io.FileIO:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer
    if path.is_fifo() and not is_standard_input(path):
        return _awaited(path)
    return str(path.absolute())  # so that a colon in the name is not taken for a protocol


def check_readable(path: Path) -> None:
    """Raise SoundFileError for what is not a file one can read, before a decoder sees it."""
    if path == STANDARD_INPUT:
        _check_standard_input()
        return
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise SoundFileError(
                Sentence("“{path}” is a folder.", path=path), Sentence("Name the files in it.")
            )
        if stat.S_ISREG(status.st_mode):
            path.open("rb").close()
        elif not stat.S_ISFIFO(status.st_mode):
            raise SoundFileError(
                Sentence("“{path}” is a device, not a file.", path=path),
                Sentence("To listen to a microphone: voxline listen."),
            )
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(path) from None
    except PermissionError:
        raise SoundFileError(
            Sentence("“{path}” may not be read.", path=path),
            Sentence("Check the permissions of the file and its folder."),
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SoundFileError(
            Sentence("“{path}” cannot be read: {reason}.", path=path, reason=reason)
        ) from error
    if stat.S_ISREG(status.st_mode) and status.st_size == 0:
        raise SoundFileError(Sentence("“{name}” is empty: it holds 0 bytes.", name=path.name))


def _missing(path: Path) -> SoundFileError:
    if _FILE_URL.match(str(path)):
        return _missing_url(path)
    if _URL.match(str(path)):
        address = str(path).replace(":/", "://", 1)  # as it was typed
        return SoundFileError(
            Sentence("“{address}” is an address; only files are taken.", address=address),
            Sentence("Download it first, and name the file."),
        )
    return SoundFileError(
        Sentence("There is no file “{path}”.", path=path),
        Sentence("Check the name and the folder."),
    )


def _missing_url(path: Path) -> SoundFileError:
    """As a browser or a file manager names a file."""
    meant = Path(unquote(_FILE_URL.sub("/", str(path), count=1)))
    if not on_disk.exists(meant):
        return _missing(meant)
    return SoundFileError(
        Sentence("There is no file “{path}”.", path=path),
        Sentence("Leave out “file:”, and name it as {meant}.", meant=meant),
    )


def _check_standard_input() -> None:
    if sys.stdin is None or sys.stdin.closed:
        raise SoundFileError(Sentence("There is no standard input to read."))
    if sys.stdin.isatty():
        raise SoundFileError(
            Sentence("Nothing is piped into standard input."),
            Sentence("For example: cat talk.mp3 | voxline transcribe -"),
        )


class _Pipe(io.FileIO):
    """Closed when the container that reads it is gone, without a word about it."""

    def __del__(self) -> None:
        self.close()


def _awaited(pipe: Path) -> _Pipe:
    """A pipe as soon as there is something to read in it.

    Opening it as a file is would wait for its writer for ever, and a second opening for another
    one: what this one has opened is what is read.
    """
    handle = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    file = _Pipe(handle, "rb")
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    if not poll.poll(WRITER_S * 1000):
        file.close()
        raise SoundFileError(
            Sentence("Nothing is written into the pipe “{path}”.", path=pipe),
            Sentence("Start what fills it, then try again."),
        )
    os.set_blocking(handle, True)
    return file

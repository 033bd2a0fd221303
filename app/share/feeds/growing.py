"""A file that grows while somebody speaks: subtitles or text, safe to tail.

Only appended to, a whole cue (or word, in plain text) at a time, so that whoever reads along never
sees half of one, and nothing that stands in it changes. A disk that is full is waited for: what
was said meanwhile is written then. Where the same file is begun again and again, what stood in it
can be kept beside it. The finished file, with cues that look ahead, is `--srt`'s.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from app.core.cues import GAP_MS, MIN_MS, Cue, cues
from app.core.export import to_srt, to_vtt
from app.core.paragraphs import Paragraph
from app.core.sentences import ends_sentence
from app.core.voices import NAMES, label_of
from app.share.feeds.runner import Heard, OutletError
from model_backends.base import Sentence, UserError, Word

SUFFIXES = (".srt", ".vtt", ".txt")
_PAUSE_MS = 1_500  # of silence, after which what was said is a finished piece
_LONG_MS = 6_000  # a piece ends with its sentence once it is so long …
_LONGEST_MS = 20_000  # … and anyway once it is so long
_QUIET_S = 3.0  # without a word: what was said is written


class GrowingFileError(UserError):
    """That file cannot be followed."""


def check_suffix(path: Path) -> None:
    """Raises GrowingFileError for a file that cannot grow."""
    if path.suffix.lower() not in SUFFIXES:
        raise GrowingFileError(
            Sentence("“{name}” is no kind of file that can grow.", name=path.name),
            Sentence("It takes: {suffixes}.", suffixes=", ".join(SUFFIXES)),
        )


class Cueing:
    """Words to cues that are final: cut into pieces at pauses and sentences, as they come."""

    def __init__(self, names: Mapping[str, str] | None) -> None:
        self._names = names
        self._piece: list[Word] = []
        self._end_ms = 0  # of the last cue

    def add(self, word: Word) -> list[Cue]:
        """The cues that are finished now that this word has come."""
        finished = self.finish() if self._piece and self._ends_before(word) else []
        self._piece.append(word)
        return finished

    def finish(self) -> list[Cue]:
        """Those of all that was said."""
        piece, self._piece = self._piece, []
        made = cues(piece, (), self._names or NAMES, labels=False)
        return [self._after_the_last(cue) for cue in made]

    def _ends_before(self, word: Word) -> bool:
        first, last = self._piece[0], self._piece[-1]
        if word.start_ms - last.end_ms >= _PAUSE_MS or word.lane != last.lane:
            return True
        lasts_ms = last.end_ms - first.start_ms
        sentence = ends_sentence(last.text, word.text, word.language)
        return lasts_ms >= _LONGEST_MS or (lasts_ms >= _LONG_MS and sentence)

    def _after_the_last(self, cue: Cue) -> Cue:
        """Pieces know nothing of one another; their cues must not overlap."""
        start_ms = max(cue.start_ms, self._end_ms + GAP_MS if self._end_ms else 0)
        self._end_ms = max(cue.end_ms, start_ms + MIN_MS)
        text = f"{label_of(cue.lane, self._names)}{cue.text}" if self._names else cue.text
        return replace(cue, start_ms=start_ms, end_ms=self._end_ms, text=text)


class GrowingFile:
    """Satisfies `Outlet`."""

    def __init__(
        self,
        path: Path,
        names: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        keep_before: bool = False,
    ) -> None:
        """A new file, or one whose content is given up; by its suffix. `names`: of the voices,
        where there are several. `keep_before`: what stands in it is kept beside it, under its own
        time. Raises GrowingFileError for a suffix that is none of ours."""
        check_suffix(path)
        self.sent = 0
        self._keep_before = keep_before
        self.name = Sentence("{name}", name=path.name)
        self._path, self._kind, self._clock = path, path.suffix.lower(), clock
        self._names = names
        self._cueing = Cueing(names)
        self._count = 0  # cues that have been made
        self._paragraph: Paragraph | None = None
        self._lane = ""
        self._text = "WEBVTT\n\n" if self._kind == ".vtt" else ""  # not written yet
        self._taken = self._ready = 0  # words, and how many of them `_text` brings it to
        self._length = 0  # bytes that stand in the file, whole pieces all
        self._word_s: float | None = None  # when the last came of what is not finished
        self._file: int | None = None

    def open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
        try:
            if self._file is None:
                if self._keep_before:
                    self._put_aside()
                self._file = os.open(self._path, flags | (0 if self._length else os.O_TRUNC), 0o666)
        except OSError as error:
            raise self._problem(error) from error

    def take(self, heard: Heard) -> None:
        if not isinstance(heard, Word):
            self._paragraph = None
            return
        if self._kind == ".txt":
            self._text += self._written(heard)
            self._ready = self._taken + 1
        else:
            made = self._cueing.add(heard)
            self._put(made)
            self._ready = self._taken if made else self._ready
            self._word_s = self._clock()
        self._taken += 1

    def send(self, last: bool = False) -> None:
        quiet = self._word_s is not None and self._clock() - self._word_s >= _QUIET_S
        if quiet or last:
            self._put(self._cueing.finish())
            self._ready, self._word_s = self._taken, None
        if last and self._kind == ".txt" and (self._length or self._text):
            self._text += "\n"
        if self._text:
            self._append(self._text.encode())

    def close(self) -> None:
        handle, self._file = self._file, None
        if handle is not None:
            os.close(handle)

    # --- what is written -------------------------------------------------------------------

    def _written(self, word: Word) -> str:
        """A word of a plain text; paragraphs as in the transcript."""
        if self._paragraph is not None and word.lane == self._lane and self._paragraph.takes(word):
            self._paragraph.add(word)
            return word.text
        begins = "\n\n" if self._length or self._text else ""
        label = label_of(word.lane, self._names) if self._names else ""
        self._paragraph, self._lane = Paragraph.begun(word), word.lane
        return f"{begins}{label}{word.text.lstrip()}"

    def _put(self, made: list[Cue]) -> None:
        for cue in made:
            self._count += 1
            if self._kind == ".vtt":
                self._text += to_vtt([cue]).removeprefix("WEBVTT\n\n") + "\n"
            else:
                self._text += to_srt([cue]).replace("1\n", f"{self._count}\n", 1) + "\n"

    def _append(self, data: bytes) -> None:
        """All of it or nothing: a piece that did not fit is taken back."""
        assert self._file is not None
        try:
            os.lseek(self._file, self._length, os.SEEK_SET)
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError as error:
            self._take_back()
            raise self._problem(error) from error
        self._length += len(data)
        self._text, self.sent = "", self._ready

    def _put_aside(self) -> None:
        """What an earlier session has written is nobody's to lose. Raises OSError."""
        if self._path.is_file() and (status := self._path.stat()).st_size:
            when = datetime.fromtimestamp(status.st_mtime)
            name = f"{self._path.stem} {when:%Y-%m-%d %H.%M.%S}"
            aside, number = self._path.with_stem(name), 1
            while aside.exists():
                number += 1
                aside = self._path.with_stem(f"{name} ({number})")
            self._path.rename(aside)
        self._keep_before = False

    def _take_back(self) -> None:
        assert self._file is not None
        try:
            os.ftruncate(self._file, self._length)
        except OSError:
            pass  # the disk is gone; the next try begins at the same place

    def _problem(self, error: OSError) -> OutletError:
        reason = error.strerror or str(error)
        return OutletError(
            Sentence("It cannot be written ({reason}).", reason=reason),
            Sentence("What is said is kept, and written as soon as that is possible."),
        )

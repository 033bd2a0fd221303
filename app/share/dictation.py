"""Dictation: what is said is typed into whatever window has the keyboard, on a thread of its own.

Committed words only, each once and in order, with the spaces they need. A word that comes while one
of our own windows has the keyboard, or a password is known to be typed, is typed nowhere, also
later. While keys are held down, which would make commands of letters, words wait; and for a moment
where no window has the keyboard, as between two of them. Knows no desktop: how to type is a
`Typist`'s.
"""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass
from enum import Enum

from app.core.script import needs_space
from app.native.typist import CAPS_LOCK, Focus, NoTypingError, Typist
from model_backends.base import Sentence, Word

log = logging.getLogger(__name__)

_LOOK_S = 0.05  # how often it is seen whether keys are held
_IDLE_S = 0.5  # … and whether the window in use is ours, while nobody speaks
_NOWHERE_LOOKS = 20  # of them, a second, is waited for a window that has the keyboard
_LEAVE_S = 3.0
_BROKEN = Sentence("Something went wrong while typing."), Sentence("Switch it on again.")


class Way(Enum):
    """What becomes of a word that is said now."""

    TYPED = "typed"
    OURS = "ours"  # a window of Voxline has the keyboard
    NOWHERE = "nowhere"  # no window has it: it waits, but not for long
    SECRET = "secret"  # it is typed where a password is
    KEYS = "keys"  # it waits until they are let go
    CAPS_LOCK = "caps lock"  # it waits until that is off
    OVER = "over"


_WAITS = (Way.KEYS, Way.CAPS_LOCK, Way.NOWHERE)


@dataclass(frozen=True, slots=True)
class Doing:
    """How it is doing. `typed`: words; `left_out`: characters that the desktop cannot type."""

    way: Way
    typed: int = 0
    left_out: int = 0
    problem: tuple[str, str] | None = None  # why it is over, and what to do; None: it was ended


class Dictating:
    """From `start()` to `end()`. The typist is this one's from now on, and closed at the end."""

    def __init__(self, typist: Typist, after: Dictating | None = None) -> None:
        """`after`: the one before, which may have to put the keyboard back as it was yet."""
        self._typist, self._after = typist, after
        self._queue: queue.SimpleQueue[tuple[int, Word | None]] = queue.SimpleQueue()
        self._turn = 0  # words of earlier turns are typed no more
        self._stopping = threading.Event()
        self._spacing = Spacing()
        self.doing = Doing(Way.TYPED)
        self._thread = threading.Thread(target=self._run, daemon=True, name="dictation")

    def start(self) -> None:
        self._thread.start()

    def take(self, word: Word) -> None:
        """Type this, if it may be; never waits."""
        self._queue.put((self._turn, word))

    def begin(self) -> None:
        """Another session: its first word brings no space."""
        self._queue.put((self._turn, None))

    def hush(self) -> None:
        """What has not been typed yet never will be."""
        self._turn += 1

    def end(self) -> None:
        """Type nothing more. Never waits."""
        self.hush()
        self._stopping.set()
        self.begin()  # wakes it

    def wait(self, timeout: float = _LEAVE_S) -> None:
        """Until the keyboard is as it was, so long at most."""
        self._thread.join(timeout)

    # --- its thread ------------------------------------------------------------------------

    def _run(self) -> None:
        if self._after is not None:
            self._after.wait()
            self._after = None
        problem: tuple[str, str] | None = None
        try:
            while not self._stopping.is_set():
                self._next(self._typist)
        except NoTypingError as error:
            problem = error.message, error.hint
        except Exception:  # it must not end in silence
            log.exception("dictation")
            problem = _BROKEN
        finally:
            self._typist.close()
        self.doing = Doing(Way.OVER, self.doing.typed, self.doing.left_out, problem)

    def _next(self, typist: Typist) -> None:
        try:
            turn, word = self._queue.get(timeout=_IDLE_S)
        except queue.Empty:
            self._show(_way(typist.focus()))
            return
        if word is None:
            self._spacing.begin()
            return
        looks_left = _NOWHERE_LOOKS
        while turn == self._turn:
            focus = typist.focus()
            way = _way(focus)
            self._show(way)
            if way is Way.TYPED and turn == self._turn:
                self._type(typist, word, focus)
            looks_left -= way is Way.NOWHERE
            if way not in _WAITS or not looks_left:
                return
            self._stopping.wait(_LOOK_S)

    def _type(self, typist: Typist, word: Word, focus: Focus) -> None:
        left_out = typist.type(self._spacing.spaced(word.text, focus.window))
        doing = self.doing
        self.doing = Doing(Way.TYPED, doing.typed + 1, doing.left_out + left_out)

    def _show(self, way: Way) -> None:
        if way is not self.doing.way:
            log.info("dictation: %s", way.value)
            self.doing = Doing(way, self.doing.typed, self.doing.left_out)


class Spacing:
    """Which space stands before a word: none where a text begins in another window, and one that
    nobody brings where a session follows another. Pure."""

    def __init__(self) -> None:
        self._window = 0
        self._last = ""  # what was typed last, there
        self._begun = False

    def begin(self) -> None:
        """The next word is the first of its session."""
        self._begun = True

    def spaced(self, text: str, window: int) -> str:
        """The text as it is to be typed into this window."""
        if window != self._window or not self._last:
            text = text.lstrip()
        elif self._begun and needs_space(self._last, text):
            text = f" {text}"
        self._window, self._begun = window, False
        self._last = text or self._last
        return text


def _way(focus: Focus) -> Way:
    if not focus.window:
        return Way.NOWHERE
    if focus.ours:
        return Way.OURS
    if focus.secret:
        return Way.SECRET
    if focus.held:
        return Way.CAPS_LOCK if focus.held == CAPS_LOCK else Way.KEYS
    return Way.TYPED

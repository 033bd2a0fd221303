"""No sentence twice: what the loudspeakers say into the microphone is not captioned as the user's.

The user's words are held while others speak until it is known whose they are: by the sound
(`leak`), and by the others' words of the same time. A word that is let through is never taken
back, so a doubtful one waits for the others' words, but not for ever. While nobody else is to be
heard, or there is one voice only, nothing is held. Knows no engine, pipe or clock: time is that
of the sound.
"""

from __future__ import annotations

import unicodedata
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from app.core.chunk import Chunk
from app.core.voices import ME, THEM
from app.worker.leak import Bands, Leak, is_playing, leak_between, unexplained
from app.worker.messages import Message
from model_backends.base import Progress, Tail, Word

HOLD_MS = 2_000  # of the user's sound, from when a word came: how long the others' are waited for
_LATER_MS = 300  # how far the others' words must have come past it
_IDLE_MS = 1_000  # sound that is so much behind the other's is not coming: nothing plays

_LEAKS = 0.35  # of a word's sound said in the room: less is a leak, whatever the words are
_OWN = 0.5  # … more is the user's, unless the others said the same word
_SAME_WORD_OWN = 0.7  # … more is the user's although they did
_AFTER_LEAK = 0.1  # it takes so much more to be the user's in the middle of a leak

_SAME_MS = 700  # two hearings of one word
_REPEATED_MS = 2_000  # two hearings of one sentence
_CONTEXT_MS = 10_000  # of a sentence, around a word
_SENTENCE_WORDS, _SENTENCE_LETTERS = 3, 10  # what nobody says by chance at the same time
_PLAYED_KEPT_MS = 10_000  # of what the others said, while the user's sound of then is not settled
_SETTLED_MS = 1_500  # unsettled sound that is no more than a pause
_FIT_MS = 1_000  # the way from loudspeaker to microphone changes no sooner
_KEPT_MS = 31 * 60 * 1000  # of the others' words: so long the user's may wait to be heard
_RECENT_WORDS = 64  # of the user's
_ONE_TURN_MS = 500  # between two words


@dataclass(frozen=True, slots=True)
class _Said:
    """A word as it is compared; "" if there is nothing in it but marks."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class _Held:
    word: Word
    said: _Said
    until_ms: int  # of the user's sound: then it is decided with what is known


class Echo:
    """Everything the worker says passes through `take()`, and comes out in order."""

    def __init__(self, far: str = THEM, near: str = ME) -> None:
        """`far`: the lane of what this computer plays; `near`: the microphone's."""
        self._far, self._near = far, near
        self._seen: set[str] = set()
        self._bands: dict[str, Bands] = {}  # once there are both
        self._held: deque[_Held] = deque()
        self._theirs: deque[_Said] = deque()
        self._mine: deque[_Said] = deque(maxlen=_RECENT_WORDS)
        self._their_settled_ms = self._my_settled_ms = 0
        self._leak: Leak | None = None
        self._leak_until_ms = -_FIT_MS
        self._last_was_own = True
        self._leaked_ms = -_ONE_TURN_MS  # where the last leak ended

    def hear(self, chunk: Chunk) -> None:
        """Listen to the sound of either lane; while there is one only that costs nothing."""
        if chunk.lane not in (self._far, self._near):
            return
        self._seen.add(chunk.lane)
        if self._seen >= {self._far, self._near}:
            pcm = np.frombuffer(chunk.pcm, dtype="<i2").astype(np.float32) / 32768.0
            self._bands.setdefault(chunk.lane, Bands()).add(chunk.start_ms, pcm)

    def take(self, message: Message) -> list[Message]:
        """What is to be sent now because this is to be said."""
        if not isinstance(message, (Word, Tail, Progress)):
            return [message]
        if len(self._bands) < 2 or message.lane not in (self._far, self._near):
            return [message]
        if message.lane == self._far:
            self._note(message)
            return [self._kept(message), *self.decided()]
        if isinstance(message, Word):
            return self._hold(message)
        if isinstance(message, Tail):
            return [replace(message, text="") if self._doubtful else message]
        return [self._limited(message)]

    def decided(self, at_once: bool = False) -> list[Message]:
        """The user's words of which it is known now; `at_once`: all, with what is known."""
        out: list[Message] = []
        while self._held:
            held = self._held[0]
            own = self._is_own(held, at_once or self._now_ms >= held.until_ms)
            if own is None:
                break
            self._held.popleft()
            self._last_was_own = own
            if own:
                out.append(held.word)
            else:
                self._leaked_ms = held.word.end_ms
        return out

    # --- what is kept ----------------------------------------------------------------------

    def _note(self, message: Word | Tail | Progress) -> None:
        if isinstance(message, Progress):
            self._their_settled_ms = max(self._their_settled_ms, message.settled_ms)
        elif isinstance(message, Word):
            self._theirs.append(_said(message))
            while self._theirs[0].end_ms < message.end_ms - _KEPT_MS:
                self._theirs.popleft()

    def _hold(self, word: Word) -> list[Message]:
        said = _said(word)
        self._mine.append(said)
        self._held.append(_Held(word, said, self._now_ms + HOLD_MS))
        return self.decided()

    @property
    def _now_ms(self) -> int:
        return max(bands.end_ms for bands in self._bands.values())

    @property
    def _doubtful(self) -> bool:
        """What is being said may be a leak: nobody shall see it before it is known."""
        now_ms = self._now_ms
        return bool(self._held) or is_playing(self._bands[self._far], now_ms - HOLD_MS, now_ms)

    def _limited(self, progress: Progress) -> Progress:
        """What is held has not been said: another worker would have to hear it again."""
        settled_ms = min([progress.settled_ms, *(held.word.start_ms for held in self._held)])
        self._my_settled_ms = max(self._my_settled_ms, settled_ms)
        return replace(progress, settled_ms=settled_ms)

    def _kept(self, message: Word | Tail | Progress) -> Word | Tail | Progress:
        """Another worker would have to hear what was played, to know again what leaks."""
        if not isinstance(message, Progress):
            return message
        settled_ms = max(self._my_settled_ms, message.settled_ms - _PLAYED_KEPT_MS)
        if self._bands[self._near].end_ms - settled_ms < _SETTLED_MS:
            return message
        return replace(message, settled_ms=min(message.settled_ms, settled_ms))

    # --- whose word it is ------------------------------------------------------------------

    def _is_own(self, held: _Held, at_once: bool) -> bool | None:
        """None: that cannot be said yet. A mark belongs to the word before it."""
        far, near, said = self._bands[self._far], self._bands[self._near], held.said
        if not said.text:
            return self._last_was_own
        coming = near.end_ms - far.end_ms < _IDLE_MS
        if far.end_ms < said.end_ms and coming and not at_once:
            return None
        if not is_playing(far, said.start_ms, said.end_ms):
            return True
        own = self._own_part(said)
        hardly = _AFTER_LEAK if said.start_ms - self._leaked_ms < _ONE_TURN_MS else 0.0
        if own < _LEAKS + hardly:
            return False
        if self._their_settled_ms < said.end_ms + _LATER_MS and not at_once:
            return None
        if self._is_in_their_sentence(said):
            return False
        return own >= (_SAME_WORD_OWN if self._is_theirs(said) else _OWN) + hardly

    def _own_part(self, said: _Said) -> float:
        """How much of its sound was said in the room, 0..1."""
        near = self._bands[self._near]
        until_ms = min(near.end_ms, said.end_ms + _FIT_MS)
        if self._leak is None or not 0 <= self._leak_until_ms - said.end_ms < 2 * _FIT_MS:
            self._leak = leak_between(self._bands[self._far], near, until_ms)
            self._leak_until_ms = until_ms
        if self._leak is None:
            return 1.0
        return unexplained(self._leak, near, said.start_ms, said.end_ms)

    def _is_theirs(self, said: _Said) -> bool:
        """The others said the same word at the same time."""
        return any(
            other.text == said.text and abs(other.start_ms - said.start_ms) <= _SAME_MS
            for other in reversed(self._theirs)
            if other.end_ms > said.start_ms - _REPEATED_MS
        )

    def _is_in_their_sentence(self, said: _Said) -> bool:
        """It stands in a row of words that the others said just before."""
        mine = [word for word in self._mine if word.text]
        theirs = [
            word
            for word in self._theirs
            if word.text and abs(said.start_ms - word.start_ms) <= _CONTEXT_MS
        ]
        at = len(mine) - 1 - mine[::-1].index(said) if said in mine else None
        return at is not None and any(
            _is_sentence(_common_row(mine, at, theirs, other))
            for other, word in enumerate(theirs)
            if word.text == said.text and abs(said.start_ms - word.start_ms) <= _REPEATED_MS
        )


def _said(word: Word) -> _Said:
    folded = unicodedata.normalize("NFKC", word.text).casefold()
    text = "".join(char for char in folded if char.isalnum())
    return _Said(text, word.start_ms, word.end_ms)


def _common_row(mine: list[_Said], at: int, theirs: list[_Said], other: int) -> list[str]:
    """The words around these two places that both have."""
    low = 0
    while min(at, other) > low and mine[at - low - 1].text == theirs[other - low - 1].text:
        low += 1
    row = [word.text for word in mine[at - low : at + 1]]
    for own, their in zip(mine[at + 1 :], theirs[other + 1 :], strict=False):
        if own.text != their.text:
            break
        row.append(own.text)
    return row


def _is_sentence(row: list[str]) -> bool:
    return len(row) >= _SENTENCE_WORDS and len("".join(row)) >= _SENTENCE_LETTERS

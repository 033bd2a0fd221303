"""Words that were said once and guessed twice: a run that comes again with no time to be said in.

Whisper sometimes says a sentence again at a pause, or a word before it is spoken ("squire of
dames, and", and then "and has so many"). The attention finds no sound for the copy and squeezes it
into what is left. Who does say a word twice takes the time for it.

Pure: knows nothing about audio, models or streams. Times are milliseconds, and of speech: pauses
are no part of a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Spoken(Protocol):
    """What is known of a word: an engine's guess, or a word that came of one."""

    @property
    def text(self) -> str: ...
    @property
    def start_ms(self) -> int: ...
    @property
    def end_ms(self) -> int: ...


_W = TypeVar("_W", bound=Spoken)

LONGEST_RUN = 8  # words
_SQUEEZED_MS = 25  # a letter: nobody speaks so fast, and times are known to 50 ms or so
_PACE_MS = 60  # a letter at a quick pace: both copies together must have so much


def without_repeats(words: Sequence[_W]) -> list[_W]:
    """The words with each run that was squeezed in before or after its like left out."""
    kept: list[_W] = []
    for word in words:
        kept.append(word)
        for length in range(1, min(LONGEST_RUN, len(kept) // 2) + 1):
            first, second = kept[-2 * length : -length], kept[-length:]
            if _is_repeat(first, second):
                squeezed_first = _per_letter(first) < _per_letter(second)
                kept[-2 * length :] = second if squeezed_first else first
                break
    return kept


def repeat_length(before: Sequence[Spoken], words: Sequence[Spoken]) -> int:
    """How many of the first `words` only say again what `before` ends with."""
    for length in range(min(LONGEST_RUN, len(before), len(words)), 0, -1):
        if _is_repeat(before[-length:], words[:length]):
            return length
    return 0


def _is_repeat(first: Sequence[Spoken], second: Sequence[Spoken]) -> bool:
    keys = [_letters(word) for word in first]
    if not all(keys) or keys != [_letters(word) for word in second]:
        return False
    if min(_per_letter(first), _per_letter(second)) >= _SQUEEZED_MS:
        return False
    return _per_letter([*first, *second]) < _PACE_MS


def _per_letter(words: Sequence[Spoken]) -> float:
    letters = sum(len(_letters(word)) for word in words)
    return sum(word.end_ms - word.start_ms for word in words) / letters


def _letters(word: Spoken) -> str:
    return "".join(c for c in word.text.casefold() if c.isalnum())

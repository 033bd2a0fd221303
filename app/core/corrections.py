"""What was misheard, written as the user writes it, before anybody sees the word.

A word that may be the first of several (“vox” of “vox line”, for Voxline) waits for the next one,
a second and a half of sound at most; all others pass at once. A name comes out as one word, with
the time of all it was heard as. What has passed is never taken back. Knows words and names; no
engine, pipe or clock: time is that of the sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from app.core.names import Branch, Name, folded, is_spoken, spellings
from model_backends.base import Progress, Word

HOLD_MS = 1_500  # of sound heard since a word came: how long the next one is waited for

_POSSESSIVE = re.compile(r"['’][sS]$")
_JOINS = re.compile(r"[\s\-‐‑]*")  # what may stand inside a name: nothing, a space, a hyphen


@dataclass(slots=True)
class _Voice:
    """One track of one lane."""

    held: list[Word] = field(default_factory=list)
    heard_ms: int = 0
    until_ms: int = 0  # of heard sound: then what is held passes


class Corrector:
    """Everything that is committed passes through `take()`, and comes out in order."""

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self._root = spellings(names)
        self._voices: dict[tuple[str, int], _Voice] = {}

    def take(self, event: Word | Progress) -> list[Word | Progress]:
        """What is to be passed on now because this has come."""
        if not self._root.next:
            return [event]
        voice = self._voices.setdefault((event.lane, event.track), _Voice())
        if isinstance(event, Word):
            return [*self._word(voice, event)]
        voice.heard_ms = max(voice.heard_ms, event.heard_ms)
        words = self._released(voice) if voice.heard_ms >= voice.until_ms else []
        return [*words, _limited(event, voice.held)]

    def rest(self) -> list[Word]:
        """All that is held, as there is: no more comes."""
        return [word for voice in self._voices.values() for word in self._released(voice)]

    def whole(self, words: Sequence[Word]) -> list[Word]:
        """A finished row of words, corrected."""
        voice = _Voice()
        passed = [passing for word in words for passing in self._word(voice, word)]
        return [*passed, *self._released(voice)]

    def _word(self, voice: _Voice, word: Word) -> list[Word]:
        other = bool(voice.held) and voice.held[-1].utterance != word.utterance
        words = self._released(voice) if other else []
        voice.held.append(word)
        words += self._decided(voice, more_may_come=True)
        if voice.held:
            voice.until_ms = voice.heard_ms + HOLD_MS
        return words

    def _released(self, voice: _Voice) -> list[Word]:
        return self._decided(voice, more_may_come=False)

    def _decided(self, voice: _Voice, more_may_come: bool) -> list[Word]:
        out: list[Word] = []
        while voice.held:
            name, count, open_end = _longest(self._root, voice.held)
            if open_end and more_may_come:
                break
            out.append(_written(voice.held[:count], name) if name else voice.held[0])
            del voice.held[: max(count, 1)]
        return out


def _longest(root: Branch, words: Sequence[Word]) -> tuple[Name | None, int, bool]:
    """The name that the first of these words spell, of how many of them, and whether another
    word could make it one, or a longer one."""
    branch: Branch | None = root
    name, count = None, 0
    for place, word in enumerate(words, 1):
        before, core, after = _parts(word.text)
        if place > 1 and not _JOINS.fullmatch(before):
            return name, count, False
        branch = branch.follow(folded(core)) if branch and core else None
        if branch is None:
            return name, count, False
        if branch.name is not None:
            name, count = branch.name, place
        if not _JOINS.fullmatch(after):  # a name does not go on after a comma
            return name, count, False
    return name, count, bool(branch and branch.next)


def _written(words: Sequence[Word], name: Name) -> Word:
    """These words as one, in the user's spelling, with the marks that were around them."""
    first, last = words[0], words[-1]
    before, said, _ = _parts(first.text)
    after = _parts(last.text)[2]
    capital = name.word[:1].upper() + name.word[1:]  # it begins a sentence
    spelt = said if len(words) == 1 and said == capital else name.word
    known = [word.confidence for word in words if word.confidence is not None]
    return replace(
        first,
        text=f"{before}{spelt}{after}",
        end_ms=max(word.end_ms for word in words),
        confidence=min(known) if known else None,
    )


def core_of(text: str) -> str:
    """A word without the marks around it and the “’s” of a possessive."""
    return _parts(text)[1]


def _parts(text: str) -> tuple[str, str, str]:
    """Marks before, the word itself, and what is behind it: “’s”, marks."""
    spoken = [place for place, char in enumerate(text) if is_spoken(char)]
    if not spoken:
        return text, "", ""
    first, end = spoken[0], spoken[-1] + 1
    core = _POSSESSIVE.sub("", text[first:end])
    return text[:first], core, text[first + len(core) :]


def _limited(progress: Progress, held: Sequence[Word]) -> Progress:
    """What is held has not been said: another worker would have to hear it again."""
    settled_ms = min([progress.settled_ms, *(word.start_ms for word in held)])
    return replace(progress, settled_ms=settled_ms)

"""Which words of a new decoder were already said by the one it replaces.

Both read the same encoder rows, so the same word ends within a frame or two of itself; both
speak in order. Words are matched in order by time and text, each old word at most once, and what
the old decoder has said stays said. Knows nothing about decoders.
"""

from __future__ import annotations

from collections.abc import Iterable

from model_backends.voxtral.words import TimedText

_SAME_MS = 240  # the same word, said by two decoders, ends at most this far apart
_SURELY_SAME_MS = 100  # closer than this it is the same word even if spelt otherwise


class Handover:
    """Built from the latest words `said` when the new decoder takes over.

    A slower decoder repeats them only after it has taken over, so every later word goes through
    `unsaid` too; past the last said word nothing matches any more.
    """

    def __init__(self, said: Iterable[TimedText] = ()) -> None:
        self._said = list(said)
        self._last_end_ms = self._said[-1].end_ms if self._said else -1

    def unsaid(self, words: Iterable[TimedText]) -> list[TimedText]:
        """Words of `words` that continue what was said: none doubled, none out of order."""
        return [word for word in words if not self._repeats(word)]

    def _repeats(self, word: TimedText) -> bool:
        for i, old in enumerate(self._said):
            if _same(old, word):
                del self._said[: i + 1]
                return True
        return word.end_ms <= self._last_end_ms


def _same(old: TimedText, word: TimedText) -> bool:
    apart = abs(old.end_ms - word.end_ms)
    same_text = old.text.strip().casefold() == word.text.strip().casefold()
    return apart <= _SURELY_SAME_MS or (apart <= _SAME_MS and same_text)

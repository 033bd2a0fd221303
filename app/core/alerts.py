"""When the user's name falls: which words are to be pointed out, and not too often.

Words come as `corrections` lets them through: a name is one word. Knows text and times only.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.core.corrections import core_of
from app.core.names import Name, folded, spellings
from model_backends.base import Word

COOL_DOWN_MS = 10_000  # a name said again within this time is no news


class Alerts:
    """Asked about every word, in its order."""

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self._root = spellings(name for name in names if name.alert)
        self._last_ms: dict[Name, int] = {}

    def said(self, word: Word) -> Name | None:
        """The name in this word, if it alerts."""
        branch = self._root.follow(folded(core_of(word.text)))
        return branch.name if branch else None

    def is_news(self, name: Name, at_ms: int) -> bool:
        """Whether it is to be announced; if so, not again before the cool-down is over."""
        last_ms = self._last_ms.get(name)
        if last_ms is not None and 0 <= at_ms - last_ms < COOL_DOWN_MS:
            return False
        self._last_ms[name] = at_ms
        return True

"""Words the user expects (names, terms): the model is helped to spell them, never made to.

Each word is a path of token ids in a trie. Right after [W] the first ids of all paths get a small
bonus, inside a path the ids that continue it; nothing else ever does, [P] and [W] least of all, and
an id is lifted only if it was close to the best anyway (`speech_model.BONUS_REACH`). So a word that
was not heard is not written. Off unless words are given. The sizes of the bonuses are guesses:
with the published weights they have not been measured. Knows nothing about models or streams.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from model_backends.base import EngineError, Sentence
from model_backends.voxtral.speech_model import MOST_BONUSES
from model_backends.voxtral.tekken import Tekken

_BEGIN_BONUS, _INSIDE_BONUS = 2.0, 3.0  # logits

Node: TypeAlias = dict[int, "Node"]  # id -> what may follow
Bonuses: TypeAlias = tuple[tuple[int, float], ...]


class Hotwords:
    """The trie of all words. Raises EngineError for more beginnings than a step can lift."""

    def __init__(self, words: Iterable[str], tokens: Tekken) -> None:
        self.root: Node = {}
        self._tokens = tokens
        for word in words:
            for spelling in _spellings(word):
                node = self.root
                for token in tokens.encode(spelling):
                    node = node.setdefault(token, {})
        if len(self.root) > MOST_BONUSES:
            raise EngineError(
                Sentence(
                    "These are too many expected words: they begin in {count} ways, and "
                    "{most} can be told apart at once.",
                    count=len(self.root),
                    most=MOST_BONUSES,
                ),
                Sentence("Keep the names that are most often written wrongly."),
            )

    def path(self) -> HotwordPath:
        """A place in the trie, for one decoder."""
        return HotwordPath(self.root, self._tokens)


class HotwordPath:
    """Where one decoder stands in the trie."""

    def __init__(self, root: Node, tokens: Tekken) -> None:
        self._root, self._tokens = root, tokens
        self._node: Node = {}
        self._begun = False

    def push(self, token: int) -> None:
        """The decoder said this."""
        self._begun = self._tokens.is_text(token)
        self._node = self._root if token == self._tokens.word else self._node.get(token, {})

    @property
    def bonuses(self) -> Bonuses:
        """What to add to which ids of the next step."""
        bonus = _INSIDE_BONUS if self._begun else _BEGIN_BONUS
        return tuple((token, bonus) for token in self._node)


def hotwords_of(extra: Mapping[str, Any], tokens: Tekken) -> Hotwords | None:
    """What an engine's options ask for under "hotwords": a list of words, or nothing.

    Raises EngineError for anything else.
    """
    words = extra.get("hotwords") or ()
    if isinstance(words, str) or not all(isinstance(word, str) for word in words):
        raise EngineError(Sentence("The expected words must be a list of words."))
    return Hotwords(words, tokens) if words else None


def _spellings(phrase: str) -> list[str]:
    """What a phrase looks like in the stream: each word with its space, since each has its own
    [W]; and without it in scripts that write none."""
    found = []
    for word in phrase.split():
        found.append(" " + word)
        if any(unicodedata.category(character) == "Lo" for character in word):
            found.append(word)
    return found

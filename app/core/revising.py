"""Text that somebody has edited, back to words with times: what was left alone keeps its own.

Words that took the place of others share their time; words put in between share the pause there.
Knows nothing of windows or of where words are kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from app.core.script import pieces
from model_backends.base import Word

_PIECE = re.compile(r"\s*\S+")


def revised(words: Sequence[Word], text: str) -> list[Word]:
    """One paragraph's words, of one lane, with this text; `words` holds at least one.

    Of an empty text there are none. Times ascend as they did, and none is outside the paragraph's.
    """
    # The words' own boundaries where nothing changed, else those at which a line may break.
    old = [word.text.strip() for word in words]
    parts = _PIECE.findall(" ".join(text.split()))
    if len(parts) != len(old) and len(parts) < len(old):
        parts = [piece for part in parts for piece in pieces(part)]
    found: list[Word] = []
    matcher = SequenceMatcher(None, old, [part.strip() for part in parts], autojunk=False)
    for kind, begin, end, first, last in matcher.get_opcodes():
        if kind == "equal":
            kept = zip(words[begin:end], parts[first:last], strict=True)
            found += [replace(word, text=part) for word, part in kept]
        elif first < last:
            found += _in_place_of(words, begin, end, parts[first:last])
    return _led_as(words[0], found)


def put_in(whole: Sequence[Word], old: Sequence[Word], new: Sequence[Word]) -> list[Word]:
    """All words, with `new` in the place of `old`: the same objects, in between those of others."""
    leaving = {id(word) for word in old}
    found: list[Word] = []
    for word in whole:
        if word is old[0]:
            found += new
        if id(word) not in leaving:
            found.append(word)
    return found


def _in_place_of(words: Sequence[Word], begin: int, end: int, texts: Sequence[str]) -> list[Word]:
    """Words for these texts, in the time of the words from `begin` to `end`, or between two."""
    like = words[min(begin, len(words) - 1)]
    if begin < end:
        start_ms, end_ms = words[begin].start_ms, words[end - 1].end_ms
        if len(texts) == end - begin:
            of_each = zip(words[begin:end], texts, strict=True)
            return [replace(word, text=text, confidence=None) for word, text in of_each]
    else:
        start_ms = words[begin - 1].end_ms if begin else like.start_ms
        end_ms = max(start_ms, like.start_ms if begin < len(words) else start_ms)
    made = []
    whole = sum(map(len, texts))
    at = 0
    for text in texts:
        until = at + len(text)
        times = [start_ms + (end_ms - start_ms) * each // whole for each in (at, until)]
        made.append(replace(like, text=text, start_ms=times[0], end_ms=times[1], confidence=None))
        at = until
    return made


def _led_as(first: Word, words: list[Word]) -> list[Word]:
    """With the space before it, or none, that the paragraph had."""
    if words:
        space = first.text[: len(first.text) - len(first.text.lstrip())]
        words[0] = replace(words[0], text=space + words[0].text.lstrip())
    return words

"""Words for tests: sentences with times, and hypothesis strategies for awkward ones."""

from __future__ import annotations

import random
import re

from hypothesis import strategies as st

from model_backends.base import Word


def spoken(
    text: str,
    start_ms: int = 0,
    *,
    lane: str = "me",
    utterance: int = 0,
    language: str | None = None,
    per_char_ms: int = 65,
    pause_ms: int = 0,
) -> list[Word]:
    """A sentence as words of 65 ms a character; `pause_ms` after each punctuation mark."""
    words, at = [], start_ms
    for part in re.findall(r"\s*\S+", text):
        end = at + per_char_ms * len(part)
        words.append(Word(lane, 0, utterance, part, at, end - 10, language))
        at = end + (pause_ms if part[-1] in ".,?!;:" else 0)
    return words


_VOCABULARY = (
    "the of and when he saw that old house was still there its windows were dark did not know "
    "what to do should knock at door or go back village before night came nobody would have blamed "
    "him for thought but then ever known it international understanding"
)


def rambling(count: int, seed: int, lane: str = "me") -> list[Word]:
    """A long talk of so many words, the same for the same seed: sentences, clauses, pauses."""
    chance = random.Random(seed)
    vocabulary = _VOCABULARY.split()
    words: list[Word] = []
    at = 0
    for index in range(count):
        text = chance.choice(vocabulary)
        if words and words[-1].text.endswith("."):
            text = text.capitalize()
        text += chance.choices(["", ".", ","], [88, 6, 6])[0]
        end = at + 60 * len(text) + 80
        words.append(Word(lane, 0, index // 200, f" {text}", at, end, "en"))
        at = end + (chance.choice([200, 400, 900, 1800, 4000]) if text[-1] in ".," else 10)
    return words


_LETTERS = st.text("abcdeißéяชा🙂'-", min_size=1, max_size=14)
_LONG = st.text("abcx", min_size=40, max_size=130)
_MARKED = st.tuples(_LETTERS, st.sampled_from([".", ",", "?", "…", '."', ")", ":"])).map("".join)
_CJK = st.text("日本語中文。、「」がゃー字", min_size=1, max_size=6)
_JOINING = st.sampled_from(["and", "of", "the", "because", "und", "Mr."])
_SPACED = st.one_of(_LETTERS, _LETTERS, _MARKED, _JOINING, _LONG).map(lambda text: " " + text)
TEXTS = st.one_of(_SPACED, _SPACED, _SPACED, _CJK, st.sampled_from([".", "'t", "!", "  x y "]))


@st.composite
def sessions(draw: st.DrawFn, lanes: tuple[str, ...] = ("me",), max_words: int = 60) -> list[Word]:
    """Words as an engine may give them: pauses, equal times, new utterances, mixed scripts."""
    words, at, utterance = [], dict.fromkeys(lanes, 0), 0
    for text in draw(st.lists(TEXTS, min_size=1, max_size=max_words)):
        lane = draw(st.sampled_from(lanes))
        pause = draw(st.sampled_from([0, 0, 0, 0, 30, 300, 1600, 9000]))
        utterance += pause >= 1600
        start = at[lane] + pause
        end = start + draw(st.sampled_from([0, 60, 200, 350, 700, 8000]))
        at[lane] = draw(st.sampled_from([start, end, end, end, end]))
        language = draw(st.sampled_from([None, "en", "de", "ja"]))
        words.append(Word(lane, 0, utterance, text, start, end, language))
    return words


def letters(text: str) -> str:
    """Text without white space, for comparing what was laid out with what was said."""
    return "".join(text.split())

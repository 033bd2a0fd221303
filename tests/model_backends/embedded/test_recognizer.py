"""The guards against text that nobody said; no weights needed."""

from __future__ import annotations

import pytest

from model_backends.embedded.recognizer import before_loop, before_squeeze, compression
from model_backends.guess import Guess


@pytest.mark.parametrize(
    ("tokens", "kept"),
    [
        ([], []),
        ([1, 2, 3, 4], [1, 2, 3, 4]),
        ([1, 2, 2, 3], [1, 2, 2, 3]),  # people do say a word twice
        ([1, 7, 7, 7, 7, 7], [1, 7]),
        ([1, 5, 6, 5, 6, 5, 6, 5], [1, 5, 6]),
        ([5, 6, 7, 5, 6, 7, 5, 6, 7, 9], [5, 6, 7]),
    ],
)
def test_a_loop_is_said_once(tokens: list[int], kept: list[int]) -> None:
    assert before_loop(tokens) == kept


def test_loops_pack_better_than_speech() -> None:
    spoken = "And so, my fellow Americans: ask not what your country can do for you."
    assert compression(spoken) < 1.5
    assert compression("ask what you can do for your country, " * 6) > 2.2
    assert compression("") == 0


def test_words_said_in_no_time_were_not_said() -> None:
    spoken = [Guess(" hatred", 0, 400), Guess(" and", 400, 400), Guess(" jealousy.", 400, 800)]
    again = [Guess(" hatred", 800, 800), Guess(" and", 800, 800), Guess(" so", 800, 800)]
    assert before_squeeze(spoken) == spoken
    assert before_squeeze([*spoken, *again, Guess(" on", 800, 1000)]) == spoken

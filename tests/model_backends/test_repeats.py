"""Words said once and guessed twice, and words that are said twice."""

from __future__ import annotations

import pytest

from model_backends.agreement import Agreement
from model_backends.embedded.listening import Care
from model_backends.guess import Guess
from model_backends.repeats import repeat_length, without_repeats
from tests.model_backends.embedded.talk import MS
from tests.model_backends.embedded.test_listening import answers, listening, texts

# tiny.en on librispeech/367, 0.16 to 2.59 s: the title is read once, until 2.2 s
SPOKEN = [(" Lobsters", 540, 1_160), (" and", 1_160, 1_440), (" Lobsters.", 1_440, 2_205)]
GUESSED = [
    Guess(" Lobsters", 0, 1_000, 0.56),
    Guess(" and", 1_000, 1_280, 0.92),
    Guess(" Lobsters.", 1_280, 1_920, 0.76),
    Guess(" Lobsters", 1_920, 1_920, 0.72),
    Guess(" and", 1_920, 1_920, 0.70),
    Guess(" Lobsters.", 1_920, 2_400, 0.88),
]


def test_a_sentence_guessed_twice_at_a_pause_is_said_once() -> None:
    spoken = [(text, start - 160, end - 160) for text, start, end in SPOKEN]
    transcribe, _ = answers(GUESSED)
    found = listening(spoken, 2_428, 160).words(transcribe, 2_428 * MS, Care.QUICK)
    assert texts(found) == "Lobsters and Lobsters."
    assert found[-1].end_ms == 2_080


def test_silence_is_no_time_to_say_a_word_in() -> None:
    """The copy is placed behind the speech: near enough to be kept, had it not been said."""
    transcribe, _ = answers([Guess(" and", 0, 150), Guess(" and", 170, 330)])
    found = listening([(" and", 0, 150)], 800).words(transcribe, 800 * MS, Care.QUICK)
    assert texts(found) == "and"


def test_a_word_guessed_before_it_is_spoken_is_not_said_again() -> None:
    """ "… squire of dames, and", a pause in which the window is cut, "and has so many"."""
    track = Agreement()
    before = [Guess(" of", 25_700, 25_900), Guess(" dames,", 25_900, 26_270)]
    track.flush([*before, Guess(" and", 26_270, 26_272)])
    track.cut(26_600)
    after = [Guess(" and", 26_750, 26_910), Guess(" has", 26_910, 27_250)]
    assert track.agree(after, 10**9) == []
    assert track.tail == " has"
    so = Guess(" so", 27_250, 27_600)
    assert [word.text for word in track.agree([*after, so], 10**9)] == [" has"]
    assert [word.text for word in track.agree([*after, so], 10**9)] == [" so"]
    assert [word.text for word in track.committed] == [" and", " has", " so"]


@pytest.mark.parametrize(
    "words",
    [
        [Guess(" five", 0, 300), Guess(" five", 300, 600), Guess(" five", 600, 900)],
        [Guess(" five", 0, 20), Guess(" five", 20, 600)],  # the attention parts them badly
        [Guess(" had", 0, 180), Guess(" had", 180, 320)],
        [Guess(" that", 0, 0), Guess(" is", 0, 0), Guess(" what", 0, 0)],
    ],
)
def test_what_is_said_twice_stays(words: list[Guess]) -> None:
    assert without_repeats(words) == words


def test_the_copy_that_was_squeezed_is_left_out_wherever_it_is() -> None:
    long, short = Guess(" and", 700, 850), Guess(" and", 500, 510)
    assert without_repeats([short, long]) == [long]
    assert without_repeats([Guess(" and", 300, 450), short]) == [Guess(" and", 300, 450)]


def test_of_runs_that_come_again_the_longest_is_found() -> None:
    said = [Guess(" no,", 0, 200), Guess(" no", 200, 400)]
    again = [Guess(" no,", 400, 400), Guess(" no", 400, 410), Guess(" never", 410, 800)]
    assert repeat_length(said, again) == 2
    assert repeat_length(said[:1], again) == 1
    assert repeat_length(said, again[2:]) == 0

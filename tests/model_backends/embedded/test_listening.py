"""How long words may be, and what becomes of speech that got no words."""

from __future__ import annotations

import pytest

from model_backends.base import Pcm
from model_backends.embedded.listening import Care, Listening, Transcribe, longest_ms
from model_backends.embedded.window import Window
from model_backends.guess import Guess
from tests.model_backends.embedded.talk import MS, Script, ScriptedRecognizer, audio, frames


def listening(script: Script, until_ms: int, start_ms: int = 0) -> Listening:
    window = Window()
    for pcm, speech in frames(script, 0, until_ms):
        window.push(pcm, speech)
    return Listening(window, start_ms)


def answers(*guesses: list[Guess]) -> tuple[Transcribe, list[Care]]:
    """A recogniser that gives these answers one after the other, and how it was asked."""
    asked: list[Care] = []

    def transcribe(pcm: object, care: Care) -> list[Guess]:
        asked.append(care)
        return guesses[len(asked) - 1]

    return transcribe, asked


def script(words: list[Guess]) -> Script:
    return [(w.text, w.start_ms, w.end_ms) for w in words]


def texts(words: list[Guess]) -> str:
    return "".join(word.text for word in words).strip()


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (" I", 300, 600),
        (" said", 500, 800),
        (" circumstances.", 1_200, 1_600),
        (" 777", 1_400, 2_000),  # seven seven seven
        ("知識", 600, 1_000),
    ],
)
def test_the_longest_a_word_takes(text: str, least: int, most: int) -> None:
    assert least <= longest_ms(text) <= most


NAMES = [f" {a}{b}" for a in "bdfgklmn" for b in "aeiou"]
SPOKEN = [Guess(NAMES[i], i * 400, (i + 1) * 400) for i in range(20)]


def test_a_guess_that_stops_early_is_completed() -> None:
    """ "She said" — and "said" reaches over nine seconds that somebody speaks."""
    early = [SPOKEN[0], Guess(NAMES[1], 400, 8_000)]
    transcribe, asked = answers(early, SPOKEN)
    found = listening(script(SPOKEN), 8_000).words(transcribe, 8_000 * MS, Care.QUICK)
    assert found == SPOKEN
    assert asked == [Care.QUICK, Care.CAREFUL]


def test_a_word_stretched_back_over_what_was_skipped_is_heard_again() -> None:
    skipping = [*SPOKEN[:5], Guess(NAMES[10], 2_000, 4_400), *SPOKEN[11:]]
    heard_again = [
        Guess(w.text, w.start_ms - 1_600, w.end_ms - 1_600) for w in SPOKEN[4:12]
    ]  # with a word on either side
    transcribe, _ = answers(skipping, heard_again)
    found = listening(script(SPOKEN), 8_000).words(transcribe, 8_000 * MS, Care.QUICK)
    assert found == SPOKEN


def test_a_word_stretched_back_over_a_pause_and_what_was_skipped_before_it_is_heard_again() -> None:
    """tiny.en on LibriVox: “creative” stands where “never appealed to me. The” was said, too."""
    spoken = [
        *SPOKEN[:10],
        Guess(" The", 4_832, 5_088),
        Guess(" creative", 5_088, 5_728),
        Guess(" joy", 5_728, 6_208),
    ]
    skipping = [Guess(" The", 0, 2_700), Guess(" creative", 2_700, 5_728), spoken[-1]]
    transcribe, asked = answers(skipping, spoken)
    found = listening(script(spoken), 6_208).words(transcribe, 6_208 * MS, Care.QUICK)
    assert texts(found) == texts(spoken)
    assert asked == [Care.QUICK, Care.CAREFUL]


def test_a_guess_without_a_word_is_no_silence() -> None:
    transcribe, _ = answers([], SPOKEN)
    found = listening(script(SPOKEN), 8_000, 500).words(transcribe, 8_000 * MS, Care.WHOLE)
    assert texts(found) == texts(SPOKEN)
    assert found[0].start_ms == 500


def test_where_nothing_more_is_heard_the_word_keeps_what_its_letters_allow() -> None:
    """Nothing behind it is called said: the next guess has it all in its window."""
    early = [SPOKEN[0], Guess(NAMES[1], 400, 8_000)]
    transcribe, _ = answers(early, [])
    found = listening(script(SPOKEN), 8_000).words(transcribe, 8_000 * MS, Care.QUICK)
    assert texts(found) == texts(early)
    assert found[-1].end_ms == 400 + longest_ms(NAMES[1])


def test_a_word_ends_before_the_pause_that_the_attention_reaches_into() -> None:
    """ "steel." is said at 384–720; the guess ends it where the next word begins."""
    spoken = [(" much", 80, 384), (" steel.", 384, 720), (" Anon", 1_616, 2_000)]
    guess = [Guess(" much", 80, 384), Guess(" steel.", 384, 1_990), Guess(" Anon", 1_990, 2_000)]
    transcribe, _ = answers(guess)
    found = listening(spoken, 2_000).words(transcribe, 2_000 * MS, Care.QUICK)
    assert [word.end_ms for word in found] == [384, 736, 2_000], "to a frame of 32 ms"


def test_a_few_words_between_pauses_are_not_passed_over() -> None:
    """ "… to him. What to thee?" and the guess ends with "him": 0.7 s of speech by itself."""
    spoken = [
        (" him,", 0, 448),
        (" What", 960, 1_120),
        (" to", 1_120, 1_280),
        (" thee?", 1_280, 1_664),
    ]
    recognizer = ScriptedRecognizer(spoken)
    transcribe, asked = answers(
        [Guess(" him,", 0, 1_760)], recognizer(audio(0, 1_760), Care.CAREFUL)
    )
    found = listening(spoken, 1_760).words(transcribe, 1_760 * MS, Care.QUICK)
    assert texts(found) == "him, What to thee?"
    transcribe, asked = answers([Guess(" him,", 0, 1_664)])
    listening(spoken, 1_664).words(transcribe, 1_664 * MS, Care.QUICK)
    assert asked == [Care.QUICK], "while somebody speaks the next guess will have it"


def test_a_word_begins_after_the_pause_that_the_attention_reaches_back_over() -> None:
    spoken = [(" steel.", 0, 320), (" Margaret", 1_600, 2_240)]
    transcribe, _ = answers([Guess(" Margaret", 200, 2_240)])
    found = listening(spoken, 2_240).words(transcribe, 2_240 * MS, Care.QUICK)
    assert [(word.start_ms, word.end_ms) for word in found] == [(1_600, 2_240)]


def test_the_word_after_a_hole_is_not_said_twice() -> None:
    """Heard again with the hole, it may be placed elsewhere."""
    skipping = [*SPOKEN[:5], Guess(NAMES[10], 2_000, 4_400), *SPOKEN[11:]]
    again = [Guess(w.text, w.start_ms - 1_600, w.end_ms - 1_600) for w in SPOKEN[4:11]]
    again.append(Guess(NAMES[11], 2_700, 2_750))  # before the end of the hole
    transcribe, _ = answers(skipping, again)
    found = listening(script(SPOKEN), 8_000).words(transcribe, 8_000 * MS, Care.QUICK)
    assert texts(found) == texts(SPOKEN)


def test_a_long_hole_is_heard_in_pieces_parted_at_pauses() -> None:
    spoken = [(" la", i * 400, i * 400 + (200 if i == 20 else 400)) for i in range(45)]
    recognizer = ScriptedRecognizer(spoken, skips=(0, 18_000))
    found = listening(spoken, 18_000).words(recognizer, 18_000 * MS, Care.WHOLE)
    assert len(found) == 45
    assert recognizer.windows == [
        (0, 18_000, Care.WHOLE),
        (0, 8_304, Care.CAREFUL),  # in the pause at 8.2–8.4 s
        (8_304, 18_000, Care.CAREFUL),
    ]


def test_what_a_careful_hearing_left_out_is_not_heard_in_the_same_window_again() -> None:
    """tiny.en on librispeech/2414: with five candidates "But" is all there is in eight seconds."""
    committed, spoken = (" disgust.", 0, 440), [(" thou", 2_500, 2_900), (" also.", 2_900, 3_400)]
    spoken += [(" But", 6_900, 7_100), (" behold", 7_100, 7_900)]
    recognizer = ScriptedRecognizer([committed, *spoken])

    def transcribe(pcm: Pcm, care: Care) -> list[Guess]:
        heard = recognizer(pcm, care)
        return heard if recognizer.windows[-1][0] else [Guess(" But", 0, 3_180)]

    words = listening([committed, *spoken], 8_824).words(transcribe, 8_824 * MS, Care.CAREFUL)
    assert texts(words[1:]) == "thou also. But behold"


def test_speech_whose_words_stand_is_left_alone() -> None:
    """A guess need not have again what is committed."""
    transcribe, asked = answers([Guess(NAMES[10], 0, 4_400), *SPOKEN[11:]])
    listening(script(SPOKEN), 8_000).words(transcribe, 8_000 * MS, Care.QUICK, settled_ms=4_400)
    assert asked == [Care.QUICK]

"""Two runs of words in, what was doubled, lost or invented out."""

from __future__ import annotations

from dataclasses import replace

from app.measure.differences import Finding, differences
from model_backends.base import Word


def run(text: str, each_ms: int = 300) -> list[Word]:
    return [
        Word("me", 0, 0, f" {word}", i * each_ms, (i + 1) * each_ms)
        for i, word in enumerate(text.split())
    ]


def timed(text: str) -> list[Word]:
    """Words from "text start end text start end …"."""
    parts = text.split()
    return [
        Word("me", 0, 0, f" {word}", int(start), int(end))
        for word, start, end in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


def kinds(calm: str, shaken: str, reference: str = "") -> list[tuple[str, str]]:
    return [(f.kind, f.text) for f in differences(run(calm), run(shaken), reference)]


READ = "there is iron they say in all our blood and a grain or two perhaps is good"


def test_the_same_words_are_no_finding() -> None:
    assert kinds(READ, READ) == []


def test_case_marks_and_one_misheard_word_are_no_finding() -> None:
    assert kinds(READ, READ.replace("iron they", "Iron! They")) == []
    assert kinds(READ, READ.replace("iron", "I run")) == []
    assert kinds(READ, READ.replace("grain or two", "grainer too")) == []


def test_a_doubled_word_is_found_with_its_times() -> None:
    calm = run("of steel Anon")
    again = Word("me", 0, 0, " steel.", 600, 600)
    found = differences(calm, [*calm[:2], again, calm[2]])
    assert found == [Finding("doubled", 300, 600, "steel steel.")]


def test_a_doubled_run_is_found() -> None:
    """The second time squeezed in where there is no time for it."""
    calm = run(READ)
    again = [replace(word, start_ms=2_700, end_ms=2_700) for word in calm[6:9]]
    found = differences(calm, [*calm[:9], *again, *calm[9:]])
    assert [(f.kind, f.text) for f in found] == [("doubled", "all our blood all our blood")]


def test_another_word_misheard_as_the_one_before_is_not_doubled() -> None:
    """Two words take the time of two: "Thou also, Dee was" and "Dee also, Dee also"."""
    assert kinds("but Tao also wasu and", "but D'I D'I and") == []
    calm, shaken = run("and Thou also Dee wasu", 500), run("and Dee also Dee so also", 400)
    assert "doubled" not in [f.kind for f in differences(calm, shaken)]


def test_what_was_read_twice_is_not_doubled() -> None:
    """base on librispeech/2414: read is “thou also thou also”; undisturbed it heard it once."""
    read = "into the sea thou also thou also who are poor"
    calm = timed("sea 1_000 1_500 Dowel. 3_000 4_200 Who 5_000 5_300 are 5_300 5_600")
    shaken = timed(
        "sea 1_000 1_500 There 2_600 2_900 also, 2_900 3_600 there 3_700 4_000 also. 4_000 4_800 "
        "Who 5_000 5_300 are 5_300 5_600"
    )
    assert not [found for found in differences(calm, shaken, read) if found.kind == "doubled"]
    once = read.replace("thou also thou also", "thou also")
    assert [found.kind for found in differences(calm, shaken, once)] == ["doubled"]


def test_what_the_speaker_says_twice_is_not_doubled() -> None:
    assert kinds("no no no I will", "no no no I will") == []
    assert kinds("it is very very good", "it is very very good") == []


def test_a_lost_run_is_found_and_one_lost_word_is_not() -> None:
    calm = run(READ)
    (found,) = differences(calm, [*calm[:5], *calm[8:]])
    assert (found.kind, found.text) == ("lost", "in all our")
    assert kinds(READ, READ.replace(" all", "")) == []


def test_words_heard_otherwise_in_the_same_time_are_not_lost() -> None:
    """tiny.en on librispeech/2414: "Zarathustra was" is "obtuse trap was", or "two stravers"."""
    text = "it must be in the neighbourhood when however zarathustra was quite nigh unto them"
    calm = timed(
        "the 11_100 11_360 neighborhood. 11_360 11_840 Who 13_408 13_592 went? 13_592 13_824 "
        "however, 14_272 14_848 the 15_652 15_652 obtuse 15_652 15_932 trap 15_932 16_172 "
        "was 16_172 16_512 quite 16_512 16_912"
    )
    shaken = timed(
        "that 11_072 11_332 neighborhood 11_332 11_840 went, 13_532 13_824 however 14_212 14_848 "
        "the 15_628 15_648 two 15_648 15_928 stravers 15_928 16_368 quite 16_368 16_888"
    )
    assert not [found for found in differences(calm, shaken, text) if found.kind == "lost"]
    silent = [word for word in shaken if not 14_000 < word.start_ms < 16_300]
    assert [found.kind for found in differences(calm, silent, text)] == ["lost"]


def test_a_word_over_the_edge_of_a_lost_run_counts_for_its_part() -> None:
    """tiny.en on librispeech/2609: what was read is heard better by the disturbed run."""
    text = "king merneptah the testimony of the oldest biblical narratives"
    calm = timed(
        "Kimron. 30_968 32_128 The 32_256 32_428 task 32_428 32_688 of 32_688 32_848 "
        "money 32_848 33_028 is 33_028 33_248 the 33_248 33_468 oldest 33_468 33_808"
    )
    shaken = timed(
        "Renath 31_160 31_720 path 31_720 32_280 testimony 32_480 32_860 is 32_860 33_280 "
        "that 33_280 33_420 oldest 33_420 33_800"
    )
    assert not [found for found in differences(calm, shaken, text) if found.kind == "lost"]
    silent = [word for word in shaken if word.text not in (" is", " that")]
    assert [found.kind for found in differences(calm, silent, text)] == ["lost"]


def test_what_nobody_said_is_not_lost() -> None:
    """The undisturbed run invented it; the reference knows better."""
    calm = READ + " thank you for watching"
    assert kinds(calm, READ, READ) == []
    assert kinds(calm, READ) == [("lost", "thank you for watching")]


def test_words_that_nobody_said_are_invented() -> None:
    shaken = READ.replace("blood and", "blood thanks everyone and")
    assert kinds(READ, shaken) == [("invented", "thanks everyone")]


def test_words_that_were_read_are_not_invented() -> None:
    """tiny.en on fleurs: the undisturbed run left them out, or heard less of them."""
    read = "sintra which was made famous to foreigners after an account recorded by lord byron"
    calm = read.replace(" to foreigners", "").replace("by lord byron", "Bar")
    assert kinds(calm, read.replace("by lord byron", "by Byron"), read) == []
    assert kinds(calm, read.replace("by lord byron", "by a board by biron"), read) == []
    planted = read.replace("made famous", "made famous thanks for watching")
    assert kinds(calm, planted, read) == [("invented", "thanks for watching to foreigners")]
    assert kinds(calm, read) == [("invented", "to foreigners"), ("invented", "by lord byron")]


def test_words_that_stand_for_others_that_were_read_are_not_invented() -> None:
    """tiny.en on librispeech/2609: “with warning that the rights” for “regarding the duration”."""
    read = "narratives apparently disagree regarding the duration of the sojourn in egypt"
    calm = "narratives of pantry disagree with the derates of the Subgerone in Egypt"
    shaken = "narratives of pantry disagree with warning that the rights of the Sir John in Egypt"
    assert kinds(calm, shaken, read) == []
    heard = run(shaken)
    planted = [replace(word, start_ms=2_100, end_ms=2_100) for word in run("thanks for watching")]
    found = differences(run(calm), [*heard[:7], *planted, *heard[7:]], read)
    assert [finding.kind for finding in found] == ["invented"]


def test_more_words_for_the_same_sound_are_not_invented() -> None:
    """tiny.en on librispeech/2609: “in this opening scene”, in which it hears what it likes."""
    read = "judah were the chief actors in this opening scene in israel's history"
    before = "the 82_320 82_580 chief 82_580 82_920 actors 82_920 83_320 "
    after = "scene 85_072 85_092 in 85_092 85_332 Israel's 85_332 85_852 history 85_852 86_368"
    calm = timed(
        before + "in 83_840 84_120 this 84_120 84_300 opening 84_300 84_580 scene 84_580 85_060 "
        "in 85_060 85_340 Israel's 85_340 85_840 history 85_840 86_368"
    )
    other = "that's 83_840 84_332 helped 84_332 84_512 me 84_512 84_772 in 84_772 84_972 "
    shaken = timed(f"{before} {other} seeing 84_972 85_072 {after}")
    assert differences(calm, shaken, read) == []
    planted = timed(f"{before} {other} seeing 84_972 85_072 {after} thanks 86_368 86_368")
    assert [found.text for found in differences(calm, planted, read)] == ["thanks"]


def test_words_invented_beside_words_that_were_read_are_found() -> None:
    calm = READ.replace("blood and", "and")
    shaken = READ.replace("blood and", "blood thank everyone so and")
    assert kinds(calm, shaken, READ) == [("invented", "blood thank everyone so")]


def test_a_mark_of_its_own_belongs_to_the_word_before() -> None:
    mark = Word("me", 0, 0, ".", 600, 600)
    calm = run("of steel Anon")
    assert differences(calm, [*calm[:2], mark, calm[2]]) == []

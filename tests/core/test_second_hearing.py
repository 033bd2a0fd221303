"""Two hearings of one sound put together: no word twice, none lost, and the better one kept."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from app.core.reheard import Reheard, record_of
from app.core.second_hearing import SecondHearing, cuts, worse
from model_backends.base import Word

STEP_MS = 400


def words(text: str, start_ms: int = 0, utterance: int = 0, jitter: int = 0) -> list[Word]:
    """A word every 400 ms, half of it spoken; "/" is a pause of two seconds."""
    found, at, chance = [], start_ms, random.Random(jitter)
    for each in text.split():
        if each == "/":
            at += 2_000
            continue
        off = chance.randint(-jitter, jitter)
        found.append(Word("me", 0, utterance, f" {each}", at + off, at + off + 250))
        at += STEP_MS
    return found


def text(found: list[Word] | tuple[Word, ...]) -> str:
    return "".join(word.text for word in found).strip()


class Both:
    """A lane with its captions complete, and a record that comes as a test says."""

    def __init__(self, captions: list[Word], own_only: bool = False) -> None:
        self.captions = captions
        self.hearing = SecondHearing("me", own_only)
        self.stretches: list[Reheard] = []
        for word in captions:
            self.hearing.caption(word)
        end_ms = max((word.end_ms for word in captions), default=0) + 5_000
        self.stretches += self.hearing.caption_progress(end_ms)

    def hear(self, record: list[Word], until_ms: int | None = None) -> Both:
        for word in record:
            self.hearing.hear(word)
        if until_ms is not None:
            self.stretches += self.hearing.progress(until_ms)
        return self

    def finish(self) -> str:
        self.stretches += self.hearing.finish()
        return self.text

    def give_up(self) -> str:
        self.stretches += self.hearing.give_up()
        return self.text

    @property
    def text(self) -> str:
        return text(record_of(self.captions, self.stretches))


def test_the_record_takes_the_captions_place() -> None:
    both = Both(words("asked not what you can do / for your country"))
    assert both.hear(words("ask not what you can do / for your country")).finish() == (
        "ask not what you can do for your country"
    )


def test_it_has_its_own_word_times() -> None:
    both = Both(words("one two three"))
    both.hear(words("one two three", 90)).finish()
    assert [word.start_ms for word in both.stretches[0].words] == [90, 490, 890]


def test_what_was_not_heard_again_stays() -> None:
    captions = words("won two three four five six seven eight nine ten eleven twelve / " * 3)
    record = words("one two three four five six seven eight nine ten eleven twelve / " * 3)
    heard = [word for word in record if word.start_ms < 7_500]
    both = Both(captions).hear(heard, 9_000)
    again = both.give_up().split()
    assert again[0] == "one" and again[-12] == "won"
    assert len(again) == len(captions)


@pytest.mark.parametrize(
    ("captions", "record", "why"),
    [
        ("one two three", "", "empty"),
        ("", "one two three", ""),
        ("", "", ""),
        ("the whole of a sentence was said here", "the whole", "short"),
        ("yes", "no", ""),
        ("you", "you know it", ""),
        ("hello there everybody", "hello " * 30, "loop"),
        ("a short one", "thank you very much for watching " * 9, "loop"),
        ("and over and over again " * 6, "and over and over again " * 6, ""),
        ("one two / three four five six seven / eight nine", "one two / / eight nine", "short"),
        ("asked not what you can do", "ask not what you could do", ""),
    ],
)
def test_a_record_that_is_worse_is_known(captions: str, record: str, why: str) -> None:
    assert worse(words(captions), words(record)) == why


def test_a_record_that_is_silent_while_people_speak_is_worse() -> None:
    captions = words("it was said in a low voice there on that day and that was all of it")
    skipped = [word for word in captions if not 2_000 < word.start_ms < 4_500]
    assert worse(captions, skipped) in ("short", "silent")
    assert worse(captions, captions[1:]) == ""


@pytest.mark.parametrize("bad", ["", "no " * 12, "you"])
def test_a_worse_stretch_stays_as_captioned_and_the_others_do_not(bad: str) -> None:
    first = "won two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    better = first.replace("won", "one")
    captions = words(f"{first} / / {first} / / {first}")
    begin = next(w.start_ms for w in captions[14:])
    record = [
        *words(better),
        *words(bad, begin),
        *words(better, captions[28].start_ms),
    ]
    both = Both(captions).hear(record, captions[-1].end_ms + 5_000)
    assert both.finish() == f"{better} {first} {better}"


def test_a_hole_in_the_second_hearing_stays_as_captioned() -> None:
    captions = words("won two three / / won two three / / won two three / / won two three")
    record = words("one two three / / one two three / / one two three / / one two three")
    hole = captions[3].start_ms, captions[5].end_ms
    both = Both(captions)
    both.hearing.miss(*hole)
    both.hear([w for w in record if not hole[0] <= w.start_ms < hole[1]], 30_000)
    got = both.finish().split()
    assert got[3:6] == ["won", "two", "three"]
    assert len(got) == 12 and got[-3] == "one"


def test_a_small_hole_costs_the_stretch_it_is_in_not_its_words() -> None:
    text_ = "one two three four five six seven eight nine ten eleven twelve"
    captions, record = words(text_.replace("one", "won")), words(text_)
    both = Both(captions)
    both.hearing.miss(record[9].start_ms, record[9].end_ms)
    both.hear(record[:9] + record[10:], 20_000)
    assert both.finish() == text_.replace("one", "won")


def test_a_word_that_has_begun_may_still_come() -> None:
    """Captions are settled up to a time in a drawn-out word, which the record has further on."""
    both = words("one two three four five six seven eight nine ten eleven twelve thirteen fourteen")
    hearing = SecondHearing("me")
    for word in both:
        hearing.caption(word)
    late = Word("me", 0, 0, " late", both[-1].end_ms + 50, both[-1].end_ms + 1_400)
    drawn_out = replace(both[-1], end_ms=both[-1].end_ms + 850)
    for word in (*both[:-1], drawn_out, replace(late, start_ms=late.end_ms - 200)):
        hearing.hear(word)
    hearing.progress(60_000)
    early = hearing.caption_progress(late.end_ms - 10)
    hearing.caption(late)
    captions = [*both, late]
    found = early + hearing.caption_progress(late.end_ms)
    assert text(record_of(captions, found)).endswith("fourteen late")
    assert not any(stretch.replaces(late) for stretch in early)


def test_what_the_loudspeakers_said_does_not_come_back_by_the_record() -> None:
    captions = words("I think so / / / and I do", 10_000)
    leaked = words("and now the news", 14_500)
    both = Both(captions, own_only=True).hear([*words("I think so", 10_000), *leaked], 18_000)
    both.hear(words("and I do", captions[3].start_ms))
    assert both.finish() == "I think so and I do"


def test_stretches_come_while_the_session_goes_on_and_wait_for_both() -> None:
    text_ = "one two three four five six seven eight nine ten eleven twelve / " * 4
    captions, record = words(text_), words(text_)
    hearing = SecondHearing("me")
    for word in captions:
        hearing.caption(word)
    for word in record:
        hearing.hear(word)
    assert hearing.progress(24_000) == []  # the captions may have more to say
    early = hearing.caption_progress(15_000)
    assert early and early[-1].end_ms <= 15_000
    later = hearing.caption_progress(40_000)
    assert later and later[0].start_ms == early[-1].end_ms and later[-1].end_ms <= 24_000


def test_a_cut_goes_through_no_word_of_either() -> None:
    captions = words("one two three four")
    record = [*words("one"), Word("me", 0, 0, " twothree", 400, 1_100), *words("four", 1_200)]
    for cut in cuts(captions, record):
        assert not 400 < cut.at_ms < 1_050 or (cut.captions, cut.record) in [(1, 1), (3, 2)]


def test_no_cut_goes_through_what_is_written_in_one() -> None:
    """ "-n-roll" has no space of its own: at a seam it would get one."""
    said = [*words("rock"), Word("me", 0, 0, "-n-roll", 900, 1_300), *words("now", 1_700)]
    assert all(cut.captions != 1 for cut in cuts(said, said))


def test_a_word_that_one_hearing_has_before_a_pause_and_the_other_behind_it_is_said_once() -> None:
    """The captions guessed "and" before the pause; the record has it where it was said."""
    captions = [*words("he came and"), *words("she went", 4_000)]
    record = [*words("he came"), *words("and she went", 3_600)]
    assert not any(cut.captions == 3 and cut.record == 2 for cut in cuts(captions, record))


@pytest.mark.parametrize("seed", range(12))
def test_wherever_the_record_stops_no_word_is_doubled_or_lost(seed: int) -> None:
    """Every word is its own number; some are misheard, times are off, the record ends anywhere."""
    chance = random.Random(seed)
    spoken = [f"w{n}" if chance.random() < 0.93 else f"w{n} /" for n in range(150)]
    misheard = [s.replace("w", "m") if chance.random() < 0.15 else s for s in spoken]
    captions = words(" ".join(misheard), jitter=60)
    record = words(" ".join(spoken), 30, jitter=80)
    both = Both(captions)
    settled = 0
    for word in record[: chance.randint(5, 150)]:
        both.hear([word], settled)
        settled = max(settled, word.start_ms - 500)
    said = [word[1:] for word in both.give_up().split()]
    assert said == [str(n) for n in range(150)]

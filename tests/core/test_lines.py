"""Timed words in, visible lines out. A word once shown never moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.core.lines import CaptionLines, Line
from app.core.script import display_width
from app.core.voices import NAMES
from model_backends.base import Word
from tests.core.words import letters, sessions, spoken

ALL = 10_000


def width(text: str) -> float:
    """Columns: what a monospaced font would measure."""
    return float(display_width(text))


def lines_of(words: list[Word], columns: float = 37) -> CaptionLines:
    lines = CaptionLines(width, columns)
    for word in words:
        lines.add(word)
    return lines


def texts(lines: CaptionLines, count: int = ALL) -> list[str]:
    return [line.text for line in lines.visible(count)]


def rewrites(before: list[str], after: list[str]) -> int:
    """Committed rows that did anything but stay, or, the last one, grow at its end."""
    rows = [row for row in before if row]
    now = [row for row in after if row][: len(rows)]
    changed = sum(old != new for old, new in zip(rows[:-1], now[:-1], strict=False))
    grown = not rows or (len(now) == len(rows) and now[-1].startswith(rows[-1]))
    return changed + (not grown)


def test_a_sentence_breaks_at_words_and_after_its_end() -> None:
    words = spoken(" He saw that the old house was dark. Should he knock at the door now?")
    assert texts(lines_of(words)) == [
        "He saw that the old house was dark.",
        "Should he knock at the door now?",
    ]


def test_an_almost_full_line_breaks_before_a_conjunction_that_would_fit() -> None:
    words = spoken(" They walked along the river bank and went home.", language="en")
    assert texts(lines_of(words, 38))[0] == "They walked along the river bank"
    other = spoken(" They walked along the river bank out and home.", language="en")
    assert texts(lines_of(other, 38))[0] == "They walked along the river bank out"


def test_only_the_last_lines_are_visible() -> None:
    words = spoken(" one two three four five six seven eight nine ten")
    assert texts(lines_of(words, 10), 2) == texts(lines_of(words, 10))[-2:]
    assert len(texts(lines_of(words, 10))) > 2


def test_nothing_said_shows_no_line() -> None:
    assert CaptionLines(width, 20).visible(2) == []


def test_another_lane_begins_a_line() -> None:
    words = [*spoken(" Hello.", lane="me"), *spoken(" Hi.", 900, lane="them")]
    assert [(line.lane, line.text) for line in lines_of(words).visible(3)] == [
        ("me", "Hello."),
        ("them", "Hi."),
    ]


def test_a_new_utterance_begins_a_line_after_a_silence_only() -> None:
    first = spoken(" Yes.", 0, utterance=0)
    soon, late = spoken(" No.", 1000, utterance=1), spoken(" No.", 9000, utterance=1)
    assert texts(lines_of([*first, *soon])) == ["Yes. No."]
    assert texts(lines_of([*first, *late])) == ["Yes.", "No."]


def test_a_thai_vowel_stays_with_its_consonant() -> None:
    text = "วันนี้เราจะมาพูดถึงเรื่องการเปลี่ยนแปลงสภาพภูมิอากาศและผลกระทบต่อเศรษฐกิจไทยในระยะยาวครับ"
    for columns in range(8, 40):
        rows = texts(lines_of([Word("me", 0, 0, text, 0, 9000, "th")], columns))
        assert "".join(rows) == text
        assert not any(row[-1] in "เแโใไ" for row in rows)
        assert not any(row[0] in "ะาำๅๆ" for row in rows)


def test_chinese_and_japanese_break_between_characters_but_not_before_a_full_stop() -> None:
    lines = texts(lines_of(spoken("今日はとても天気がいい。散歩に行きましょう。"), 12))
    assert all(display_width(line) <= 12 for line in lines)
    assert not any(line[0] in "。、ー" for line in lines)
    assert len(lines) >= 4


def test_a_full_stop_that_comes_later_stays_with_its_character() -> None:
    one_by_one = [Word("me", 0, 0, char, i, i + 1) for i, char in enumerate("天気がいい。散歩")]
    assert all(display_width(line) <= 10 for line in texts(lines_of(one_by_one, 10)))
    assert not any(line.startswith("。") for line in texts(lines_of(one_by_one, 10)))


def test_a_word_wider_than_the_line_is_cut_and_no_other() -> None:
    words = spoken(" a Donaudampfschifffahrtsgesellschaft b")
    assert texts(lines_of(words, 12)) == ["a", "Donaudampfsc", "hifffahrtsge", "sellschaft b"]


def test_the_tail_follows_the_text_and_goes_on_below() -> None:
    lines = lines_of(spoken(" one two"), 12)
    lines.set_tail(" three four")
    assert lines.visible(2) == [
        Line("one two", "", None, "me"),
        Line("", "three four", None, "me"),
    ]
    lines = lines_of(spoken(" one two"), 12)
    lines.set_tail(" ten four")
    assert lines.visible(2)[0] == Line("one two", " ten", None, "me")


def test_the_row_that_a_tail_opened_is_not_taken_back() -> None:
    lines = lines_of(spoken(" one two"), 12)
    lines.set_tail(" three four")
    started = lines.started
    lines.set_tail("")
    assert texts(lines, 2) == ["one two", ""]
    lines.add(Word("me", 0, 0, " thunder", 900, 999))
    assert texts(lines, 2) == ["one two", "thunder"]
    assert lines.started == started


def test_one_line_is_never_given_to_the_tail() -> None:
    lines = lines_of(spoken(" one two"), 12)
    lines.set_tail(" thunderbolts")
    assert texts(lines, 1) == ["one two"]


@given(sessions(lanes=("me", "them")), st.integers(4, 50), st.data())
def test_no_word_shown_ever_moves(words: list[Word], columns: int, data: st.DataObject) -> None:
    lines = CaptionLines(width, columns)
    started = lines.started
    for word in words:
        before = texts(lines)
        lines.set_tail(data.draw(st.sampled_from(["", " and", " more text to come", "語" * 30])))
        assert rewrites(before, texts(lines)) == 0
        lines.add(word)
        assert rewrites(before, texts(lines)) == 0
        assert lines.started >= started, "text moved down"
        started = lines.started


@given(sessions(), st.integers(4, 50))
def test_every_line_fits_and_all_text_is_there(words: list[Word], columns: int) -> None:
    shown = texts(lines_of(words, columns))
    assert all(display_width(line.rstrip()) <= columns for line in shown)
    assert letters("".join(shown)) == letters("".join(word.text for word in words))


@given(sessions(), st.integers(15, 50))
def test_words_narrower_than_a_line_stay_whole(words: list[Word], columns: int) -> None:
    plain = [word for word in words if word.text[0] == " " and display_width(word.text) <= 15]
    plain = [word for word in plain if "ช" not in word.text]  # Thai has no spaces between words
    shown = [part for line in texts(lines_of(plain, columns)) for part in line.split()]
    assert shown == [part for word in plain for part in word.text.split()]


@given(sessions(), st.integers(4, 50), st.integers(4, 50))
def test_reflow_equals_a_fresh_layout(words: list[Word], first: int, second: int) -> None:
    lines = lines_of(words, first)
    lines.reflow(width, second)
    assert lines.visible(ALL) == lines_of(words, second).visible(ALL)


@given(st.text("日本a。x ", min_size=1, max_size=40), st.integers(2, 9))
def test_a_tail_alone_is_clipped_to_two_rows(text: str, columns: int) -> None:
    lines = CaptionLines(width, columns)
    lines.set_tail(text)
    assert all(display_width(line.tail.rstrip()) <= columns for line in lines.visible(ALL))
    assert len(lines.visible(ALL)) <= 2


def test_another_session_begins_a_line_of_its_own_and_reflow_keeps_it() -> None:
    lines = CaptionLines(len, 40)
    lines.add(Word("me", 0, 0, " before", 100, 400))
    lines.begin_session()
    lines.add(Word("me", 0, 0, " after", 500, 900))
    assert [line.text for line in lines.visible(3)] == ["before", "after"]
    lines.reflow(len, 30)
    assert [line.text for line in lines.visible(3)] == ["before", "after"]


def test_the_first_known_language_of_a_line_stays() -> None:
    lines = CaptionLines(len, 40)
    for language in (None, "en", "ar", "en"):
        lines.add(Word("me", 0, 0, " word", 100, 400, language))
    assert [line.language for line in lines.visible(2)] == ["en"]


def numbered(count: int) -> list[Word]:
    """Words that tell where they are from: one each 400 ms, 150 a minute."""
    return [Word("me", 0, 0, f" w{n}", n * 400, n * 400 + 300, "en") for n in range(count)]


def test_half_an_hour_can_be_had_again_line_by_line() -> None:
    words = numbered(30 * 150)
    lines = lines_of(words, 20)
    newest = lines.newest
    back = [line.text for line in lines.until(newest, ALL)]
    assert " ".join(back) == "".join(word.text for word in words).strip()
    assert [line.text for line in lines.until(newest - 3, 2)] == back[-5:-3]


def test_what_is_kept_has_a_bound() -> None:
    lines = lines_of(numbered(20_000), 8)
    assert len(lines._words) == 12_000
    assert len(lines.until(lines.newest, 100_000)) <= 6_000


def test_after_a_reflow_older_lines_come_when_asked_for_and_no_line_changes() -> None:
    words = numbered(3000)
    lines = lines_of(words, 20)
    lines.reflow(width, 31)
    newest = lines.newest
    recent = lines.until(newest, 30)
    assert len(lines._rows) < 250  # of a thousand words, not of three thousand
    everything = [line.text for line in lines.until(newest, ALL)]
    assert " ".join(everything) == "".join(word.text for word in words).strip()
    assert lines.until(newest, 30) == recent
    assert lines.added == 3000


@given(sessions())
def test_a_row_knows_how_many_words_were_out_when_it_ended(words: list[Word]) -> None:
    lines = lines_of(words, 12)
    newest = lines.newest
    counts = [lines.words_until(number) for number in range(lines.first, newest + 1)]
    assert counts == sorted(counts)
    readable = max((n for n, word in enumerate(words, 1) if word.text.strip()), default=0)
    assert readable <= counts[-1] <= lines.added == len(words)


def test_the_row_of_a_word_is_found_again_after_a_reflow() -> None:
    lines = lines_of(numbered(2500), 20)
    for columns in (20.0, 33.0, 12.0):
        lines.reflow(width, columns)
        [line] = lines.until(lines.row_of(2000), 1)
        assert "w1999" in line.text.split()


def test_the_last_minute_is_that_of_the_last_session() -> None:
    lines = lines_of(numbered(400))
    assert [w.text for w in lines.latest(60_000)] == [w.text for w in numbered(400)[-150:]]
    lines.begin_session()
    assert len(lines.latest(60_000)) == 150  # nothing has been said in the new one
    lines.add(Word("me", 0, 0, " new", 0, 300, "en"))
    assert [w.text for w in lines.latest(60_000)] == [" new"]


# --- two voices --------------------------------------------------------------------------------


def labelled(words: list[Word], columns: float = 37) -> CaptionLines:
    lines = CaptionLines(width, columns)
    lines.name_voices(NAMES)
    for word in words:
        lines.add(word)
    return lines


def shown(lines: CaptionLines) -> list[str]:
    return [line.label + line.text for line in lines.visible(ALL)]


def test_who_speaks_is_said_once_a_turn() -> None:
    words = [
        *spoken(" How do you do on such a day as this one is?", lane="them"),
        *spoken(" Fine.", 9_000, lane="me"),
        *spoken(" And you?", 15_000, lane="me", utterance=5),
    ]
    assert shown(labelled(words)) == [
        "Others: How do you do on such a day",
        "as this one is?",
        "You: Fine.",
        "And you?",
    ]


def test_another_session_says_it_anew() -> None:
    lines = labelled(spoken(" Hello.", lane="them"))
    lines.begin_session()
    lines.add(spoken(" Hello.", lane="them")[0])
    assert shown(lines) == ["Others: Hello.", "Others: Hello."]


def test_without_names_nothing_is_said_of_it() -> None:
    words = [*spoken(" Hello.", lane="them"), *spoken(" Fine.", 900, lane="me")]
    assert shown(lines_of(words)) == ["Hello.", "Fine."]


@given(sessions(lanes=("me", "them")))
def test_a_drawn_word_never_moves_whoever_speaks_and_whenever(words: list[Word]) -> None:
    """The words of a voice may come seconds after the other's that were said later."""
    lines = CaptionLines(width, 24)
    lines.name_voices(NAMES)
    before: list[str] = []
    came = sorted(words, key=lambda word: word.end_ms + 2_000 * (word.lane == "me"))
    for word in came:
        lines.add(word)
        after = shown(lines)
        assert rewrites(before, after) == 0
        before = after
    assert letters("".join(line.text for line in lines.visible(ALL))) == letters(
        "".join(word.text for word in came)
    )
    assert all(width(row) <= 24 for row in before)


def test_a_name_leaves_room_for_words() -> None:
    lines = CaptionLines(width, 12)
    lines.name_voices({"me": "Bartholomew", "them": "Al"})
    for word in [*spoken(" Hi there.", lane="me"), *spoken(" Extraordinary", 2_000, lane="them")]:
        lines.add(word)
    assert shown(lines)[:2] == ["Hi there.", "Extraordinar"]


def test_a_tail_is_that_of_the_voice_it_follows() -> None:
    lines = labelled(spoken(" Hello.", lane="them"))
    lines.set_tail(" fine", "me")
    assert [line.tail for line in lines.visible(2)] == [""]
    lines.set_tail(" there", "them")
    assert [line.tail for line in lines.visible(2)] == [" there"]


def boxes(lines: CaptionLines) -> list[str]:
    """What is in the boxes, line by line."""
    return [line.text[b:e] for line in lines.visible(ALL) for b, e in line.boxed]


def test_a_word_that_is_pointed_out_is_boxed_where_it_stands() -> None:
    lines = CaptionLines(width, 20)
    lines.point_out(lambda word: "Curie" in word.text)
    said = [" Here", " is", " Marie Curie,", " and", " Curie."]
    for number, text in enumerate(said):
        lines.add(Word("me", 0, 0, text, 400 * number, 400 * number + 300))
    assert texts(lines) == ["Here is Marie Curie,", "and Curie."]
    assert boxes(lines) == ["Marie Curie,", "Curie."]
    lines.reflow(width, 10)
    assert texts(lines) == ["Here is", "Marie", "Curie, and", "Curie."]
    assert boxes(lines) == ["Marie", "Curie,", "Curie."], "a part on each line"


def test_rows_that_were_laid_out_late_have_their_boxes() -> None:
    lines = CaptionLines(width, 20)
    lines.point_out(lambda word: word.start_ms == 400)
    for number in range(1500):
        lines.add(Word("me", 0, 0, " word", 400 * number, 400 * number + 300))
    lines.reflow(width, 25)
    first = lines.until(lines.row_of(1), 1)[0]
    assert [first.text[b:e] for b, e in first.boxed] == ["word"]
    assert sum(len(line.boxed) for line in lines.until(lines.newest, 1000)) == 1

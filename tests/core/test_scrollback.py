"""Text that stands still while words come, and the way back to them."""

from __future__ import annotations

from app.core.lines import CaptionLines
from app.core.scrollback import Scrollback
from model_backends.base import Word

COUNT = 3


def said(lines: CaptionLines, count: int) -> None:
    """Say so many more words, each a line of its own."""
    for n in range(lines.added, lines.added + count):
        lines.add(Word("me", 0, 0, f" word{n:05d}", n * 400, n * 400 + 300, "en"))


def talk(count: int) -> tuple[CaptionLines, Scrollback]:
    lines = CaptionLines(lambda text: float(len(text)), 10)
    said(lines, count)
    return lines, Scrollback(lines)


def looked_at(scrollback: Scrollback) -> list[str]:
    assert scrollback.held is not None
    return [line.text for line in scrollback.held.lines]


def named(*numbers: int) -> list[str]:
    return [f"word{n:05d}" for n in numbers]


def test_held_text_stands_still_and_what_comes_is_counted() -> None:
    lines, back = talk(10)
    back.hold(COUNT)
    said(lines, 23)
    assert looked_at(back) == named(7, 8, 9)
    assert back.unread == 23
    back.go_live()
    assert back.held is None and back.unread == 0
    assert not back.by_hand


def test_a_word_on_the_line_that_is_held_is_not_shown_either() -> None:
    lines = CaptionLines(len, 40)
    said(lines, 2)
    back = Scrollback(lines)
    back.hold(COUNT)
    said(lines, 1)
    assert looked_at(back) == ["word00000 word00001"]
    assert back.unread == 1


def test_scrolling_goes_by_lines_over_half_an_hour_and_ends_at_both_ends() -> None:
    lines, back = talk(30 * 150)
    back.scroll(-1, COUNT)
    assert looked_at(back) == named(4496, 4497, 4498)
    back.scroll(-100_000, COUNT)
    assert looked_at(back) == named(0, 1, 2)
    back.scroll(2, COUNT)
    assert looked_at(back) == named(2, 3, 4)
    back.scroll(100_000, COUNT)
    assert looked_at(back) == named(4497, 4498, 4499)
    assert back.held is not None  # it never goes on by itself
    said(lines, 1)
    assert back.unread == 1


def test_catching_up_begins_where_reading_stopped() -> None:
    lines, back = talk(10)
    assert not back.can_catch_up(COUNT)
    back.hold(COUNT)
    said(lines, 20)
    back.go_live()
    assert back.can_catch_up(COUNT)
    assert back.marked_row() == lines.row_of(10)
    back.catch_up(COUNT)
    assert looked_at(back) == named(9, 10, 11)  # the last one that was read, and the next
    assert back.unread == 18
    back.catch_up(COUNT)
    assert looked_at(back) == named(11, 12, 13)
    assert back.marked_row() == lines.row_of(10)  # the mark stays where reading stopped


def test_who_scrolls_back_first_still_has_not_read_on() -> None:
    lines, back = talk(10)
    back.hold(COUNT)
    back.scroll(-5, COUNT)
    said(lines, 20)
    back.go_live()
    back.catch_up(COUNT)
    assert looked_at(back) == named(9, 10, 11)


def test_a_mark_is_set_without_holding() -> None:
    lines, back = talk(10)
    back.mark()
    assert back.by_hand  # it is shown in what goes by, too
    assert back.marked_row() is None  # nothing has come after it
    said(lines, 8)
    back.catch_up(COUNT)
    assert looked_at(back) == named(9, 10, 11)


def test_a_reflow_keeps_what_is_looked_at() -> None:
    lines, back = talk(2000)
    back.scroll(-1500, COUNT)
    lines.reflow(len, 20)
    back.look_again(COUNT)
    assert "word00499" in looked_at(back)[-1]
    assert lines.row_of(500) == back.held.end if back.held else False


def test_few_lines_are_shown_as_they_are() -> None:
    _, back = talk(2)
    back.scroll(-1, 8)
    assert looked_at(back) == named(0, 1)
    _, empty = talk(0)
    empty.hold(COUNT)
    assert looked_at(empty) == [""]


def test_more_lines_of_what_is_held_end_with_the_same_one() -> None:
    lines = CaptionLines(len, 40)
    said(lines, 7)
    back = Scrollback(lines)
    back.hold(1)
    held = looked_at(back)
    said(lines, 1)  # on the same line
    back.look_at_more(2)
    assert looked_at(back)[-1:] == held
    assert len(looked_at(back)) == 2
    assert back.unread == 1

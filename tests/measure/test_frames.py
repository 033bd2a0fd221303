"""What moved between two pictures of caption lines, and which lines were broken anew."""

from __future__ import annotations

import numpy as np
import pytest

from app.measure.frames import Picture, moved, pieces, rebroken

LINE = 40


def picture(*words: tuple[int, int, int]) -> Picture:
    """Three lines on black; each word a row, where it begins and how wide it is."""
    made = np.zeros((3 * LINE, 400), np.uint8)
    for row, left, width in words:
        made[row * LINE + 8 : row * LINE + 32, left : left + width : 2] = 255  # strokes
    return made


BEFORE = picture((0, 10, 60), (0, 100, 80), (1, 10, 70))


def test_words_are_told_apart_by_the_room_between_them() -> None:
    assert [(piece.row, piece.left) for piece in pieces(BEFORE, LINE)] == [
        (0, 10),
        (0, 100),
        (1, 10),
    ]


def test_a_word_more_moves_nothing() -> None:
    assert not moved(BEFORE, picture((0, 10, 60), (0, 100, 80), (1, 10, 70), (1, 90, 50)), LINE, 0)


@pytest.mark.parametrize("by", [1, 7])
def test_a_word_that_is_elsewhere_has_moved(by: int) -> None:
    gone = moved(BEFORE, picture((0, 10, 60), (0, 100 + by, 80), (1, 10, 70)), LINE, 0)
    assert [(piece.row, piece.left) for piece in gone] == [(0, 100)]


def test_a_line_that_is_a_pixel_lower_has_moved() -> None:
    assert len(moved(BEFORE, np.roll(BEFORE, 1, axis=0), LINE, 0)) == 3


def test_up_by_a_line_is_no_move_if_all_goes_up() -> None:
    scrolled = picture((0, 10, 70), (1, 10, 50))
    assert not moved(BEFORE, scrolled, LINE, 1)
    assert moved(BEFORE, scrolled, LINE, 0)


@pytest.mark.parametrize(
    ("now", "up", "changed"),
    [
        (["one two", "three four"], 0, 0),
        (["one two", "three"], 0, 0),
        (["three four", "five"], 1, 0),
        (["one", "two three"], 0, 2),
        (["one two"], 0, 1),
        (["thre", "e"], 1, 1),
    ],
)
def test_lines_stay_and_only_the_last_grows(now: list[str], up: int, changed: int) -> None:
    assert rebroken(["one two", "three"], now, up) == changed

"""Where the caption box goes: on a screen, whole, where it was left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, QSize, Qt

from app.ui.overlay.grip import NO_EDGE, Drag, edges_at
from app.ui.overlay.placement import (
    beside,
    default_box,
    kept_on,
    last_used,
    remember,
    remembered,
    widened,
)

SCREEN = QRect(1920, -200, 1280, 800)  # the second of two, a little higher
sides = st.integers(-5000, 5000)
lengths = st.integers(1, 3000)


@given(sides, sides, lengths, lengths)
def test_a_box_is_always_brought_whole_onto_the_screen(
    x: int, y: int, width: int, height: int
) -> None:
    box = kept_on(QRect(x, y, width, height), SCREEN)
    assert SCREEN.contains(box)
    assert box.width() == min(width, SCREEN.width())


@given(sides, sides)
def test_a_box_that_is_on_the_screen_stays(x: int, y: int) -> None:
    box = QRect(SCREEN.x() + abs(x) % 500, SCREEN.y() + abs(y) % 500, 600, 200)
    assert kept_on(box, SCREEN) == box


def test_the_first_place_is_the_bottom_centre() -> None:
    box = default_box(SCREEN, QSize(900, 160))
    assert abs(box.center().x() - SCREEN.center().x()) <= 1
    assert 0 < SCREEN.bottom() - box.bottom() < 100


def test_a_place_is_remembered_relative_to_its_screen() -> None:
    geometry = remember({}, "HDMI-1", SCREEN, QRect(2000, 300, 900, 160))
    assert geometry == {"HDMI-1": [80, 500, 900, 160]}
    moved = SCREEN.translated(-1920, 200)
    assert remembered(geometry, "HDMI-1", moved) == QRect(80, 500, 900, 160)


def test_a_smaller_screen_of_the_same_name_still_shows_all_of_it() -> None:
    geometry = {"HDMI-1": [1000, 700, 900, 160]}
    small = QRect(0, 0, 800, 600)
    box = remembered(geometry, "HDMI-1", small)
    assert box is not None and small.contains(box)


def test_the_screen_used_last_wins_if_it_is_there() -> None:
    geometry = remember({"A": [0, 0, 9, 9], "B": [0, 0, 9, 9]}, "A", SCREEN, SCREEN)
    assert last_used(geometry, ["A", "B"]) == "A"
    assert last_used(geometry, ["B", "C"]) == "B"
    assert last_used(geometry, ["C"]) is None


@pytest.mark.parametrize(
    "box",
    [
        [2**31, 0, 900, 160],
        [0, 0, 2**40, 160],
        [0, -(2**70), 900, 160],
        [0, 0, 0, 160],
        [5, 5, -9, 9],
    ],
)
def test_a_place_that_can_be_none_is_forgotten(box: list[int]) -> None:
    """Settings may be written by hand, and Qt counts in 32 bits."""
    assert remembered({"HDMI-1": box}, "HDMI-1", SCREEN) is None


def test_larger_letters_first_make_the_box_wider_then_wrap() -> None:
    assert widened(600, 10, 12, SCREEN) == 720
    assert widened(600, 10, 60, SCREEN) == round(1280 * 0.9)
    assert widened(1250, 10, 60, SCREEN) == 1250  # the user's own choice
    assert widened(600, 10, 5, SCREEN) == 600


@pytest.mark.parametrize("size", [(1280, 800), (1024, 600), (640, 400), (1920, 1080)])
def test_a_window_is_placed_clear_of_the_captions_where_there_is_room(
    size: tuple[int, int],
) -> None:
    screen = QRect(0, 0, *size)
    captions = default_box(screen, QSize(930, 163))
    window = beside(captions, screen, QSize(722, 540), QSize(482, 330))
    assert screen.contains(window)
    if size[1] >= 600:
        assert not window.intersects(captions)


def test_captions_at_the_top_leave_the_bottom_free() -> None:
    captions = QRect(1930, -190, 900, 160)
    window = beside(captions, SCREEN, QSize(700, 500), QSize(480, 300))
    assert window.top() > captions.bottom()


@given(sides, sides, lengths, lengths)
def test_a_window_is_never_larger_than_the_screen(x: int, y: int, width: int, height: int) -> None:
    captions = QRect(x, y, width, height)
    assert SCREEN.contains(beside(captions, SCREEN, QSize(722, 540), QSize(482, 330)))


BOX = QRect(100, 100, 400, 200)


@pytest.mark.parametrize(
    ("point", "edges"),
    [
        (QPoint(300, 200), NO_EDGE),
        (QPoint(102, 200), Qt.Edge.LeftEdge),
        (QPoint(498, 200), Qt.Edge.RightEdge),
        (QPoint(300, 101), Qt.Edge.TopEdge),
        (QPoint(300, 298), Qt.Edge.BottomEdge),
        (QPoint(490, 290), Qt.Edge.RightEdge | Qt.Edge.BottomEdge),
        (QPoint(105, 110), Qt.Edge.LeftEdge | Qt.Edge.TopEdge),
    ],
)
def test_what_a_press_takes_hold_of(point: QPoint, edges: Qt.Edge) -> None:
    assert edges_at(point, BOX) == edges


def test_moving_keeps_the_size() -> None:
    drag = Drag(NO_EDGE, QPoint(300, 200), BOX)
    assert drag.box_at(QPoint(350, 190), 200, int) == BOX.translated(50, -10)


@pytest.mark.parametrize("edge", [Qt.Edge.LeftEdge, Qt.Edge.TopEdge, Qt.Edge.RightEdge])
@given(by=st.integers(-600, 600))
def test_resizing_leaves_the_other_side_where_it_is(edge: Qt.Edge, by: int) -> None:
    def step(height: int) -> int:
        return max(50, height // 50 * 50)

    box = Drag(edge, QPoint(0, 0), BOX).box_at(QPoint(by, by), 150, step)
    fixed = {
        Qt.Edge.LeftEdge: (box.right(), box.y(), box.height()),
        Qt.Edge.RightEdge: (box.left(), box.y(), box.height()),
        Qt.Edge.TopEdge: (box.left(), box.bottom(), box.width()),
    }
    was = {
        Qt.Edge.LeftEdge: (BOX.right(), BOX.y(), BOX.height()),
        Qt.Edge.RightEdge: (BOX.left(), BOX.y(), BOX.height()),
        Qt.Edge.TopEdge: (BOX.left(), BOX.bottom(), BOX.width()),
    }
    assert fixed[edge] == was[edge]
    assert box.width() >= 150
    assert box.height() % 50 == 0

"""Words on one line: from the side where they are read from, in their order, never out of it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from pytestqt.qtbot import QtBot

from app.ui.sessions import one_line
from app.ui.sessions.one_line import Piece

WIDE, HIGH = 400, 30
LATIN = [("The frost ", False), ("had", True), (" settled", False)]
ARABIC = [("كان الصقيع ", False), ("قد", True), (" استقر على الحقول", False)]
LONG = [("WWW ", False), ("had", True), (" and more was said" * 20, False)]
LONG_ARABIC = [("صباح الخير ", False), ("قد", True), (" استقر على الحقول" * 20, False)]


def drawn(pieces: list[Piece]) -> list[int]:
    """The columns of the room in which there is ink."""
    image = QImage(WIDE, HIGH, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    one_line.draw(painter, QRectF(50, 0, WIDE - 100, HIGH), pieces)
    painter.end()
    return [
        x for x in range(WIDE) if any(image.pixelColor(x, y).lightness() < 128 for y in range(HIGH))
    ]


@pytest.mark.parametrize(("pieces", "side"), [(LATIN, "left"), (ARABIC, "right")])
def test_it_begins_at_the_side_from_which_it_is_read(
    qtbot: QtBot, pieces: list[Piece], side: str
) -> None:
    columns = drawn(pieces)
    assert (columns[0] < 56) == (side == "left")
    assert (columns[-1] > WIDE - 56) == (side == "right")


@pytest.mark.parametrize("pieces", [LONG, LONG_ARABIC])
def test_what_is_too_long_ends_in_its_room(qtbot: QtBot, pieces: list[Piece]) -> None:
    columns = drawn(pieces)
    assert columns[0] >= 50 and columns[-1] < WIDE - 50
    assert len(columns) > 150, "as much as fits"


@pytest.mark.parametrize("pieces", [LONG, LONG_ARABIC], ids=["latin", "arabic"])
def test_that_something_is_left_out_is_told(qtbot: QtBot, pieces: list[Piece]) -> None:
    """On the line itself: an Arabic letter is wider where it is the last."""
    for width in range(60, 200):
        layout = one_line.fitted(pieces, QFont(), width)
        assert layout.text().endswith("…")
        assert layout.lineAt(0).textLength() == len(layout.text())


def test_pieces_of_a_line_are_one_line(qtbot: QtBot) -> None:
    """In Arabic, too, the second piece is where the same words without pieces have it."""
    whole = "".join(words for words, _ in ARABIC)
    plain = [(words, False) for words, _ in ARABIC]
    assert drawn(plain) == drawn([(whole, False)])


def test_letters_of_two_units_are_not_cut_in_half(qtbot: QtBot) -> None:
    assert drawn([("😀" * 200, False)])[-1] < WIDE - 50


def test_no_room_is_no_error(qtbot: QtBot) -> None:
    image = QImage(10, 10, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    one_line.draw(painter, QRectF(0, 0, 0, 10), LATIN)
    one_line.draw(painter, QRectF(0, 0, 5, 10), [("", False)])
    painter.end()

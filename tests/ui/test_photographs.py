"""The photographs in small: some states on the smallest screen, and that the checks find faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.support import screen as screen_support
from tests.ui.photographs import checks
from tests.ui.photographs.__main__ import SETTINGS, photograph
from tests.ui.photographs.sheets import SHEET, Shot, lay_out

STATES = (
    "captions: speech",
    "captions: failed after words",
    "menu: of the right button",
    "main: two notices, trouble",
    "preferences: listening",
    "dialog: keyboard shortcuts",
)


@pytest.mark.screen
def test_nothing_is_cut_covered_or_faint_on_the_smallest_screen(tmp_path: Path) -> None:
    missing = screen_support.missing_tools()
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    taken = photograph(tmp_path, SETTINGS["1024x600"], ["dark"], ["ar"], STATES)
    assert [fault for each in taken for fault in each["faults"]] == []
    assert len(taken) == len(STATES)
    for each in taken:
        image = QImage(each["file"])
        assert (image.width(), image.height()) == (1024, 600)
        spots = ((x, y) for x in range(0, 1024, 16) for y in range(0, 600, 16))
        assert len({image.pixel(*spot) for spot in spots}) > 20, "there is something to see"


def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    made.setWindowTitle("Faulty")
    made.resize(300, 200)
    qtbot.addWidget(made)
    return made


def cut(page: QWidget) -> None:
    QLabel("This is a long sentence that does not fit at all.", page).setGeometry(0, 0, 60, 20)


def outside(page: QWidget) -> None:
    QPushButton("Close", page).setGeometry(260, 20, 90, 30)


def cut_by_a_frame(page: QWidget) -> None:
    frame = QWidget(page)
    frame.setGeometry(10, 20, 100, 20)
    QPushButton("Close", frame).setGeometry(0, 0, 90, 30)


def overlapping(page: QWidget) -> None:
    QPushButton("Save", page).setGeometry(10, 20, 90, 30)
    QPushButton("Close", page).setGeometry(60, 25, 90, 30)


def faint(page: QWidget) -> None:
    label = QLabel("Readable?", page)
    label.setStyleSheet("color: #999999; background: #ffffff")
    label.setGeometry(10, 20, 120, 30)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (cut, "is cut, and no tooltip has the rest"),
        (outside, "reaches out of its window"),
        (cut_by_a_frame, "reaches out of its window"),
        (overlapping, "lie over each other"),
        (faint, "contrast"),
    ],
)
def test_what_is_wrong_in_a_window_is_found(
    qtbot: QtBot, spoil: Callable[[QWidget], None], told: str
) -> None:
    page = window(qtbot)
    QPushButton("OK", page).setGeometry(10, 150, 90, 30)
    page.show()
    assert [*checks.inside(page), *checks.faint(page, 4.5)] == []
    page.hide()
    spoil(page)
    page.show()
    (fault,) = [*checks.inside(page), *checks.faint(page, 4.5)]
    assert told in fault


def test_what_is_cut_but_told_in_full_is_no_fault(qtbot: QtBot) -> None:
    page = window(qtbot)
    cut(page)
    for label in page.findChildren(QLabel):
        label.setToolTip(label.text())
    page.show()
    assert list(checks.inside(page)) == []


def test_sheets_show_of_all_pictures_the_part_that_matters(qtbot: QtBot, tmp_path: Path) -> None:
    colors = [f"#{number:02x}40{255 - number:02x}" for number in range(0, 250, 10)]
    shots = []
    for number, color in enumerate(colors):
        image = QImage(800, 400, QImage.Format.Format_RGB32)
        image.fill(QColor("#00ff00"))
        part = QRect(20 * number, 10 * number, 120 + 5 * number, 90)
        QPainter(image).fillRect(part, QColor(color))
        image.save(str(tmp_path / f"{number}.png"))
        shots.append(Shot(str(number), tmp_path / f"{number}.png", part))
    sheets = [QImage(str(path)) for path in lay_out(shots, tmp_path, "sheet", zoom=1.5)]
    assert len(sheets) == 2
    found: Counter[str] = Counter()
    for sheet in sheets:
        assert sheet.width() <= SHEET.width() and sheet.height() <= SHEET.height()
        for x, y in (
            (x, y) for x in range(0, sheet.width(), 3) for y in range(0, sheet.height(), 3)
        ):
            found[sheet.pixelColor(x, y).name()] += 9
    assert found["#00ff00"] == 0, "what is around the part is left out"
    for at, color in enumerate(colors):
        assert found[color] == pytest.approx(1.5 * (120 + 5 * at) * 1.5 * 90, rel=0.05), color

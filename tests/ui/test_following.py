"""What has the keyboard is seen, also on a page that has to be scrolled to it."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QPushButton, QScrollArea, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.ui.widgets.following import FollowFocus

CHECKOUT = Path(__file__).parents[2]


def test_the_keyboard_that_comes_from_outside_is_followed(qtbot: QtBot) -> None:
    window, page, area = QWidget(), QWidget(), QScrollArea()
    column = QVBoxLayout(page)
    buttons = [QPushButton(str(number)) for number in range(20)]
    for button in buttons:
        column.addWidget(button)
    area.setWidget(page)
    area.setWidgetResizable(True)
    FollowFocus(area)
    close = QPushButton("Close")
    outer = QVBoxLayout(window)
    outer.addWidget(area)
    outer.addWidget(close)
    window.resize(300, 200)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    close.setFocus()
    buttons[-1].setFocus(Qt.FocusReason.BacktabFocusReason)
    assert is_seen(buttons[-1], area)
    close.setFocus()
    buttons[0].setFocus(Qt.FocusReason.ShortcutFocusReason)
    assert is_seen(buttons[0], area)


def is_seen(widget: QWidget, area: QScrollArea) -> bool:
    place = QRect(widget.mapTo(area.viewport(), QPoint()), widget.size())
    return area.viewport().rect().contains(place)


def test_every_page_that_scrolls_follows() -> None:
    files = sorted((CHECKOUT / "app" / "ui").rglob("*.py"))
    scrolling = [path for path in files if re.search(r"\(QScrollArea\)|QScrollArea\(", _read(path))]
    assert len(scrolling) > 4
    assert [path.name for path in scrolling if "FollowFocus(" not in _read(path)] == []


def _read(path: Path) -> str:
    return path.read_text("utf-8")

"""Whatever can be used or has to be read stands out: contrasts of both looks (WCAG 2.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSlider,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.ui.sessions.list import SessionList
from app.ui.widgets import theme
from app.ui.widgets.color_button import contrast
from app.ui.widgets.theme import CAPTIONS, DARK, HIGH_DARK, HIGH_LIGHT, LIGHT, Colors

LOOKS = pytest.mark.parametrize(
    "look",
    [LIGHT, DARK, HIGH_LIGHT, HIGH_DARK],
    ids=["light", "dark", "high contrast, light", "high contrast, dark"],
)
SURFACES = ("window", "base", "raised")


def ratio(one: str, other: str) -> float:
    return contrast(QColor(one), QColor(other))


@LOOKS
@pytest.mark.parametrize("ink", ["text", "dim", "good", "busy", "warning", "failure", "quiet"])
def test_text_can_be_read(look: Colors, ink: str) -> None:
    assert min(ratio(getattr(look, ink), getattr(look, ground)) for ground in SURFACES) >= 4.5


@LOOKS
@pytest.mark.parametrize("mark", ["border", "accent"])
def test_what_can_be_used_has_a_bound_that_is_seen(look: Colors, mark: str) -> None:
    """1.4.11: fields, handles, focus, the level meter."""
    assert min(ratio(getattr(look, mark), getattr(look, ground)) for ground in SURFACES) >= 3


@LOOKS
def test_text_on_the_accent_can_be_read(look: Colors) -> None:
    assert ratio(look.on_accent, look.accent) >= 4.5


@LOOKS
def test_what_is_pressed_or_off_can_be_read(look: Colors) -> None:
    assert ratio(look.text, look.sunken) >= 4.5
    assert min(ratio(look.off, getattr(look, ground)) for ground in SURFACES) >= 4.5
    assert ratio(look.off, look.text) >= 2, "it is told from what is on"


@pytest.mark.parametrize("ink", ["ink", "dim", "accent", "good", "warning"])
def test_beside_the_captions_text_can_be_read(ink: str) -> None:
    assert ratio(getattr(CAPTIONS, ink), CAPTIONS.surface) >= 4.5
    assert ratio(getattr(CAPTIONS, ink), CAPTIONS.menu) >= 4.5


@pytest.mark.parametrize("mark", ["groove", "accent", "quiet"])
def test_beside_the_captions_controls_are_seen(mark: str) -> None:
    assert ratio(getattr(CAPTIONS, mark), CAPTIONS.surface) >= 3


@pytest.mark.parametrize("look", [HIGH_LIGHT, HIGH_DARK], ids=["light", "dark"])
def test_high_contrast_is_high_and_has_no_shades(look: Colors) -> None:
    assert len({look.window, look.base, look.raised, look.control}) == 1
    for ink in (
        "text",
        "dim",
        "off",
        "line",
        "border",
        "accent",
        "good",
        "busy",
        "warning",
        "failure",
    ):
        assert ratio(getattr(look, ink), look.window) >= 7
    assert ratio(look.on_accent, look.accent) >= 7


def test_the_desktop_is_asked_for_high_contrast(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert theme.colors() in (LIGHT, DARK)  # nobody has asked for more
    monkeypatch.setattr(theme, "wants_contrast", lambda: True)
    assert theme.colors() in (HIGH_LIGHT, HIGH_DARK)


@LOOKS
@pytest.mark.parametrize("on", [False, True])
def test_a_check_box_is_seen_whether_it_is_ticked_or_not(
    qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, look: Colors, on: bool
) -> None:
    """Fusion's own would be a shade of the window in the dark."""
    monkeypatch.setattr(theme, "colors", lambda: look)
    style, palette = qapp.style().name(), qapp.palette()
    qapp.setStyle("Fusion")
    theme._dress(qapp)
    box = QCheckBox()
    box.setChecked(on)
    qtbot.addWidget(box)
    image = box.grab().toImage()
    row = [image.pixelColor(x, image.height() // 2) for x in range(image.width())]
    assert max(contrast(color, QColor(look.window)) for color in row) >= 3
    qapp.setStyleSheet("")
    qapp.setPalette(palette)
    qapp.setStyle(style)


@LOOKS
@pytest.mark.parametrize("on", [Qt.CheckState.Checked, Qt.CheckState.Unchecked])
def test_a_box_in_a_table_is_seen_whether_it_is_ticked_or_not(
    qapp: QApplication,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    look: Colors,
    on: Qt.CheckState,
) -> None:
    monkeypatch.setattr(theme, "colors", lambda: look)
    style, palette = qapp.style().name(), qapp.palette()
    qapp.setStyle("Fusion")
    theme._dress(qapp)
    table = QTableWidget(1, 1)
    item = QTableWidgetItem()
    item.setCheckState(on)
    table.setItem(0, 0, item)
    qtbot.addWidget(table)
    image = table.viewport().grab().toImage()
    middle = table.visualItemRect(item).center().y()
    row = [image.pixelColor(x, middle) for x in range(2, 40)]
    assert max(contrast(color, QColor(look.base)) for color in row) >= 3
    qapp.setStyleSheet("")
    qapp.setPalette(palette)
    qapp.setStyle(style)


@pytest.fixture
def dressed(qapp: QApplication) -> Iterator[QApplication]:
    style, palette = qapp.style().name(), qapp.palette()
    qapp.setStyle("Fusion")
    theme._dress(qapp)
    yield qapp
    qapp.setStyleSheet("")
    qapp.setPalette(palette)
    qapp.setStyle(style)


@pytest.mark.parametrize(
    "kind", [QComboBox, QSlider, QCheckBox, QTabWidget, QPushButton, QListWidget]
)
def test_the_focus_is_a_ring_in_the_accent(
    dressed: QApplication, qtbot: QtBot, kind: type[QWidget]
) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    made = kind(page)
    if isinstance(made, QSlider):
        made.setOrientation(Qt.Orientation.Horizontal)
    if isinstance(made, QTabWidget):
        made.addTab(QWidget(), "One")
    if isinstance(made, QListWidget):
        made.setObjectName("pages")
        made.addItem("One")
        made.setCurrentRow(0)
    made.setGeometry(20, 20, 160, 60)
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    page.setFocus()
    without = accents(page)
    made.setFocus(Qt.FocusReason.TabFocusReason)
    QApplication.processEvents()
    assert accents(page) - without > 100


@LOOKS
def test_the_focus_on_the_main_button_is_seen_in_every_look(
    qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, look: Colors
) -> None:
    """2.4.13: a ring at least a pixel wide whose colour has changed by 3:1."""
    monkeypatch.setattr(theme, "colors", lambda: look)
    before = qapp.styleSheet(), qapp.palette()
    theme._dress(qapp)
    page = QWidget()
    qtbot.addWidget(page)
    page.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button = QPushButton("W", page)
    button.setObjectName("primary")
    button.setGeometry(20, 20, 160, 40)
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    page.setFocus()
    qtbot.waitUntil(lambda: not button.hasFocus())
    without = button.grab().toImage()
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(button.hasFocus)
    ring = button.grab().toImage()
    changed = sum(
        contrast(without.pixelColor(x, y), ring.pixelColor(x, y)) >= 3
        for x in range(ring.width())
        for y in range(ring.height())
    )
    assert changed >= 0.9 * 2 * (160 + 40)
    qapp.setStyleSheet(before[0])
    qapp.setPalette(before[1])


def made(kind: str) -> QWidget:
    """One that is switched off, or has nothing in it."""
    switched_off: dict[str, Callable[[], QWidget]] = {
        "button": lambda: QPushButton("WWWW"),
        "main button": lambda: QPushButton("WWWW"),
        "choice": QComboBox,
        "tick": lambda: QCheckBox("WWWW"),
        "line": lambda: QLineEdit("WWWW"),
    }
    if kind in switched_off:
        widget = switched_off[kind]()
        widget.setEnabled(False)
        if kind == "main button":
            widget.setObjectName("primary")
        if isinstance(widget, QComboBox):
            widget.addItem("WWWW")
        return widget
    empty: dict[str, type[QWidget]]
    empty = {"text": QPlainTextEdit, "sessions": SessionList, "progress": QProgressBar}
    return empty[kind]()


def picture_of(
    monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, look: Colors, widget: QWidget
) -> QImage:
    """Of it alone, 120 by 40 px."""
    monkeypatch.setattr(theme, "colors", lambda: look)
    theme._dress(QApplication.instance())  # type: ignore[arg-type]
    qtbot.addWidget(widget)
    widget.resize(120, 40)
    widget.ensurePolished()
    return widget.grab().toImage()


@LOOKS
@pytest.mark.parametrize("kind", ["text", "sessions", "progress", "button", "choice", "line"])
def test_what_is_used_has_an_edge_in_every_look(
    dressed: QApplication,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    look: Colors,
    kind: str,
) -> None:
    image = picture_of(monkeypatch, qtbot, look, made(kind))
    edge = [image.pixelColor(x, image.height() // 2) for x in range(3)]
    assert max(contrast(color, QColor(look.window)) for color in edge) >= 3


@LOOKS
@pytest.mark.parametrize("kind", ["button", "main button", "choice", "tick", "line"])
def test_what_is_switched_off_can_be_read(
    dressed: QApplication,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    look: Colors,
    kind: str,
) -> None:
    """As painted: its colours may come from the sheet, the palette or the style."""
    image = picture_of(monkeypatch, qtbot, look, made(kind))
    inside = [(x, y) for x in range(30, 80) for y in range(12, 28)]
    colors = Counter(image.pixelColor(*place).name() for place in inside)
    ((ground, _),) = colors.most_common(1)
    assert max(ratio(color, ground) for color in colors) >= 3


def accents(page: QWidget) -> int:
    """Pixels in the colour of the focus."""
    wanted = QColor(theme.colors().accent)
    image = page.grab().toImage()
    places = ((x, y) for x in range(image.width()) for y in range(image.height()))
    return sum(image.pixelColor(*place) == wanted for place in places)

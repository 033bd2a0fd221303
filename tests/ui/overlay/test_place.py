"""Where the caption window stands: dragged, sized, drawn to edges, docked, remembered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app import native
from app.settings import OverlaySettings
from app.ui.overlay import strip
from app.ui.overlay.caption_box import minimum_width
from app.ui.overlay.caption_view import line_height
from app.ui.overlay.width import share_of, with_share
from app.ui.overlay.window import CaptionOverlay
from tests.ui.overlay.windows import SCREEN, drag, entry, message_of, opened, submenu

pytestmark = pytest.mark.usefixtures("desktop")


def test_it_is_dragged_and_remembers_where(
    qtbot: QtBot, window: CaptionOverlay, saved: list[OverlaySettings]
) -> None:
    box = window.box_on_screen
    drag(qtbot, window, box.center(), QPoint(-60, -200))
    assert window.box_on_screen == box.translated(-60, -200)
    assert saved[-1].geometry == {"main": [box.x() - 60, box.y() - 200, box.width(), box.height()]}
    again = opened(qtbot, saved[-1], [])
    assert again.box_on_screen == window.box_on_screen


def test_it_cannot_be_lost_off_the_screen(
    qtbot: QtBot, window: CaptionOverlay, saved: list[OverlaySettings]
) -> None:
    drag(qtbot, window, window.box_on_screen.center(), QPoint(2000, 900))
    assert SCREEN.contains(window.box_on_screen)


def test_it_is_resized_from_a_corner_by_whole_lines(
    qtbot: QtBot, window: CaptionOverlay, saved: list[OverlaySettings]
) -> None:
    window._put_box(window.box_on_screen.translated(0, -300))
    box, line = window.box_on_screen, line_height(OverlaySettings())
    corner = box.bottomRight() - QPoint(3, 3)
    drag(qtbot, window, corner, QPoint(120, round(1.8 * line)))
    assert window.box_on_screen == box.adjusted(0, 0, 120, 2 * line)
    assert saved[-1].lines == 4
    assert window.captions.line_count == 4


def test_text_and_lines_from_the_settings_resize_it_where_it_stands(window: CaptionOverlay) -> None:
    bottom = window.box_on_screen.bottom()
    window.apply(OverlaySettings(lines=5, font_size=20))
    assert window.captions.line_count == 5
    assert window.box_on_screen.bottom() == bottom  # it is in the lower half of the screen


@pytest.mark.parametrize(("lines", "font_size"), [(12, 28), (12, 96), (1, 8), (1, 144)])
def test_every_size_fits_the_screen_with_its_controls(
    qtbot: QtBot, saved: list[OverlaySettings], lines: int, font_size: int
) -> None:
    window = opened(qtbot, OverlaySettings(lines=lines, font_size=font_size), saved)
    assert SCREEN.contains(window.box_on_screen)
    window.focus_controls()
    bar = window.controls.geometry().translated(window._strip.pos() + window.pos())
    assert SCREEN.contains(bar)


def test_colours_and_edges_do_not_move_it(window: CaptionOverlay) -> None:
    box = window.box_on_screen
    window.apply(OverlaySettings(text_color="#ffff00", edge="uniform", background_opacity=0.2))
    assert window.box_on_screen == box


def test_each_screen_keeps_its_own_place(
    qtbot: QtBot, desktop: dict[str, QRect], window: CaptionOverlay, saved: list[OverlaySettings]
) -> None:
    desktop["side"] = QRect(1600, 0, 1280, 800)
    at_home = window.box_on_screen
    drag(qtbot, window, at_home.center(), QPoint(0, -100))
    drag(qtbot, window, window.box_on_screen.center(), QPoint(1450, -100))
    assert desktop["side"].contains(window.box_on_screen)
    assert list(saved[-1].geometry) == ["main", "side"]
    assert saved[-1].geometry["side"][0] == window.box_on_screen.x() - 1600


def test_the_latest_screen_is_saved_as_such_also_where_no_place_is_new(
    qtbot: QtBot, desktop: dict[str, QRect], saved: list[OverlaySettings]
) -> None:
    desktop["side"] = QRect(1600, 0, 1280, 800)
    places = {"main": [100, 300, 900, 163], "side": [200, 300, 900, 163]}
    window = opened(qtbot, OverlaySettings(geometry=places), saved)
    window._put_box(QRect(100, 300, 900, 163))
    window._settle()
    assert saved[-1].geometry == places
    assert list(saved[-1].geometry) == ["side", "main"]


def test_a_width_chosen_by_its_number_is_around_the_same_middle(
    window: CaptionOverlay, saved: list[OverlaySettings]
) -> None:
    box = window.box_on_screen
    for percent in range(90, 50, -1):
        share = percent / 100
        window.apply(with_share(window._settings, share))
        now = window.box_on_screen
        assert abs(now.width() - share * SCREEN.width()) <= 1
        assert now.center() == box.center()
        assert now.height() == box.height()
        assert share_of(window._settings) == pytest.approx(share, abs=0.001)
    window.apply(with_share(window._settings, 0.01))
    assert 0 <= window.box_on_screen.width() - minimum_width(window._settings) <= 1


def test_it_comes_back_when_its_screen_is_gone(
    qtbot: QtBot, desktop: dict[str, QRect], saved: list[OverlaySettings]
) -> None:
    desktop["side"] = QRect(1600, 0, 1280, 800)
    places = {"main": [100, 500, 900, 163], "side": [200, 300, 900, 163]}
    window = opened(qtbot, OverlaySettings(geometry=places), saved)
    assert window.box_on_screen.topLeft() == QPoint(1800, 300)
    del desktop["side"]
    window._come_back()
    assert window.box_on_screen.topLeft() == QPoint(100, 500)


def test_forgetting_the_places_brings_it_back_to_the_first(
    qtbot: QtBot, window: CaptionOverlay, saved: list[OverlaySettings]
) -> None:
    first = window.box_on_screen
    drag(qtbot, window, first.center(), QPoint(-100, -300))
    window.apply(replace(saved[-1], geometry={}))
    assert window.box_on_screen == first


def test_the_strip_has_room_for_the_controls(window: CaptionOverlay) -> None:
    assert window.height() == window.box_on_screen.height() + strip.HEIGHT


def test_larger_letters_widen_the_box_first_and_smaller_ones_give_it_back(
    window: CaptionOverlay,
) -> None:
    box = window.box_on_screen
    window.apply(OverlaySettings(font_size=40))
    wider = window.box_on_screen
    assert wider.width() > box.width()
    assert abs(wider.center().x() - box.center().x()) <= 1
    window.apply(OverlaySettings(font_size=72))
    assert window.box_on_screen.width() == round(SCREEN.width() * 0.9)
    window.apply(OverlaySettings(font_size=28))
    assert window.box_on_screen.width() == box.width()


# --- drawn to edges and the middle ------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "shift", "lands"),
    [
        (QPoint(-330, -100), False, QPoint(0, -100)),  # 5 px from the left edge: drawn to it
        (QPoint(-330, -100), True, QPoint(5, -100)),  # with Shift it stays there
        (QPoint(9, -200), False, QPoint(335, -200)),  # nearly in the middle
        (QPoint(-100, 44), False, QPoint(235, 54)),  # nearly at the bottom
    ],
)
def test_a_box_that_is_dragged_near_is_drawn_to_it(
    window: CaptionOverlay, by: QPoint, shift: bool, lands: QPoint
) -> None:
    box = window.box_on_screen
    window._put_box(QRect(335, box.y(), 930, box.height()))
    start = window.box_on_screen
    keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    for step, press in ((start.center(), True), (start.center() + by, False)):
        at = window.mapFromGlobal(step)
        if press:
            QTest.mousePress(window, Qt.MouseButton.LeftButton, pos=at)
        else:
            move_with(window, at, keys)
    assert window.box_on_screen.topLeft() == QPoint(lands.x(), start.y() + lands.y())


def move_with(window: CaptionOverlay, at: QPoint, keys: Qt.KeyboardModifier) -> None:
    """`QTest.mouseMove` knows no keys."""
    where = window.mapToGlobal(at)
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(at), QPointF(where), Qt.MouseButton.NoButton,
        Qt.MouseButton.LeftButton, keys,
    )  # fmt: skip
    window.mouseMoveEvent(event)


# --- by keys -------------------------------------------------------------------------------------


def test_arrow_keys_move_it_and_with_ctrl_they_size_it(
    qtbot: QtBot, window: CaptionOverlay, saved: list[OverlaySettings]
) -> None:
    window.focus_controls()
    window._put_box(window.box_on_screen.translated(0, -200))
    box = window.box_on_screen
    hold = window.controls.hold
    QTest.keyClick(hold, Qt.Key.Key_Left)
    QTest.keyClick(hold, Qt.Key.Key_Up)
    assert window.box_on_screen == box.translated(-10, -10)
    ctrl = Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(hold, Qt.Key.Key_Right, ctrl)
    assert window.box_on_screen.width() == box.width() + 10
    QTest.keyClick(hold, Qt.Key.Key_Up, ctrl)
    assert saved[-1].lines == 3
    qtbot.waitUntil(lambda: saved[-1].geometry.get("main", [0])[0] == box.x() - 10)
    QTest.keyClick(hold, Qt.Key.Key_Plus, ctrl)
    assert saved[-1].font_size > 28
    QTest.keyClick(hold, Qt.Key.Key_Minus, ctrl)
    assert saved[-1].font_size == 28


def test_keys_do_not_move_it_off_the_screen(window: CaptionOverlay) -> None:
    for _ in range(200):
        window.nudge(QPoint(-10, 10))
    assert SCREEN.contains(window.box_on_screen)
    assert window.box_on_screen.bottomLeft() == SCREEN.bottomLeft()


# --- docked ---------------------------------------------------------------------------------------


class Room:
    """A desktop that keeps room free, or refuses to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, keeps: bool = True) -> None:
        self.kept: dict[int, tuple[str, tuple[int, int, int, int]]] = {}
        self.keeps = keeps
        monkeypatch.setattr(native, "reserve", self._reserve)
        monkeypatch.setattr(native, "release", self._release)

    def _reserve(
        self, window: int, edge: str, pixels: tuple[int, int, int, int], platform: str
    ) -> bool:
        if self.keeps:
            self.kept[window] = edge, pixels
        return self.keeps

    def _release(self, window: int, platform: str) -> None:
        self.kept.pop(window, None)


@pytest.mark.parametrize("edge", ["top", "bottom"])
def test_docked_it_has_the_whole_width_and_the_desktop_keeps_its_room(
    qtbot: QtBot, window: CaptionOverlay, monkeypatch: pytest.MonkeyPatch, edge: str
) -> None:
    room = Room(monkeypatch)
    floated = window.box_on_screen
    submenu(window, "Place", f"Dock at the {edge}").trigger()
    box = window.box_on_screen
    assert (box.left(), box.width(), box.height()) == (0, SCREEN.width(), floated.height())
    assert (box.top() == 0) if edge == "top" else (box.bottom() == SCREEN.bottom())
    kept = edge, (box.x(), box.y(), box.width(), box.height())
    qtbot.waitUntil(lambda: list(room.kept.values()) == [kept])
    window.hide()
    assert room.kept == {}
    window.show()
    qtbot.waitUntil(lambda: list(room.kept.values()) == [kept])
    submenu(window, "Place", "Float").trigger()
    assert room.kept == {}
    assert window.box_on_screen == floated


def test_more_lines_make_a_docked_box_higher_and_the_room_too(
    qtbot: QtBot, window: CaptionOverlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(monkeypatch)
    window.dock("bottom")
    window.controls.lines.click()
    box = window.box_on_screen
    assert window.captions.line_count == 6
    assert box.bottom() == SCREEN.bottom()
    qtbot.waitUntil(lambda: [p[3] for _, p in room.kept.values()] == [box.height()])
    window.controls.lines.click()
    assert window.captions.line_count == 2


def test_docked_lines_are_no_longer_than_can_be_read(window: CaptionOverlay) -> None:
    floating_width = window.captions.width()
    window.dock("top")
    assert floating_width < window.captions.width() < SCREEN.width()
    middle = window.captions.mapToGlobal(window.captions.rect().center()).x()
    assert abs(middle - SCREEN.center().x()) <= 1


def test_between_two_screens_no_room_is_kept(
    qtbot: QtBot,
    desktop: dict[str, QRect],
    window: CaptionOverlay,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A strut counts from the edge of the desktop: it would take the other screen away."""
    room = Room(monkeypatch)
    desktop["below"] = QRect(0, 900, 1600, 900)
    window.dock("bottom")
    qtbot.waitUntil(lambda: window.message is not None)
    assert "lie above other windows" in message_of(window).text
    assert room.kept == {}


def test_where_the_desktop_keeps_no_room_that_is_said(
    qtbot: QtBot, window: CaptionOverlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    Room(monkeypatch, keeps=False)
    window.dock("top")
    qtbot.waitUntil(lambda: window.message is not None)
    assert "lie above other windows" in message_of(window).text
    assert window.box_on_screen.top() == 0


def test_a_docked_box_is_dragged_off_its_edge(
    qtbot: QtBot, window: CaptionOverlay, saved: list[OverlaySettings]
) -> None:
    window.dock("top")
    start = window.box_on_screen.center()
    drag(qtbot, window, start, QPoint(0, 300))
    assert saved[-1].dock == ""
    box = window.box_on_screen
    assert box.width() < SCREEN.width()
    assert (box.center() - (start + QPoint(0, 300))).manhattanLength() < 15


def test_reset_brings_it_back_to_where_it_was_first(
    qtbot: QtBot, window: CaptionOverlay, saved: list[OverlaySettings]
) -> None:
    first = window.box_on_screen
    drag(qtbot, window, first.center(), QPoint(-100, -300))
    window.dock("top")
    submenu(window, "Place", "Reset").trigger()
    assert window.box_on_screen == first
    assert saved[-1].dock == ""


# --- screens come and go ----------------------------------------------------------------------


def test_it_goes_back_to_its_screen_when_that_is_there_again(
    qtbot: QtBot, desktop: dict[str, QRect], saved: list[OverlaySettings]
) -> None:
    desktop["side"] = QRect(1600, 0, 1280, 800)
    window = opened(qtbot, OverlaySettings(geometry={"side": [200, 300, 900, 163]}), saved)
    side = desktop.pop("side")
    window._come_back()
    window._settle()
    assert SCREEN.contains(window.box_on_screen)
    assert saved == []  # where it is now was nobody's choice
    desktop["side"] = side
    window._come_back()
    assert window.box_on_screen.topLeft() == QPoint(1800, 300)


# --- clicks go through ------------------------------------------------------------------------


def test_a_window_that_lets_clicks_through_keeps_a_handle(
    qtbot: QtBot, window: CaptionOverlay, saved: list[OverlaySettings]
) -> None:
    entry(window, "Let clicks through").trigger()
    handle = window._click_through.handle
    assert handle is not None and handle.isVisible()
    assert (handle.width(), handle.height()) == (28, 28)
    assert window.box_on_screen.contains(handle.geometry())
    assert window.box_on_screen.right() - handle.geometry().right() < 8
    assert "handle" in message_of(window).hint
    window._put_box(window.box_on_screen.translated(-40, -60))
    qtbot.waitUntil(lambda: window.box_on_screen.contains(handle.geometry()))
    QTest.mouseClick(handle, Qt.MouseButton.LeftButton)
    looks = [look.click_through for look in saved]
    assert looks[0] and not looks[-1]
    assert handle.isHidden()
    flags = window.windowHandle().flags()
    assert not flags & Qt.WindowType.WindowTransparentForInput


def test_hidden_captions_leave_no_handle_and_shown_ones_have_it_again(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    window.let_clicks_through(True)
    handle = window._click_through.handle
    assert handle is not None
    window.hide()
    assert handle.isHidden()
    window.show()
    qtbot.waitUntil(handle.isVisible)
    assert window.windowHandle().flags() & Qt.WindowType.WindowTransparentForInput


def test_clicks_go_through_again_after_the_next_start(
    qtbot: QtBot, saved: list[OverlaySettings]
) -> None:
    window = opened(qtbot, OverlaySettings(click_through=True), saved)
    flags = window.windowHandle().flags()
    assert flags & Qt.WindowType.WindowTransparentForInput
    assert window._click_through.handle is not None


def test_a_key_that_ends_it_is_told(window: CaptionOverlay) -> None:
    window.show_keys({"click-through": "Ctrl+Alt+T"})
    window.let_clicks_through(True)
    assert "Ctrl+Alt+T" in message_of(window).hint

"""Caption windows for tests: opened, listened to, dragged, and asked what they show."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QAction, QEnterEvent, QImage, QRegion
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.session.session import Stage
from app.settings import OverlaySettings
from app.ui.overlay.caption_view import CaptionView
from app.ui.overlay.pill import Pill
from app.ui.overlay.toast import Message
from app.ui.overlay.window import CaptionOverlay
from tests.ui.overlay_fakes import FakeSession, fake_captioning, faked

SCREEN = QRect(0, 0, 1600, 900)


def opened(qtbot: QtBot, settings: OverlaySettings, saved: list[OverlaySettings]) -> CaptionOverlay:
    def save(changed: OverlaySettings) -> None:
        saved.append(changed)
        made.apply(changed)  # as the app does, through its store

    made = CaptionOverlay(settings, save)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.place_is_certain)
    return made


def listening(window: CaptionOverlay) -> FakeSession:
    """Its session, begun."""
    captioning = fake_captioning(window)
    window.follow(captioning)
    captioning.start()
    return faked(captioning)


def drag(qtbot: QtBot, window: CaptionOverlay, start: QPoint, by: QPoint) -> None:
    """Press, move in two steps, release; points are on the screen, as the window moves along."""
    for step in (start, start + by / 2, start + by):
        at = window.mapFromGlobal(step)
        if step == start:
            QTest.mousePress(window, Qt.MouseButton.LeftButton, pos=at)
        else:
            QTest.mouseMove(window, at)
    at = window.mapFromGlobal(start + by)
    QTest.mouseRelease(window, Qt.MouseButton.LeftButton, pos=at)


def entry(window: CaptionOverlay, text: str) -> QAction:
    """Of the menu behind ⋯ and the right button."""
    (action,) = [action for action in window.menu.actions() if action.text() == text]
    return action


def submenu(window: CaptionOverlay, menu: str, text: str) -> QAction:
    """An entry of a menu in the menu."""
    inner = entry(window, menu).menu()
    assert isinstance(inner, QMenu)
    (action,) = [action for action in inner.actions() if action.text().startswith(text)]
    return action


def stage_of(window: CaptionOverlay) -> Stage:
    return window._box._status.stage


def pill_of(window: CaptionOverlay) -> Pill:
    pill = window._way_back.pill
    assert pill is not None
    return pill


def message_of(window: CaptionOverlay) -> Message:
    """What is told beside the captions."""
    assert window.message is not None
    return window.message


def until_painted(qtbot: QtBot, window: CaptionOverlay, line: str) -> None:
    qtbot.waitUntil(lambda: window.captions.painted_text == [line])


def hover(window: CaptionOverlay) -> None:
    middle = QPointF(window.rect().center())
    window.enterEvent(QEnterEvent(middle, middle, middle))


def painted(view: CaptionView) -> QImage:
    """The view's pixels on transparent ground, after a real paint event."""
    image = QImage(view.size(), QImage.Format.Format_ARGB32)
    image.fill(0)
    view.render(image, QPoint(), QRegion(), view.RenderFlag.DrawChildren)
    return image

"""Keeps a floating window above all others, except above what is ours and in use.

Other windows that want to be on top come later than ours, window managers put full-screen windows
above, and a dialog of ours must not be covered by the captions it is about. Knows nothing of
captions, nor of where the window stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import QObject, QRect, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QPlainTextEdit,
    QTextEdit,
    QToolTip,
    QWidget,
)

from app import native

KEEP_ABOVE_EVERY_MS = 2000  # other windows that want to be on top come later than ours


class OnTop(QObject):
    """`reframe(on)` is asked to make the window an unmanaged one, or a managed one again.

    `box` tells where the captions are; `busy` whether the window must be left alone now;
    `looked` is called each time, for what else has to be looked at from time to time.
    """

    def __init__(
        self,
        window: QWidget,
        box: Callable[[], QRect],
        busy: Callable[[], bool],
        reframe: Callable[[bool], None],
        looked: Callable[[], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._box, self._busy, self._reframe, self._looked = box, busy, reframe, looked
        self._platform = QGuiApplication.platformName()
        self._traits = native.overlay_traits(self._platform)
        self._yields = False  # to something of ours
        self.over_fullscreen = False
        self._clock = QTimer(self, interval=KEEP_ABOVE_EVERY_MS)
        self._clock.timeout.connect(self.keep_above)
        app = cast(QGuiApplication, QGuiApplication.instance())
        # queued: the window that gets the focus is not raised yet
        app.focusWindowChanged.connect(self.make_room, Qt.ConnectionType.QueuedConnection)
        app.focusObjectChanged.connect(self.make_room, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """The window is shown."""
        self._clock.start()

    def stop(self) -> None:
        self._clock.stop()

    def come_up(self) -> None:
        """Above all others but for what is ours and in use, which may have opened meanwhile."""
        self.make_room()
        ours = in_use(self._window, self._box()) if self._yields else None
        (ours or self._window).raise_()

    def keep_above(self) -> None:
        """Raise, unless something of our own would be covered by it."""
        self._looked()
        self.make_room()
        busy = (
            self._yields or self._busy() or QApplication.activePopupWidget() or QToolTip.isVisible()
        )
        if busy or not self._traits.places_itself:
            return
        covered = native.is_covered(self._platform)
        if covered != self.over_fullscreen or (covered and not self._is_there()):
            self.over_fullscreen = covered
            self._reframe(covered)
        elif not covered:  # else it is above all; raised again it would cover a lock screen
            native.keep_above(int(self._window.winId()), self._platform)
            self._window.raise_()  # last: it brings along what lies on the window

    def _is_there(self) -> bool:
        """A window manager that lets go of a window late takes away what is shown anew by then
        (seen in one of ten times with openbox)."""
        return self._window.windowHandle().isExposed()

    def make_room(self) -> None:
        """While something of ours is in use there the captions are an ordinary window, below it."""
        ours = in_use(self._window, self._box())
        if (ours is not None) == self._yields or not self._window.isVisible():
            return
        self._yields = ours is not None
        if self.over_fullscreen or self._traits.bypass_window_manager:
            # no window manager knows its layer
            self._window.lower() if self._yields else self._window.raise_()
            return
        handle = self._window.windowHandle()
        handle.setFlag(Qt.WindowType.WindowStaysOnTopHint, not self._yields)
        if ours is None:
            self.keep_above()
        else:
            native.let_below(int(self._window.winId()), self._platform)
            ours.raise_()


def in_use(captions: QWidget, box: QRect) -> QWidget | None:
    """What of ours must not be covered now.

    A dialog that is active or waits; another window of ours if what has the keyboard in it is
    where the captions are: whoever types must see what.
    """
    active = QApplication.activeWindow()
    if isinstance(active, QDialog):
        return active
    modal = QApplication.activeModalWidget()
    if isinstance(modal, QDialog):
        return modal
    focused = QApplication.focusWidget()
    if active is None or active is captions or focused is None or focused.window() is captions:
        return None
    if _is_read(focused) or _fills(focused):
        return None
    place = QRect(focused.mapToGlobal(focused.rect().topLeft()), focused.size())
    return active if place.intersects(box) else None


def _is_read(focused: QWidget) -> bool:
    """Whether it is a text that nobody types into: it is looked at elsewhere, and scrolls."""
    return isinstance(focused, (QTextEdit, QPlainTextEdit)) and focused.isReadOnly()


def _fills(widget: QWidget) -> bool:
    """Whether it is most of its window, as a text is: only a part of it is covered."""
    whole = widget.window().size()
    return widget.width() * widget.height() * 2 > whole.width() * whole.height()

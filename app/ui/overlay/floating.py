"""A box that floats above all windows: where it stands, how it is moved, that it stays on top.

The window is the box and, beside it, a strip for what comes and goes. Its shape (the mask)
covers only what is visible, so that the empty strip lets clicks through and is no black bar
where there is no compositor. Knows nothing of captions or sessions; `CaptionOverlay` fills it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from PySide6.QtCore import QRect, Qt, QTimer
from PySide6.QtGui import (
    QGuiApplication,
    QHideEvent,
    QMouseEvent,
    QMoveEvent,
    QRegion,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QDialog, QToolTip, QWidget

from app import native
from app.settings import OverlaySettings
from app.ui.overlay import placement, strip
from app.ui.overlay.caption_box import (
    CaptionBox,
    box_height,
    comfortable_size,
    letter_width,
    lines_in,
    minimum_width,
)
from app.ui.overlay.grip import NO_EDGE, Drag, cursor_for, edges_at
from app.ui.overlay.strip import Strip

KEEP_ABOVE_EVERY_MS = 2000  # other windows that want to be on top come later than ours
SETTLE_MS = 500

_FLAGS = (
    Qt.WindowType.FramelessWindowHint
    | Qt.WindowType.WindowStaysOnTopHint
    | Qt.WindowType.Tool
    | Qt.WindowType.NoDropShadowWindowHint
    | Qt.WindowType.WindowDoesNotAcceptFocus
)


def screens() -> dict[str, QRect]:
    """The screens there are now, the primary one first: name and place on the desktop."""
    primary = QGuiApplication.primaryScreen()
    ordered = sorted(QGuiApplication.screens(), key=lambda screen: screen is not primary)
    return {screen.name(): screen.geometry() for screen in ordered}


class FloatingWindow(QWidget):
    """`save` is called with new settings when the user has moved or resized the box."""

    def __init__(
        self,
        settings: OverlaySettings,
        save: Callable[[OverlaySettings], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._save = save
        self._drag: Drag | None = None
        self._platform = QGuiApplication.platformName()
        self._traits = native.overlay_traits(self._platform)
        self._composited = native.has_compositor(self._platform)
        self._strip_above = True
        self._over_fullscreen = False
        self.reframing = False  # hidden only to be shown again in another frame
        self._yields = False  # to a dialog of ours
        self._chosen_width: tuple[int, float] | None = None  # of the box, and of its letters then
        self._asked_for = QRect()  # where the box was last put by us
        self.place_is_certain = False  # whether what Qt says of the place can be believed
        self._make_window()
        self._box = CaptionBox(settings, self)
        self._box.set_opaque(not self._composited)
        self._strip = Strip(self)
        self._strip.changed.connect(self._shape)
        self._settling = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settling.timeout.connect(self._settle)
        self._keeping_above = QTimer(self, interval=KEEP_ABOVE_EVERY_MS)
        self._keeping_above.timeout.connect(self.keep_above)
        self._restore_place()

    @property
    def box_on_screen(self) -> QRect:
        """Where the box is, without the strip."""
        if self._strip_above:
            return self.geometry().adjusted(0, strip.HEIGHT, 0, 0)
        return self.geometry().adjusted(0, 0, 0, -strip.HEIGHT)

    @property
    def place(self) -> QRect:
        """Where the box is or will be: while it is being shown, Qt may not know yet."""
        return self.box_on_screen if self.place_is_certain else QRect(self._asked_for)

    def apply(self, settings: OverlaySettings) -> None:
        """Look as `settings` say; a new height keeps the end nearer to the screen's edge.

        Larger letters first make the box wider, then let it wrap; smaller ones give that back.
        """
        before, self._settings = self._settings, settings
        forgotten = bool(before.geometry) and not settings.geometry
        self._box.apply(settings)
        self.setWindowOpacity(settings.window_opacity)
        if forgotten:
            self._chosen_width = None
            self._restore_place()
        elif letter_width(settings) != letter_width(before):
            self._fit_width(before)
        elif self.box_on_screen.height() != self._fitting_height():
            self._fit_height()

    def set_click_through(self, on: bool) -> None:
        """Let every click reach what is below, without hiding the window for a moment."""
        self.windowHandle().setFlag(Qt.WindowType.WindowTransparentForInput, on)

    # --- moving and resizing ---------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        edges = edges_at(event.position().toPoint(), self._box.geometry())
        if self._traits.places_itself:
            self._drag = Drag(edges, event.globalPosition().toPoint(), self.box_on_screen)
        elif edges == NO_EDGE:
            self.windowHandle().startSystemMove()
        else:
            self.windowHandle().startSystemResize(edges)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is None:
            self.setCursor(cursor_for(edges_at(event.position().toPoint(), self._box.geometry())))
            return
        pointer = event.globalPosition().toPoint()
        self._put_box(self._drag.box_at(pointer, minimum_width(self._settings), self._step))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag = self._chosen_width = None
            self.place_is_certain = True
            self._settle()

    def moveEvent(self, event: QMoveEvent) -> None:
        self._watch_place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()
        self._watch_place()

    def _watch_place(self) -> None:
        """The desktop, too, can move windows."""
        if self.isVisible() and self._drag is None and self._traits.places_itself:
            self._settling.start()

    def _settle(self) -> None:
        """Come to rest, wholly on a screen, and remember the place."""
        if self._drag is not None:
            return
        if not self.place_is_certain:
            self._make_certain()
            return
        name, screen = self._screen_now()
        self._put_box(placement.kept_on(self.box_on_screen, screen))
        self._turn_strip(screen)
        box = self.box_on_screen
        geometry = placement.remember(self._settings.geometry, name, screen, box)
        settled = replace(
            self._settings, geometry=geometry, lines=lines_in(box.height(), self._settings)
        )
        if settled != self._settings:
            self._settings = settled
            self._save(settled)

    def _make_certain(self) -> None:
        """Ask once more for the place and the top, after being shown.

        While an X11 window manager frames a new window, Qt may take the unplaced frame's 0, 0 for
        the window's place, and nothing corrects it (seen in one of four starts with openbox);
        while it lets go of a window, it may put others above.
        """
        self.raise_()
        self.place_is_certain = self.windowHandle().isExposed()
        if not self.place_is_certain:
            self._settling.start()
        elif self.box_on_screen != self._asked_for:
            self._put_box(self._asked_for)

    def _step(self, height: int) -> int:
        """The nearest height of whole lines that leaves room for the controls on the screen."""
        room = self._screen_now()[1].height() - strip.HEIGHT
        lines = lines_in(height, self._settings)
        while lines > 1 and box_height(replace(self._settings, lines=lines)) > room:
            lines -= 1
        return box_height(replace(self._settings, lines=lines))

    # --- place -----------------------------------------------------------------------------

    def _restore_place(self) -> None:
        """To where the box was last, on a screen that is there."""
        present = screens()
        geometry = self._settings.geometry
        name = placement.last_used(geometry, list(present)) or next(iter(present))
        box = placement.remembered(geometry, name, present[name])
        if box is None:
            box = placement.default_box(present[name], comfortable_size(self._settings))
        self._put_box(box)
        self._fit_height()

    def _come_back(self) -> None:
        """After screens have changed: stay if the box can be seen whole, else return to one."""
        if not any(screen.contains(self.box_on_screen) for screen in screens().values()):
            self._restore_place()

    def _fitting_height(self) -> int:
        return self._step(box_height(self._settings))

    def _fit_height(self) -> None:
        """Give the box its height of whole lines; the end nearer to the screen's edge stays."""
        _, screen = self._screen_now()
        box = self.box_on_screen
        fitted = QRect(box.x(), box.y(), max(box.width(), minimum_width(self._settings)), 0)
        fitted.setHeight(self._fitting_height())
        if box.center().y() > screen.center().y():
            fitted.moveBottom(box.bottom())
        self._put_box(placement.kept_on(fitted, screen))
        self._turn_strip(screen)

    def _fit_width(self, before: OverlaySettings) -> None:
        """Room for as many letters as the user's box had, wherever the screen has it."""
        if self._chosen_width is None:
            self._chosen_width = self.box_on_screen.width(), letter_width(before)
        chosen, of_letter = self._chosen_width
        _, screen = self._screen_now()
        box = QRect(self.box_on_screen)
        middle = box.center()
        box.setWidth(placement.widened(chosen, of_letter, letter_width(self._settings), screen))
        box.moveCenter(middle)
        self._put_box(placement.kept_on(box, screen))
        self._fit_height()

    def _screen_now(self) -> tuple[str, QRect]:
        """The screen that holds the middle of the box, else the first."""
        present = screens()
        middle = self.box_on_screen.center()
        holding = (item for item in present.items() if item[1].contains(middle))
        return next(holding, next(iter(present.items())))

    def _put_box(self, box: QRect) -> None:
        """Move and size the window so that the box is exactly here."""
        self._asked_for = QRect(box)
        top = box.top() - (strip.HEIGHT if self._strip_above else 0)
        self.setGeometry(box.x(), top, box.width(), box.height() + strip.HEIGHT)

    def _turn_strip(self, screen: QRect) -> None:
        """Put the strip below the box where there is no room above; the box stays in place."""
        box = self.box_on_screen
        above = box.top() - screen.top() >= strip.HEIGHT
        if above != self._strip_above:
            self._strip_above = above
            self._strip.set_above(above)
            self._put_box(box)
            self._arrange()

    def _arrange(self) -> None:
        box_top = strip.HEIGHT if self._strip_above else 0
        height = self.height() - strip.HEIGHT
        self._box.setGeometry(0, box_top, self.width(), height)
        self._strip.setGeometry(0, 0 if self._strip_above else height, self.width(), strip.HEIGHT)
        self._shape()

    def _shape(self) -> None:
        """Only what is visible is part of the window."""
        if self._composited:
            shape = QRegion(self._box.geometry())
        else:
            rounded = self._box.outline().toFillPolygon().toPolygon()
            shape = QRegion(rounded).translated(self._box.pos())
        used = self._strip.used_area
        self.setMask(shape.united(used.translated(self._strip.pos())) if used else shape)

    # --- staying on top --------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._arrange()
        if self._traits.places_itself:
            self.raise_()
            self.place_is_certain = False
            self._settling.start()
        self._keeping_above.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._keeping_above.stop()
        super().hideEvent(event)

    def keep_above(self) -> None:
        """Raise, unless something of our own would be covered by it."""
        self._check_compositor()
        self._make_room()
        busy = (
            self._yields or self._drag or QApplication.activePopupWidget() or QToolTip.isVisible()
        )
        if busy or not self._traits.places_itself:
            return
        covered = native.is_covered(self._platform)
        if covered != self._over_fullscreen:
            self._go_over_fullscreen(covered)
        elif (
            not covered
        ):  # else it is above all as it is; raised again it would cover a lock screen
            self.raise_()
            native.keep_above(int(self.winId()), self._platform)

    def _make_room(self) -> None:
        """While a dialog of ours is in use the captions are an ordinary window, below it."""
        dialog = _dialog_in_use()
        if (dialog is not None) == self._yields or not self.isVisible():
            return
        self._yields = dialog is not None
        if self._over_fullscreen or self._traits.bypass_window_manager:
            self.lower() if self._yields else self.raise_()  # no window manager knows its layer
            return
        handle = self.windowHandle()
        handle.setFlag(Qt.WindowType.WindowStaysOnTopHint, not self._yields)
        if dialog is None:
            self.keep_above()
        else:
            native.let_below(int(self.winId()), self._platform)
            dialog.raise_()

    def _go_over_fullscreen(self, covered: bool) -> None:
        """Leave the window manager, which knows nothing above full screen, or come back to it."""
        self._over_fullscreen = covered
        box = self.box_on_screen
        self.reframing = True
        self.setWindowFlag(Qt.WindowType.X11BypassWindowManagerHint, covered)  # hides it
        self._put_box(box)
        self.show()
        self.reframing = False

    def _check_compositor(self) -> None:
        composited = native.has_compositor(self._platform)
        if composited != self._composited:
            self._composited = composited
            self._box.set_opaque(not composited)
            self._shape()

    def _make_window(self) -> None:
        flags = _FLAGS
        if self._traits.bypass_window_manager:
            flags |= Qt.WindowType.X11BypassWindowManagerHint
        self.setWindowFlags(flags)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_MacAlwaysShowToolWindow)
        self.setAttribute(Qt.WidgetAttribute.WA_AlwaysShowToolTips)  # it is never the active window
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setWindowOpacity(self._settings.window_opacity)
        self.setMouseTracking(True)
        app = cast(QGuiApplication, QGuiApplication.instance())
        for changed in (app.screenRemoved, app.screenAdded, app.primaryScreenChanged):
            changed.connect(self._come_back, Qt.ConnectionType.QueuedConnection)
        # queued: the window that gets the focus is not raised yet
        app.focusWindowChanged.connect(self._make_room, Qt.ConnectionType.QueuedConnection)


def _dialog_in_use() -> QDialog | None:
    """The dialog of ours that must not be covered now: the active one, or one that waits."""
    active = QApplication.activeWindow()
    if isinstance(active, QDialog):
        return active
    modal = QApplication.activeModalWidget()
    return modal if isinstance(modal, QDialog) else None

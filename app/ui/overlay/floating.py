"""A box that floats above all windows, or is docked: where it stands, how it is moved and sized.

While its text is held the box is larger for a while (`grow`), which is nobody's choice and is not
remembered. Knows nothing of captions or sessions; `CaptionOverlay` fills it, `handled` moves it by
mouse and keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QGuiApplication,
    QHideEvent,
    QMoveEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QWidget

from app.settings import OverlaySettings
from app.ui.overlay import placement, strip
from app.ui.overlay.caption_box import (
    BAR_ROOM,
    box_height,
    comfortable_size,
    letter_width,
    lines_in,
    minimum_width,
)
from app.ui.overlay.caption_view import line_height
from app.ui.overlay.click_through import ClickThrough
from app.ui.overlay.docking import Dock
from app.ui.overlay.framed import FramedWindow
from app.ui.overlay.grip import Drag
from app.ui.overlay.on_top import OnTop
from app.ui.overlay.sharing import Sharing

SETTLE_MS = 500


def screens() -> dict[str, QRect]:
    """The screens there are now, the primary one first: name and place on the desktop."""
    primary = QGuiApplication.primaryScreen()
    ordered = sorted(QGuiApplication.screens(), key=lambda screen: screen is not primary)
    return {screen.name(): screen.geometry() for screen in ordered}


class FloatingWindow(FramedWindow):
    """`save` is called with new settings when the user has moved or resized the box."""

    click_through_ended = Signal()  # by its handle
    sharing_refused = Signal()  # others see the box although they were not to
    no_room_kept = Signal()  # for a docked box, which therefore lies above other windows

    def __init__(
        self,
        settings: OverlaySettings,
        save: Callable[[OverlaySettings], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(settings, parent)
        self._save = save
        self._drag: Drag | None = None
        self._room_is_kept = True  # as far as is known
        self._displaced = False  # its screen is gone: where it is now was nobody's choice
        self._growth: tuple[int, int] | None = None  # px up and down, while the text is held
        self._grown_to = 0  # lines
        self._chosen_width: tuple[int, float] | None = None  # of the box, and of its letters then
        self.place_is_certain = False  # whether what Qt says of the place can be believed
        self._dock = Dock()
        self._click_through = ClickThrough(self)
        self._click_through.ended.connect(self.click_through_ended)
        self._sharing = Sharing(self)
        self._sharing.refused.connect(self.sharing_refused)
        self._sharing.set(settings.hidden_from_sharing)
        self._settling = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settling.timeout.connect(self._settle)
        self._on_top = OnTop(
            self,
            lambda: self.box_on_screen,
            lambda: self._drag is not None,
            self._reframe,
            self._look_around,
        )
        self._box.set_docked(bool(settings.dock))
        self._box.set_dashed(settings.click_through)
        self._restore_place()
        self._click_through.set_docked(bool(settings.dock), self._asked_for)
        app = cast(QGuiApplication, QGuiApplication.instance())
        for changed in (app.screenRemoved, app.screenAdded, app.primaryScreenChanged):
            changed.connect(self._come_back, Qt.ConnectionType.QueuedConnection)

    @property
    def resting_box(self) -> QRect:
        """Where it is when it has not grown for held text."""
        up, down = self._growth or (0, 0)
        return self.box_on_screen.adjusted(0, up, 0, -down)

    @property
    def place(self) -> QRect:
        """Where the box is or will be: while it is being shown, Qt may not know yet."""
        return self.box_on_screen if self.place_is_certain else QRect(self._asked_for)

    @property
    def whole_place(self) -> QRect:
        """The same with the strip, in which controls and messages come and go."""
        if self._strip_above:
            return self.place.adjusted(0, -strip.HEIGHT, 0, 0)
        return self.place.adjusted(0, 0, 0, strip.HEIGHT)

    def apply(self, settings: OverlaySettings) -> None:
        """Look as `settings` say; a new height keeps the end nearer to the screen's edge.

        Larger letters first make the box wider, then let it wrap; smaller ones give that back.
        """
        held = self._growth is not None
        if held and settings == self._settings:
            return  # something else was chosen: nothing is to move under the reader's eyes
        self.shrink()
        before, self._settings = self._settings, settings
        self._box.apply(settings)
        self.setWindowOpacity(settings.window_opacity)
        if settings.click_through != before.click_through:
            self._box.set_dashed(settings.click_through)
            self._click_through.set(settings.click_through, self.box_on_screen)
        self._sharing.set(settings.hidden_from_sharing)
        if settings.dock != before.dock:
            self._change_dock()
        elif settings.geometry != before.geometry:  # all forgotten, or a width that was chosen
            self._chosen_width = None
            self._restore_place()
        elif letter_width(settings) != letter_width(before):
            self._fit_width(before)
        elif self.box_on_screen.height() != self._fitting_height():
            self._fit_height()
        if held:
            self.grow(self._grown_to)

    # --- larger for a while ----------------------------------------------------------------

    def grow(self, lines: int) -> None:
        """Room for so many lines, and for the way back below them.

        Away from the nearer edge of the screen, so that the lines that are read stay in place.
        """
        self.shrink()
        _, screen = self._screen_now()
        box, line = self.box_on_screen, line_height(self._settings)
        more = max(0, lines - lines_in(box.height(), self._settings))
        room = screen.adjusted(0, strip.HEIGHT, 0, 0)
        if not self._strip_above:
            room = screen.adjusted(0, 0, 0, -strip.HEIGHT)
        self._growth = placement.growth(box, screen, room, more, line, BAR_ROOM)
        self._grown_to = lines
        up, down = self._growth
        self._put_box(box.adjusted(0, -up, 0, down))

    def shrink(self) -> None:
        """Back to the chosen size."""
        if self._growth is not None:
            rest = self.resting_box
            self._growth = None
            self._put_box(rest)

    # --- coming to rest -----------------------------------------------------------------------

    def moveEvent(self, event: QMoveEvent) -> None:
        self._watch_place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()
        self._watch_place()

    def _watch_place(self) -> None:
        """The desktop, too, can move windows."""
        if self._click_through.on:
            self._click_through.hold(self.box_on_screen)
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
        if self._settings.dock:
            self._settle_docked(name, screen)
            return
        self._put_box(placement.kept_on(self.box_on_screen, screen))
        self._turn_strip(screen)
        rest = self.resting_box
        lines = lines_in(rest.height(), self._settings)
        geometry = self._settings.geometry
        if not self._displaced:
            geometry = placement.remember(geometry, name, screen, rest)
        self._remember(replace(self._settings, geometry=geometry, lines=lines))

    def _settle_docked(self, name: str, screen: QRect) -> None:
        """At its edge, with the room there kept free; a new height is remembered, no place."""
        rest = self.resting_box
        lines = lines_in(rest.height(), self._settings)
        self._remember(replace(self._settings, lines=lines))
        docked = self._docked_box(name, screen)
        if rest != docked:
            held, self._growth = self._growth is not None, None
            self._put_box(docked)
            if held:
                self.grow(self._grown_to)
        self._turn_strip(screen)
        self._keep_free()
        self._click_through.raise_handle()  # until it was a dock, metacity put it above

    def _keep_free(self) -> None:
        """What is maximised ends where the box begins; said again, as Qt may have taken it back."""
        if self.isVisible() and self.place_is_certain and self._drag is None:
            edge = self._settings.dock
            kept = self._dock.keep_free(
                int(self.winId()), edge, self.resting_box, screens().values()
            )
            if kept != self._room_is_kept:
                self._room_is_kept = kept
                if not kept:
                    self.no_room_kept.emit()

    def _remember(self, settled: OverlaySettings) -> None:
        another_screen = list(settled.geometry) != list(self._settings.geometry)
        if settled != self._settings or another_screen:  # the last of the places is the latest
            self._settings = settled
            self._save(settled)

    def _make_certain(self) -> None:
        """Ask once more for the place and the top, after being shown.

        While an X11 window manager frames a new window, Qt may take the unplaced frame's 0, 0 for
        the window's place, and nothing corrects it (seen in one of four starts with openbox);
        while it lets go of a window, it may put others above.
        """
        self._on_top.come_up()
        self.place_is_certain = self.windowHandle().isExposed()
        if not self.place_is_certain:
            self._settling.start()
            return
        if self.box_on_screen != self._asked_for:
            self._put_box(self._asked_for)
        if self._settings.dock or self._click_through.on:
            self._settling.start()

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
        if self._settings.dock:
            self._put_box(self._docked_box(name, present[name]))
            self._turn_strip(present[name])
            return
        box = placement.remembered(geometry, name, present[name])
        if box is None:
            box = placement.default_box(present[name], comfortable_size(self._settings))
        self._put_box(box)
        self._fit_height()

    def _change_dock(self) -> None:
        """To the edge of the screen it is on, or back to where it floated."""
        self._chosen_width = None
        self._room_is_kept = True
        self._dock.let_go()
        self._box.set_docked(bool(self._settings.dock))
        if self._settings.dock:
            name, screen = self._screen_now()
            self._put_box(self._docked_box(name, screen))
            self._turn_strip(screen)
            self._settling.start()
        else:
            self._restore_place()
        self._click_through.set_docked(bool(self._settings.dock), self.box_on_screen)
        self._shape()

    def _docked_box(self, name: str, screen: QRect) -> QRect:
        room = self._dock.room(name, screen)
        return placement.docked_box(room, self._settings.dock, self._fitting_height())

    def _come_back(self) -> None:
        """After screens have changed: to the screen it belongs on, else to one it is seen on."""
        gone = not any(screen.contains(self.box_on_screen) for screen in screens().values())
        if gone or self._displaced or self._settings.dock:
            held = self._growth is not None
            self._growth = None
            self._restore_place()
            latest = next(reversed(list(self._settings.geometry)), None)
            self._displaced = latest is not None and latest not in screens()
            if held:
                self.grow(self._grown_to)

    def _fitting_height(self) -> int:
        return self._step(box_height(self._settings))

    def _fit_height(self) -> None:
        """Give the box its height of whole lines; the end nearer to the screen's edge stays."""
        name, screen = self._screen_now()
        if self._settings.dock:
            self._put_box(self._docked_box(name, screen))
            self._settling.start()
            return
        box = self.box_on_screen
        fitted = QRect(box.x(), box.y(), max(box.width(), minimum_width(self._settings)), 0)
        fitted.setHeight(self._fitting_height())
        if box.center().y() > screen.center().y():
            fitted.moveBottom(box.bottom())
        self._put_box(placement.kept_on(fitted, screen))
        self._turn_strip(screen)

    def _fit_width(self, before: OverlaySettings) -> None:
        """Room for as many letters as the user's box had, wherever the screen has it."""
        if self._settings.dock:
            self._fit_height()
            return
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

    def _turn_strip(self, screen: QRect) -> None:
        """Put the strip below the box where there is no room above; the box stays in place."""
        box = self.box_on_screen
        above = box.top() - screen.top() >= strip.HEIGHT
        if above != self._strip_above:
            self._strip_above = above
            self._strip.set_above(above)
            self._put_box(box)
            self._arrange()

    # --- staying on top --------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._arrange()
        if self._traits.places_itself:
            self._on_top.come_up()
            self.place_is_certain = False
            self._settling.start()
        if self._settings.click_through:
            self._click_through.set(True, self.box_on_screen)
        self._sharing.hold()
        self._on_top.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._on_top.stop()
        self._dock.let_go()
        super().hideEvent(event)
        self._click_through.hold(self.box_on_screen)

    def raise_(self) -> None:
        """With the handle, which lies on it."""
        super().raise_()
        self._click_through.raise_handle()

    def keep_above(self) -> None:
        """Raise, unless something of our own would be covered by it."""
        self._on_top.keep_above()

    def _look_around(self) -> None:
        """From time to time: compositors come and go, and window managers frame anew."""
        self._check_compositor()
        self._sharing.hold()
        if self._click_through.on:
            self._click_through.hold(self.box_on_screen)
        if self._settings.dock:
            self._keep_free()
            if self.resting_box != self._docked_box(*self._screen_now()):
                self._settling.start()  # a panel has come or gone

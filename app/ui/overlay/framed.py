"""A window that is the caption box and, beside it, a strip for what comes and goes.

Its shape (the mask) covers only what is visible, so that the empty strip lets clicks through and
is no black bar where there is no compositor. Knows nothing of where it stands.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QGuiApplication, QRegion
from PySide6.QtWidgets import QFrame, QWidget

from app import native
from app.settings import OverlaySettings
from app.ui.overlay import strip
from app.ui.overlay.caption_box import CaptionBox
from app.ui.overlay.strip import Strip

_FLAGS = (
    Qt.WindowType.FramelessWindowHint
    | Qt.WindowType.WindowStaysOnTopHint
    | Qt.WindowType.Tool
    | Qt.WindowType.NoDropShadowWindowHint
    | Qt.WindowType.WindowDoesNotAcceptFocus
)


class FramedWindow(QFrame):
    """`box_on_screen` is where the box is; the strip is above or below it.

    A frame that draws none: for assistive technology a panel, where a bare widget is a filler.
    """

    def __init__(self, settings: OverlaySettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._platform = QGuiApplication.platformName()
        self._traits = native.overlay_traits(self._platform)
        self._composited = native.has_compositor(self._platform)
        self._strip_above = True
        self.reframing = False  # hidden only to be shown again in another frame
        self._asked_for = QRect()  # where the box was last put by us
        self._make_window()
        self._box = CaptionBox(settings, self)
        self._box.set_opaque(not self._composited)
        self._strip = Strip(self)
        self._strip.changed.connect(self._shape)

    @property
    def box_on_screen(self) -> QRect:
        """Where the box is, without the strip."""
        if self._strip_above:
            return self.geometry().adjusted(0, strip.HEIGHT, 0, 0)
        return self.geometry().adjusted(0, 0, 0, -strip.HEIGHT)

    def _put_box(self, box: QRect) -> None:
        """Move and size the window so that the box is exactly here."""
        self._asked_for = QRect(box)
        top = box.top() - (strip.HEIGHT if self._strip_above else 0)
        self.setGeometry(box.x(), top, box.width(), box.height() + strip.HEIGHT)

    def _arrange(self) -> None:
        box_top = strip.HEIGHT if self._strip_above else 0
        height = self.height() - strip.HEIGHT
        self._box.setGeometry(0, box_top, self.width(), height)
        self._strip.setGeometry(0, 0 if self._strip_above else height, self.width(), strip.HEIGHT)
        self._shape()

    def _shape(self) -> None:
        """Only what is visible is part of the window."""
        if self._composited:
            box, used = QRegion(self._box.geometry()), QRegion(self._strip.used_area)
        else:
            box, used = self._box.region.translated(self._box.pos()), self._strip.region
        self.setMask(box.united(used.translated(self._strip.pos())))

    def _reframe(self, unmanaged: bool) -> None:
        """Leave the window manager, which knows nothing above full screen, or come back to it."""
        box = self.box_on_screen
        self.reframing = True
        self.hide()
        self.setWindowFlag(Qt.WindowType.X11BypassWindowManagerHint, unmanaged)
        self._put_box(box)
        self.show()
        self.reframing = False

    def _check_compositor(self) -> None:
        """They come and go."""
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

"""A sentence above the transcript, with what can be done about it; never blocks anything.

Knows nothing of what it tells.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.language import say
from app.ui.widgets import plain, worded
from app.ui.widgets.following import FollowFocus
from model_backends.base import Sentence, joined

_DISMISS = Sentence("Dismiss")
MOST_SHOWN = 2  # the transcript needs the room; older ones go, except those with a question


def announce(widget: QWidget, text: str) -> None:
    """Have a screen reader say it, if one is listening."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, say(text)))


class Banner(QFrame):
    """One message. `kind` is "info", "good", "warning" or "failure"."""

    gone = Signal()

    def __init__(self, kind: str, text: str, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setProperty("kind", kind)
        self.text, self.hint = text, hint
        self.about = ""  # what it is about, for whoever ends it
        self.asks = False
        worded.name(self, text)
        worded.description(self, hint)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(_words(text))
        if hint:
            words.addWidget(_words(hint, dim=True))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 8, 8, 8)
        row.setSpacing(12)
        mark = QFrame()
        mark.setObjectName("mark")
        mark.setFixedWidth(4)
        row.addWidget(mark)
        row.addLayout(words, 1)
        row.addLayout(self._buttons)

    def add_button(self, text: str, act: Callable[[], object], stays: bool = False) -> QPushButton:
        """A button; the banner goes when it is pressed unless it `stays`."""
        button = worded.text(QPushButton(), text)
        button.setAutoDefault(False)
        if not stays:
            button.clicked.connect(self.dismiss)
        button.clicked.connect(lambda: act())
        self._buttons.addWidget(button)
        return button

    def add_dismissal(self, text: str = _DISMISS) -> QPushButton:
        return self.add_button(text, lambda: None)

    @property
    def button_count(self) -> int:
        return self._buttons.count()

    def dismiss(self) -> None:
        self.hide()
        self.gone.emit()
        self.deleteLater()


def _words(text: str, dim: bool = False) -> QLabel:
    label = plain.label(text, "dim" if dim else "", wrap=True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)  # a policy of one's own is without it, and the text would be cut
    label.setSizePolicy(policy)
    return label


class BannerStack(QScrollArea):
    """The banners shown now, the newest at the bottom. Takes no room when there are none.

    In a low window it is as high as the highest of them, and scrolls: none is ever cut, unless
    it may be `lowest`.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lowest = 10_000  # px that it may be low, although one is higher and is cut then
        self._page = QWidget()
        self._column = QVBoxLayout(self._page)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.setWidget(self._page)
        FollowFocus(self)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # that is for what is in it
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(lambda _least, most: bar.setValue(most))  # the newest is in sight
        self.viewport().setAutoFillBackground(False)
        self._page.setAutoFillBackground(False)
        self.hide()

    @property
    def banners(self) -> list[Banner]:
        shown = self._page.findChildren(Banner, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return [banner for banner in shown if not banner.isHidden()]

    def sizeHint(self) -> QSize:
        """As high as all of them, in the width there is."""
        return QSize(super().sizeHint().width(), self._column.totalHeightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        """As high as the highest, beside the scroll bar that there is then."""
        beside = self.width() - self.verticalScrollBar().sizeHint().width()
        heights = [each.heightForWidth(beside) for each in self.banners]
        return QSize(
            self._page.minimumSizeHint().width(), min(self.lowest, max(heights, default=0))
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A banner that gets a button has less room for its text, and is higher."""
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            QTimer.singleShot(0, self, self.updateGeometry)  # once it is laid out itself
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()  # text that has become narrower is higher

    def tell(self, kind: str, text: str, hint: str = "", about: str = "") -> Banner:
        """Show a message that can be dismissed; one that is shown already is not repeated.

        Of the same thing `about` only the newest is true: it takes the place of the one before.
        """
        for banner in self.banners:
            if (banner.text, banner.hint) == (text, hint):
                return banner
        self.end(about)
        banner = self.add(Banner(kind, text, hint))
        banner.about = about
        banner.add_dismissal()
        return banner

    def end(self, *about: str) -> None:
        """Take away what was told about these: it is over."""
        for banner in self.banners:
            if banner.about and banner.about in about:
                banner.dismiss()

    def ask(self, text: str, hint: str = "") -> Banner:
        """Show a question; the caller adds the answers. It stays until it is answered."""
        banner = self.add(Banner("info", text, hint))
        banner.asks = True
        return banner

    def add(self, banner: Banner) -> Banner:
        told = [old for old in self.banners if not old.asks]
        for old in told[: len(self.banners) - MOST_SHOWN + 1]:
            old.dismiss()
        self._column.addWidget(banner)
        banner.gone.connect(self._one_less)
        banner.show()
        self.show()
        self.updateGeometry()
        announce(banner, joined(banner.text, banner.hint))
        return banner

    def _one_less(self) -> None:
        self.setVisible(bool(self.banners))
        self.updateGeometry()

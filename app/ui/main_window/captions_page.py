"""The window of the captions page: on or off, for whom, its address, and a code for a phone.

Shows `CaptionsPage` and tells it what was chosen; serves nothing itself.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPixmap
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.ui.state.captions_page import CaptionsPage
from app.ui.widgets import beside_captions, narrow, plain, worded
from app.ui.widgets.following import FollowFocus
from model_backends.base import Counted, Sentence, joined

_WIDTH, _LEAST_HEIGHT = 480, 120  # px, of all but the code; scrolled where there is less
_NARROW = 440  # px, the same on the smallest of screens
_CODE_PX = 190
_LOOK_MS = 500
_WHAT = Sentence(
    "Captions in a browser: on a second screen, a phone, or as a source in OBS. Only words that "
    "stay are shown."
)


class CaptionsPageDialog(QDialog):
    """Follows the page for as long as it is open."""

    def __init__(self, page: CaptionsPage, parent: QWidget | None = None) -> None:
        from app.share.page import IN_THE_NETWORK

        super().__init__(parent)
        self._page = page
        worded.title(self, Sentence("Captions page"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.on = worded.text(QCheckBox(), Sentence("&Show the captions page on this computer"))
        self.network = worded.text(
            QCheckBox(), Sentence("Let &phones and computers in the local network read along")
        )
        self.told = plain.label(IN_THE_NETWORK, "dim", wrap=True)
        self.problem = plain.label("", "warning", wrap=True)
        self.address, self.obs = (
            _Address(Sentence("Address")),
            _Address(Sentence("Address for OBS")),
        )
        self.renew = worded.text(QPushButton(), Sentence("&New address"))
        plain.set_tip(self.renew, Sentence("Whoever has the present one is kept out from then on"))
        self.code = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.screens = plain.label("", "dim")
        self._arrange()
        self.on.toggled.connect(lambda on: self._switch(on, self.network.isChecked()))
        self.network.toggled.connect(lambda network: self._switch(True, network))
        self.renew.clicked.connect(page.renew)
        page.changed.connect(self._show)
        page.problem.connect(self._tell)
        self._looking = QTimer(self, interval=_LOOK_MS)
        self._looking.timeout.connect(self._show_screens)
        self._looking.start()
        self._show()

    def _arrange(self) -> None:
        """The code beside the rest: above the captions there is little height, but on a narrow
        screen no room beside anything."""
        column = QVBoxLayout()
        column.setSpacing(12)
        grid = QGridLayout()
        for row, (text, field) in enumerate(
            ((Sentence("In a browser"), self.address), (Sentence("In OBS"), self.obs))
        ):
            name = plain.label(text)
            name.setBuddy(field.line)
            grid.addWidget(name, row, 0)
            grid.addWidget(field, row, 1)
        for widget in (plain.label(_WHAT, wrap=True), self.on, self.network, self.told):
            column.addWidget(widget)
        column.addWidget(self.problem)
        column.addLayout(grid)
        column.addWidget(self.screens)
        column.addStretch(1)
        self._scrolled = QScrollArea()
        inside = QWidget()
        upper = QHBoxLayout(inside)
        upper.setContentsMargins(0, 0, 0, 0)
        upper.setSpacing(20)
        upper.addLayout(column, 1)
        upper.addWidget(self.code, 0, Qt.AlignmentFlag.AlignTop)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.renew, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.close)
        self._scrolled.setWidget(inside)
        self._scrolled.setWidgetResizable(True)
        FollowFocus(self._scrolled)
        self._scrolled.setFrameShape(QFrame.Shape.NoFrame)
        self._scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scrolled.setMinimumHeight(_LEAST_HEIGHT)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 20, 20, 16)
        whole.setSpacing(12)
        whole.addWidget(self._scrolled, 1)
        whole.addWidget(buttons)
        is_narrow = narrow.is_narrow(self)
        if is_narrow:
            upper.setDirection(QBoxLayout.Direction.TopToBottom)
        self.on.setMinimumWidth(_NARROW if is_narrow else _WIDTH)

    def _switch(self, on: bool, network: bool) -> None:
        worded.text(self.problem, "")
        self._page.switch(on, network)

    def _tell(self, message: str, hint: str) -> None:
        worded.text(self.problem, joined(message, hint))
        self._show()

    def _show(self) -> None:
        page = self._page
        for box, ticked in ((self.on, page.on), (self.network, page.network)):
            box.blockSignals(True)
            box.setChecked(ticked)
            box.blockSignals(False)
        self.network.setEnabled(page.on)
        self.renew.setEnabled(page.on)
        self.address.show_text(page.address)
        self.obs.show_text(page.obs_address)
        self.problem.setVisible(bool(self.problem.text()))
        self._show_screens()
        self.code.setVisible(page.network)
        if page.network:
            picture = code_picture(page.address)
            self.code.setPixmap(picture)
            self.code.setMinimumSize(picture.size())  # a cut one cannot be read
            worded.name(self.code, Sentence("The address as a code for a phone’s camera"))
        self._grow()

    def _grow(self) -> None:
        """As large as what is in it, which wraps, and still beside the captions."""
        layout, page = self.layout(), self._scrolled.widget()
        inside = page.layout() if page is not None else None
        if layout is None or inside is None:
            return
        inside.activate()
        width = inside.totalMinimumSize().width()
        with_bar = width + self._scrolled.verticalScrollBar().sizeHint().width()
        self._scrolled.setMinimumWidth(with_bar)
        wanted = QSize(with_bar, inside.totalHeightForWidth(width))
        around = layout.totalMinimumSize() - self._scrolled.minimumSize()
        beside_captions.put(self, wanted + around)

    def _show_screens(self) -> None:
        worded.text(self.screens, _screens(self._page.screens) if self._page.on else "")


class _Address(QWidget):
    """A text to be copied."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.line = QLineEdit(readOnly=True)
        worded.name(self.line, name)
        self.copy = worded.text(QPushButton(), Sentence("Copy"))
        worded.name(self.copy, Sentence("Copy: {what}", what=name))
        row = QGridLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 0, 0)
        row.addWidget(self.copy, 0, 1)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.line.text()))

    def show_text(self, text: str) -> None:
        if text != self.line.text():
            self.line.setText(text)
            self.line.setCursorPosition(0)
        self.setEnabled(bool(text))


def show(page: CaptionsPage, parent: QWidget) -> CaptionsPageDialog:
    """The dialog, over its parent or beside the captions."""
    dialog = CaptionsPageDialog(page, parent)
    dialog.show()
    return dialog


def _screens(count: int) -> str:
    return Counted("1 screen shows it now.", "{count} screens show it now.", count=count)


def code_picture(text: str) -> QPixmap:
    """A QR code, dark on light whatever the theme: cameras want it so."""
    from app.share.qr import rows

    found = rows(text)
    image = QImage(len(found), len(found), QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    for y, row in enumerate(found):
        for x, dark in enumerate(row):
            if dark:
                image.setPixelColor(x, y, QColor("black"))
    scale = max(1, _CODE_PX // len(found))
    return QPixmap.fromImage(image.scaled(QSize(len(found), len(found)) * scale))

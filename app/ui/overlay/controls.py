"""The strip of controls that appears beside the captions: what one reaches for while reading.

    Hold · Source · A− A+ · More lines · language · ⋯ · ×

Only signals go out; whoever owns settings and session acts on them and shows the result with
the `show_…` functions. What does not fit loses its words, which tooltips keep, and is never cut
off. What is chosen more rarely is in the menu behind ⋯ (`more_menu`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QIcon,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from app.audio.devices.base import SourceInfo
from app.language import say
from app.ui.overlay import icons
from app.ui.overlay.menus import ListMenu
from app.ui.widgets import plain, source_names, worded
from app.ui.widgets.languages import native_name
from app.ui.widgets.sound_file import ask_for_sound_file
from app.ui.widgets.theme import CAPTIONS
from model_backends.base import Sentence

BAR_HEIGHT = 46
MINIMUM_WIDTH = 356  # all controls as icons
SPELLED_FROM = 700  # px: the buttons' words are there, too
TEXT_PX = 14
SURFACE, INK, DIM_INK = QColor(CAPTIONS.surface), QColor(CAPTIONS.ink), QColor(CAPTIONS.dim)
SURFACE.setAlpha(245)
_TARGET = 40  # px: the least side of what is to be hit
_NAME_WIDTH = 150  # px, for the name of the source
RADIUS = 12.0
_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)

_SHEET = f"""
QToolButton {{
    color: {INK.name()}; background: transparent; border: 2px solid transparent;
    border-radius: 8px; padding: 3px 5px; font-size: {TEXT_PX}px;
}}
QToolButton:hover {{ background: rgba(255, 255, 255, 0.13); }}
QToolButton:pressed {{ background: rgba(255, 255, 255, 0.22); }}
QToolButton:checked {{ background: {CAPTIONS.warning}; color: {CAPTIONS.black}; }}
QToolButton:focus {{ border-color: {CAPTIONS.accent}; }}
QToolButton:disabled {{ color: {CAPTIONS.dim}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QLabel {{ color: {INK.name()}; background: transparent; font-size: {TEXT_PX}px; }}
"""


class StripButton(QToolButton):
    """A button of the strip: large enough to hit, and the arrow keys are the window's."""

    def __init__(self) -> None:
        super().__init__()
        self.setIconSize(QSize(icons.GRID, icons.GRID))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)

    def sizeHint(self) -> QSize:
        return super().sizeHint().expandedTo(QSize(_TARGET, _TARGET))

    def minimumSizeHint(self) -> QSize:
        return super().minimumSizeHint().expandedTo(QSize(_TARGET, _TARGET))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ARROWS:
            event.ignore()  # they move the captions
        else:
            super().keyPressEvent(event)


class ControlsBar(QWidget):
    """Hold, source, smaller, larger, more lines, language, more, hide.

    `menus_open_upwards` is for a bar above the captions: a menu must not cover what is read.
    """

    hold_toggled = Signal()
    source_chosen = Signal(str)  # as `app.audio.choice` writes it
    smaller_requested = Signal()
    larger_requested = Signal()
    lines_toggled = Signal()
    more_requested = Signal(QPoint)  # where the menu is to open, on the screen
    hide_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source_name = ""
        self._source_told: str | None = None
        self._many_lines = False
        self._words: dict[QToolButton, str] = {}  # beside the icon, where there is room
        self._draws: dict[QToolButton, Callable[[], QIcon]] = {}  # its icon
        self._was_shown = False  # before it is, nothing is drawn, nor made to fit
        self.menus_open_upwards = True
        self._font = QFont()
        self._font.setPixelSize(TEXT_PX)  # as in the sheet: what is measured is what is painted
        self.setStyleSheet(_SHEET)
        self._build()
        self.setFixedHeight(BAR_HEIGHT)
        worded.name(self, Sentence("Caption controls"))
        worded.follow(self, self._fit)
        self.show_held(False)
        self.show_many_lines(False)
        self.show_sizes_left(True, True)
        self.show_hiding_key("")
        self.show_source("")
        self.show_language(None)

    # --- what is shown ---------------------------------------------------------------------

    def show_held(self, held: bool) -> None:
        """Whether the text stands still; pressing the button would end that."""
        self.hold.setChecked(held)
        does = (
            Sentence("Go on with the newest words")
            if held
            else Sentence("Hold the text; listening goes on")
        )
        self._name(self.hold, Sentence("Hold"), does)

    def show_many_lines(self, many: bool) -> None:
        """Whether there are so many lines already that the next step is to fewer."""
        if many != self._many_lines:
            self._many_lines = many
            self._picture(self.lines, "fewer" if many else "lines")
        text = Sentence("Fewer lines") if many else Sentence("More lines")
        self._name(self.lines, text, text)

    def show_sizes_left(self, smaller: bool, larger: bool) -> None:
        """Whether there is a size below and above the one in use."""
        self.smaller.setEnabled(smaller)
        self.larger.setEnabled(larger)

    def show_hiding_key(self, key: str) -> None:
        """The key that shows hidden captions, if there is one."""
        does = (
            Sentence("Hide captions ({key} shows them)", key=key)
            if key
            else Sentence("Hide captions")
        )
        self._name(self.hide_button, "", does)

    def show_source(self, name: str) -> None:
        """What is listened to now; told with every change of state."""
        if name == self._source_told:
            return
        self._source_told = name
        shown: str = source_names.short(name) or source_names.DEFAULT
        told = Sentence("Sound source: {name}", name=source_names.spoken_of(name) or shown)
        self._source_name = shown
        self._name(self.source, "", told)

    def show_sources(self, sources: Sequence[SourceInfo], chosen: str) -> None:
        """What could be listened to; `chosen` as settings keep it."""
        # not needed before the captions are shown
        from app.ui.overlay.source_menu import list_sources

        self.source_menu.fill(
            lambda: list_sources(self.source_menu, sources, chosen, self._choose_source)
        )

    def show_language(self, code: str | None) -> None:
        """What is being spoken, as its speakers call it; nothing while that is unsure."""
        name = native_name(code)
        told = (
            Sentence("Language: {name}", name=name) if name else Sentence("Language: not sure yet")
        )
        worded.text(self.language, name)
        worded.name(self.language, told)
        plain.set_tip(self.language, told)
        self._fit()

    def set_language_shown(self, shown: bool) -> None:
        """False where the language is told elsewhere."""
        self.language.setVisible(shown)
        self._fit()

    def focus_first(self) -> None:
        """Give the first control the keyboard."""
        self.hold.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @property
    def menu_is_open(self) -> bool:
        return any(menu.isVisible() or menu.awaited for menu in self.findChildren(ListMenu))

    # --- building --------------------------------------------------------------------------

    def _build(self) -> None:
        self.hold = self._button("hold", self.hold_toggled.emit)
        self.hold.setCheckable(True)
        self._picture(self.hold, "hold", QColor(CAPTIONS.black))
        self.source, self.source_menu = self._menu_button("source")
        self.smaller = self._button("smaller", self.smaller_requested.emit)
        self.larger = self._button("larger", self.larger_requested.emit)
        self.lines = self._button("lines", self.lines_toggled.emit)
        self.language = plain.label()
        self.more = self._button("more", self._ask_for_more)
        self.hide_button = self._button("close", self.hide_requested.emit)
        self._row = row = QHBoxLayout(self)
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)  # `_fit` sees to it
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(4)
        for widget in (self.hold, self.source, self.smaller, self.larger, self.lines):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.language)
        for button in (self.more, self.hide_button):
            row.addWidget(button)
        self._name(self.smaller, "", Sentence("Smaller text"))
        self._name(self.larger, "", Sentence("Larger text"))
        self._name(self.more, "", Sentence("More: delay, style, place, quit"))

    def _button(self, icon: str, act: Callable[[], object]) -> QToolButton:
        button = StripButton()
        self._picture(button, icon)
        button.clicked.connect(lambda _checked: act())
        return button

    def _picture(self, button: QToolButton, icon: str, checked: QColor | None = None) -> None:
        """Give it this icon: at once, or when the bar is shown for the first time."""
        self._draws[button] = partial(icons.icon, icon, INK, DIM_INK, checked)
        if self._was_shown:
            button.setIcon(self._draws[button]())

    def _menu_button(self, icon: str) -> tuple[QToolButton, ListMenu]:
        menu = ListMenu(self)
        button = self._button(icon, lambda: menu.open_beside(button, self.menus_open_upwards))
        return button, menu

    def _ask_for_more(self) -> None:
        corner = QPoint(0, 0) if self.menus_open_upwards else QPoint(0, self.more.height())
        self.more_requested.emit(self.more.mapToGlobal(corner))

    # --- acting ----------------------------------------------------------------------------

    def _choose_source(self, source: str) -> None:
        if source == source_names.ASK_FOR_FILE:
            ask_for_sound_file(self, self.source_chosen.emit)
        else:
            self.source_chosen.emit(source)

    def _name(self, button: QToolButton, words: str, told: str) -> None:
        """What is written beside the icon, and what the button does."""
        self._words[button] = words
        worded.name(button, told)
        plain.set_tip(button, told)
        self._fit()

    # --- fitting ---------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Its icons and what it measures take longer than to show the captions does."""
        if not self._was_shown:
            self._was_shown = True
            for button, draw in self._draws.items():
                button.setIcon(draw())
            self._fit()
        super().showEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(MINIMUM_WIDTH, BAR_HEIGHT)

    def _fit(self) -> None:
        """Spell out as much as there is room for: words, the source's name, the language."""
        if not self._was_shown:
            return
        spelled = self.width() >= SPELLED_FROM
        for words, named, language in (
            (spelled, True, True), (False, True, True), (False, False, True), (False, False, False)
        ):  # fmt: skip
            self._spell(words, named, language)
            if self._row.minimumSize().width() <= self.width():
                break
        self._row.activate()

    def _spell(self, words: bool, named: bool, language: bool) -> None:
        for button, text in self._words.items():
            if button is not self.source:
                self._write(button, text if words else "")
        name = QFontMetricsF(self._font).elidedText(
            say(self._source_name), Qt.TextElideMode.ElideRight, _NAME_WIDTH
        )
        self._write(self.source, plain.unmnemonic(name) if named else "")
        room = QSizePolicy.Policy.Minimum if language else QSizePolicy.Policy.Ignored
        self.language.setSizePolicy(room, QSizePolicy.Policy.Preferred)

    def _write(self, button: QToolButton, text: str) -> None:
        beside = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        button.setToolButtonStyle(beside if text else Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setText(say(text))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(CAPTIONS.edge), 1))
        painter.setBrush(SURFACE)
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), RADIUS, RADIUS)

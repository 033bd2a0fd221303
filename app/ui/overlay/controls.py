"""The bar of controls that appears beside the captions: what there is to choose, and who asked.

Only signals go out; whoever owns settings and session acts on them and shows the result with
the `show_…` functions. What does not fit is shortened, then left to tooltips, never cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from app.audio.devices.base import SourceInfo
from app.session.status import Stage, Status
from app.ui.overlay import icons
from app.ui.overlay.menus import ListMenu
from app.ui.overlay.source_menu import list_sources
from app.ui.state.engines import EngineChoice
from app.ui.widgets import engine_names, plain, source_names, stages
from app.ui.widgets.delay_slider import DelaySlider, delay_description, delay_label
from app.ui.widgets.languages import native_name
from app.ui.widgets.sound_file import ask_for_sound_file
from app.ui.widgets.theme import CAPTIONS
from model_backends.base import Sentence

BAR_HEIGHT = 46
MINIMUM_WIDTH = 444  # all controls as icons
TEXT_PX = 14
SURFACE, INK, DIM_INK = QColor(CAPTIONS.surface), QColor(CAPTIONS.ink), QColor(CAPTIONS.dim)
SURFACE.setAlpha(245)
_NAME_WIDTH = 150  # px, for the names of source and engine
_RADIUS = 12.0

_SHEET = f"""
QToolButton {{
    color: {INK.name()}; background: transparent; border: 2px solid transparent;
    border-radius: 8px; padding: 3px 5px; font-size: {TEXT_PX}px;
}}
QToolButton:hover {{ background: rgba(255, 255, 255, 0.13); }}
QToolButton:pressed {{ background: rgba(255, 255, 255, 0.22); }}
QToolButton:focus {{ border-color: {CAPTIONS.accent}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QLabel {{ color: {INK.name()}; background: transparent; font-size: {TEXT_PX}px; }}
"""


class ControlsBar(QWidget):
    """Start or pause, source, engine, delay, language, main window, more, hide.

    `menus_open_upwards` is for a bar above the captions: a menu must not cover what is read.
    """

    pause_toggled = Signal()
    source_chosen = Signal(str)  # as `app.audio.choice` writes it
    engine_chosen = Signal(str)
    delay_chosen = Signal(int)  # ms
    main_window_requested = Signal()
    more_requested = Signal(QPoint)  # where the menu is to open, on the screen
    hide_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._word_error_rate: Mapping[int, float] = {}
        self._engine_name = ""
        self._names: dict[QToolButton, str] = {}
        self.menus_open_upwards = True
        self._font = QFont()
        self._font.setPixelSize(TEXT_PX)  # as in the sheet: what is measured is what is painted
        self.setStyleSheet(_SHEET)
        self._build()
        self.setFixedHeight(BAR_HEIGHT)
        self.setAccessibleName("Caption controls")
        self.show_status(Status(Stage.IDLE, ""))
        self.show_source("")
        self.show_engine("", "")
        self.show_language(None)
        self.show_delays((), 0, {})

    # --- what is shown ---------------------------------------------------------------------

    def show_status(self, status: Status) -> None:
        """The first button says what pressing it would do now."""
        stage = status.stage
        self.pause.setIcon(icons.icon("pause" if _pauses(stage) else "play", INK, DIM_INK))
        self.pause.setAccessibleName(stages.does_next(stage))
        plain.set_tip(self.pause, stages.does_next_in_full(stage))
        self.pause.setEnabled(stages.can_toggle(stage))

    def show_source(self, name: str) -> None:
        """What is listened to now."""
        shown = source_names.short(name) or source_names.DEFAULT
        told = Sentence("Sound source: {name}", name=source_names.spoken_of(name) or shown)
        self._name_button(self.source, shown, told)

    def show_sources(self, sources: Sequence[SourceInfo], chosen: str) -> None:
        """What could be listened to; `chosen` as settings keep it."""
        self.source_menu.fill(
            lambda: list_sources(self.source_menu, sources, chosen, self._choose_source)
        )

    def show_engine(self, name: str, label: str) -> None:
        """The engine in use."""
        self._engine_name = name
        shown = label or "Speech engine"
        told = Sentence("Speech engine: {name}", name=label) if label else shown
        self._name_button(self.engine, shown, told)

    def show_engines(self, choices: Sequence[EngineChoice]) -> None:
        """What could be used; an engine that cannot says so, and why in its tooltip."""
        self.engine_menu.fill(lambda: self._list_engines(choices))

    def _list_engines(self, choices: Sequence[EngineChoice]) -> None:
        for choice in engine_names.offered(choices, self._engine_name):
            name = choice.info.name
            action = self.engine_menu.add_choice(
                engine_names.label(choice), name == self._engine_name
            )
            action.setEnabled(choice.usable)
            action.setToolTip(plain.tip(choice.why_not or choice.info.label))
            action.triggered.connect(partial(self._choose_engine, name))

    def show_delays(
        self, delays_ms: Sequence[int], chosen_ms: int, word_error_rate: Mapping[int, float]
    ) -> None:
        """The delays the engine offers. One alone leaves nothing to choose, so no slider."""
        self._word_error_rate = word_error_rate
        self.delay.offer(delays_ms, chosen_ms, word_error_rate)
        self.delay.setVisible(len(delays_ms) > 1)
        self.delay_text.setVisible(bool(delays_ms))
        self._describe_delay()

    def show_language(self, code: str | None) -> None:
        """What is being spoken, as its speakers call it; nothing while that is unsure."""
        name = native_name(code)
        told = Sentence("Language: {name}", name=name) if name else "Language: not sure yet"
        self.language.setText(name)
        self.language.setAccessibleName(told)
        plain.set_tip(self.language, told)
        self._fit()

    def set_language_shown(self, shown: bool) -> None:
        """False where the language is told elsewhere."""
        self.language.setVisible(shown)
        self._fit()

    def focus_first(self) -> None:
        """Give the first control the keyboard."""
        self.pause.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @property
    def menu_is_open(self) -> bool:
        return any(menu.isVisible() or menu.awaited for menu in self.findChildren(ListMenu))

    # --- building --------------------------------------------------------------------------

    def _build(self) -> None:
        self.pause = self._button("play", "", self.pause_toggled.emit)
        self.source, self.source_menu = self._menu_button("source")
        self.engine, self.engine_menu = self._menu_button("engine")
        self.delay = DelaySlider()
        self.delay_text = plain.label()
        self.language = plain.label()
        self.main_window = self._button(
            "window", "Transcript and settings", self.main_window_requested.emit
        )
        self.more = self._button("more", "More: preferences, quit", self._ask_for_more)
        self.hide_button = self._button("close", "Hide captions", self.hide_requested.emit)
        self.delay.valueChanged.connect(self._describe_delay)
        self.delay.delay_chosen.connect(self.delay_chosen)
        self.delay.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._row = row = QHBoxLayout(self)
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)  # `_fit` sees to it
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(4)
        for widget in (self.pause, self.source, self.engine, self.delay, self.delay_text):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.language)
        row.addSpacing(4)
        for button in (self.main_window, self.more, self.hide_button):
            row.addWidget(button)

    def _button(self, icon: str, does: str, act: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setIcon(icons.icon(icon, INK, DIM_INK))
        button.setIconSize(QSize(icons.GRID, icons.GRID))
        button.setAccessibleName(does)
        plain.set_tip(button, does)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(act)
        return button

    def _menu_button(self, icon: str) -> tuple[QToolButton, ListMenu]:
        menu = ListMenu(self)
        button = self._button(icon, "", lambda: menu.open_beside(button, self.menus_open_upwards))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
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

    def _choose_engine(self, engine: str, _checked: bool = False) -> None:
        if engine != self._engine_name:
            self.engine_chosen.emit(engine)

    def _describe_delay(self) -> None:
        self._fit()

    def _name_button(self, button: QToolButton, name: str, told: str) -> None:
        self._names[button] = name
        button.setAccessibleName(told)
        plain.set_tip(button, told)
        self._fit()

    # --- fitting ---------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(MINIMUM_WIDTH, BAR_HEIGHT)

    def _fit(self) -> None:
        """Spell out as much as there is room for: first the delay's words go, then names."""
        for spelled_delay, named in ((True, True), (False, True), (False, False)):
            self._spell(spelled_delay, named)
            if self._row.minimumSize().width() <= self.width():
                break
        self._row.activate()

    def _spell(self, spelled_delay: bool, named: bool) -> None:
        ms = self.delay.delay_ms
        if ms is not None:
            whole = delay_description(ms, self._word_error_rate)
            self.delay_text.setText(whole if spelled_delay else delay_label(ms))
        self.delay_text.setFixedWidth(self._delay_text_width(spelled_delay))
        for button, name in self._names.items():
            text = QFontMetricsF(self._font).elidedText(
                name, Qt.TextElideMode.ElideRight, _NAME_WIDTH
            )
            button.setText(plain.unmnemonic(text) if named else "")

    def _delay_text_width(self, spelled: bool) -> int:
        """That of the widest delay, so that nothing beside it moves while the slider does."""
        metrics = QFontMetricsF(self._font)
        texts = [
            delay_description(ms, self._word_error_rate) if spelled else delay_label(ms)
            for ms in self.delay.delays_ms
        ]
        return round(max((metrics.horizontalAdvance(text) for text in texts), default=0)) + 4

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(CAPTIONS.edge), 1))
        painter.setBrush(SURFACE)
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), _RADIUS, _RADIUS)


def _pauses(stage: Stage) -> bool:
    return stage not in stages.OFF and stage is not Stage.PAUSED

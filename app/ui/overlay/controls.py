"""The bar of controls that appears beside the captions: what there is to choose, and who asked.

Only signals go out; whoever owns settings and session acts on them and shows the result with
the `show_…` functions. What does not fit is shortened, then left to tooltips, never cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QWidget

from app.audio.devices.base import SourceInfo
from app.session.status import Stage, Status
from app.ui.overlay import icons
from app.ui.state.engines import EngineChoice
from app.ui.widgets.delay_slider import DelaySlider, delay_description, delay_label
from app.ui.widgets.languages import UNSURE, native_name

BAR_HEIGHT = 46
MINIMUM_WIDTH = 400  # all controls as icons
TEXT_PX = 14
SURFACE, INK, DIM_INK = QColor(24, 26, 31, 245), QColor("#f2f4f8"), QColor("#8b93a1")
_BORDER = QColor(255, 255, 255, 36)
_NAME_WIDTH = 150  # px, for the names of source and engine
_RADIUS = 12.0
_MENU_GAP = 7
_STARTS = (Stage.IDLE, Stage.STOPPED, Stage.FAILED)
_BUSY = (Stage.STOPPING,)

_SHEET = f"""
QToolButton {{
    color: {INK.name()}; background: transparent; border: 2px solid transparent;
    border-radius: 8px; padding: 3px 5px; font-size: {TEXT_PX}px;
}}
QToolButton:hover {{ background: rgba(255, 255, 255, 0.13); }}
QToolButton:pressed {{ background: rgba(255, 255, 255, 0.22); }}
QToolButton:focus {{ border-color: #7cc4ff; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QLabel {{ color: {INK.name()}; background: transparent; font-size: {TEXT_PX}px; }}
"""
MENU_SHEET = f"""
QMenu {{
    background: #1f2228; color: {INK.name()}; border: 1px solid #454b57; padding: 6px;
    font-size: {TEXT_PX}px;
}}
QMenu::item {{ padding: 7px 22px 7px 10px; border-radius: 6px; }}
QMenu::item:selected {{ background: #34507a; }}
QMenu::item:disabled {{ color: {DIM_INK.name()}; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::separator {{ height: 1px; background: #454b57; margin: 5px 8px; }}
"""


class ControlsBar(QWidget):
    """Start or pause, source, engine, delay, language, main window, quit.

    `menus_open_upwards` is for a bar above the captions: a menu must not cover what is read.
    """

    pause_toggled = Signal()
    source_chosen = Signal(str)  # SourceInfo.id
    engine_chosen = Signal(str)
    delay_chosen = Signal(int)  # ms
    main_window_requested = Signal()
    quit_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._word_error_rate: Mapping[int, float] = {}
        self._engine_name = ""
        self._names: dict[QToolButton, str] = {}
        self._groups: dict[QMenu, QActionGroup] = {}
        self.menus_open_upwards = True
        self._font = QFont()
        self._font.setPixelSize(TEXT_PX)  # as in the sheet: what is measured is what is painted
        self.setStyleSheet(_SHEET)
        self._build()
        self.setFixedHeight(BAR_HEIGHT)
        self.setAccessibleName("Caption controls")
        self.show_status(Status(Stage.IDLE, ""))
        self.show_language(None)
        self.show_delays((), 0, {})

    # --- what is shown ---------------------------------------------------------------------

    def show_status(self, status: Status) -> None:
        """The first button says what pressing it would do now."""
        if status.stage in _STARTS:
            name, does = "play", "Start captions"
        elif status.stage is Stage.PAUSED:
            name, does = "play", "Go on captioning"
        else:
            name, does = "pause", "Pause captions"
        self.pause.setIcon(icons.icon(name, INK, DIM_INK))
        self.pause.setToolTip(does)
        self.pause.setAccessibleName(does)
        self.pause.setEnabled(status.stage not in _BUSY)

    def show_source(self, name: str) -> None:
        """What is listened to now."""
        self._name_button(self.source, name or "Microphone", "Sound source")

    def show_sources(self, sources: Sequence[SourceInfo], chosen: str) -> None:
        """What could be listened to; `chosen` is an id or a name."""
        menu = self._fresh_menu(self.source_menu)
        kinds = (("microphone", "Microphones"), ("system", "What the computer plays"))
        for kind, title in kinds:
            of_kind = [source for source in sources if source.kind == kind]
            if of_kind:
                menu.addSection(title)
            for source in of_kind:
                action = self._choice(menu, source.name, chosen in (source.id, source.name))
                action.triggered.connect(partial(self._choose_source, source.id))
        if not sources:
            menu.addAction("No microphone was found").setEnabled(False)

    def show_engine(self, name: str, label: str) -> None:
        """The engine in use."""
        self._engine_name = name
        self._name_button(self.engine, label, "Speech engine")

    def show_engines(self, choices: Sequence[EngineChoice]) -> None:
        """What could be used; an engine that cannot says so, and why in its tooltip."""
        menu = self._fresh_menu(self.engine_menu)
        for choice in choices:
            info = choice.info
            text = info.label if choice.usable else f"{info.label} (not available here)"
            action = self._choice(menu, text, info.name == self._engine_name)
            action.setEnabled(choice.usable)
            action.setToolTip(choice.why_not or info.label)
            action.triggered.connect(partial(self._choose_engine, info.name))

    def show_delays(
        self, delays_ms: Sequence[int], chosen_ms: int, word_error_rate: Mapping[int, float]
    ) -> None:
        """The delays the engine offers. One alone leaves nothing to choose, so no slider."""
        self._word_error_rate = word_error_rate
        self.delay.offer(delays_ms, chosen_ms)
        self.delay.setVisible(len(delays_ms) > 1)
        self.delay_text.setVisible(bool(delays_ms))
        self._describe_delay()

    def show_language(self, code: str | None) -> None:
        """What is being spoken, as its speakers call it; `?` when unsure."""
        name = native_name(code)
        self.language.setText(name)
        unsure = "Language: not sure yet" if name == UNSURE else f"Language: {name}"
        self.language.setToolTip(unsure)
        self.language.setAccessibleName(unsure)

    def set_language_shown(self, shown: bool) -> None:
        """False where the language is told elsewhere."""
        self.language.setVisible(shown)
        self._fit()

    def focus_first(self) -> None:
        """Give the first control the keyboard."""
        self.pause.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @property
    def menu_is_open(self) -> bool:
        return any(menu.isVisible() for menu in self.findChildren(QMenu))

    # --- building --------------------------------------------------------------------------

    def _build(self) -> None:
        self.pause = self._button("play", "", self.pause_toggled.emit)
        self.source, self.source_menu = self._menu_button("source")
        self.engine, self.engine_menu = self._menu_button("engine")
        self.delay = DelaySlider()
        self.delay_text = QLabel()
        self.language = QLabel()
        self.main_window = self._button(
            "window", "Transcript and settings", self.main_window_requested.emit
        )
        self.quit = self._button("quit", "Quit Voxline", self.quit_requested.emit)
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
        row.addWidget(self.main_window)
        row.addWidget(self.quit)

    def _button(self, icon: str, does: str, act: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setIcon(icons.icon(icon, INK, DIM_INK))
        button.setIconSize(QSize(icons.GRID, icons.GRID))
        button.setToolTip(does)
        button.setAccessibleName(does)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(act)
        return button

    def _menu_button(self, icon: str) -> tuple[QToolButton, QMenu]:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        menu.setStyleSheet(MENU_SHEET)
        menu.addAction("Looking …").setEnabled(False)
        button = self._button(icon, "", lambda: self._open(menu, button))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        menu.aboutToHide.connect(lambda: button.setDown(False))
        return button, menu

    def _open(self, menu: QMenu, button: QToolButton) -> None:
        button.setDown(True)
        above = QPoint(0, -menu.sizeHint().height() - _MENU_GAP)
        below = QPoint(0, button.height() + _MENU_GAP)
        menu.popup(button.mapToGlobal(above if self.menus_open_upwards else below))

    def _fresh_menu(self, menu: QMenu) -> QMenu:
        """The menu, emptied, with a new group of which one entry can be chosen."""
        menu.clear()
        self._groups[menu] = QActionGroup(menu)
        return menu

    def _choice(self, menu: QMenu, text: str, chosen: bool) -> QAction:
        action = menu.addAction(text)
        self._groups[menu].addAction(action)
        action.setCheckable(True)
        action.setChecked(chosen)
        return action

    # --- acting ----------------------------------------------------------------------------

    def _choose_source(self, source: str, _checked: bool = False) -> None:
        self.source_chosen.emit(source)

    def _choose_engine(self, engine: str, _checked: bool = False) -> None:
        if engine != self._engine_name:
            self.engine_chosen.emit(engine)

    def _describe_delay(self) -> None:
        ms = self.delay.delay_ms
        whole = "" if ms is None else delay_description(ms, self._word_error_rate)
        self.delay.setToolTip(f"Delay: {whole}")
        self.delay.setAccessibleDescription(whole)
        self._fit()

    def _name_button(self, button: QToolButton, name: str, what: str) -> None:
        self._names[button] = name
        button.setToolTip(f"{what}: {name}")
        button.setAccessibleName(f"{what}: {name}")
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
            button.setText(text if named else "")

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
        painter.setPen(QPen(_BORDER, 1))
        painter.setBrush(SURFACE)
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), _RADIUS, _RADIUS)

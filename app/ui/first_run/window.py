"""The first run: four short steps beside captions that already run. Each can be skipped.

There is nothing to confirm: every answer holds at once, and shows in the captions. It stays
beside them, however large they become.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.settings import Settings
from app.ui.desktop.hotkeys import Hotkeys
from app.ui.first_run.source_step import SourceStep
from app.ui.first_run.steps import HearingStep, KeepingStep, LookStep
from app.ui.state.captioning import Captioning
from app.ui.state.commands import Commands
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import beside_captions, plain, worded
from app.ui.widgets.banner import announce
from app.ui.widgets.scrolled import scrolled
from model_backends.base import EngineInfo, Sentence

_WIDTH = 620
_LEAST = QSize(360, 190)  # a page that needs more scrolls
_AGAIN = Sentence("Help, First steps shows this again.")


class FirstRunWindow(QDialog):
    """`ended` comes once, however it is closed. `step_shown` brings the step and how many."""

    step_shown = Signal(int, int)
    ended = Signal()

    def __init__(
        self,
        captioning: Captioning,
        store: SettingsStore,
        commands: Commands,
        hotkeys: Hotkeys,
        find_info: Callable[[str], EngineInfo | None],
    ) -> None:
        super().__init__()
        worded.title(self, Sentence("First steps"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumSize(_LEAST)
        self.source = SourceStep(captioning, store)
        self.look = LookStep(store)
        self.hearing = HearingStep(store, find_info)
        self.keeping = KeepingStep(store, commands, hotkeys)
        self.steps = (self.source, self.look, self.hearing, self.keeping)
        self.heading = plain.label(name="heading", wrap=True)
        self.progress = plain.label(name="dim")
        self.pages = QStackedWidget()
        for step in self.steps:  # before the buttons: Tab goes as one reads
            page = scrolled(step, _LEAST.width())
            worded.name(page, step.title)
            self.pages.addWidget(page)
        self.skip = worded.text(QPushButton(), Sentence("&Skip"))
        self.back = worded.text(QPushButton(), Sentence("&Back"))
        self.next = worded.text(QPushButton(), Sentence("&Next"))
        self._arrange()
        self._clear = beside_captions.StaysClear(self)
        self.skip.clicked.connect(self.close)
        self.back.clicked.connect(lambda: self.show_step(self.pages.currentIndex() - 1))
        self.next.clicked.connect(self._go_on)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self, self.close)
        self.finished.connect(lambda _: self.ended.emit())
        store.changed.connect(self._show_settings)  # a method, which goes with the window
        self._show_settings(store.settings)
        self.source.look_for_sources()

    def sizeHint(self) -> QSize:
        """High enough for the longest of the steps at this width, so that nothing jumps."""
        around = self._column.contentsMargins()
        inside = _WIDTH - around.left() - around.right()
        longest = max(step.heightForWidth(inside) for step in self.steps)
        others = super().sizeHint().height() - self.pages.sizeHint().height()
        return QSize(_WIDTH, others + longest + 2)

    def come_forward(self) -> None:
        """Show it beside the captions, with the keyboard in it."""
        if not self.isVisible():
            self._clear.place()
        self.show()
        self.raise_()
        self.activateWindow()

    def show_step(self, index: int) -> None:
        """Go to this step, counted from 0, and say so; the keyboard is at its first control."""
        step, count = self.steps[index], len(self.steps)
        self.pages.setCurrentIndex(index)
        worded.text(self.heading, step.title)
        progress = Sentence("Step {number} of {count}", number=index + 1, count=count)
        worded.text(self.progress, progress)
        self.back.setEnabled(index > 0)
        last = index == count - 1
        worded.text(self.next, Sentence("&Start reading") if last else Sentence("&Next"))
        self.skip.setVisible(not last)
        self._focus(step)
        announce(self, Sentence("{progress}. {title}", progress=progress, title=step.title))
        self.step_shown.emit(index + 1, count)

    def _go_on(self) -> None:
        following = self.pages.currentIndex() + 1
        if following < len(self.steps):
            self.show_step(following)
        else:
            self.close()

    def _focus(self, step: QWidget) -> None:
        """The first control that Tab would reach in it, or the way on."""
        each = step.nextInFocusChain()
        while each is not None and each is not step:
            if step.isAncestorOf(each) and each.isVisibleTo(step) and _takes_keys(each):
                each.setFocus(Qt.FocusReason.OtherFocusReason)
                return
            each = each.nextInFocusChain()
        self.next.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_settings(self, settings: Settings) -> None:
        for step in self.steps:
            step.show_settings(settings)

    def _arrange(self) -> None:
        for button in (self.skip, self.back):
            button.setAutoDefault(False)
        self.next.setDefault(True)
        self.next.setObjectName("primary")
        plain.set_tip(self.skip, _AGAIN)
        top = QHBoxLayout()
        top.addWidget(self.heading, 1)
        top.addWidget(self.progress)
        buttons = QHBoxLayout()
        buttons.addWidget(self.skip)
        buttons.addStretch(1)
        buttons.addWidget(self.back)
        buttons.addWidget(self.next)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(20, 10, 20, 10)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.pages, 1)
        column.addLayout(buttons)


def _takes_keys(control: QWidget) -> bool:
    """Whether Tab goes to it; of answers to one question, to the one that is given."""
    if isinstance(control, QRadioButton) and not control.isChecked():
        return False
    return bool(control.focusPolicy() & Qt.FocusPolicy.TabFocus) and control.isEnabled()

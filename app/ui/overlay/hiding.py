"""What stays of hidden captions: a sentence for a moment, and a pill where there is no tray.

Knows a window to be shown again, and nothing of captions.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QRect

from app.session.status import Stage
from app.ui.overlay.pill import Pill
from app.ui.widgets import stages
from model_backends.base import Sentence

_HIDDEN = Sentence(
    "Captions are hidden, still listening. Click here, or the Voxline icon, to show them."
)
_HIDDEN_WITHOUT_TRAY = Sentence("Captions are hidden, still listening. Click here to show them.")
_HIDDEN_WITH_KEY = "Captions are hidden, still listening. Click here, or press {key}, to show them."
_HIDDEN_WHILE_OFF = Sentence("Captions are hidden. Click here to show them.")


class WayBack(QObject):
    """`show` brings the window back; `has_tray` says whether a tray icon could, too."""

    def __init__(self, parent: QObject, show: Callable[[], object]) -> None:
        super().__init__(parent)
        self._show = show
        self.has_tray: Callable[[], bool] = lambda: False
        self.key = ""  # that shows captions from anywhere, if there is one
        self.pill: Pill | None = None
        self._stage = Stage.IDLE
        self._ending = False

    def show_stage(self, stage: Stage) -> None:
        """Trouble is seen on the pill, too."""
        self._stage = stage
        if self.pill is not None:
            self.pill.show_kind(stages.kind(stage))

    def end(self) -> None:
        """The app is ending: nothing is to stay on the screen."""
        self._ending = True
        self.window_is_back()

    @property
    def ending(self) -> bool:
        return self._ending

    def window_is_back(self) -> None:
        if self.pill is not None:
            self.pill.hide()

    def window_is_gone(self, box: QRect) -> None:
        """By whatever way: something stays, unless the tray's icon does."""
        if not self._ending and not self.has_tray():
            self._the_pill().stay(box)

    def tell(self, box: QRect) -> None:
        """Say what has happened, and how to undo it."""
        if not self._ending:
            self._the_pill().tell(self._sentence(), box)

    def _sentence(self) -> str:
        if self._stage in stages.AT_REST:
            return _HIDDEN_WHILE_OFF
        if self.key:
            return Sentence(_HIDDEN_WITH_KEY, key=self.key)
        return _HIDDEN if self.has_tray() else _HIDDEN_WITHOUT_TRAY

    def _the_pill(self) -> Pill:
        if self.pill is None:
            self.pill = Pill()
            self.pill.clicked.connect(self._show)
            self.pill.told.connect(self._has_told)
            self.pill.show_kind(stages.kind(self._stage))
        return self.pill

    def _has_told(self) -> None:
        pill = self._the_pill()
        pill.hide() if self.has_tray() else pill.stay(pill.geometry())

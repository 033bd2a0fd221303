"""The files on their way into the library, one below the other, each with how far it is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.ui.main_window.transcript import clock
from app.ui.sessions.imports import Imports, Job, State
from app.ui.widgets import plain, worded
from app.ui.widgets.following import FollowFocus
from model_backends.base import Sentence, joined

_MOST_SHOWN = 3  # rows at once; the rest is scrolled to
_BESIDE = 8  # px that the scroll bar keeps
_NAME = 30  # characters


class JobRow(QWidget):
    """One file."""

    def __init__(self, job: Job, imports: Imports) -> None:
        super().__init__()
        self.job, self._imports = job, imports
        self.name = plain.name_label(job.path.name, _NAME, tip=str(job.path))
        self.bar = QProgressBar()
        worded.name(self.bar, job.path.name)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.told = plain.label(name="dim", wrap=True)
        self.button = worded.text(QPushButton(), Sentence("Stop"))
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self._press)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.name, 0, 0)
        grid.addWidget(self.button, 0, 1, 3, 1, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.bar, 1, 0)
        grid.addWidget(self.told, 2, 0)
        grid.setColumnStretch(0, 1)
        self.show_job()

    def show_job(self) -> None:
        """How far it is now."""
        job = self.job
        self.bar.setVisible(job.state is State.WORKING)
        known = job.duration_ms or 0
        self.bar.setRange(0, known // 1000)  # to 0: it moves, and says nothing of how long
        self.bar.setValue(min(job.heard_ms, known) // 1000)
        worded.text(self.told, _told(job))
        text = Sentence("Dismiss") if job.over else Sentence("Stop")
        worded.text(self.button, text)
        worded.name(self.button, Sentence("{does}: {file}", does=text, file=job.path.name))

    def height_at(self, width: int) -> int:
        """What it needs there, since what is told wraps."""
        layout = self.layout()
        assert layout is not None
        return layout.totalHeightForWidth(width)

    def _press(self) -> None:
        if self.job.over:
            self._imports.forget(self.job)
            self._imports.changed.emit(self.job)
        else:
            self._imports.stop(self.job)


def _told(job: Job) -> str:
    if job.state is State.WAITING:
        return Sentence("Waiting")
    if job.state is State.STOPPED:
        return Sentence("Stopped: nothing was kept.")
    if job.over:
        return joined(*job.notes)
    if not job.heard_ms:
        return Sentence("Loading the speech model …")
    if not job.duration_ms:
        return clock(job.heard_ms)
    return Sentence("{at} of {end}", at=clock(job.heard_ms), end=clock(job.duration_ms))


class ImportsPanel(QScrollArea):
    """Takes no room while there is nothing to import."""

    def __init__(self, imports: Imports, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._imports = imports
        self._rows: dict[Job, JobRow] = {}
        page = QWidget()
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(0, 0, _BESIDE, 0)
        self._column.setSpacing(8)
        self._column.addStretch(1)
        self.setWidget(page)
        self.setWidgetResizable(True)
        FollowFocus(self)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        worded.name(self, Sentence("Files being imported"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        imports.changed.connect(self._show)
        for job in imports.jobs:
            self._show(job)
        self._fit()

    @property
    def rows(self) -> list[JobRow]:
        return list(self._rows.values())

    def _show(self, job: Job) -> None:
        gone = job not in self._imports.jobs or (job.state is State.DONE and not job.notes)
        row = self._rows.get(job)
        if gone:
            self._imports.forget(job)
            if row is not None:
                del self._rows[job]
                row.hide()
                row.deleteLater()
        elif row is None:
            row = self._rows[job] = JobRow(job, self._imports)
            self._column.insertWidget(self._column.count() - 1, row)
        else:
            row.show_job()
        self._fit()

    def _fit(self) -> None:
        self.setVisible(bool(self._rows))
        width = self.viewport().width() - _BESIDE
        heights = [row.height_at(width) + 8 for row in self.rows[:_MOST_SHOWN]]
        self.setFixedHeight(sum(heights) + 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What is told wraps."""
        super().resizeEvent(event)
        self._fit()

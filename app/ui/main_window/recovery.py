"""Tells of earlier sessions that were cut off: they are safe by then, and nobody is asked.

Knows nothing of how they are kept: `app.session.shelving` finds them and makes them safe.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QDate, QDateTime, QLocale, QObject, QTime

from app.language import say
from app.session.shelving import Recovered, recover_all
from app.ui.state.background import in_background
from app.ui.widgets.banner import BannerStack
from model_backends.base import Counted, Sentence

log = logging.getLogger(__name__)


class Recovery(QObject):
    """Looks into the `folder` of journals, and tells through `banners`."""

    def __init__(
        self,
        folder: Path,
        banners: BannerStack,
        show_sessions: Callable[[], object] = lambda: None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._folder, self._banners, self._show = folder, banners, show_sessions

    def look(self) -> None:
        """Make safe what was cut off, in the background."""
        in_background(
            lambda: recover_all(self._folder), self._tell, self._failed, owner=self._banners
        )

    def _tell(self, recovered: Sequence[Recovered]) -> None:
        safe = [each for each in recovered if each.saved is not None]
        if safe:
            banner = self._banners.tell("good", _sentence(safe), about="recovered")
            banner.add_button(Sentence("Show"), self._show)
        for problem in {each.problem for each in recovered if each.problem is not None}:
            self._banners.tell("failure", problem.message, problem.hint)

    def _failed(self, error: Exception) -> None:
        """The journals are still there, so nothing is lost."""
        log.error("recovery failed", exc_info=error)
        self._banners.tell(
            "failure",
            Sentence("An earlier session could not be recovered."),
            Sentence("It is kept, and tried again at the next start. The log says why."),
        )


def _sentence(safe: Sequence[Recovered]) -> Sentence:
    words = sum(each.words for each in safe)
    if len(safe) > 1:
        template = "{sessions} sessions were cut off. They are recovered: {words:,} words."
        return Sentence(template, sessions=len(safe), words=words)
    return Counted(
        "The session of {when} was cut off. It is recovered: 1 word.",
        "The session of {when} was cut off. It is recovered: {count:,} words.",
        count=words,
        when=_written(safe[0].started),
    )


def _written(started: datetime) -> str:
    """As the language writes a day and a time: the form is Qt's."""
    form = say(Sentence("d MMMM, HH:mm"))
    day, time = started.date(), started.time()
    at = QDateTime(QDate(day.year, day.month, day.day), QTime(time.hour, time.minute))
    return str(QLocale().toString(at, form))

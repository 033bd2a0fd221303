"""Offers what an earlier session left unsaved, while captions are already running.

One question at a time, as a banner that blocks nothing; "Later" asks again at the next start.
Knows nothing of journals' format: `app.session.journal` finds, saves and deletes them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject

from app.session import journal
from app.session.journal import Unfinished
from app.ui.state.background import in_background
from app.ui.widgets.banner import Banner, BannerStack
from model_backends.base import Sentence, UserError

_T = TypeVar("_T")
log = logging.getLogger(__name__)


class Recovery(QObject):
    """Finds unfinished sessions in `folder` and asks about each through `banners`."""

    def __init__(
        self,
        folder: Path,
        banners: BannerStack,
        saved: Callable[[Path], None],
        asked: Callable[[], None] = lambda: None,
        parent: QObject | None = None,
    ) -> None:
        """`saved` is called with each subtitle file written; `asked` with each question shown."""
        super().__init__(parent)
        self._folder, self._banners = folder, banners
        self._saved, self._asked = saved, asked
        self._waiting: list[Unfinished] = []

    def look(self) -> None:
        """Look for unfinished sessions, in the background."""
        self._do(self._find, self._take)

    def _find(self) -> list[Unfinished]:
        journal.prune(self._folder)
        return journal.unfinished(self._folder)

    def _take(self, found: list[Unfinished]) -> None:
        self._waiting = found
        self._ask_next()

    def _ask_next(self) -> None:
        if not self._waiting:
            return
        left = self._waiting.pop()  # the newest first: it is the one that is missed
        banner = self._banners.ask(_question(left), _preview(left, len(self._waiting)))
        save = banner.add_button("Save the subtitle file", lambda: self._save(left))
        save.setObjectName("primary")
        banner.add_button("Delete…", lambda: self._confirm(left))
        banner.add_button("Later", self._ask_next)
        self._asked()

    def _save(self, left: Unfinished) -> None:
        self._do(lambda: journal.recover(left.path), self._tell_saved)

    def _tell_saved(self, path: Path) -> None:
        self._saved(path)
        self._ask_next()

    def _confirm(self, left: Unfinished) -> None:
        banner: Banner = self._banners.ask(
            Sentence("Delete {words} for good?", words=_words(left)),
            Sentence("From the session of {when}.", when=_when(left)),
        )
        banner.add_button("Delete", lambda: self._delete(left))
        keep = banner.add_button("Keep", lambda: self._keep(left))
        keep.setFocus()

    def _delete(self, left: Unfinished) -> None:
        self._do(lambda: journal.discard(left.path), lambda _: self._ask_next())

    def _keep(self, left: Unfinished) -> None:
        self._waiting.append(left)
        self._ask_next()

    def _do(self, ask: Callable[[], _T], then: Callable[[_T], None]) -> None:
        in_background(ask, then, self._failed, owner=self._banners)

    def _failed(self, error: Exception) -> None:
        """The journal is still there, so nothing is lost: say why, and ask again next time."""
        if isinstance(error, UserError):
            self._banners.tell("failure", error.message, error.hint)
        else:
            log.error("recovery failed", exc_info=error)
            self._banners.tell(
                "failure",
                "An earlier session could not be recovered.",
                "It is kept, and offered again at the next start. The log says why.",
            )
        self._ask_next()


def _question(left: Unfinished) -> Sentence:
    template = "The session of {when} was cut off: {words} are not saved yet."
    if left.words == 1:
        template = "The session of {when} was cut off: {words} is not saved yet."
    return Sentence(template, when=_when(left), words=_words(left))


def _preview(left: Unfinished, more: int) -> Sentence:
    if more:
        return Sentence("“{words} …” {count} more after this.", words=left.preview, count=more)
    return Sentence("“{words} …”", words=left.preview)


def _words(left: Unfinished) -> str:
    return Sentence("{count:,} words", count=left.words) if left.words != 1 else "1 word"


def _when(left: Unfinished) -> str:
    return f"{left.started.day} {left.started:%B, %H:%M}"

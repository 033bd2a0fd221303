"""Captions beyond our own windows, wired up: the feeds to other programs, and dictation.

Acts on nothing itself.
"""

from __future__ import annotations

from functools import partial

from app.ui.desktop.tray import Tray
from app.ui.dictation.badge import PASSWORDS
from app.ui.feeds.telling import FeedBanners
from app.ui.main_window.window import MainWindow
from app.ui.overlay.window import CaptionOverlay
from app.ui.state.dictation import Dictation
from app.ui.state.feeds import Feeds
from app.ui.state.settings_store import SettingsStore
from model_backends.base import Sentence

_TYPES = Sentence("What is said is typed into the window in use.")


def connect_feeds(feeds: Feeds, store: SettingsStore, window: MainWindow) -> None:
    """The menu leads to their dialog, and a feed in trouble is told above the transcript."""

    def show() -> None:
        from app.ui.feeds.dialog import FeedsDialog

        FeedsDialog(feeds, store, window).come_forward()

    window.menus.feeds.triggered.connect(lambda: show())
    FeedBanners(feeds, window.banners, show)


def connect_dictation(
    dictation: Dictation, overlay: CaptionOverlay, window: MainWindow, tray: Tray
) -> None:
    """What it does, and why it cannot, is told where the user looks."""
    dictation.changed.connect(tray.tick)
    dictation.begun.connect(lambda: overlay.tell(_TYPES, PASSWORDS))
    dictation.problem.connect(overlay.tell)
    dictation.problem.connect(partial(window.banners.tell, "warning"))

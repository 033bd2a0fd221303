"""How feeds are doing, in words: beside their switches, and where they fail above the transcript.

A feed that stops in silence would leave an audience without captions and nobody knowing.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.share.feeds.runner import Doing, Way
from app.ui.state.feeds import FILE, OBS, ZOOM, Feeds
from app.ui.widgets.banner import BannerStack
from model_backends.base import Counted, Sentence, joined

NAMES = {ZOOM: Sentence("Zoom"), OBS: Sentence("OBS"), FILE: Sentence("The growing file")}
_WAITS = Sentence("It is on, and begins when captions do.")
_OPENING = Sentence("Connecting …")
_NOTHING = Sentence("Nothing has been said yet.")


def line(kind: str, on: bool, doing: Doing | None) -> str:
    """One sentence or two; "" while it is off."""
    if not on:
        return ""
    if doing is None or doing.way is Way.OVER:
        return _WAITS
    if doing.way is Way.OPENING:
        return _OPENING
    if doing.way is Way.BROKEN:
        return Sentence("It has stopped: {problem}", problem=doing.problem)
    sent = _sent(kind, doing.sent)
    if doing.way is Way.AGAIN:
        return joined(Sentence("Trying again. {problem}", problem=doing.problem), sent)
    if kind == FILE:
        return sent or _NOTHING
    return Sentence("Connected. {sent}", sent=sent or _NOTHING)


def is_trouble(on: bool, doing: Doing | None) -> bool:
    return on and doing is not None and doing.way in (Way.AGAIN, Way.BROKEN)


def _sent(kind: str, count: int) -> str:
    """ "" for none."""
    if not count:
        return ""
    if kind == FILE:
        return Counted("1 word written.", "{count:,} words written.", count=count)
    return Counted("1 word sent.", "{count:,} words sent.", count=count)


class FeedBanners(QObject):
    """Above the transcript for as long as a feed is in trouble; `open_dialog` leads to it."""

    def __init__(
        self, feeds: Feeds, banners: BannerStack, open_dialog: Callable[[], object]
    ) -> None:
        super().__init__(feeds)
        self._feeds, self._banners, self._open = feeds, banners, open_dialog
        self._told: dict[str, str] = {}
        feeds.changed.connect(self._follow)
        feeds.problem.connect(self._tell)

    def _follow(self, kind: str) -> None:
        on, doing = self._feeds.is_on(kind), self._feeds.doing(kind)
        if doing is not None and is_trouble(on, doing):
            self._tell(kind, doing.problem, "")
        elif not on or (doing is not None and doing.way is Way.CONNECTED):
            self._told.pop(kind, None)
            self._banners.end(_about(kind))

    def _tell(self, kind: str, problem: str, hint: str) -> None:
        """Once, until it is well again or fails otherwise: what was dismissed stays so."""
        text = Sentence("{name}: {problem}", name=NAMES[kind], problem=problem)
        if self._told.get(kind) != text:
            self._told[kind] = text
            banner = self._banners.tell("warning", text, hint, about=_about(kind))
            if banner.button_count == 1:
                banner.add_button(Sentence("Settings…"), self._open, stays=True)


def _about(kind: str) -> str:
    return f"feed-{kind}"

"""The verbs that reach the captions from anywhere: keys, the command line, the tray, menus.

    commands.offer("hold", overlay.toggle_hold, is_on=lambda: overlay.held)
    commands.do("hold")

Whoever can do a verb offers it; whoever asks need not know who that is. A verb that nobody offers
is shown nowhere and has no key. Knows nothing of windows, keys or sockets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from model_backends.base import Sentence


@dataclass(frozen=True, slots=True)
class Verb:
    """`name` is for the settings and the command line; `key` is what it has until it is changed.

    `label` says in menus what it does; `key` is written as `QKeySequence` reads it.
    """

    name: str
    label: str
    key: str


CAPTIONS = Verb("captions", Sentence("Show or hide the captions"), "Ctrl+Alt+C")
PAUSE = Verb("pause", Sentence("Pause listening, or go on"), "Ctrl+Alt+P")
HOLD = Verb("hold", Sentence("Hold the text, or go on"), "Ctrl+Alt+H")
CLICK_THROUGH = Verb("click-through", Sentence("Let clicks through, or not"), "Ctrl+Alt+T")
BIGGER = Verb("bigger", Sentence("Bigger text"), "Ctrl+Alt++")
SMALLER = Verb("smaller", Sentence("Smaller text"), "Ctrl+Alt+-")
MARK = Verb("mark", Sentence("Mark this place"), "Ctrl+Alt+M")
DICTATE = Verb(
    "dictate", Sentence("Type what is said into the window in use, or not"), "Ctrl+Alt+W"
)
VERBS = {
    each.name: each
    for each in (CAPTIONS, PAUSE, HOLD, CLICK_THROUGH, BIGGER, SMALLER, MARK, DICTATE)
}


@dataclass(frozen=True, slots=True)
class _Offer:
    act: Callable[[], object]
    is_on: Callable[[], bool] | None


class Commands:
    """Who does what. A verb that is on or off says which; `act` turns it over."""

    def __init__(self) -> None:
        self._offers: dict[str, _Offer] = {}

    def offer(
        self, name: str, act: Callable[[], object], is_on: Callable[[], bool] | None = None
    ) -> None:
        """From now on `act` does this verb. Raises KeyError for one that there is not."""
        self._offers[VERBS[name].name] = _Offer(act, is_on)

    def offers(self, name: str) -> bool:
        """Whether anybody does this."""
        return name in self._offers

    def offered(self) -> list[Verb]:
        """All that somebody does, in the order they are shown."""
        return [verb for verb in VERBS.values() if verb.name in self._offers]

    def do(self, name: str) -> None:
        """Raises KeyError for a verb that nobody offers."""
        self._offers[name].act()

    def is_on(self, name: str) -> bool | None:
        """Whether it is on now; None for what is not on or off, or is not offered."""
        offer = self._offers.get(name)
        return offer.is_on() if offer and offer.is_on else None

    def switch(self, name: str, on: bool) -> None:
        """Have it on, or off; nothing happens where it is so already."""
        if self.is_on(name) is not on:
            self.do(name)

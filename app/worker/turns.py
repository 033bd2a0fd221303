"""Who is heard when the engine cannot keep up with two voices: the others first.

The sound of whoever waits stays in its lane, and is heard when there is time: nothing is lost, and
the user is told for as long as it lasts. Knows the lanes by how far they are behind only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from app.core.voices import ME, THEM
from model_backends.base import Notice, Sentence

_TOO_LATE_MS = 4_000  # unheard sound of the first voice: from here on the second one waits
_IN_TIME_MS = 1_500  # … and here it is heard again
_CAUGHT_UP_MS = 3_000  # unheard sound of the second: the user need not be told any more


class Voice(Protocol):
    """What is known of a lane."""

    @property
    def behind_ms(self) -> int:
        """How much sound has come that the engine has not heard."""


class Turns:
    """Call `waiting()` before each round; then `news()`."""

    def __init__(self, first: str = THEM, second: str = ME) -> None:
        self._first, self._second = first, second
        self._waits = self._told = False

    def waiting(self, lanes: Mapping[str, Voice], idle: bool) -> str | None:
        """The lane that is not to be heard now; `idle`: the engine has nothing else to do."""
        first, second = lanes.get(self._first), lanes.get(self._second)
        if first is None or second is None:
            return None
        limit_ms = _IN_TIME_MS if self._waits else _TOO_LATE_MS
        self._waits = not idle and first.behind_ms > limit_ms and second.behind_ms > 0
        return self._second if self._waits else None

    def news(self, lanes: Mapping[str, Voice]) -> list[Notice]:
        """What the user is to be told now; one without words takes back the one before."""
        second = lanes.get(self._second)
        behind = self._waits or (second is not None and second.behind_ms > _CAUGHT_UP_MS)
        if self._waits and not self._told:
            self._told = True
            return [Notice(self._second, "two-voices", _OTHERS_FIRST, _HINT)]
        if self._told and not behind:
            self._told = False
            return [Notice(self._second, "two-voices", "")]
        return []


_OTHERS_FIRST = Sentence(
    "This computer cannot keep up with two voices: the others come first, what you say follows "
    "later."
)
_HINT = Sentence(
    "It is kept until then: stop only once it is there. Close other programs, or choose a "
    "smaller model."
)

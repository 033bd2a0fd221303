"""The states by their names. Whoever knows how to bring a scene into one enters it here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from model_backends.base import Word
from tests.ui.photographs.scene import Scene

State: TypeAlias = Callable[[Scene], object]
STATES: dict[str, State] = {}


def state(name: str) -> Callable[[State], State]:
    """Enter what is below under this name, which begins with the window it is about."""

    def enter(act: State) -> State:
        STATES[name] = act
        return act

    return enter


def moved(word: Word, ms: int) -> Word:
    """The same, said so much later."""
    return replace(word, start_ms=word.start_ms + ms, end_ms=word.end_ms + ms)

"""Speech engines in the words of the windows: which are worth showing, and what they are called.

Knows what can be known of an engine; the reasons why one cannot be used are its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.native import DESKTOP
from app.ui.state.engines import EngineChoice
from model_backends.base import Sentence

_FOR_APPLE = ("voxtral-mlx",)  # Apple's processors only: elsewhere no advice could help


def offered(choices: Sequence[EngineChoice], chosen: str = "") -> list[EngineChoice]:
    """Those that can be had on a computer of this kind, and the one that is chosen."""
    return [
        choice
        for choice in choices
        if DESKTOP == "macos" or choice.info.name not in _FOR_APPLE or choice.info.name == chosen
    ]


def label(choice: EngineChoice) -> str:
    """The engine's name, and whether it can be used."""
    if choice.usable:
        return choice.info.label
    return Sentence("{engine} (not on this computer yet)", engine=choice.info.label)

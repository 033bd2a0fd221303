"""Typing for the user into whatever window has the keyboard: what every desktop's way answers.

Who does it on this desktop, `typing` says. Knows nothing of words or captions. A typist belongs to
one thread at a time.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Protocol

from model_backends.base import UserError

KEYS, CAPS_LOCK = "keys", "caps lock"
_UNSEEN_BUT_MEANT = "\u200c\u200d"  # joiners of emoji and of letters


class NoTypingError(UserError):
    """Nothing can be typed here, or not any more: why, and what to do."""


@dataclass(frozen=True, slots=True)
class Focus:
    """What has the keyboard now."""

    window: int = 0  # a number that stays while the keyboard does; 0: nothing has it
    ours: bool = False  # a window of this process
    secret: bool = False  # a password is typed there; known on macOS only
    held: str = ""  # what would turn letters into something else: KEYS held down, CAPS_LOCK


class Typist(Protocol):
    """Every method raises NoTypingError when the desktop does not let us any more."""

    def focus(self) -> Focus: ...

    def type(self, text: str) -> int:
        """Type this; how many characters the desktop had no way to type, which are left out."""

    def close(self) -> None:
        """Put back whatever was changed; raises nothing."""


def typeable(text: str) -> str:
    """What of a text may be typed: never a key that does something, such as Enter or Tab."""
    return "".join(
        " " if char.isspace() else char for char in text if char.isspace() or _is_text(char)
    )


def _is_text(char: str) -> bool:
    return char in _UNSEEN_BUT_MEANT or unicodedata.category(char) not in (
        "Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp",
    )  # fmt: skip

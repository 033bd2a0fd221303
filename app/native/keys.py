"""Keys that work whichever program has the keyboard: what a combination is, and how one is had.

A combination is written as in the settings, "Ctrl+Alt+C"; "Ctrl" is Command on macOS, and "Meta"
Control there, as in Qt. Knows no widgets and nothing of what a key does: it has a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
FUNCTION_KEYS = tuple(f"F{number}" for number in range(1, 13))
OTHERS = (
    "+", "-", "Space", "PgUp", "PgDown", "Home", "End", "Ins", "Del", "Left", "Right", "Up", "Down",
)  # fmt: skip
KEYS = (*LETTERS, *DIGITS, *FUNCTION_KEYS, *OTHERS)
_MODIFIERS = ("Ctrl", "Alt", "Shift", "Meta")


@dataclass(frozen=True, slots=True)
class Combination:
    """`key` is one of `KEYS`."""

    key: str
    control: bool = False
    alt: bool = False
    shift: bool = False
    meta: bool = False

    @property
    def can_be_spared(self) -> bool:
        """Whether other programs can do without it: not what people type, not Ctrl+C, not Alt+F."""
        held = sum((self.control, self.alt, self.shift, self.meta))
        return self.meta or held >= 2 or self.key in FUNCTION_KEYS


def parse(text: str) -> Combination:
    """Read "Ctrl+Alt++". Raises ValueError for what is no combination, or has a key not in KEYS."""
    key = "+" if text.endswith("+") else text.rpartition("+")[2]
    held = [name for name in text.removesuffix(key).split("+") if name]
    if key not in KEYS or len(set(held)) != len(held) or not set(held) <= set(_MODIFIERS):
        raise ValueError(f"{text} is no combination of keys")
    return Combination(key, *(name in held for name in _MODIFIERS))


class Refusal(Enum):
    """Why a combination is not ours."""

    TAKEN = auto()  # another program, or the desktop, has it
    NO_SUCH_KEY = auto()  # not on this keyboard
    TYPES = auto()  # people type a character with it: AltGr is Ctrl and Alt to Windows
    FAILED = auto()  # the system does not say why


class GlobalKeys(Protocol):
    """A desktop's way to grab keys."""

    def grab(self, wanted: Mapping[str, Combination]) -> Mapping[str, Refusal]:
        """Grab these and no others, by name; those that could not be had."""

    def close(self) -> None:
        """Give all back."""


class NoGlobalKeysError(Exception):
    """This desktop lets no program grab keys, or not as it is now."""

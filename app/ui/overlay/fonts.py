"""The eight kinds of letters that caption rules ask for, by fonts that desktops have.

47 CFR 79.103(c)(3) names them by look, not by font. `font_family` in the settings is one of the
names here, or any font's own, or empty for the system's.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QFont

from model_backends.base import Sentence


@dataclass(frozen=True, slots=True)
class Kind:
    """Fonts to try in this order; Qt looks for one like `hint` if none is there."""

    label: str
    families: tuple[str, ...]
    hint: QFont.StyleHint
    small_capitals: bool = False


_HINT = QFont.StyleHint
KINDS = {
    "": Kind(Sentence("System"), (), _HINT.AnyStyle),
    "monospace serif": Kind(
        Sentence("Typewriter"),
        ("Courier New", "Courier Prime", "Liberation Mono", "FreeMono", "Noto Sans Mono"),
        _HINT.TypeWriter,
    ),
    "serif": Kind(
        Sentence("Serif"),
        ("Georgia", "Times New Roman", "Noto Serif", "Liberation Serif", "DejaVu Serif"),
        _HINT.Serif,
    ),
    "monospace": Kind(
        Sentence("Monospace"),
        ("Consolas", "Menlo", "DejaVu Sans Mono", "Noto Sans Mono", "Liberation Mono"),
        _HINT.Monospace,
    ),
    "sans-serif": Kind(
        Sentence("Sans-serif"),
        ("Verdana", "Helvetica Neue", "Noto Sans", "DejaVu Sans", "Liberation Sans"),
        _HINT.SansSerif,
    ),
    "casual": Kind(
        Sentence("Casual"),
        ("Comic Sans MS", "Comic Neue", "Comic Relief", "Chalkboard", "Z003"),
        _HINT.Fantasy,
    ),
    "cursive": Kind(
        Sentence("Cursive"),
        ("Segoe Script", "Snell Roundhand", "Z003", "URW Chancery L"),
        _HINT.Cursive,
    ),
    "small capitals": Kind(
        Sentence("Small capitals"),
        ("Verdana", "Helvetica Neue", "Noto Sans", "DejaVu Sans"),
        _HINT.SansSerif,
        small_capitals=True,
    ),
}


def dress(font: QFont, family: str) -> None:
    """Give the font the letters that the settings name."""
    kind = KINDS.get(family)
    if kind is None:
        font.setFamily(family)
        return
    if kind.families:
        font.setFamilies(list(kind.families))
        font.setStyleHint(kind.hint)
    if kind.small_capitals:
        font.setCapitalization(QFont.Capitalization.SmallCaps)

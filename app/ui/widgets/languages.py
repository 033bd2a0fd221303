"""What a language is called by those who speak it, and which way it is written."""

from __future__ import annotations

import unicodedata

from PySide6.QtCore import QLocale, Qt

LTR, RTL = Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft
_STRONG = {"L": LTR, "R": RTL, "AL": RTL}  # classes of UAX #9

# where Qt adds a country or a variety to the bare language
_NATIVE_NAMES = {
    "ar": "العربية",
    "en": "English",
    "es": "español",
    "pt": "português",
    "zh": "中文",
}


def native_name(code: str | None) -> str:
    """ISO 639-1 code to the language's own name: "de" is "Deutsch". Empty when unsure."""
    if not code:
        return ""
    if code in _NATIVE_NAMES:
        return _NATIVE_NAMES[code]
    locale = QLocale(code)
    known = locale.language() != QLocale.Language.C
    return locale.nativeLanguageName() if known else code


def direction(code: str | None, text: str = "") -> Qt.LayoutDirection:
    """Which way a caption runs: as its language does, whatever script its first word is in.

    While the language is not known, as its first letter does (UAX #9, rule P2).
    """
    if code:
        return QLocale(code).textDirection()
    classes = map(unicodedata.bidirectional, text)
    return next((_STRONG[found] for found in classes if found in _STRONG), LTR)

"""What a language is called by those who speak it, and which way it is written."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt

UNSURE = "?"

# where Qt adds a country or a variety to the bare language
_NATIVE_NAMES = {
    "ar": "العربية",
    "en": "English",
    "es": "español",
    "pt": "português",
    "zh": "中文",
}


def native_name(code: str | None) -> str:
    """ISO 639-1 code to the language's own name: "de" is "Deutsch". `?` when unsure."""
    if not code:
        return UNSURE
    if code in _NATIVE_NAMES:
        return _NATIVE_NAMES[code]
    locale = QLocale(code)
    known = locale.language() != QLocale.Language.C
    return locale.nativeLanguageName() if known else code


def direction(code: str | None) -> Qt.LayoutDirection:
    """Which way a caption in this language runs, whatever script its first word is in."""
    return QLocale(code).textDirection() if code else Qt.LayoutDirection.LeftToRight

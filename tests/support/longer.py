"""A language that nobody speaks: English, longer than any translation of ours is.

What it cuts off, some language will: windows are tried in it before one is translated.
"""

from __future__ import annotations

import re

from app import language
from app.ui.widgets import worded

PSEUDO = "longer"
_PLACEHOLDER = re.compile(r"(\{[^{}]*\})")
_VOWELS = str.maketrans("aeiouAEIOU", "äëïöüÄËÏÖÜ")
_MORE = 0.35  # as a share: German is a third longer than English


def longer(english: str) -> str:
    """The same with other vowels, and more of them; what is filled in, and where, stays."""
    texts = _PLACEHOLDER.split(english)
    told = [text if n % 2 else text.translate(_VOWELS) for n, text in enumerate(texts)]
    letters = sum(map(len, texts[::2]))
    return "".join(told) + "~" * round(_MORE * letters)


class Longer(language.English):
    """As a catalogue."""

    code = PSEUDO

    def template(self, english: str) -> str:
        return longer(english) if english else ""

    def counted(self, one: str, many: str, count: int) -> str:
        return longer(one if count == 1 else many)


def speak(code: str) -> None:
    """Have every window say this language; `PSEUDO` is one."""
    if code == PSEUDO:
        language.use(Longer(), "en")
    else:
        language.choose(code)
    worded.speak()

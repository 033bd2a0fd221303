"""The language of windows and terminal: one of four, in which a `Sentence` is said when shown.

    language.choose("de")
    say(Sentence("There is no file “{name}”.", name=name))      # „…“

Whoever makes a sentence knows nothing of this; whoever shows one asks `say()`, in the thread that
shows. JSON and the log keep English. Catalogues are gettext's, in `resources/languages`;
packaging/catalogues.py makes them. Knows nothing of windows: what they need beyond words is
`app.ui.widgets.worded`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from app import paths
from model_backends.base import Catalogue, Sentence

if TYPE_CHECKING:
    from gettext import GNUTranslations

NAMES = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français"}  # by themselves
_ENGLISH = "en"
_NARROW_SPACE = "\u202f"
_SEPARATORS = {  # between thousands, and before what is less than one
    "en": (",", "."),
    "de": (".", ","),
    "es": (".", ","),
    "fr": (_NARROW_SPACE, ","),
}


class English:
    """As sentences are written."""

    code = _ENGLISH

    def template(self, english: str) -> str:
        return english

    def counted(self, one: str, many: str, count: int) -> str:
        return one if count == 1 else many

    def number(self, value: float) -> object:
        return value


class Translated(English):
    """From a catalogue of gettext's. Raises OSError if there is none for this language."""

    def __init__(self, code: str) -> None:
        from gettext import GNUTranslations  # English does without

        self.code = code
        with paths.resource(f"languages/{code}.mo").open("rb") as file:
            self._texts: GNUTranslations = GNUTranslations(file)

    def template(self, english: str) -> str:
        return self._texts.gettext(english) if english else ""  # "" is the catalogue's head

    def counted(self, one: str, many: str, count: int) -> str:
        return self._texts.ngettext(one, many, count)

    def number(self, value: float) -> object:
        return Number(value, *_SEPARATORS[self.code])


class Number:
    """A number that `str.format` writes with these separators, whatever the format asks for."""

    def __init__(self, value: float, thousands: str, decimal: str) -> None:
        self._value = value
        self._instead = {ord(","): thousands, ord("."): decimal}

    def __format__(self, spec: str) -> str:
        return format(self._value, spec).translate(self._instead)


_now: Catalogue = English()
_code = _ENGLISH


def chosen() -> str:
    """The code of the language that is spoken now."""
    return _code


def choose(code: str) -> None:
    """Speak this language from now on; English if its catalogue is not there."""
    code = code if code in NAMES else _ENGLISH
    try:
        use(English() if code == _ENGLISH else Translated(code), code)
    except OSError:  # a bundle that lost its resources shall still caption
        use(English(), _ENGLISH)


def use(catalogue: Catalogue, code: str) -> None:
    """Speak as this catalogue says: for a language that is none of ours, as tests have."""
    global _now, _code
    _now, _code = catalogue, code


def catalogue(code: str) -> English:
    """Of one of the languages, for who reads another than the one that is spoken here; English if
    there is none."""
    try:
        return English() if code not in NAMES or code == _ENGLISH else _translated(code)
    except OSError:
        return English()


@functools.cache
def _translated(code: str) -> Translated:
    return Translated(code)


def best_of(wanted: Iterable[str], otherwise: str = _ENGLISH) -> str:
    """The first of these that is spoken here ("de-AT", "fr"), or `otherwise` if none is."""
    for tag in wanted:
        code = tag.replace("_", "-").partition("-")[0].lower()
        if code in NAMES:
            return code
    return otherwise


def say(text: str) -> str:
    """A sentence as it is shown now. What is no `Sentence` (a name, a path) is left alone."""
    return text.said_in(_now) if isinstance(text, Sentence) else text


def said_names(names: Mapping[str, str]) -> dict[str, str]:
    """What voices are called now; names that the user gave are the same in any language."""
    return {lane: say(name) for lane, name in names.items()}


def say_known(text: str) -> str:
    """What was written down in English, and may be a sentence of ours or not."""
    return _now.template(text) if text else ""

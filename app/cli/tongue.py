"""The language of the terminal: the one that the windows speak, chosen before anything is told.

What `voxline` tells people is said in it; help, JSON and the log stay English. Knows no command.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator, Mapping

from app import language
from app.core.script import harmless
from model_backends.base import Sentence

_PLAIN = ("C", "POSIX")


def choose() -> None:
    """Speak as the preferences say, else as the system does."""
    kept = _kept()
    language.choose(language.best_of([kept] if kept else of_system(os.environ)))


def of_system(variables: Mapping[str, str]) -> Iterator[str]:
    """The languages that the system wishes for, the dearest first: on Windows its own, elsewhere as
    gettext reads the variables (POSIX, 8.2): LANGUAGE may list several, unless all is plain."""
    if sys.platform == "win32":
        yield _of_windows()
        return
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((value for name in names if (value := variables.get(name))), "")
    if not locale or locale.partition(".")[0] in _PLAIN:
        return
    yield from filter(None, variables.get("LANGUAGE", "").split(":"))
    yield locale


def is_yes(answer: str) -> bool:
    """Whether somebody who was asked `yes_or_no()` has agreed, in English or in their language."""
    agreed = f"y yes {language.say(_AGREED)}".split()
    return answer.strip().casefold() in agreed


def yes_or_no(question: str) -> str:
    """The question with what may be answered, plain text."""
    return harmless(language.say(Sentence("{question} [y/N] ", question=question)))


_AGREED = Sentence("y yes")  # what may be typed for yes, with spaces between


def _kept() -> str:
    """What the preferences say; a file that cannot be read is told of by who needs all of it."""
    from app.settings import settings_file

    try:
        with settings_file().open("rb") as file:
            return str(tomllib.load(file).get("interface_language", ""))
    except (OSError, ValueError, RecursionError):
        return ""


def _of_windows() -> str:
    import ctypes
    import locale

    number = ctypes.windll.kernel32.GetUserDefaultUILanguage()  # type: ignore[attr-defined,unused-ignore]
    return locale.windows_locale.get(number, "")

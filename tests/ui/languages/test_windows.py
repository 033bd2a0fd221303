"""The windows in every language: nothing is left in English, nothing is cut, switched at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtGui import QFontDatabase, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QLabel, QMenu, QMenuBar, QWidget

from tests.support.longer import PSEUDO, speak
from tests.ui.conftest import Rig
from tests.ui.languages.windows import Windows, texts_of
from tests.ui.photographs import checks

TRANSLATED = ("de", "es", "fr")
Make = Callable[[], Windows]
# what is called so in any language
NAMES = re.compile(
    r"Voxline|Voxtral( Realtime)?( \(.*\))?|OBS( Studio)?|Zoom|vLLM|OpenAI|Mistral|Scripted"
    r"|Deutsch|English|Español|Français|Abc|Qt|ws{1,2}://.*|https?:.*|\S*/\S*|.*\.(mp3|srt)"
    r"|[Ss]cripted"
    r"|Close|Cancel|Save"  # Qt's own, which test_choice asks for
    r"|(Ctrl\+|Alt\+|Shift\+)+\S+"  # Qt writes keys in the language of its catalogue
)  # fmt: skip


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    before = QLocale()
    yield
    speak("en")
    QLocale.setDefault(before)


@pytest.fixture
def make(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    made: list[Windows] = []

    def another() -> Windows:
        made.append(Windows(rig, monkeypatch))
        return made[-1]

    yield another
    for windows in made:
        windows.close()


def said(windows: Windows) -> dict[str, list[str]]:
    return {name: texts_of(window) for name, window in windows.all.items()}


def test_what_is_switched_says_what_is_made_in_that_language(make: Make) -> None:
    switched = make()
    in_english = said(switched)
    speak("de")
    switched.settle()
    in_german = said(switched)
    assert in_german == said(make())
    speak("en")
    switched.settle()
    assert said(switched) == in_english
    assert all(in_german[name] != in_english[name] for name in in_english)


def test_no_window_says_a_sentence_past_the_catalogue(make: Make) -> None:
    windows = make()
    speak(PSEUDO)
    windows.settle()
    ours = set(QFontDatabase.families())
    left = {
        (name, text)
        for name, texts in said(windows).items()
        for text in texts
        if re.search(r"[a-z]{3}", text) and "~" not in text
        if text not in ours and not NAMES.fullmatch(text.strip())
    }
    assert left == set()


@pytest.mark.parametrize("code", ["en", *TRANSLATED])
def test_no_letter_with_alt_stands_for_two_things(make: Make, code: str) -> None:
    speak(code)
    windows = make()
    for page, window in windows.pages():
        for texts in groups(window):
            keys = [QKeySequence.mnemonic(text).toString() for text in texts if "&" in text]
            assert len(keys) == len(set(keys)), (page, texts)
            assert all(keys), (page, texts)


def groups(window: QWidget) -> Iterator[list[str]]:
    """What is seen at once: the controls of a window with its menu bar, the entries of a menu."""
    seen = [w for w in window.findChildren(QWidget) if w.isVisible() and w.window() is window]
    bars = [action.text() for w in seen if isinstance(w, QMenuBar) for action in w.actions()]
    yield [*bars, *(w.text() for w in seen if isinstance(w, (QAbstractButton, QLabel)))]
    for menu in (each for each in (window, *window.findChildren(QMenu)) if isinstance(each, QMenu)):
        yield [action.text() for action in menu.actions() if action.isVisible()]


def cut(windows: Windows) -> list[str]:
    """Names of sources lose their middle, as the design says."""
    return [
        f"{page}: {fault}"
        for page, window in windows.pages()
        for fault in checks.inside(window)
        if not fault.startswith("SourceBox")
    ]


def test_nothing_is_cut_above_the_captions_of_a_small_screen(make: Make) -> None:
    for code in ("en", *TRANSLATED):
        speak(code)
        assert cut(make()) == [], code


def test_what_is_a_third_longer_than_english_is_not_cut_either(make: Make) -> None:
    speak(PSEUDO)
    assert cut(make()) == []

"""Widgets that say sentences, and say them anew when the user changes the language.

    self.skip = worded.text(QPushButton(), Sentence("&Skip"))
    worded.name(self.entry, Sentence("Find"))

A widget is given the sentence instead of its words, so that `choose()` can give it the words of
another language while it is on the screen. What is more than that (a list, what is computed from
a state) is told anew by its owner: `follow(owner, method)`. Knows widgets, and no sentence.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary, WeakMethod, ref

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QComboBox, QGroupBox, QMenu, QWidget
from shiboken6 import isValid

from app import language
from app.language import say
from model_backends.base import Sentence

if TYPE_CHECKING:
    from app.ui.state.settings_store import SettingsStore

_T = TypeVar("_T", bound=QObject)
_Verb = tuple[str | int, ...]  # a setter, and what it takes before the text

_said: WeakKeyDictionary[QObject, dict[_Verb, Sentence]] = WeakKeyDictionary()
_followers: list[tuple[ref[QObject], WeakMethod[Callable[[], object]]]] = []
_spoken = ""  # the language that is; before the first is chosen, none
_of_qt: list[QTranslator] = []  # what Qt says itself: in dialogs, and in menus of text


# --- what a widget says ------------------------------------------------------------------------


def text(widget: _T, sentence: str) -> _T:
    """Its words, or its title if it is a menu or a group; the widget itself."""
    return _put(widget, ("setTitle" if _is_titled(widget) else "setText",), sentence)


def name(widget: _T, sentence: str) -> _T:
    """What assistive technology calls it."""
    return _put(widget, ("setAccessibleName",), sentence)


def description(widget: _T, sentence: str) -> _T:
    """What assistive technology adds to its name."""
    return _put(widget, ("setAccessibleDescription",), sentence)


def title(window: _T, sentence: str) -> _T:
    """What stands above the window."""
    return _put(window, ("setWindowTitle",), sentence)


def placeholder(field: _T, sentence: str) -> _T:
    """What stands in it while nothing does."""
    return _put(field, ("setPlaceholderText",), sentence)


def tip(widget: _T, sentence: str) -> _T:
    """What is told where the pointer rests, literally."""
    return _put(widget, ("setToolTip",), sentence)


def item(box: QComboBox, index: int, sentence: str) -> None:
    """What an item of a combo box is called."""
    _put(box, ("setItemText", index), sentence)


def action(menu: QMenu, sentence: str) -> QAction:
    """Another entry of the menu."""
    return text(menu.addAction(""), sentence)


def _is_titled(widget: QObject) -> bool:
    return isinstance(widget, (QMenu, QGroupBox))


def _put(widget: _T, verb: _Verb, sentence: str) -> _T:
    if isinstance(sentence, Sentence):
        _said.setdefault(widget, {})[verb] = sentence
    elif widget in _said:  # a name or the like has taken the sentence's place
        _said[widget].pop(verb, None)
    _call(widget, verb, sentence)
    return widget


def _call(widget: QObject, verb: _Verb, sentence: str) -> None:
    setter, *before = verb
    said = say(sentence)
    getattr(widget, str(setter))(*before, literally(said) if setter == "setToolTip" else said)


def literally(said: str) -> str:
    """For a tooltip: Qt guesses whether one is markup, and would load what it names."""
    if "<" not in said and "&" not in said:
        return said
    return "<span>" + html.escape(said, quote=False).replace("\n", "<br>") + "</span>"


# --- another language --------------------------------------------------------------------------


def follow(owner: QObject, method: Callable[[], object]) -> None:
    """Call this bound method after each change of language, for as long as `owner` is there."""
    _followers.append((ref(owner), WeakMethod(method)))


def systems() -> str:
    """Which of our languages the system speaks."""
    return language.best_of(QLocale.system().uiLanguages())


def choose(code: str) -> None:
    """Say everything in this language from now on; "": in the system's."""
    wanted = code or systems()
    if wanted != _spoken:
        language.choose(wanted)
        speak()


def speak_as_chosen(store: SettingsStore) -> None:
    """In the language of the settings, now and whenever that is another."""
    choose(store.settings.interface_language)
    store.changed.connect(lambda now, _before: choose(now.interface_language))


def speak() -> None:
    """Say everything anew, in the language that is chosen by now."""
    global _spoken
    _spoken = language.chosen()
    _load_qts(_spoken)
    for widget, sentences in list(_said.items()):
        if isValid(widget):
            for verb, sentence in list(sentences.items()):
                _call(widget, verb, sentence)
    for method in _still_there():
        method()
    for widget in QApplication.allWidgets():
        _lay_out(widget)


def _still_there() -> list[Callable[[], object]]:
    """What follows; who has gone is forgotten."""
    _followers[:] = [each for each in _followers if _is_there(each[0]()) and each[1]() is not None]
    return [method for _, reference in _followers if (method := reference()) is not None]


def _is_there(owner: QObject | None) -> bool:
    return owner is not None and isValid(owner)


def _lay_out(widget: QWidget) -> None:
    widget.updateGeometry()
    widget.update()


def _load_qts(code: str) -> None:
    """Qt's own words, and how numbers and dates are written."""
    own, systems_own = QLocale(code), QLocale.system()
    neutral = systems_own.language() is QLocale.Language.C
    if systems_own.language() is own.language() or (neutral and code == "en"):
        own = systems_own  # with the user's country
    QLocale.setDefault(own)
    for old in _of_qt:
        QCoreApplication.removeTranslator(old)
    _of_qt.clear()
    found = QTranslator()
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if found.load(f"qtbase_{code}", folder):
        QCoreApplication.installTranslator(found)
        _of_qt.append(found)

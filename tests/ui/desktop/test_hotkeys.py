"""The keys of every program: what is grabbed, what is told where one cannot be, and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.native import hotkeys as native_keys
from app.native.keys import Combination, NoGlobalKeysError, parse
from app.settings import Settings
from app.ui.desktop.hotkeys import NO_KEYS, Hotkeys
from app.ui.preferences.keys_page import KeysPage
from app.ui.state.commands import Commands
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import key_button
from tests.ui.desktop.fake_keys import FakeKeys

OFFERED = ("captions", "pause", "click-through", "bigger")
CAPTIONS, PAUSE, CLICK_THROUGH = map(parse, ("Ctrl+Alt+C", "Ctrl+Alt+P", "Ctrl+Alt+T"))


class FakePortal:
    """The desktop's portal; `answer` is what the user made of the proposal."""

    def __init__(
        self,
        wanted: Mapping[str, tuple[str, Combination | None]],
        pressed: Callable[[str], None],
        told: Callable[[Mapping[str, str]], None],
    ) -> None:
        self.wanted, self.press, self.answer = wanted, pressed, told

    def close(self) -> None:
        pass


class Rig:
    """Hotkeys, the system under them, and what the verbs did."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.store = SettingsStore(settings or Settings())
        self.done: list[str] = []
        self.commands = Commands()
        for name in OFFERED:
            self.commands.offer(name, partial(self.done.append, name))
        self.system = FakeKeys()
        self.portals: list[FakePortal] = []
        self.hotkeys = Hotkeys(self.store, self.commands, self.open, self.ask)  # type: ignore[arg-type]
        self.has_system = True

    def open(self, platform: str, pressed: Callable[[str], None]) -> FakeKeys:
        if not self.has_system:
            raise NoGlobalKeysError
        return self.system.open(platform, pressed)

    def ask(
        self,
        wanted: Mapping[str, tuple[str, Combination | None]],
        pressed: Callable[[str], None],
        told: Callable[[Mapping[str, str]], None],
    ) -> FakePortal:
        self.portals.append(FakePortal(wanted, pressed, told))
        return self.portals[-1]

    def press(self, combination: Combination) -> None:
        self.system.press(combination)
        QApplication.processEvents()


@pytest.fixture
def rig(qapp: QApplication) -> Iterator[Rig]:
    made = Rig()
    yield made
    made.store.flush()


@pytest.fixture
def started(rig: Rig) -> Rig:
    rig.hotkeys.start()
    return rig


@pytest.fixture
def page(started: Rig, qtbot: QtBot) -> KeysPage:
    made = KeysPage(started.hotkeys, started.commands)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


# --- what is grabbed -----------------------------------------------------------------------


def test_every_verb_that_somebody_does_has_its_key(started: Rig) -> None:
    assert list(started.system.grabbed) == list(OFFERED)
    started.press(CAPTIONS)
    started.press(parse("Ctrl+Alt++"))
    assert started.done == ["captions", "bigger"]
    started.hotkeys.close()
    assert started.system.closed


def test_a_key_that_is_changed_is_grabbed_at_once(started: Rig) -> None:
    assert started.hotkeys.assign("captions", "Meta+Shift+F9") == ""
    started.press(CAPTIONS)
    started.press(parse("Meta+Shift+F9"))
    assert started.done == ["captions"]
    assert started.hotkeys.sequence("captions") == QKeySequence("Meta+Shift+F9")
    started.hotkeys.assign("captions", "")
    assert "captions" not in started.system.grabbed
    started.hotkeys.reset()
    assert started.system.grabbed["captions"] == CAPTIONS


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("Ctrl+Alt+P", "Ctrl+Alt+P is the key of “Pause listening, or go on”."),
        ("Ctrl+C", "Ctrl+C is needed in other programs."),
        ("Ctrl+Alt+ß", "This key cannot be used."),
    ],
)
def test_a_key_that_cannot_be_is_told_and_changes_nothing(
    started: Rig, keys: str, told: str
) -> None:
    assert started.hotkeys.assign("captions", keys).startswith(told)
    assert started.store.settings.keys == {}
    assert started.system.grabbed["captions"] == CAPTIONS


def test_a_key_that_the_desktop_has_is_told_and_works_in_our_windows(rig: Rig) -> None:
    rig.system.taken = {CLICK_THROUGH}
    rig.hotkeys.start()
    assert "another program has Ctrl+Alt+T" in rig.hotkeys.problem("click-through")
    assert not rig.hotkeys.works_everywhere("click-through")
    assert rig.hotkeys.sequence("click-through") == QKeySequence("Ctrl+Alt+T")
    assert rig.hotkeys.problem("captions") == ""
    assert rig.hotkeys.works_everywhere("captions")


def test_a_key_that_people_type_with_is_told_and_does_nothing_in_our_windows(rig: Rig) -> None:
    rig.system.typed = {CLICK_THROUGH}
    rig.hotkeys.start()
    assert "Ctrl+Alt+T types a character" in rig.hotkeys.problem("click-through")
    assert not rig.hotkeys.works_everywhere("click-through")
    assert rig.hotkeys.sequence("click-through").isEmpty()


def test_of_two_verbs_with_one_key_in_the_file_the_first_has_it(qapp: QApplication) -> None:
    rig = Rig(Settings(keys={"pause": "Ctrl+Alt+C", "bigger": "no key at all"}))
    rig.hotkeys.start()
    assert list(rig.system.grabbed) == ["captions", "click-through", "bigger"]
    assert "is the key of “Show or hide the captions”, too" in rig.hotkeys.problem("pause")
    assert rig.hotkeys.sequence("pause").isEmpty()  # or neither menu entry would do it
    assert rig.hotkeys.written("bigger") == "Ctrl+Alt++"  # its usual one


# --- where the desktop keeps the keys ------------------------------------------------------


@pytest.fixture
def wayland(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(native_keys, "is_wayland", lambda: True)
    rig.has_system = False
    rig.hotkeys.start()
    return rig


def test_the_portal_is_asked_and_says_what_each_key_is(wayland: Rig) -> None:
    (portal,) = wayland.portals
    assert list(portal.wanted) == list(OFFERED)
    assert portal.wanted["captions"] == ("Show or hide the captions", CAPTIONS)
    portal.answer({"captions": "Super+C", "pause": ""})
    QApplication.processEvents()
    assert wayland.hotkeys.shown("captions") == "Super+C"
    assert wayland.hotkeys.works_everywhere("captions")
    assert not wayland.hotkeys.works_everywhere("pause")
    assert wayland.hotkeys.sequence("captions").isEmpty()
    portal.press("captions")
    QApplication.processEvents()
    assert wayland.done == ["captions"]


def test_without_a_portal_keys_work_in_our_windows_and_the_page_says_how(
    wayland: Rig, qtbot: QtBot
) -> None:
    wayland.portals[0].answer({})
    QApplication.processEvents()
    assert not wayland.hotkeys.works_everywhere("captions")
    assert wayland.hotkeys.sequence("captions") == QKeySequence("Ctrl+Alt+C")
    page = KeysPage(wayland.hotkeys, wayland.commands)
    qtbot.addWidget(page)
    assert page.about.text() == NO_KEYS
    assert "voxline control toggle" in page.about.text()


def test_what_the_desktop_keeps_cannot_be_pressed_here(wayland: Rig, qtbot: QtBot) -> None:
    wayland.portals[0].answer({"captions": "Super+C"})
    QApplication.processEvents()
    page = KeysPage(wayland.hotkeys, wayland.commands)
    qtbot.addWidget(page)
    assert all(button.isHidden() for button in page.buttons.values())
    assert page.given["captions"].text() == "Super+C"
    assert page.given["pause"].text() == "No key"
    assert "desktop" in page.about.text()


# --- the page ------------------------------------------------------------------------------


def ask(page: KeysPage, name: str) -> key_button.KeyButton:
    button = page.buttons[name]
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert button.text() == key_button.ASKING
    return button


def test_a_key_is_pressed_and_is_the_key(page: KeysPage, started: Rig) -> None:
    button = ask(page, "captions")
    assert not started.system.grabbed  # or its own key could not be pressed
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(button, Qt.Key.Key_Control, both)  # no key yet
    QTest.keyClick(button, Qt.Key.Key_Tab, both)
    assert "cannot be used" in page.problems["captions"].text()
    QTest.keyClick(ask(page, "captions"), Qt.Key.Key_Y, both)
    assert button.text() == "Ctrl+Shift+Y"
    assert page.problems["captions"].isHidden()
    assert started.system.grabbed["captions"] == parse("Ctrl+Shift+Y")
    assert button.accessibleName() == "Show or hide the captions: Ctrl+Shift+Y"


def test_a_refusal_is_said_beside_the_key_until_the_next_try(page: KeysPage, started: Rig) -> None:
    alt_ctrl = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    QTest.keyClick(ask(page, "captions"), Qt.Key.Key_P, alt_ctrl)
    problem = page.problems["captions"]
    assert problem.isVisible()
    assert problem.text().startswith("Ctrl+Alt+P is the key of")
    assert page.buttons["captions"].text() == "Ctrl+Alt+C"
    assert page.buttons["captions"].accessibleDescription() == problem.text()
    QTest.keyClick(ask(page, "captions"), Qt.Key.Key_Escape)
    assert problem.isHidden()
    assert started.system.grabbed["captions"] == CAPTIONS


def test_none_is_a_choice_and_all_can_be_restored(page: KeysPage, started: Rig) -> None:
    QTest.keyClick(ask(page, "pause"), Qt.Key.Key_Backspace)
    assert page.buttons["pause"].text() == key_button.NONE
    assert started.store.settings.keys == {"pause": ""}
    QTest.mouseClick(page.reset, Qt.MouseButton.LeftButton)
    assert page.buttons["pause"].text() == "Ctrl+Alt+P"


def test_plus_is_plus_however_it_is_typed(page: KeysPage, started: Rig) -> None:
    held = (
        Qt.KeyboardModifier.MetaModifier
        | Qt.KeyboardModifier.ShiftModifier
        | Qt.KeyboardModifier.KeypadModifier
    )
    QTest.keyClick(ask(page, "bigger"), Qt.Key.Key_Plus, held)
    assert started.store.settings.keys == {"bigger": "Meta++"}


def test_leaving_the_button_is_no_choice(page: KeysPage, started: Rig) -> None:
    ask(page, "pause").clearFocus()
    assert page.buttons["pause"].text() == "Ctrl+Alt+P"
    assert started.system.grabbed["pause"] == PAUSE

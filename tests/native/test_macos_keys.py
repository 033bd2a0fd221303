"""macOS' keys, against a Carbon that keeps its rules. Not run on hardware."""

from __future__ import annotations

from typing import Any

import pytest

from app.native import macos_keys
from app.native.keys import NoGlobalKeysError, Refusal, parse
from app.native.macos_keys import MacKeys

COMMAND_OPTION = 0x900
EVENT_HOT_KEY_EXISTS, EVENT_PARAMETER_NOT_FOUND = -9878, -9870
TARGET, HANDLER = 0x7F01, 0x7F02


class Carbon:
    """Hot keys of one application, by the reference that it gives for each."""

    def __init__(self) -> None:
        self.taken: set[tuple[int, int]] = set()
        self.keys: dict[int, tuple[int, int, int]] = {}  # reference: code, modifiers, number
        self.handler: Any = None
        self.refuses_handlers = False
        self._next = 0x9000

    def GetApplicationEventTarget(self) -> int:
        return TARGET

    def InstallEventHandler(
        self, target: Any, handler: Any, count: int, kinds: Any, data: None, into: Any
    ) -> int:
        kind = kinds._obj
        assert (target.value, count, kind.event_class, kind.kind) == (TARGET, 1, 0x6B657962, 5)
        if self.refuses_handlers:
            return -9861
        self.handler, into._obj.value = handler, HANDLER
        return 0

    def RemoveEventHandler(self, handler: Any) -> int:
        assert handler.value == HANDLER
        self.handler = None
        return 0

    def RegisterEventHotKey(
        self, code: int, modifiers: int, which: Any, target: Any, options: int, into: Any
    ) -> int:
        mine = [(each[0], each[1]) for each in self.keys.values()]
        if (code, modifiers) in self.taken or (code, modifiers) in mine:
            return EVENT_HOT_KEY_EXISTS
        self._next += 1
        self.keys[self._next] = (code, modifiers, which.id)
        into._obj.value = self._next
        return 0

    def UnregisterEventHotKey(self, reference: Any) -> int:
        del self.keys[reference.value]
        return 0

    def GetEventParameter(
        self, event: Any, name: int, kind: int, actual: None, size: int, filled: None, into: Any
    ) -> int:
        if (name, kind, size) != (0x2D2D2D2D, 0x686B6964, 8):
            return EVENT_PARAMETER_NOT_FOUND
        into._obj.id = event.value  # here an event is the number of its key
        return 0

    def press(self, code: int, modifiers: int) -> None:
        (number,) = [n for c, m, n in self.keys.values() if (c, m) == (code, modifiers)]
        assert self.handler(None, number, None) == 0


@pytest.fixture
def carbon(monkeypatch: pytest.MonkeyPatch) -> Carbon:
    made = Carbon()
    monkeypatch.setattr(macos_keys, "_carbon", lambda: made)
    return made


def test_a_key_is_told_by_its_name(carbon: Carbon) -> None:
    pressed: list[str] = []
    keys = MacKeys(pressed.append)
    wanted = {"captions": parse("Ctrl+Alt+C"), "smaller": parse("Ctrl+Alt+-")}
    assert keys.grab(wanted) == {}
    for code in (8, 27, 78):  # kVK_ANSI_C, kVK_ANSI_Minus, kVK_ANSI_KeypadMinus
        carbon.press(code, COMMAND_OPTION)
    assert pressed == ["captions", "smaller", "smaller"]
    keys.close()
    assert not carbon.keys
    assert carbon.handler is None


def test_a_key_that_is_taken_is_told_apart_and_had_whole_or_not_at_all(carbon: Carbon) -> None:
    carbon.taken = {(17, COMMAND_OPTION), (69, COMMAND_OPTION)}
    keys = MacKeys(lambda name: None)
    wanted = {"click-through": "Ctrl+Alt+T", "bigger": "Ctrl+Alt++", "mark": "Meta+Shift+F9"}
    refused = keys.grab({name: parse(text) for name, text in wanted.items()})
    assert refused == {"click-through": Refusal.TAKEN, "bigger": Refusal.TAKEN}
    assert [key[:2] for key in carbon.keys.values()] == [(101, 0x1200)]  # Control and Shift
    assert keys.grab({}) == {}
    assert not carbon.keys


def test_where_carbon_takes_no_handler_there_are_no_keys(carbon: Carbon) -> None:
    carbon.refuses_handlers = True
    with pytest.raises(NoGlobalKeysError):
        MacKeys(lambda name: None)

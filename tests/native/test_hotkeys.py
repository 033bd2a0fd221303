"""Combinations of keys: which there are, and which other programs can spare."""

from __future__ import annotations

import pytest

from app.native import hotkeys
from app.native.keys import KEYS, Combination, NoGlobalKeysError, parse
from app.native.macos_keys import _KEY_CODES
from app.native.windows_keys import _VIRTUAL_KEYS
from app.native.x11_keys import _KEYSYMS


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Ctrl+Alt+C", Combination("C", control=True, alt=True)),
        ("Ctrl+Alt++", Combination("+", control=True, alt=True)),
        ("Ctrl+Alt+-", Combination("-", control=True, alt=True)),
        ("Meta+Shift+PgUp", Combination("PgUp", shift=True, meta=True)),
        ("F9", Combination("F9")),
        ("+", Combination("+")),
    ],
)
def test_a_combination_is_read_as_qt_writes_it(text: str, wanted: Combination) -> None:
    assert parse(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "Ctrl", "Ctrl+Alt", "Ctrl+Ctrl+C", "Hyper+C", "Ctrl+ß", "Ctrl+С", "C+Ctrl", "F13"]
)
def test_what_is_no_combination_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "spared"),
    [
        ("Ctrl+Alt+C", True), ("Ctrl+Shift+C", True), ("Meta+C", True), ("F9", True),
        ("Ctrl+C", False), ("Alt+F", False), ("Shift+A", False), ("A", False), ("Space", False),
    ],
)  # fmt: skip
def test_nobody_loses_the_keys_to_copy_or_to_write(text: str, spared: bool) -> None:
    assert parse(text).can_be_spared is spared


def test_every_key_is_known_on_every_desktop() -> None:
    for table in (_KEYSYMS, _VIRTUAL_KEYS, _KEY_CODES):
        assert set(table) == set(KEYS)
    for codes in (_VIRTUAL_KEYS, _KEY_CODES):
        every = [code for some in codes.values() for code in some]
        assert len(every) == len(set(every))


@pytest.mark.parametrize(
    ("platform", "environ"),
    [
        ("offscreen", {}),
        ("wayland", {"WAYLAND_DISPLAY": "wayland-0"}),
        ("xcb", {"WAYLAND_DISPLAY": "wayland-0"}),
        ("xcb", {"XDG_SESSION_TYPE": "wayland"}),
    ],
)
def test_where_no_program_may_grab_keys_none_is_tried(
    platform: str, environ: dict[str, str]
) -> None:
    """Under XWayland a grab would be granted, and heard only while an X11 window is in use."""
    with pytest.raises(NoGlobalKeysError):
        hotkeys.open_keys(platform, lambda name: None, environ)


def test_without_an_x_server_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":7654")
    with pytest.raises(NoGlobalKeysError):
        hotkeys.open_keys("xcb", lambda name: None, {})

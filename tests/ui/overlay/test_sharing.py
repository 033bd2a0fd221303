"""Captions that others are not to see on a shared screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app import native
from app.settings import OverlaySettings, Settings
from app.ui.overlay.window import CaptionOverlay
from app.ui.preferences.caption_page import CaptionPage
from app.ui.state.settings_store import SettingsStore

HIDDEN = OverlaySettings(hidden_from_sharing=True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the desktop was asked for; it agrees."""
    asked: list[bool] = []

    def hide(window_id: int, hidden: bool, platform_name: str) -> bool:
        asked.append(hidden)
        return True

    monkeypatch.setattr(native, "hide_from_sharing", hide)
    return asked


def shown(qtbot: QtBot, settings: OverlaySettings) -> CaptionOverlay:
    window = CaptionOverlay(settings, lambda changed: None)
    qtbot.addWidget(window)
    window.show()
    return window


def test_it_is_asked_for_when_shown_and_again_while_it_is_wished(
    qtbot: QtBot, asked: list[bool]
) -> None:
    window = shown(qtbot, HIDDEN)
    assert asked and all(asked)
    asked.clear()
    window.keep_above()  # Qt may have made the window anew
    assert asked == [True]
    window.apply(replace(HIDDEN, hidden_from_sharing=False))
    window.keep_above()
    assert asked == [True, False]


def test_who_does_not_wish_it_does_not_touch_the_window(qtbot: QtBot, asked: list[bool]) -> None:
    window = shown(qtbot, OverlaySettings())
    window.keep_above()
    assert asked == []


def test_a_desktop_that_does_not_do_it_is_told_of_once(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "hide_from_sharing", lambda *_: False)
    window = shown(qtbot, OverlaySettings())
    told: list[bool] = []
    window.sharing_refused.connect(lambda: told.append(True))
    window.apply(HIDDEN)
    window.keep_above()
    assert told == [True]


@pytest.mark.parametrize("possible", [True, False])
def test_it_is_offered_where_it_can_be_done(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, possible: bool
) -> None:
    monkeypatch.setattr(native, "can_hide_from_sharing", lambda platform: possible)
    store = SettingsStore(Settings())
    page = CaptionPage(store)
    qtbot.addWidget(page)
    page.show_more.setChecked(True)
    page.show()
    assert page.hide_from_sharing.isVisible() == possible
    page.hide_from_sharing.click()
    assert store.settings.overlay.hidden_from_sharing

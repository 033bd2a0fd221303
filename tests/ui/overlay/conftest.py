"""A caption window on a screen that a test may change."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect
from pytestqt.qtbot import QtBot

from app.settings import OverlaySettings
from app.ui.overlay import floating
from app.ui.overlay import window as overlay
from app.ui.overlay.window import CaptionOverlay
from tests.ui.overlay.windows import SCREEN, opened


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> dict[str, QRect]:
    """The screens; a test may add and remove some. No sound server or model is looked for."""
    present = {"main": SCREEN}
    monkeypatch.setattr(floating, "SETTLE_MS", 1)
    monkeypatch.setattr(overlay, "HOVER_MS", 1)
    monkeypatch.setattr(overlay, "LEAVE_MS", 1)
    monkeypatch.setattr(floating, "screens", lambda: present)
    monkeypatch.setattr(overlay, "list_sources", list)
    return present


@pytest.fixture
def saved() -> list[OverlaySettings]:
    return []


@pytest.fixture
def window(qtbot: QtBot, desktop: dict[str, QRect], saved: list[OverlaySettings]) -> CaptionOverlay:
    return opened(qtbot, OverlaySettings(), saved)

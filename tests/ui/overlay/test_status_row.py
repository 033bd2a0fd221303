"""The state beside the captions: told for every stage, readable on every background."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QColor

from app.session.session import Stage, Status
from app.settings import OverlaySettings
from app.ui.overlay.controls import INK, SURFACE
from app.ui.overlay.status_row import ROW_HEIGHT, TONES, StatusRow, status_text

STATUSES = [
    (Status(Stage.STARTING, "Loading the model …", "", 0.4), "Loading the model … · 40%"),
    (Status(Stage.LISTENING, "Listening to USB."), "Listening"),
    (Status(Stage.SPEECH, "Someone is speaking."), "Speech"),
    (Status(Stage.NO_SOUND, "No sound is arriving from USB."), "No sound is arriving from USB."),
    (Status(Stage.CATCHING_UP, "Catching up …", "", None, 3200), "Catching up · 3 s behind"),
    (Status(Stage.FAILED, "The model is damaged."), "The model is damaged."),
    (Status(Stage.PAUSED), "Paused"),
]  # fmt: skip


def contrast(a: QColor, b: QColor) -> float:
    """WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""

    def luminance(color: QColor) -> float:
        parts = [color.redF(), color.greenF(), color.blueF()]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture
def row(qtbot) -> StatusRow:
    row = StatusRow(OverlaySettings())
    qtbot.addWidget(row)
    row.resize(500, ROW_HEIGHT)
    return row


@pytest.mark.parametrize(("status", "text"), STATUSES, ids=[s.stage.value for s, _ in STATUSES])
def test_each_stage_is_told_and_told_to_assistive_technology(row, status, text):
    assert status_text(status) == text
    row.set_status(replace(status, hint="Do this."))
    assert row.accessibleDescription() == f"{text} Do this."


def test_every_stage_looks_like_something(row):
    assert set(TONES) == set(Stage)
    pictures = set()
    for stage in (Stage.LISTENING, Stage.SPEECH, Stage.NO_SOUND, Stage.FAILED):
        row.set_status(Status(stage, "Same text"))
        pictures.add(bytes(row.grab().toImage().constBits()))
    assert len(pictures) == 4


@pytest.mark.parametrize("stage", [stage for stage in Stage if TONES[stage].pill])
def test_trouble_is_readable_whatever_is_behind_it(stage):
    assert contrast(TONES[stage].pill, TONES[stage].ink) >= 4.5


def test_controls_are_readable():
    assert contrast(INK, SURFACE) >= 7


def test_the_meter_moves_with_the_sound(row):
    row.set_status(Status(Stage.LISTENING))
    quiet = row.grab().toImage()
    row.set_level(0.5)
    assert row.grab().toImage() != quiet


def test_the_language_is_shown_unless_unwanted(row):
    assert row.language_text == "?"
    row.set_language("fr")
    assert row.language_text == "français"
    row.apply(OverlaySettings(show_language=False))
    assert row.language_text == ""

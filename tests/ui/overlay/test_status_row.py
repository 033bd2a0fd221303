"""The state beside the captions: told for every stage, readable on every background."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QColor, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.session.session import Stage, Status
from app.settings import OverlaySettings
from app.ui.overlay.caption_box import CaptionBox
from app.ui.overlay.controls import INK, SURFACE
from app.ui.overlay.status_row import ROW_HEIGHT, TONES, StatusRow
from app.ui.widgets import stages
from app.ui.widgets.color_button import contrast

STATUSES = [
    (Status(Stage.STARTING, "Loading the model …", "", 0.4), "Loading the model … · 40%"),
    (Status(Stage.LISTENING, "Listening to USB."), ""),
    (Status(Stage.SPEECH, "Someone is speaking."), ""),
    (Status(Stage.NO_SOUND, "No sound is arriving from USB."), "No sound is arriving from USB."),
    (Status(Stage.CATCHING_UP, "Catching up …", "", None, 3200), "Catching up · 3 s behind"),
    (Status(Stage.FAILED, "The model is damaged."), "The model is damaged."),
    (Status(Stage.PAUSED), "Paused"),
]  # fmt: skip


@pytest.fixture
def row(qtbot: QtBot) -> StatusRow:
    row = StatusRow(OverlaySettings())
    qtbot.addWidget(row)
    row.resize(500, ROW_HEIGHT)
    return row


class Paints(QObject):
    """What of a widget is painted from now on."""

    def __init__(self, of: QWidget) -> None:
        super().__init__(of)
        self.areas: list[QRect] = []
        of.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.areas.append(event.rect())
        return False


@pytest.mark.parametrize(("status", "text"), STATUSES, ids=[s.stage.value for s, _ in STATUSES])
def test_each_stage_is_told_and_told_to_assistive_technology(
    row: StatusRow, status: Status, text: str
) -> None:
    assert stages.line(status) == text
    row.set_status(replace(status, hint="Do this."))
    interface = QAccessible.queryAccessibleInterface(row)
    assert interface.role() == QAccessible.Role.StaticText
    told = text or stages.title(status.stage)
    assert interface.text(QAccessible.Text.Name) == f"{told} Do this."


def test_every_stage_looks_like_something(row: StatusRow) -> None:
    assert {stages.kind(stage) for stage in Stage} == set(TONES)
    pictures = set()
    for stage in (Stage.STARTING, Stage.PAUSED, Stage.SPEECH, Stage.NO_SOUND, Stage.FAILED):
        row.set_status(Status(stage, "Same text"))
        pictures.add(bytes(row.grab().toImage().constBits()))
    assert len(pictures) == 5


def test_before_anything_is_known_nothing_is_claimed(row: StatusRow) -> None:
    blank = row.grab().toImage()
    assert blank.allGray() and blank.pixelColor(17, 13) == blank.pixelColor(2, 2)
    row.set_status(Status(Stage.STARTING, "Starting …"))
    assert row.grab().toImage() != blank


@pytest.mark.parametrize("stage", stages.TROUBLE)
def test_trouble_is_readable_whatever_is_behind_it(stage: Stage) -> None:
    tone = TONES[stages.kind(stage)]
    assert tone.pill is not None and tone.ink is not None
    assert contrast(tone.pill, tone.ink) >= 4.5


def test_controls_are_readable() -> None:
    assert contrast(INK, SURFACE) >= 7


def test_the_meter_moves_with_the_sound(row: StatusRow) -> None:
    row.set_status(Status(Stage.LISTENING))
    quiet = row.grab().toImage()
    row.set_level(0.5)
    assert row.grab().toImage() != quiet


@pytest.mark.parametrize("opacity", [0.85, 0.2])
@pytest.mark.parametrize("stage", [Stage.LISTENING, Stage.SPEECH])
@pytest.mark.parametrize("opaque", [True, False])
def test_the_meter_stands_on_what_is_behind_it(
    qtbot: QtBot, stage: Stage, opacity: float, opaque: bool
) -> None:
    """Its picture covers the row and the box: nothing is to be seen of that."""
    settings = OverlaySettings(background_color="#204060", background_opacity=opacity)
    box = CaptionBox(settings)
    qtbot.addWidget(box)
    box.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)  # as the caption window has it
    box.resize(500, 120)
    box.set_opaque(opaque)
    box.show_status(Status(stage, remark="A remark that fills much of the row."))
    box.status_row.set_level(0.05)
    area = box.status_row.meter.geometry().translated(box.status_row.pos())
    seen = box.grab().toImage().copy(area)
    box.status_row.meter.hide()  # then the row paints it, bars and all
    bars = box.grab().toImage().copy(area)
    off = [
        abs(getattr(one, part)() - getattr(other, part)())
        for x in range(seen.width())
        for y in range(seen.height())
        for one, other in [(seen.pixelColor(x, y), bars.pixelColor(x, y))]
        for part in ("red", "green", "blue", "alpha")
    ]
    assert max(off) <= 3, "but for rounding"
    assert len({seen.pixelColor(x, 7).rgba() for x in range(seen.width())}) > 1, "bars and ground"


def test_a_level_paints_the_meter_alone_and_only_if_a_bar_has_changed(
    qtbot: QtBot, row: StatusRow
) -> None:
    """Levels come for as long as the app runs."""
    row.set_status(Status(Stage.SPEECH))
    with qtbot.waitExposed(row):
        row.show()
    QApplication.processEvents()
    meter, all_else = Paints(row.meter), Paints(row)
    for level in (0.05, 0.0501, 0.0502):
        row.set_level(level)
        QApplication.processEvents()
    assert len(meter.areas) == 1
    assert not all_else.areas


def test_a_breath_of_the_speaker_paints_nothing_and_moves_nothing(qtbot: QtBot) -> None:
    """Stages change with each: what is seen of them is the same."""
    box = CaptionBox(OverlaySettings())
    qtbot.addWidget(box)
    box.resize(600, 160)
    box.show_status(Status(Stage.LISTENING, "Listening to USB."))
    with qtbot.waitExposed(box):
        box.show()
    QApplication.processEvents()
    painted = [Paints(of) for of in (box, box.status_row, box.captions)]
    for stage in (Stage.SPEECH, Stage.LISTENING, Stage.SPEECH):
        box.show_status(Status(stage))
        QApplication.processEvents()
    assert [of.areas for of in painted] == [[], [], []]
    assert box.status_row.accessibleName() == stages.title(Stage.SPEECH)
    box.show_status(Status(Stage.PAUSED))
    QApplication.processEvents()
    assert painted[1].areas


@pytest.mark.parametrize("stage", [Stage.PAUSED, Stage.NO_SOUND, Stage.STOPPED])
def test_the_meter_is_dark_while_nothing_is_heard(row: StatusRow, stage: Stage) -> None:
    row.set_status(Status(stage))
    quiet = row.grab().toImage()
    row.set_level(0.5)
    assert row.grab().toImage() == quiet


def test_a_message_that_is_shortened_can_be_read_whole(row: StatusRow) -> None:
    long = "No sound is arriving from " + "a microphone with a long name " * 4
    row.set_status(Status(Stage.NO_SOUND, long))
    assert row.tip_at(QPoint(5, 5)) == long
    row.set_status(Status(Stage.NO_SOUND, "No sound."))
    assert row.tip_at(QPoint(5, 5)) == ""


def test_the_language_is_shown_unless_unwanted(row: StatusRow) -> None:
    assert row.language_text == ""  # a bare "?" reads as a button that helps
    row.set_language("fr")
    assert row.language_text == "français"
    row.apply(OverlaySettings(show_language=False))
    assert row.language_text == ""


@pytest.mark.parametrize("ground", ["#000000", "#ffffff", "#ffff00", "#0000ff"])
def test_the_meter_is_seen_on_light_grounds_too(row: StatusRow, ground: str) -> None:
    row.apply(OverlaySettings(background_color=ground, background_opacity=1.0))
    row.set_status(Status(Stage.SPEECH))
    assert contrast(row._dot(TONES["good"]), QColor(ground)) >= 3

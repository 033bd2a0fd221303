"""Where there is little room nothing is lost: what is cut can be read, what can be wide is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.models.catalogue import catalogue
from app.ui.preferences.licence_dialog import LicenceDialog
from app.ui.widgets import plain
from app.ui.widgets.choice_box import ChoiceBox
from app.ui.widgets.question import open_beside, question
from app.ui.widgets.source_box import SourceBox
from model_backends.base import Sentence
from tests.ui.photographs import checks

LONG = "Yeti Stereo Microphone (USB, rear panel of the dock) №2"
FITS, CUT = 900, 150


def test_a_choice_that_is_cut_can_be_read_in_its_tooltip(qtbot: QtBot) -> None:
    box = ChoiceBox(Sentence("Engine"))
    qtbot.addWidget(box)
    box.offer([("Short", "a"), (LONG, "b")], "b")
    for width, tip in ((FITS, ""), (CUT, plain.tip(LONG)), (FITS, "")):
        box.resize(width, 30)
        box.show()
        assert box.toolTip() == tip
    box.resize(CUT, 30)
    box.setCurrentIndex(0)
    assert box.toolTip() == ""
    box.offer([(LONG, "b")], "b")
    assert box.toolTip() == plain.tip(LONG)


def test_a_source_that_is_cut_can_be_read_as_it_is_named_in_the_closed_box(qtbot: QtBot) -> None:
    box = SourceBox()
    qtbot.addWidget(box)
    box.show_chosen("alsa_input.usb-Blue_Microphones_Yeti-00.analog-stereo")
    box.show_sources([])
    box.resize(CUT, 30)
    box.show()
    assert box.whole_text
    assert box.toolTip() == plain.tip(box.whole_text)


def test_a_tooltip_that_tells_more_is_left_alone(qtbot: QtBot) -> None:
    box = ChoiceBox(Sentence("Language"))
    qtbot.addWidget(box)
    plain.set_tip(box, "Of these windows")
    told = box.toolTip()
    box.offer([(LONG, "b")], "b")
    box.resize(CUT, 30)
    box.show()
    assert box.toolTip() == told


@pytest.mark.parametrize("model", [m for m in catalogue() if m.licence_text], ids=lambda m: m.name)
def test_no_line_of_a_licence_is_broken_again(qtbot: QtBot, model: object) -> None:
    dialog = LicenceDialog(model)  # type: ignore[arg-type]
    qtbot.addWidget(dialog)
    dialog.resize(dialog.sizeHint())
    dialog.show()
    metrics = QFontMetricsF(dialog.text.font())
    widest = max(map(metrics.horizontalAdvance, dialog.text.toPlainText().splitlines()))
    room = dialog.text.viewport().width() - 2 * dialog.text.document().documentMargin()
    assert widest <= room or dialog.width() == 960


def test_a_question_has_room_for_its_title_and_a_path(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    box = question(parent, Sentence("Remove a model"), "Remove it?", "/home/margarethe/models")
    open_beside(box)
    qtbot.waitUntil(box.isVisible)
    assert box.width() >= 400
    assert not [label for label in box.findChildren(QLabel) if checks._is_cut(label)]
    assert box.textFormat() == Qt.TextFormat.PlainText
    box.close()

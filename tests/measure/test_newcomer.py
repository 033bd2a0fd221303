"""The newcomer's minute: what the person reads is what is there, and the table is in order."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.core.voices import ME, THEM
from app.measure.newcomer import WALK, table
from app.measure.windowed import Seen
from app.session.status import Stage
from app.ui.first_run import source_step
from tests.ui.conftest import Rig
from tests.ui.first_run.opened import Guide


def text_of(widget: QWidget) -> str:
    if isinstance(widget, QComboBox):
        return widget.currentText()
    return widget.text() if isinstance(widget, (QAbstractButton, QLabel)) else ""


def test_the_person_reads_every_word_of_each_step(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_step, "list_sources", list)  # not this machine's
    rig = Rig()
    rig.store.change(engine="embedded")
    rig.captioning.start()
    rig.session.voices = (THEM, ME)
    rig.reach(Stage.LISTENING)
    window = Guide(rig).open()
    for step, visit in enumerate(WALK):
        window.show_step(step)
        seen = (each for each in window.findChildren(QWidget) if each.isVisibleTo(window))
        words = sum(len(text_of(each).split()) for each in seen)
        assert 0.7 * words <= visit.words <= 1.3 * words, f"step {step + 1} has {words} words"
    window.close()
    rig.store.flush()


def test_the_table_has_what_came_in_its_order() -> None:
    seen = Seen(shown_ms=900, first_painted_s=17.0, first_in_page_s=4.7)
    seen.steps += [(1, 2.2), (2, 16.0), (0, 52.0)]
    seen.reached |= {"listening": 3.5, "paused": 20.0}
    moments = [row.split("|")[1].strip() for row in table(seen).splitlines()[2:]]
    assert moments == ["0.9", "2.2", "3.5", "4.7", "16.0", "17.0", "52.0"]

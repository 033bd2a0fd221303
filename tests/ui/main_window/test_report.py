"""The report of a problem: what helps is in it, and nothing of who the user is or what was said."""

from __future__ import annotations

import getpass
import platform
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app import __version__, paths
from app.session.status import Stage, Status
from app.settings import Settings
from app.ui.main_window import report
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words

LOG = """\
2026-11-22 10:00:00,000 INFO app.main: captions shown after 411 ms
2026-11-22 10:00:01,000 WARNING app.audio: {home}/Talks/Maria Jones.wav could not be read
2026-11-22 10:00:02,000 CRITICAL voxline: uncaught
Traceback (most recent call last):
  File "{home}/.venv/lib/python3.11/site-packages/av/open.py", line 3, in open
    secret_code_line()
FileNotFoundError: /media/maria/Stick/Doctor.mp3
"""


@pytest.fixture
def text(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(platform, "node", lambda: "marias-laptop")
    monkeypatch.setattr(getpass, "getuser", lambda: "mjones")
    paths.private_file(paths.log_dir() / "voxline.log").write_text(LOG.format(home=Path.home()))
    rig.captioning.start()
    rig.say(
        Status(Stage.NO_SOUND, "No sound arrives on marias-laptop.", "Is it muted?"),
        *words("strictly confidential"),
    )
    chosen = replace(
        rig.store.settings,
        source="device:usb-0d8c\nMaria’s headset",
        model=str(Path.home() / "models"),
        own_name="Maria",
        others_name="Dr. Jones",
        names="Maria, Doctor Jones",
        server_urls="wss://captions.jones.example",
        agreed_servers={"captions.jones.example": True},
        overlay=replace(rig.store.settings.overlay, geometry={"Maria’s TV": [1, 2, 3, 4]}),
    )
    return report.redacted(report.whole(rig.captioning, chosen), report._secrets())


def test_what_helps_is_in_it(text: str) -> None:
    for fact in (
        f"Voxline {__version__}", "Qt ", "State: no sound.", "Engine: scripted",
        "Source: Device", "overlay.font_size = 28", "keep_transcripts = True", "own_name = 'given'",
        "CRITICAL voxline: uncaught", "FileNotFoundError", "av/open.py",
    ):  # fmt: skip
        assert fact in text


def test_nobody_is_in_it(text: str) -> None:
    folded = text.casefold()
    for secret in (
        "maria", "mjones", "confidential", "doctor", "jones", "usb-0d8c", str(Path.home()),
    ):  # fmt: skip
        assert secret.casefold() not in folded
    assert "INFO" not in text  # it says when one has worked


def test_it_is_in_the_clipboard_and_to_be_read(rig: Rig, qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = report.show_report(parent, rig.captioning, Settings())
    (shown,) = dialog.findChildren(QPlainTextEdit)
    assert QGuiApplication.clipboard().text() == shown.toPlainText()
    assert shown.toPlainText().startswith("Voxline ")
    dialog.close()


def test_without_a_log_it_says_so(rig: Rig) -> None:
    assert "could not be read: No such file" in report.whole(rig.captioning, Settings())

"""A report of a problem, for the user to read and send: nothing of what was said, no names.

Versions, the state, the choices without names of devices or paths, and the log's last warnings.
What still points to a person (folders, the user's and the computer's name) is blacked out. Knows
where the log is; sends nothing.
"""

from __future__ import annotations

import getpass
import locale
import os
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QGridLayout, QPlainTextEdit, QPushButton, QWidget

from app import __version__, paths
from app.audio.choice import from_text
from app.settings import Settings
from app.ui.main_window.help import make_dialog, open_dialog
from app.ui.widgets import plain, worded
from model_backends.base import Sentence

if TYPE_CHECKING:
    from app.ui.state.captioning import Captioning

_LOG_LINES = 80
_LOG_BYTES = 200_000
_TELLING = re.compile(r"^\S+ \S+ (WARNING|ERROR|CRITICAL) |^(Traceback|  File |\w+(\.\w+)*Error)")
_HIDDEN = "…"
# A path, and where that has no ending yet, the words after it up to one: names have spaces.
_PATH = re.compile(
    r"""(?<![\w.])(?:~|[A-Za-z]:\\|/)[^\s"'“”,:;]*"""
    r"""(?:(?<!\.\w\w)(?<!\.\w\w\w)(?<!\.\w\w\w\w)(?:[ ][^\s"'“”,:;]+){1,8}?\.\w{2,4}\b)?"""
)
# What is chosen, but for names of devices, folders of models, and where windows are.
_NAMED = ("source", "model", "window", "overlay", "told", "feeds")
_PERSONAL = ("names", "own_name", "others_name", "server_urls", "agreed_servers")  # are there any?
_TOLD = Sentence(
    "This report is in the clipboard now, to be pasted where you report the problem. Read it "
    "first: nothing is sent by Voxline, and nothing of what was said is in it."
)


def show_report(parent: QWidget, captioning: Captioning, settings: Settings) -> QDialog:
    """Put the report into the clipboard, and show what is in it."""
    text = redacted(whole(captioning, settings), _secrets())
    QGuiApplication.clipboard().setText(text)
    dialog = make_dialog(parent, Sentence("Report a problem"))
    told = plain.label(_TOLD, wrap=True)
    shown = QPlainTextEdit(text)
    shown.setReadOnly(True)
    shown.setTabChangesFocus(True)
    worded.name(shown, Sentence("The report"))
    shown.setMinimumSize(440, 180)  # a narrow screen has room for no more
    again = worded.text(QPushButton(), Sentence("&Copy again"))
    again.setAutoDefault(False)
    again.clicked.connect(lambda: QGuiApplication.clipboard().setText(text))
    grid = QGridLayout()
    grid.addWidget(told, 0, 0, 1, 2)
    grid.addWidget(shown, 1, 0, 1, 2)
    grid.addWidget(again, 2, 0)
    grid.setColumnStretch(1, 1)
    return open_dialog(dialog, grid)


def whole(captioning: Captioning, settings: Settings) -> str:
    """The report before it is redacted."""
    status, session = captioning.last_status, captioning.session
    lines = [
        f"Voxline {__version__}",
        f"System: {platform.platform()}, {platform.machine()}, {os.cpu_count()} cores",
        f"Python {platform.python_version()}, Qt {qVersion()}, {QGuiApplication.platformName()}",
        f"Desktop: {os.environ.get('XDG_CURRENT_DESKTOP', '')} "
        f"{os.environ.get('XDG_SESSION_TYPE', '')}".rstrip(),
        f"Language: {locale.getlocale()[0]}",
        *(_screen(number) for number in range(len(QGuiApplication.screens()))),
        "",
        f"State: {status.stage.value}. {status.message} {status.hint}".rstrip(),
        f"Engine: {session.info.name if session else 'none yet'}",
        f"Source: {type(from_text(settings.source)).__name__}",
        *(f"{name} = {value!r}" for name, value in _chosen(settings)),
        "",
        "The log’s last warnings:",
        *_warnings(paths.log_dir() / "voxline.log"),
    ]
    return "\n".join(lines) + "\n"


def redacted(text: str, secrets: Mapping[str, str]) -> str:
    """With each secret replaced by what stands for it; longer secrets first."""
    for secret, stand_in in sorted(secrets.items(), key=lambda item: -len(item[0])):
        if len(secret) > 1:
            text = re.sub(re.escape(secret), stand_in, text, flags=re.IGNORECASE)
    return _paths_hidden(text)


def _paths_hidden(text: str) -> str:
    """Of files that are not Voxline's own code, the name is hidden: it may be a person's."""
    return _PATH.sub(
        lambda found: found.group() if _is_code(found.group()) else f"{_HIDDEN}/{_HIDDEN}", text
    )


def _is_code(path: str) -> bool:
    return path.endswith(".py") and (
        "site-packages" in path or "/app/" in path or "\\app\\" in path
    )


def _secrets() -> dict[str, str]:
    found = {str(Path.home()): "~", platform.node(): "COMPUTER"}
    try:
        found[getpass.getuser()] = "USER"
    except (OSError, KeyError):  # there is no such user
        pass
    return found


def _screen(number: int) -> str:
    screen = QGuiApplication.screens()[number]
    size = screen.size()
    return f"Screen {number + 1}: {size.width()}x{size.height()}, {screen.devicePixelRatio():g}x"


def _chosen(settings: Settings) -> Iterable[tuple[str, object]]:
    for each in fields(settings):
        value = getattr(settings, each.name)
        if each.name in _PERSONAL:
            yield each.name, "given" if value else ""
        elif each.name not in _NAMED:
            yield each.name, value
    yield "feeds", [name for name in ("obs", "file") if getattr(settings.feeds, name)]
    for each in fields(settings.overlay):
        if each.name != "geometry":  # its keys are names of screens
            yield f"overlay.{each.name}", getattr(settings.overlay, each.name)


def _warnings(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LOG_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError as error:
        return [f"It could not be read: {error.strerror}"]
    found = [line for line in text.splitlines() if _TELLING.match(line)]
    return found[-_LOG_LINES:] or ["none"]

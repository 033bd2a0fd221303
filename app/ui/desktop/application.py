"""The one `QApplication`: what it is called, how it looks, and what the desktop asks of it.

Knows no window.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from app.ui.widgets import theme


class Application(QApplication):
    """The desktop's own wishes become signals: to quit (Dock, end of the login session), and on
    macOS to open a file."""

    quit_asked = Signal()
    file_opened = Signal(Path)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Quit:
            event.ignore()
            self.quit_asked.emit()
            return True
        if isinstance(event, QFileOpenEvent) and event.file():
            self.file_opened.emit(Path(event.file()))
            return True
        return super().event(event)


def make_app() -> Application:
    """The application, before there is a window."""
    app = Application([*sys.argv[:1], *theme.STYLE])
    app.setApplicationName("Voxline")
    app.setApplicationDisplayName("Voxline")
    app.setDesktopFileName("voxline")
    app.setQuitOnLastWindowClosed(False)  # captions go on behind closed windows
    theme.apply(app)
    return app

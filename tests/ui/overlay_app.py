"""A caption window in a process of its own, for tests on a real screen.

    python -m tests.ui.overlay_app captions SETTINGS.json     # or: other

Each line on stdin is an order, each line on stdout something that has happened, as JSON. `other`
is an ordinary window with a text field: what the captions must not disturb. Both end with stdin.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QVBoxLayout, QWidget

from app import native
from app.session.session import Stage, Status
from app.settings import OverlaySettings
from app.ui.overlay.window import CaptionOverlay
from tests.ui.overlay_fakes import fake_captioning, faked, words

TEXT = (
    "Good morning, everyone. The frost had settled on the fields overnight, and we were, as my "
    "grandmother used to say, cold in the bones but warm in the heart."
)


def tell(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201


class Orders(QObject):
    """Lines from stdin, as a signal in the UI thread."""

    came = Signal(str)

    def listen(self) -> None:
        def read() -> None:
            for line in sys.stdin:
                self.came.emit(line.strip())
            self.came.emit("quit")

        Thread(target=read, daemon=True).start()


class Other(QWidget):
    """Tells what is typed into it and where it is clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Other")
        self.setStyleSheet("QWidget { background: #3f6fb5; } QLineEdit { background: white; }")
        field = QLineEdit()
        field.textChanged.connect(lambda text: tell(typed=text))
        column = QVBoxLayout(self)
        column.addWidget(field)
        column.addStretch(1)
        self.resize(1276, 770)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.globalPosition().toPoint()
        tell(clicked=[at.x(), at.y()])

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.ActivationChange:
            tell(active=self.isActiveWindow())


def captions(settings_file: Path) -> CaptionOverlay:
    """The window, remembering its settings in the file, with TEXT said."""
    settings = OverlaySettings()
    if settings_file.exists():
        settings = OverlaySettings(**json.loads(settings_file.read_text()))

    def save(changed: OverlaySettings) -> None:
        settings_file.write_text(json.dumps(asdict(changed)))
        window.apply(changed)
        tell(saved=rect(window.box_on_screen), lines=changed.lines)

    window = CaptionOverlay(settings, save)
    captioning = fake_captioning(window)
    window.follow(captioning)
    captioning.start()
    window.captions.on_painted = lambda word: tell(painted=word.text)
    window.delay_chosen.connect(lambda ms: tell(delay=ms))
    window.controls.installEventFilter(Watch(window))
    session = faked(captioning)
    session.level = 0.3
    captioning.level.emit(0.3)
    session.say(Status(Stage.SPEECH), *words(TEXT))
    return window


SHOWN_OR_HIDDEN = (QEvent.Type.Show, QEvent.Type.Hide)


class Watch(QObject):
    """Tells when the controls come and go."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(watched, QWidget) and event.type() in SHOWN_OR_HIDDEN:
            QTimer.singleShot(0, lambda: tell(controls=watched.isVisible()))
        return False


def rect(box: QRect) -> list[int]:
    return [box.x(), box.y(), box.width(), box.height()]


def place(widget: QWidget) -> list[int]:
    corner = widget.mapToGlobal(QPoint(0, 0))
    return [corner.x(), corner.y(), widget.width(), widget.height()]


def buttons_of(window: CaptionOverlay) -> list[QAbstractButton]:
    """All that can be pressed and is seen now."""
    return [b for b in window.findChildren(QAbstractButton) if b.isVisible()]


def handle_of(window: CaptionOverlay) -> list[int] | None:
    """Of a window that lets clicks through."""
    handle = window._click_through.handle
    return rect(handle.geometry()) if handle is not None and handle.isVisible() else None


def small_windows_of(window: CaptionOverlay) -> dict[str, str]:
    """What floats beside the captions, or instead of them, and is seen: kinds and ids."""
    handle, pill = window._click_through.handle, window._way_back.pill
    there = {"handle": handle, "pill": pill}
    return {kind: str(int(w.winId())) for kind, w in there.items() if w and w.isVisible()}


def obey(window: CaptionOverlay | Other, order: str) -> None:
    if order == "quit":
        if isinstance(window, CaptionOverlay):
            window.end()  # or Qt would not quit: the captions only hide when they are closed
        QApplication.quit()
    elif isinstance(window, CaptionOverlay):
        obey_captions(window, order)
    else:
        {"full screen": window.showFullScreen, "maximise": window.showMaximized}.get(
            order, window.showNormal
        )()


def obey_captions(window: CaptionOverlay, order: str) -> None:
    bar = window.controls
    if order == "where" and not window.place_is_certain:
        QTimer.singleShot(50, lambda: obey_captions(window, order))
    elif order == "where":
        QApplication.sync()  # what is told is so for the X server, too, and whoever clicks
        focus = QApplication.focusWidget()
        tell(
            id=str(int(window.winId())),
            box=rect(window.box_on_screen),
            bar=place(bar),
            buttons={button.accessibleName(): place(button) for button in buttons_of(window)},
            handle=handle_of(window),
            small=small_windows_of(window),
            held=window.reading.held,
            live=window._box.live.live.text(),
            painted_text=window.captions.painted_text,
            focus=focus.accessibleName() if focus else None,
            active=window.isActiveWindow(),
            over_fullscreen=window._on_top.over_fullscreen,
        )
    elif order == "another of ours":  # as the main window beside the captions, in use
        own = QWidget(window, Qt.WindowType.Window)
        own.setGeometry(40, 60, 300, 200)
        own.show()
        own.activateWindow()
    elif order == "keyboard":
        window.focus_controls()
    elif order.startswith("say "):
        assert window._captioning is not None
        session = faked(window._captioning)
        session.say(*words(order[4:], start_ms=len(session.timeline.words()) * 250))
    elif order.startswith("talk "):  # a text and its language, as another utterance
        assert window._captioning is not None
        session = faked(window._captioning)
        text, language = json.loads(order[5:])
        spoken = session.timeline.words()
        begin = spoken[-1].end_ms + 3000 if spoken else 0
        number = spoken[-1].utterance + 1 if spoken else 0
        said = words(text, language, begin)
        session.say(*(replace(word, utterance=number) for word in said))
    elif order.startswith("call "):  # a verb of the window, and its arguments as JSON
        _, verb, arguments = order.split(" ", 2)
        getattr(window, verb)(*json.loads(arguments))
    elif order.startswith("look "):
        window.apply(replace(window._settings, **json.loads(order[5:])))
    elif order == "trouble":
        assert window._captioning is not None
        faked(window._captioning).say(
            Status(Stage.NO_SOUND, "No sound is arriving.", "Is it muted?")
        )


def main() -> None:
    native.prepare_environment()
    app = QApplication(sys.argv)
    app.setQuitOnLastWindowClosed(False)
    other = sys.argv[1] == "other"
    window: CaptionOverlay | Other = Other() if other else captions(Path(sys.argv[2]))
    orders = Orders()
    orders.came.connect(lambda order: obey(window, order))
    window.show()
    tell(shown=int(window.winId()), platform=app.platformName())
    if isinstance(window, Other):
        window.activateWindow()
    orders.listen()
    app.exec()
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window.close()
    leave()


def leave() -> NoReturn:
    """As Voxline does (`app.__main__`): PySide 6.11 was seen to crash as it destroys what is left,
    once in some dozens of ends."""
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()

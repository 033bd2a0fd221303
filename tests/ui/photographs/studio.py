"""Takes the pictures on the screen it runs on; a process of its own for each screen.

    python -m tests.ui.photographs.studio FOLDER LOOKS SCRIPTS STATES LANGUAGES

The four last are lists in JSON; STATES are beginnings of names, LANGUAGES those of the windows.
For every picture a line of JSON is printed: state, look, script, language, file, faults, part (x,
y, width, height in pixels: where the windows are).
"""

from __future__ import annotations

import json
import re
import sys
from itertools import product
from pathlib import Path

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication, QPixmap

from tests.support.longer import speak
from tests.ui.photographs import checks
from tests.ui.photographs.scene import Desktop, Scene, dress, make_app
from tests.ui.photographs.states import STATES

_DRAWN_MS = 80  # the compositor's and the window manager's turn
_AROUND = 8  # px
_MOST_TRIES = 20  # something may blink


def _picture(scene: Scene) -> QPixmap:
    """The screen, once two pictures in a row are the same."""
    screen = QGuiApplication.primaryScreen()
    before, now = None, screen.grabWindow(0)
    for _ in range(_MOST_TRIES):
        if before is not None and now.toImage() == before.toImage():
            break
        scene.settle(_DRAWN_MS)
        before, now = now, screen.grabWindow(0)
    return now


def _taken(scene: Scene, file: Path, high_contrast: bool) -> list[str]:
    """Takes the picture; what is wrong in it, and stays wrong: a window manager that has much else
    to do may still be at it."""
    for _ in range(_MOST_TRIES):
        _picture(scene).save(str(file))
        found = checks.faults(scene.overlay, high_contrast)
        if not found:
            break
        scene.settle(_DRAWN_MS)
    return found


def _part() -> list[int]:
    """Where the windows are, with a little of what is around them."""
    screen = QGuiApplication.primaryScreen()
    part = QRect()
    for window in checks.windows():
        part = part.united(window.frameGeometry())
    part = part.adjusted(-_AROUND, -_AROUND, _AROUND, _AROUND).intersected(screen.geometry())
    scale = screen.devicePixelRatio()
    sizes = (part.x(), part.y(), part.width(), part.height())
    return [round(each * scale) for each in sizes]


def main(
    folder: Path, looks: list[str], scripts: list[str], wanted: list[str], languages: list[str]
) -> None:
    app = make_app()
    desktop = Desktop()
    desktop.show()
    for look in looks:
        dress(app, look)
        for script, language in product(scripts, languages):
            speak(language)
            for name, enter in STATES.items():
                if not any(name.startswith(beginning) for beginning in wanted):
                    continue
                scene = Scene(app, script, language=language)
                enter(scene)
                scene.settle(_DRAWN_MS)
                file = (
                    folder
                    / f"{look}-{script}-{language}-{re.sub(r'[^a-z0-9]+', '-', name.lower())}.png"
                )
                found = _taken(scene, file, look.startswith("high"))
                told = {"state": name, "look": look, "script": script}
                told |= {"language": language, "file": str(file)}
                print(json.dumps({**told, "faults": found, "part": _part()}), flush=True)  # noqa: T201
                scene.close()
    desktop.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(json.loads, sys.argv[2:6]))

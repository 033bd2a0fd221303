"""What was painted and when, for the benchmark and the tests: JSON Lines in the file that
VOXLINE_PAINTED_LOG names. Nothing is written without it.

    {"type": "shown", "ms": …}                        the caption window, since the process began
    {"type": "painted", "ms": …, "text": …, …}        a committed word's first paint; `ms` counts
                                                      from the first sample of the sound
    {"type": "status", "stage": …}
    {"type": "step", "number": …}                     of the first run; 0 at its end
    {"type": "in page", "text": …}                    a word painted in the page of its first step
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from app.session.status import Status
    from app.ui.first_run.opening import FirstRun
    from app.ui.overlay.window import CaptionOverlay
    from app.ui.state.bridge import SessionBridge
    from app.ui.state.captioning import Captioning
    from model_backends.base import Word

VARIABLE = "VOXLINE_PAINTED_LOG"


class PaintedLog(QObject):
    """Writes a line for every word at the moment it has been painted."""

    def __init__(self, path: Path, shown_ms: int, parent: QObject) -> None:
        super().__init__(parent)
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._bridge: SessionBridge | None = None
        self._write("shown", ms=shown_ms)

    def follow(self, captioning: Captioning, overlay: CaptionOverlay, first_run: FirstRun) -> None:
        """Log this window's words, the states of its sessions, and the steps of the first run."""
        overlay.captions.on_painted = self._painted
        captioning.session_changed.connect(self._session_changed)
        captioning.status.connect(self._status)
        first_run.step_shown.connect(partial(self._step, first_run))

    def _session_changed(self, bridge: SessionBridge | None) -> None:
        self._bridge = bridge

    def _step(self, first_run: FirstRun, number: int) -> None:
        self._write("step", number=number)
        if first_run.window is not None:
            page = first_run.window.source.heard.words
            page.on_painted = lambda word: self._write("in page", text=word.text)

    def _painted(self, word: Word) -> None:
        at = time.monotonic()
        session = self._bridge.session if self._bridge else None
        began = session.sound_began if session else None
        ms = None if began is None else round((at - began) * 1000)
        self._write("painted", ms=ms, **asdict(word))

    def _status(self, status: Status) -> None:
        self._write("status", stage=str(status.stage))

    def _write(self, kind: str, **fields: Any) -> None:
        self._file.write(json.dumps({"type": kind, **fields}, ensure_ascii=False) + "\n")
        self._file.flush()


def attach(
    captioning: Captioning,
    overlay: CaptionOverlay,
    first_run: FirstRun,
    shown_ms: int,
    parent: QObject,
) -> PaintedLog | None:
    """The log, if the environment asks for one."""
    path = os.environ.get(VARIABLE)
    if not path:
        return None
    log = PaintedLog(Path(path), shown_ms, parent)
    log.follow(captioning, overlay, first_run)
    return log

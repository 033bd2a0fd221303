"""A real session behind the caption window: a sound file, a worker process, the scripted engine."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.audio.choice import MediaFile
from app.session.session import Session, SessionOptions, Stage
from app.settings import OverlaySettings, Settings
from app.ui.overlay import window as overlay
from app.ui.overlay.window import CaptionOverlay
from app.ui.state.bridge import SessionBridge
from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore
from model_backends.base import EngineOptions

SCRIPT = "Captions appear while you speak, word by word."
SECONDS = 5  # the script ends at 3.2 s


def test_what_a_worker_hears_is_painted_word_by_word(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, sample: Path
) -> None:
    monkeypatch.setattr(overlay, "list_sources", list)
    window = CaptionOverlay(OverlaySettings(font_size=18), lambda settings: None)
    qtbot.addWidget(window)
    painted: list[str] = []
    window.captions.on_painted = lambda word: painted.append(word.text)
    options = SessionOptions(EngineOptions("scripted"), source=MediaFile(sample), seconds=SECONDS)
    store = SettingsStore(Settings(engine="scripted"), window)
    captioning = Captioning(
        store, lambda settings, before: SessionBridge(partial(Session, options)), window
    )
    window.follow(captioning)
    window.show()
    stages: list[Stage] = []
    captioning.status.connect(lambda status: stages.append(status.stage))
    captioning.start()
    qtbot.waitUntil(lambda: bool(stages) and stages[-1].over, timeout=60_000)
    assert stages[-1] == Stage.STOPPED
    assert captioning.timeline is not None
    said = captioning.timeline.text()
    qtbot.waitUntil(lambda: " ".join(window.captions.painted_text) == said)
    assert "".join(painted).strip() == said
    assert window.message is not None and window.message.hint.endswith(".srt")
    assert SCRIPT.endswith(said)  # it may open its mouth a little after the script begins
    assert len(said.split()) > 3

"""A real session behind the caption window: a sound file, a worker process, the scripted engine."""

from __future__ import annotations

import json
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

# from the beginning to the end, since nobody knows how long the file takes to be opened; all of it
# has room in the window
SCRIPT = [(f" w{n}", 400 * n, 400 * n + 300) for n in range(15)]
SECONDS = 6


def test_what_a_worker_hears_is_painted_word_by_word(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, sample: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(overlay, "list_sources", list)
    script = tmp_path / "script.json"
    script.write_text(json.dumps(SCRIPT))
    window = CaptionOverlay(OverlaySettings(font_size=18), lambda settings: None)
    qtbot.addWidget(window)
    painted: list[str] = []
    window.captions.on_painted = lambda word: painted.append(word.text)
    engine = EngineOptions("scripted", model=str(script))
    options = SessionOptions(engine, source=MediaFile(sample), seconds=SECONDS)
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
    assert f" {said}" in "".join(text for text, _, _ in SCRIPT)
    assert len(said.split()) > 3

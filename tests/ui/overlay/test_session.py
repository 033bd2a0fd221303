"""A real session behind the caption window: a sound file, a worker process, the scripted engine."""

from __future__ import annotations

from functools import partial

from app.session.session import Session, SessionOptions, Stage
from app.settings import OverlaySettings
from app.ui.overlay import window as overlay
from app.ui.overlay.window import CaptionOverlay
from app.ui.state.bridge import ENDED, SessionBridge

SCRIPT = "Captions appear while you speak, word by word."
SECONDS = 5  # the script ends at 3.2 s


def test_what_a_worker_hears_is_painted_word_by_word(qtbot, monkeypatch, sample):
    monkeypatch.setattr(overlay, "list_sources", list)
    window = CaptionOverlay(OverlaySettings(font_size=18), lambda settings: None)
    qtbot.addWidget(window)
    painted: list[str] = []
    window.captions.on_painted = lambda word: painted.append(word.text)
    options = SessionOptions(engine="scripted", source=str(sample), seconds=SECONDS)
    bridge = SessionBridge(partial(Session, options), window)
    window.set_session(bridge)
    window.show()
    stages: list[Stage] = []
    bridge.status.connect(lambda status: stages.append(status.stage))
    bridge.start()
    qtbot.waitUntil(lambda: bool(stages) and stages[-1] in ENDED, timeout=60_000)
    assert stages[-1] == Stage.STOPPED
    said = bridge.session.timeline.text()
    qtbot.waitUntil(lambda: " ".join(window.captions.painted_text) == said)
    assert "".join(painted).strip() == said
    assert window.message.hint.endswith(".srt")
    assert SCRIPT.endswith(said)  # it may open its mouth a little after the script begins
    assert len(said.split()) > 3

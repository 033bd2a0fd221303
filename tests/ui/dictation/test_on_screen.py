"""The whole app on a screen types what the engine says into another program's window, once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.audio.choice import MediaFile, to_text
from app.measure.windowed import WindowedApp
from app.settings import Settings
from tests.support.editor import Editor
from tests.support.screen import Screen

pytestmark = pytest.mark.screen

SAID = ["Grüße", "aus", "Łódź:", "“naïve”", "café,", "你好", "👍🏽", "Привет!"]
WORDS = [(f" {text}", 400 + 500 * n, 800 + 500 * n) for n, text in enumerate(SAID)]


def control(app: Path, *order: str, **environment: str) -> str:
    variables = {"VOXLINE_DATA": str(app / "data"), "VOXLINE_CONFIG": str(app / "config")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "app", "control", *order],
        env=environment | variables, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout.strip()


def test_what_is_said_is_typed_into_the_window_in_use(
    screen: Screen, tmp_path: Path, sample: Path
) -> None:
    script, app = tmp_path / "script.json", tmp_path / "app"
    script.write_text(json.dumps(WORDS))
    chosen = Settings(
        engine="scripted",
        model=str(script),
        source=to_text(MediaFile(sample)),
        start_listening_on_launch=False,
    )
    with (
        WindowedApp(chosen, app, screen.env) as window,
        Editor(screen, tmp_path / "typed.txt") as editor,
    ):
        editor.until(lambda: "shown" in control(app, "status", **screen.env))
        assert "is typed" in control(app, "dictate", "on", **screen.env)
        screen.xdotool("search", "--sync", "--onlyvisible", "--name", "^Dictation$")
        editor.take_keyboard()
        control(app, "pause", "off", **screen.env)
        editor.wait_for(" ".join(SAID))
        assert "Nothing is typed" in control(app, "dictate", "off", **screen.env)
        assert window.quit() == 0
        assert editor.text == " ".join(SAID)

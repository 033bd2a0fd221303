"""The whole app on a screen types what the engine says into another program's window, once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pysubs2
import pytest

from app.audio.choice import MediaFile, to_text
from app.measure.windowed import WindowedApp
from app.settings import Settings
from tests.support.editor import Editor
from tests.support.screen import Screen

pytestmark = pytest.mark.screen

SAID = ["Grüße", "aus", "Łódź:", "“naïve”", "café,", "你好", "👍🏽", "Привет!"]
# over and over, since nobody knows how long the file takes to be opened
WORDS = [(f" {SAID[n % len(SAID)]}", 500 * n, 500 * n + 400) for n in range(120)]


PATIENT_CONTROL = """
import sys
from app import __main__
from app.cli import control
control.ANSWER_WITHIN_S = 60.0
sys.exit(__main__.main())
"""


def control(app: Path, *order: str, **environment: str) -> str:
    variables = {"VOXLINE_DATA": str(app / "data"), "VOXLINE_CONFIG": str(app / "config")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", PATIENT_CONTROL, "control", *order],
        env=environment | variables, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout.strip()


def transcript(app: Path) -> str:
    (saved,) = (app / "transcripts").glob("*.srt")
    lines = " ".join(event.plaintext for event in pysubs2.load(str(saved)))
    return " ".join(lines.split())


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
        for _seen in window.follow(120):
            pass
        said = transcript(app)
        assert set(SAID) <= set(said.split())
        editor.wait_for(said)
        assert "Nothing is typed" in control(app, "dictate", "off", **screen.env)
        assert window.quit() == 0
        assert editor.text == said

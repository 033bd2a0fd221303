"""The whole windowed app, as a process: it captions a file, saves, recovers, and ends when told.

Real session, worker and voice detector; the scripted engine, so that every word is known; Qt
without a screen, so that none is needed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtWidgets import QApplication

from app import paths, settings
from app.core.names import Name, text_of
from app.session.journal_records import read
from app.settings import Settings
from app.ui.state.new_session import open_session
from model_backends.base import EngineOptions, Notice

SPOKEN = ["Captions", "appear", "while", "you", "speak,", "word", "by", "word."]

# Runs the app; says on its output what happens in it, and takes clicks from its input.
DRIVER = """
import sys, threading
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QPushButton
from app import __main__, main
from app.ui.desktop import single_instance

def say(*what):
    print(*what, flush=True)

class Clicks(QObject):
    asked = Signal(str)

clicks = Clicks()
begin = main._begin

def begin_and_tell(parts, problem):
    window = parts.window
    def click(label):
        if label == "quit":
            return window.menus.quit.trigger()
        if label == "close window":
            return window.close()
        if label == "first run: on":
            return parts.first_run.window.next.click()
        buttons = [b for b in window.findChildren(QPushButton) if b.isVisible()]
        next(b for b in buttons if b.text().replace("&", "") == label).click()
    clicks.asked.connect(click)
    threading.Thread(
        target=lambda: [clicks.asked.emit(line.strip()) for line in sys.stdin], daemon=True
    ).start()
    parts.captioning.word.connect(lambda word: say("word", word.text.strip()))
    parts.captioning.status.connect(lambda status: say("status", status.stage.value))
    add = window.banners.add
    def add_and_tell(banner):
        say("banner", banner.text)
        return add(banner)
    window.banners.add = add_and_tell
    pulse = parts.overlay.pulse
    def pulse_and_tell():
        boxed = [line for line in parts.overlay.captions._visible()[1] if line.boxed]
        say("pulse", *(line.text[b:e] for line in boxed for b, e in line.boxed))
        return pulse()
    parts.overlay.pulse = pulse_and_tell
    say("overlay", parts.overlay.isVisible())
    parts.first_run.ended.connect(lambda: say("first run over", window.isVisible()))
    begin(parts, problem)
    say("window", window.isVisible())
    first_run = parts.first_run.window
    say("first run", first_run is not None and first_run.isVisible())

main._begin = begin_and_tell
single_instance.ANSWER_WITHIN_MS = 60_000
sys.argv = ["voxline-gui"]
__main__.gui()
"""


class App:
    """One run of the app."""

    def __init__(self) -> None:
        env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONFAULTHANDLER": ""}
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", DRIVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
        )
        self.said: list[str] = []

    def wait_for(self, wanted: str) -> str:
        """Read what the app says until a line begins so; that line."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line.strip())
            if line.startswith(wanted):
                return line.strip()
        errors = self.process.stderr.read() if self.process.stderr else ""
        raise AssertionError(f"never said {wanted!r}: {self.said}\n{errors}")

    def click(self, label: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(label + "\n")
        self.process.stdin.flush()

    def finish(self) -> tuple[int, str]:
        """Its exit status and what it wrote to standard error, once it has ended."""
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors


@pytest.fixture
def spoken(tmp_path: Path) -> Settings:
    """The scripted engine says SPOKEN, late enough for the slowest start of a session."""
    said = [[f" {text}", 3000 + 300 * n, 3250 + 300 * n] for n, text in enumerate(SPOKEN)]
    script = tmp_path / "spoken.json"
    script.write_text(json.dumps(said))
    return Settings(engine="scripted", model=str(script))


@pytest.fixture
def launch(sample: Path, spoken: Settings) -> Iterator[type[App]]:
    """Makes Apps, set up to hear the sample through the scripted engine."""
    settings.save(replace(spoken, source=str(sample)))
    made: list[App] = []

    class Launched(App):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    yield Launched
    for app in made:
        if app.process.poll() is None:
            app.process.kill()
        app.process.communicate()


@pytest.mark.parametrize(
    ("chosen", "delay_ms", "language"),
    [
        (Settings(engine="scripted", delay_ms={"scripted": 960}), 960, None),
        (Settings(engine="scripted", delay_ms={"embedded": 960}), 240, None),
        (Settings(engine="scripted", delay_ms={"scripted": 77}, language="de"), 240, None),
        (Settings(engine="embedded", language="de"), 1000, "de"),
        (Settings(engine="embedded", language="xx"), 1000, None),
    ],
)
def test_a_session_gets_what_its_engine_takes(
    qapp: QApplication, sample: Path, chosen: Settings, delay_ms: int, language: str | None
) -> None:
    session = open_session(replace(chosen, source=str(sample))).session
    assert (session.delay_ms, session.options.engine.language) == (delay_ms, language)


def test_an_engine_that_there_is_not_is_stood_in_for_and_told(
    qapp: QApplication, sample: Path
) -> None:
    chosen = Settings(engine="nonsense", model="4b", language="de", source=str(sample))
    session = open_session(chosen).session
    assert session.options.engine == EngineOptions("embedded", language="de")
    [notice] = [event for event in session.pump() if isinstance(event, Notice)]
    assert "nonsense" in notice.message
    assert "The embedded engine captions meanwhile" in notice.hint


def test_a_setting_by_hand_reaches_the_engine(qapp: QApplication, sample: Path) -> None:
    chosen = Settings(engine="voxtral-torch", model="/m", device="cpu", precision="int8")
    session = open_session(replace(chosen, source=str(sample))).session
    wanted = EngineOptions("voxtral-torch", model="/m", device="cpu", precision="int8")
    assert session.options.engine == wanted


def subtitles() -> str:
    (saved,) = paths.transcripts_dir().glob("*.srt")
    return saved.read_text("utf-8")


def words_of(app: App) -> list[str]:
    return [line.removeprefix("word ") for line in app.said if line.startswith("word ")]


def until_on_disk(words: list[str]) -> None:
    """Until the one journal holds these; there may be more."""
    deadline = time.monotonic() + 60
    held: list[str] = []
    while held[: len(words)] != words:
        assert time.monotonic() < deadline, f"not on the disk: {held}"
        for file in paths.journal_dir().glob("*.jsonl"):
            held = [word.text.strip() for word in read(file).words]
        time.sleep(0.02)


posix = pytest.mark.skipif(sys.platform == "win32", reason="needs signals that can be caught")


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_every_word_saved(launch: type[App], number: signal.Signals) -> None:
    app = launch()
    app.wait_for("overlay True")
    app.wait_for("word by")
    app.process.send_signal(number)
    status, errors = app.finish()
    assert status == 0
    (saved,) = paths.transcripts_dir().glob("*.srt")
    assert errors == f"Saved: {saved}\n"
    assert " ".join(words_of(app)) in " ".join(subtitles().split())
    assert not list(paths.journal_dir().iterdir())


def test_closing_the_window_ends_nothing_and_quitting_saves(launch: type[App]) -> None:
    app = launch()
    app.wait_for("window True")
    app.wait_for("word ")
    app.click("close window")
    app.wait_for("word speak,")
    app.click("quit")
    app.wait_for("status stopping")
    assert app.finish()[0] == 0
    assert " ".join(words_of(app)) in " ".join(subtitles().split())


def test_the_end_of_the_file_saves_and_the_app_stays(launch: type[App]) -> None:
    app = launch()
    app.wait_for("status stopped")
    words = words_of(app)
    assert words and words == SPOKEN[-len(words) :], "what was said before it was opened is not in"
    assert app.process.poll() is None
    app.click("quit")
    assert app.finish()[0] == 0


def test_pause_is_pause(launch: type[App]) -> None:
    app = launch()
    app.wait_for("word ")
    app.click("Pause listening")
    app.wait_for("status paused")
    app.click("Resume")
    app.wait_for("status listening")
    app.click("quit")
    assert app.finish()[0] == 0


@posix
def test_what_a_killed_app_left_is_made_safe_while_captions_run(launch: type[App]) -> None:
    first = launch()
    first.wait_for("word by")
    until_on_disk(words_of(first))
    first.process.kill()
    first.finish()
    second = launch()
    assert "It is recovered" in second.wait_for("banner The session of")
    second.wait_for("word ")
    assert " ".join(words_of(first)) in " ".join(subtitles().split())
    second.click("quit")
    assert second.finish()[0] == 0


@posix
def test_the_second_interrupt_does_not_wait(launch: type[App]) -> None:
    app = launch()
    app.wait_for("word by")
    app.process.send_signal(signal.SIGSTOP)  # so that both signals are there at once
    app.process.send_signal(signal.SIGINT)
    app.process.send_signal(signal.SIGTERM)
    app.process.send_signal(signal.SIGCONT)
    status, _ = app.finish()
    assert status in (128 + signal.SIGINT, 128 + signal.SIGTERM)


def test_a_second_start_shows_the_first_and_leaves(launch: type[App]) -> None:
    first = launch()
    first.wait_for("status listening")
    second = launch()
    assert second.finish() == (0, "")
    assert not second.said
    assert first.process.poll() is None


def test_damaged_settings_are_told_and_kept_aside(launch: type[App]) -> None:
    settings.settings_file().write_text("= = =")
    app = launch()
    told = app.wait_for("banner The settings file was damaged")
    aside = settings.settings_file().with_name("settings.broken-1.toml")
    assert str(aside) in told
    assert aside.read_text() == "= = ="
    app.click("quit")
    assert app.finish()[0] == 0


def test_a_source_that_is_not_there_is_told_and_the_app_stays(launch: type[App]) -> None:
    settings.save(Settings(engine="scripted", source="/no/such/file.wav"))
    app = launch()
    app.wait_for("window True")
    if "status failed" not in app.said:  # the session may have been tried before the window came
        app.wait_for("status failed")
    assert app.process.poll() is None
    app.click("quit")
    assert app.finish()[0] == 0


def test_nothing_is_captured_where_the_user_wants_to_press_start(
    launch: type[App], sample: Path, spoken: Settings
) -> None:
    """In the user's language."""
    quiet = replace(spoken, source=str(sample), start_listening_on_launch=False)
    settings.save(replace(quiet, interface_language="de"))
    app = launch()
    app.wait_for("window True")
    assert app.said == ["overlay True", "window True"]
    app.wait_for("first run False")
    app.click("Starten")
    app.wait_for("word ")
    app.click("quit")
    assert app.finish()[0] == 0


def test_a_newcomer_is_guided_until_the_end_and_then_has_the_main_window(
    launch: type[App], sample: Path, spoken: Settings
) -> None:
    settings.save(replace(spoken, source=str(sample), told={"first-run": False}))
    app = launch()
    app.wait_for("window False")
    app.wait_for("first run True")
    app.wait_for("word ")  # captions run behind it
    app.click("quit")  # in the midst of it
    assert app.finish()[0] == 0
    again = launch()
    again.wait_for("first run True")
    for _ in range(4):
        again.click("first run: on")
    again.wait_for("first run over True")
    again.click("quit")
    assert again.finish()[0] == 0
    assert settings.load()[0].told["first-run"]


def test_whoever_opens_a_file_is_not_guided_now_but_the_next_time(
    launch: type[App], spoken: Settings
) -> None:
    settings.save(replace(spoken, start_listening_on_launch=False, told={"first-run": False}))
    app = launch()
    app.wait_for("window True")
    app.wait_for("first run False")
    app.click("quit")
    assert app.finish()[0] == 0
    assert settings.load()[0].told["first-run"] is False


def test_a_name_is_written_the_users_way_and_pointed_out(
    launch: type[App], sample: Path, spoken: Settings
) -> None:
    names = text_of([Name("Speech", ("you speak",), alert=True), Name("Word-by-word")])
    settings.save(replace(spoken, source=str(sample), names=names))
    app = launch()
    assert app.wait_for("pulse") == "pulse Speech,"
    app.wait_for("word Word-by-word.")
    app.click("quit")
    assert app.finish()[0] == 0
    assert words_of(app)[-2:] == ["Speech,", "Word-by-word."]
    assert " ".join(words_of(app)) in " ".join(subtitles().split())


def test_nothing_is_written_where_the_user_keeps_nothing(
    launch: type[App], sample: Path, spoken: Settings
) -> None:
    settings.save(replace(spoken, source=str(sample), keep_transcripts=False))
    app = launch()
    app.wait_for("word by")
    assert not paths.journal_dir().exists()
    app.click("quit")
    assert app.finish() == (0, "")
    assert not paths.transcripts_dir().exists()


def control(*words: str) -> tuple[int, str, str]:
    """What `voxline control` says, and its exit status."""
    done = subprocess.run(
        [sys.executable, "-c", PATIENT_CONTROL, "control", *words], capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


PATIENT_CONTROL = """
import sys
from app import __main__
from app.cli import control
control.ANSWER_WITHIN_S = 60.0
sys.exit(__main__.main())
"""


def test_the_command_line_controls_the_app_that_runs(
    launch: type[App], sample: Path, spoken: Settings, tmp_path: Path
) -> None:
    speech, rate = soundfile.read(sample)
    soundfile.write(tmp_path / "long.wav", np.tile(speech, 20), rate)
    settings.save(replace(spoken, source=str(tmp_path / "long.wav")))
    app = launch()
    app.wait_for("status listening")
    assert control("pause", "on") == (0, "Listening is paused.\n", "")
    app.wait_for("status paused")
    assert control("hide") == (0, "The captions are hidden.\n", "")
    assert control("toggle") == (0, "The captions are shown.\n", "")
    assert control("hold", "on") == (0, "The text is held; listening goes on.\n", "")
    assert control("click-through") == (
        0, "Clicks go through the captions to what is behind them.\n", "",
    )  # fmt: skip
    status, told, _ = control("status", "--json")
    facts = json.loads(told)
    wanted = {"running": True, "stage": "paused", "held": True, "captions_shown": True}
    assert status == 0
    assert wanted.items() <= facts.items()
    assert control("mark")[0] == 0
    assert control("dance")[0] == 2
    app.click("quit")
    assert app.finish()[0] == 0
    assert control("show") == (1, "", "Voxline is not running. Start it, then try again.\n")

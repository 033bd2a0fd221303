"""The real app on a real screen: its keys while another program has the keyboard."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import settings
from app.settings import Settings
from tests.support.screen import Screen

pytestmark = pytest.mark.screen


class RunningApp:
    """Voxline in a process of its own, and another program that has the keyboard."""

    def __init__(self, screen: Screen, home: Path) -> None:
        self.screen = screen
        self.app = subprocess.Popen([sys.executable, "-m", "app"], env=screen.env)
        self.other = subprocess.Popen(
            [sys.executable, "-m", "tests.ui.overlay_app", "other"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=screen.env,
        )

    def facts(self) -> dict[str, Any]:
        """What `voxline control` says of it."""
        done = subprocess.run(
            [sys.executable, "-m", "app", "control", "status", "--json"],
            env=self.screen.env, capture_output=True, text=True,
        )  # fmt: skip
        answer: dict[str, Any] = json.loads(done.stdout or "{}")
        return answer

    def wait_until(self, so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Until this is so of all that it says; one that is too busy says nothing."""
        while True:
            facts = self.facts()
            if "captions_shown" in facts and so(facts):
                return facts
            assert self.app.poll() is None, "it has ended"

    def press(self, keys: str) -> None:
        other = ("search", "--sync", "--onlyvisible", "--name", "^Other$")
        self.screen.xdotool(*other, "windowactivate")
        self.screen.xdotool("key", "--delay", "30", keys)

    def close(self) -> None:
        for process in (self.app, self.other):
            process.terminate()
            process.communicate()


@pytest.fixture
def running(screen: Screen, tmp_path: Path) -> Iterator[RunningApp]:
    settings.save(Settings(engine="scripted", start_listening_on_launch=False))
    made = RunningApp(screen, tmp_path)
    yield made
    made.close()


def test_its_keys_work_while_another_program_has_the_keyboard(running: RunningApp) -> None:
    running.wait_until(lambda facts: facts["running"])
    # once the main window is there the keys are grabbed
    running.screen.xdotool("search", "--sync", "--onlyvisible", "--name", "^Voxline$")
    size = running.wait_until(lambda facts: facts["captions_shown"])["font_size_pt"]
    running.press("ctrl+alt+c")
    running.wait_until(lambda facts: not facts["captions_shown"])
    running.press("ctrl+alt+c")
    running.wait_until(lambda facts: facts["captions_shown"])
    running.press("ctrl+alt+plus")
    running.wait_until(lambda facts: facts["font_size_pt"] > size)
    running.press("ctrl+alt+h")
    running.wait_until(lambda facts: facts["held"])
    running.press("ctrl+alt+t")
    running.wait_until(lambda facts: facts["click_through"])

"""What a screen reader on Linux finds in the windows and is told: over AT-SPI, as it asks."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from textwrap import dedent
from typing import TypeVar

import pytest

from tests.support import at_spi
from tests.support.at_spi import AtSpi, Node
from tests.support.screen import Screen
from tests.ui.at_spi_app import NAME

T = TypeVar("T")

pytestmark = pytest.mark.screen
CAPTIONS = "text “Captions”: Good morning. This is a caption"
MAIN_WINDOW = """\
    frame “Voxline”
      menu bar
        menu item “Session”
        menu item “Edit”
        menu item “View”
        menu item “Help”
      label “Sound level”
      label “Captioning speech”
      push button “Pause listening”
      push button “Save as…”
      label “Source”
      combo box “usb (not connected)”
      text “Transcript”: 0:00:00\tGood morning. This is a caption
    — Pause, 0:00:20 to 0:00:30 —
"""
LISTENING = """\
    label “Source”
    combo box “usb (not connected)”
    label “Language”
    label “This speech model finds the language by itself.”
    label “Speed against accuracy”
    slider “Delay in milliseconds” = 240
    label “Sooner”
    label “More accurate”
    label “Words appear about 0.24 seconds after they are said. About 10.8 % of words are wrong.”
    check box “Start captions when Voxline opens”
    panel “In a meeting”
    check box “Show what I say myself in the captions, too”
    label “My name”
    text “My name”
    label “Name of the others”
    text “Name of the others”
    check box “Say who speaks in subtitle files”
    label “Voxline’s language”
    combo box “English (system)”
"""
KEYS = """\
    label “These keys work in every program, whichever has the keyboard.”
    label “Show or hide the captions”
    push button “Show or hide the captions: Ctrl+Alt+C”
    label “Pause listening, or go on”
    push button “Pause listening, or go on: Ctrl+Alt+P”
    label “Hold the text, or go on”
    push button “Hold the text, or go on: Ctrl+Alt+H”
    label “Let clicks through, or not”
    push button “Let clicks through, or not: Ctrl+Alt+T”
    label “Bigger text”
    push button “Bigger text: Ctrl+Alt++”
    label “Smaller text”
    push button “Smaller text: Ctrl+Alt+-”
    label “Mark this place”
    push button “Mark this place: Ctrl+Alt+M”
    push button “Restore keys”
    label “Voxline’s language”
    combo box “English (system)”
"""
PAGES = ["Captions", "Listening", "Speech model", "Names and words", "Keys", "Privacy"]


class Reader:
    """A screen reader, and the app that it reads."""

    def __init__(self, screen: Screen) -> None:
        self.bus = AtSpi()
        self.app = subprocess.Popen(
            [sys.executable, "-m", "tests.ui.at_spi_app"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=screen.env | {"QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1"},
        )
        assert self._heard() == {"ready": True}
        self.windows = self.bus.application(NAME)

    def order(self, order: str) -> None:
        assert self.app.stdin
        self.app.stdin.write(f"{order}\n")
        self.app.stdin.flush()
        assert self._heard() == {"obeyed": order}

    def listen(self) -> None:
        """Until a greeting is heard: the app is told by the registry that somebody listens."""
        self.bus.listen()
        while True:
            self.order("hello")
            try:
                assert self.bus.announced(within_s=0.5)
                return
            except TimeoutError:
                continue

    def window(self, name: str) -> Node:
        (found,) = [each for each in self.bus.children(self.windows) if self.bus.name(each) == name]
        return found

    def lines(self, name: str) -> list[str]:
        """All that is in a window."""
        return list(self.bus.lines(self.window(name)))

    def page(self) -> str:
        """What is on the page that the preferences show."""
        lines = self.lines("Preferences")
        first = lines.index(f"    list item “{PAGES[-1]}”") + 1
        last = lines.index("  push button “Close”")
        return "".join(f"{line.strip()}\n" for line in lines[first:last])

    def close(self) -> None:
        self.app.kill()
        self.app.communicate()
        self.bus.close()

    def _heard(self) -> object:
        assert self.app.stdout
        return json.loads(self.app.stdout.readline())


def finds(look: Callable[[], T], wanted: T) -> None:
    """Once all is painted: the app says that it has obeyed before that."""
    ends = time.monotonic() + 60
    while (found := look()) != wanted and time.monotonic() < ends:
        time.sleep(0.1)
    assert found == wanted


@pytest.fixture
def reader(screen: Screen, bus: str) -> Iterator[Reader]:
    missing = at_spi.missing_tools()
    if missing:
        pytest.skip(f"AT-SPI needs {', '.join(missing)}")
    made = Reader(screen)
    yield made
    made.close()


def test_everything_has_a_role_a_name_and_a_value(reader: Reader) -> None:
    finds(lambda: CAPTIONS in [line.strip() for line in reader.lines("Captions")], True)
    assert reader.lines("Captions")[0].strip() == "panel “Captions”"
    finds(lambda: "".join(f"{line}\n" for line in reader.lines("Voxline")), dedent(MAIN_WINDOW))
    found = list(reader.bus.lines(reader.window("Preferences")))
    assert [line.strip() for line in found if "list item" in line] == [
        f"list item “{page}”" for page in PAGES
    ]
    for page, wanted in (("listening", LISTENING), ("keys", KEYS)):
        reader.order(page)
        finds(reader.page, dedent(wanted))


def test_trouble_and_its_end_are_announced_and_finished_sentences_if_wished(
    reader: Reader,
) -> None:
    reader.listen()
    for order in ("trouble", "trouble", "well", "speak"):
        reader.order(order)
    told = [""]
    while not told[-1].endswith("that ends here."):  # what is after it is not finished
        told.append(reader.bus.announced())
    of_state = [text for text in told if "sound" in text or "go on" in text]
    assert of_state == ["No sound is arriving. Is it muted?", "Captions go on."]

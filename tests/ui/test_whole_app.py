"""The whole windowed app, as a user has it: speech in a virtual microphone, captions on a screen.

A process of its own under a window manager, the real engine, real pixels; what is painted is
compared with what was said. The screenshots are left in tests/screenshots for a person to look at.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pysubs2
import pytest
from PySide6.QtGui import QImage

from app.measure.evaluation import normalizer, word_errors
from app.measure.windowed import Seen, WindowedApp
from app.measure.workers import captions_worker
from app.session import journal
from app.session.journal_records import read
from app.settings import OverlaySettings, Settings
from tests.support.pulse import PulseServer
from tests.support.screen import Screen

pytestmark = [
    pytest.mark.audio,
    pytest.mark.screen,
    pytest.mark.weights,
    pytest.mark.usefixtures("weights"),
]

JFK = (
    "And so my fellow Americans, ask not what your country can do for you, "
    "ask what you can do for your country."
)
CEILING = 0.15
SHOTS = Path(__file__).parents[1] / "screenshots"
LINES = 5
BACKGROUND = "#104020"  # a colour that nothing else on the screen has


@pytest.fixture
def window(pulse: PulseServer, screen: Screen, tmp_path: Path) -> Iterator[WindowedApp]:
    """The app on the screen, listening to the virtual microphone. It shows all that is said at
    once: of what comes in one burst, two lines would show (and paint) the end alone."""
    look = OverlaySettings(background_color=BACKGROUND, background_opacity=1.0, lines=LINES)
    chosen = Settings(overlay=look, source="microphone")  # in a meeting one does not read oneself
    with WindowedApp(chosen, tmp_path / "app", pulse.env | screen.env) as window:
        until(window, waits_for_sound)
        yield window


def until(window: WindowedApp, enough: Callable[[Seen], object], timeout_s: float = 120.0) -> Seen:
    """Watch the window until it has shown enough."""
    for seen in window.follow(timeout_s):
        if enough(seen):
            return seen
    raise AssertionError(f"ended too soon: {window.seen.stages} {window.errors()}")


def text(seen: Seen) -> str:
    return "".join(painted.word.text for painted in seen.painted).strip()


def wer(said: str) -> float:
    rate = word_errors(JFK, said, normalizer("en")).rate
    assert rate is not None
    return rate


def waits_for_sound(seen: Seen) -> bool:
    return bool(seen.stages) and seen.stages[-1] in ("listening", "no sound")


class HeardOut:
    """Whether all of the sample has come. That its last word has come shows it; but a word may be
    heard as another one: then it has to be silent for long, with nothing more painted."""

    def __init__(self) -> None:
        self._last = (0, time.monotonic())  # words, since when it is silent and they are all

    def __call__(self, seen: Seen) -> bool:
        now = time.monotonic()
        if seen.stages[-1] != "no sound" or len(seen.painted) > self._last[0]:
            self._last = (len(seen.painted), now)
            return False
        all_of_it = text(seen).lower().count("country") >= 2
        return all_of_it or (self._last[0] > 0 and now - self._last[1] > 15)


def on_disk(folder: Path) -> list[str]:
    """The captions in the only journal, in whose place the record may hold better words."""
    (path,) = folder.glob("*.jsonl")
    contents = read(path)
    return [word.text for word in contents.shown or contents.words]


def shot(screen: Screen, name: str) -> QImage:
    SHOTS.mkdir(exist_ok=True)
    return QImage(str(screen.screenshot(SHOTS / f"{name}.png")))


def box_pixels(image: QImage) -> list[tuple[int, int]]:
    """Where the caption window's background is on the screen."""
    places = itertools.product(range(0, image.width(), 4), range(0, image.height(), 4))
    return [(x, y) for x, y in places if image.pixelColor(x, y).name() == BACKGROUND]


def test_what_is_said_is_painted_on_top_and_saved(
    window: WindowedApp, pulse: PulseServer, screen: Screen, sample: Path
) -> None:
    pulse.play(sample, wait=False)
    seen = until(window, HeardOut())
    assert wer(text(seen)) <= CEILING
    at = [painted.at_ms for painted in seen.painted]
    assert at == sorted(at)

    image = shot(screen, "captions")
    box = box_pixels(image)
    assert len(box) > 2000, "the caption box is on the screen, above the main window"
    xs, ys = [x for x, _ in box], [y for _, y in box]
    inside = [
        image.pixelColor(x, y).lightness()
        for x in range(min(xs), max(xs), 2)
        for y in range(min(ys) + (max(ys) - min(ys)) // 4, max(ys), 2)
    ]
    assert sum(light > 200 for light in inside) > 200, "white letters are in the box"

    assert window.quit() == 0
    (saved,) = [line for line in window.errors().splitlines() if line.startswith("Saved: ")]
    subtitles = pysubs2.load(saved.removeprefix("Saved: "))
    # what is saved was heard once more, and may differ
    assert wer(" ".join(line.plaintext for line in subtitles)) <= CEILING


def test_a_killed_worker_is_told_and_costs_no_word(
    window: WindowedApp, pulse: PulseServer, sample: Path
) -> None:
    pulse.play(sample, wait=False)
    before = len(until(window, lambda seen: len(seen.painted) >= 5).stages)
    until(window, lambda seen: captions_worker(window.process.pid))
    worker = captions_worker(window.process.pid)
    assert worker is not None
    worker.kill()
    seen = until(window, HeardOut())
    # which of them depends on how fast the computer is: see test_listen
    assert {"starting", "catching up"} & set(seen.stages[before:])
    assert wer(text(seen)) <= CEILING
    assert window.quit() == 0


def test_a_killed_app_offers_what_was_said_at_the_next_start(
    window: WindowedApp, pulse: PulseServer, screen: Screen, sample: Path, tmp_path: Path
) -> None:
    pulse.play(sample, wait=False)
    until(window, lambda seen: len(seen.painted) >= 12)
    folder = tmp_path / "app" / "data" / "journal"
    until(window, lambda seen: len(on_disk(folder)) >= 12)
    os.kill(window.process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    window.process.wait()
    (lost,) = journal.unfinished(folder)
    assert lost.words > 0
    assert text(window.seen).startswith("".join(on_disk(folder)).strip()[:20])

    again = tmp_path / "again"
    again.mkdir()
    (again / "data").mkdir()
    (tmp_path / "app" / "data" / "journal").rename(again / "data" / "journal")
    with WindowedApp(Settings(), again, pulse.env | screen.env) as second:
        until(second, waits_for_sound)
        shot(screen, "recovery")
        deadline = time.monotonic() + 60
        while journal.unfinished(again / "data" / "journal"):  # nobody is asked
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert second.quit() == 0

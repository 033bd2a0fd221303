"""The newcomer's minute: from an empty home to real captions, walked through as a person would.

    python -m app.measure.newcomer FILE [--plays] [--size 1280x800]

A private screen and a private sound server whose microphone hears FILE, again and again, from
before the start: somebody is talking in the room. With --plays the computer plays it instead. The
app is the real one, without settings. The person reads every word of a step before answering, and
answers by keys. What is told is when each step began and when there were words, since the process
was started. Runs in a checkout on Linux.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from app.measure.capture import make_server
from app.measure.windowed import Seen, WindowedApp
from model_backends.base import UserError

# Of silent reading, English, 238 words a minute (Brysbaert 2019, doi 10.1016/j.jml.2019.104047).
_WORD_S = 60 / 238
_DECIDE_S = 1.0  # for an answer, once the question is read
_KEY_S = 0.3
_PATIENCE_S = 160.0


@dataclass(frozen=True, slots=True)
class Visit:
    """A step of the first run: how many words it shows, and the keys of the answer."""

    words: int
    keys: tuple[str, ...]


_ANSWERS = {False: ("Up", "Return"), True: ("Up", "Up", "Return")}  # upwards from "Both"
WALK = (
    Visit(52, ()),
    Visit(30, ("Tab", "space", "Return")),  # the look beside the first
    Visit(22, ("Return",)),
    Visit(70, ("Return",)),
)


_STAGES = {
    "starting": "the engine is being loaded",
    "listening": "the engine is ready and listens",
    "speech": "somebody is heard speaking",
    "catching up": "captions are behind",
}


class Person:
    """Reads, decides and presses keys on a screen, while the app is watched."""

    def __init__(self, screen: Any, looks: Iterator[Seen]) -> None:
        self._screen, self._looks = screen, looks

    def visit(self, visit: Visit) -> None:
        """Read a step, and answer."""
        self._wait(visit.words * _WORD_S + _DECIDE_S)
        for key in visit.keys:
            self._screen.xdotool("key", key)
            self._wait(_KEY_S)

    def wait_for(self, reached: Callable[[], bool]) -> None:
        """Raises UserError where it is not reached in time, or the app has ended."""
        for _ in self._looks:
            if reached():
                return
        raise UserError("The app ended before the first run did.")

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.wait_for(lambda: time.monotonic() >= until)


def walk(window: WindowedApp, screen: Any, plays: bool) -> Seen:
    """From the start until the first run is over and captions have been painted."""
    seen, person = window.seen, Person(screen, window.follow(_PATIENCE_S))
    for number, visit in enumerate(WALK, 1):
        person.wait_for(partial(_has_begun, seen, number))
        person.visit(replace(visit, keys=visit.keys or _ANSWERS[plays]))
    person.wait_for(lambda: seen.steps[-1][0] == 0 and seen.first_painted_s is not None)
    return seen


def _has_begun(seen: Seen, number: int) -> bool:
    return number in [step for step, _ in seen.steps]


def table(seen: Seen) -> str:
    """What came when, in its order."""
    moments: list[tuple[float, str]] = []
    if seen.shown_ms is not None:
        moments.append((seen.shown_ms / 1000, "captions window on the screen"))
    for number, at_s in seen.steps:
        text = f"step {number}" if number else "first run over"
        moments.append((at_s, text))
    for stage, text in _STAGES.items():
        if stage in seen.reached:
            moments.append((seen.reached[stage], text))
    if seen.first_in_page_s is not None:
        moments.append((seen.first_in_page_s, "first real words, in the page of step 1"))
    if seen.first_painted_s is not None:
        moments.append((seen.first_painted_s, "first real caption, in the captions window"))
    rows = [f"| {at_s:.1f} | {text} |" for at_s, text in sorted(moments)]
    return "\n".join(["| s since the start | |", "| --- | --- |", *rows])


def _talk(server: Any, file: Path, sink: str, silenced: threading.Event) -> None:
    while not silenced.is_set():
        player = server.play(file, wait=False, sink=sink)
        while player.poll() is None and not silenced.wait(0.05):
            pass


def measure(file: Path, width: int, height: int, plays: bool = False) -> str:
    """One newcomer's walk, as a table. Raises UserError."""
    try:
        from tests.support.screen import Screen
    except ImportError:
        raise UserError("This runs in a checkout.", "The screen is made by its tests.") from None
    silenced = threading.Event()
    with tempfile.TemporaryDirectory(prefix="n") as name:  # short: a socket's path is limited
        folder = Path(name)
        for part in ("home", "s"):
            (folder / part).mkdir()
        server, screen = make_server("pulseaudio", folder / "s"), Screen(folder, width, height)
        sink = server.system_sink if plays else server.sink
        talk = threading.Thread(target=_talk, args=(server, file, sink, silenced), daemon=True)
        try:
            talk.start()
            home = {"HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "home/.config")}
            environment = server.env | screen.env | server.variables | screen.variables | home
            with WindowedApp(None, folder / "app", environment) as window:
                try:
                    return table(walk(window, screen, plays))
                except UserError as error:
                    raise UserError(
                        error.message, f"{table(window.seen)}\n{window.errors()}"
                    ) from None
                finally:
                    window.quit()
        finally:
            silenced.set()
            talk.join()
            server.close()
            screen.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 with a sentence if the app did not get there."""
    parser = argparse.ArgumentParser(description="A newcomer's first minute, by the clock.")
    parser.add_argument("file", type=Path, help="speech: what is said in the room")
    parser.add_argument("--plays", action="store_true", help="… or what the computer plays")
    parser.add_argument("--size", default="1280x800", help="of the screen, in pixels")
    options = parser.parse_args(arguments)
    width, height = map(int, options.size.split("x"))
    try:
        sys.stdout.write(measure(options.file, width, height, options.plays) + "\n")
    except UserError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

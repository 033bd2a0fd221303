"""The caption window on a real screen: X server, window manager, compositor, mouse and keyboard.

`VOXLINE_SCREENSHOTS` names a folder that keeps the pictures.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QColor, QImage

from tests.support import screen as screen_support
from tests.support.screen import Screen
from tests.ui.overlay_app import TEXT

pytestmark = pytest.mark.screen
OTHER = QColor("#3f6fb5")  # the other window's colour
NOT_OURS = (OTHER, QColor("#808080"))
CHECKOUT = Path(__file__).parents[3]


class Program:
    """`overlay_app` running on the screen: tell it something, wait for what it says."""

    def __init__(self, screen: Screen, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ui.overlay_app", *arguments],
            cwd=CHECKOUT, env=screen.env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.window = str(self.wait("shown")["shown"])

    def order(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()

    def ask(self) -> dict[str, Any]:
        self.order("where")
        return self.wait("box")

    def wait(self, key: str, value: Any = None) -> dict[str, Any]:
        """The next thing said that has this key (and value); the test's time limit ends it."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said: dict[str, Any] = json.loads(line)
            if key in said and value in (None, said[key]):
                return said
        raise AssertionError(f"it ended without saying {key}")

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """It does nothing meanwhile."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture
def run(screen: Screen, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    running: list[Program] = []

    def start(*arguments: str) -> Program:
        running.append(Program(screen, *arguments))
        return running[-1]

    yield start
    for program in running:
        program.close()


@pytest.fixture
def settings(tmp_path: Path) -> str:
    return str(tmp_path / "settings.json")


@pytest.fixture
def picture(screen: Screen, tmp_path: Path) -> Callable[..., QImage]:
    folder = Path(os.environ.get("VOXLINE_SCREENSHOTS") or tmp_path)

    def take(name: str, shows: Callable[[QImage], bool]) -> QImage:
        """The screen once it shows what is wanted; the test's time limit ends the wait."""
        while True:
            image = QImage(str(screen.screenshot(folder / f"overlay-{name}.png")))
            if shows(image):
                return image

    return take


def point(screen: Screen, x: float, y: float) -> None:
    screen.xdotool("mousemove", "--sync", str(round(x)), str(round(y)))


def click(screen: Screen, at: tuple[int, int]) -> None:
    point(screen, *at)
    screen.xdotool("click", "1")


def drag(screen: Screen, start: tuple[int, int], by: tuple[int, int]) -> None:
    point(screen, *start)
    screen.xdotool("mousedown", "1")
    for part in (0.3, 0.7, 1):
        point(screen, start[0] + by[0] * part, start[1] + by[1] * part)
    screen.xdotool("mouseup", "1")


def properties(screen: Screen, *which: str) -> str:
    """Of a window, or none of them: it may be gone, and have become another."""
    done = subprocess.run(["xprop", *which], env=screen.env, capture_output=True, text=True)
    return done.stdout


def active(screen: Screen) -> str:
    return screen.xdotool("getactivewindow")


def brightest_inside(image: QImage, box: list[int]) -> int:
    """Lightness of the lightest pixel of the caption text."""
    x, y, width, height = box
    below_state = range(y + 50, y + height - 15, 2)
    cells = [(column, row) for column in range(x + 18, x + width - 30, 2) for row in below_state]
    return max(image.pixelColor(*cell).lightness() for cell in cells)


def test_captions_stay_on_top_and_the_keyboard_stays_with_the_other_window(
    screen: Screen, run: Callable[..., Program], settings: str, picture: Callable[..., QImage]
) -> None:
    other = run("other")
    other.wait("active", True)
    shown = run("captions", settings)
    shown.wait("painted", " heart.")
    assert active(screen) == other.window
    while "_NET_WM_STATE_ABOVE" not in properties(screen, "-id", shown.window, "_NET_WM_STATE"):
        pass  # the window manager's doing; the test's time limit ends the wait
    screen.xdotool("windowraise", other.window)
    screen.xdotool("windowactivate", "--sync", other.window)
    screen.xdotool("type", "hello")
    other.wait("typed", "hello")
    facts = shown.ask()
    assert TEXT.endswith(" ".join(facts["painted_text"]))
    x, y, width, height = facts["box"]

    def on_top(image: QImage) -> bool:
        """White text, though the other was raised; dark, and the other window shines through."""
        see_through = image.pixelColor(x + width - 60, y + height // 2)
        below = image.pixelColor(x - 20, y + height // 2)
        bright = brightest_inside(image, facts["box"]) > 240
        return bright and below == OTHER and 0 < see_through.blue() < below.blue()

    picture("speech", on_top)


def test_dragged_resized_and_found_again_there(
    screen: Screen, run: Callable[..., Program], settings: str
) -> None:
    shown = run("captions", settings)
    x, y, width, height = shown.ask()["box"]
    drag(screen, (x + width // 2, y + height // 2), (-90, -210))
    x, y = x - 90, y - 210
    shown.wait("saved", [x, y, width, height])  # where it rested on the way may be saved, too
    line = (height - 51) // 2
    drag(screen, (x + width - 4, y + height - 4), (-100, line + 6))
    while (resized := shown.wait("saved"))["lines"] != 3 or resized["saved"][2] != width - 100:
        pass
    assert resized["saved"][:2] == [x, y]
    shown.close()
    again = run("captions", settings)
    assert again.ask()["box"] == resized["saved"]


def test_controls_come_to_the_pointer_and_take_no_focus(
    screen: Screen, run: Callable[..., Program], settings: str, picture: Callable[..., QImage]
) -> None:
    other = run("other")
    other.wait("active", True)
    shown = run("captions", settings)
    shown.wait("painted", " heart.")
    x, y, width, height = box = shown.ask()["box"]
    point(screen, x + width // 2, y - 30)  # where the controls will be: not ours yet
    screen.xdotool("click", "1")
    assert other.wait("clicked")["clicked"] == [x + width // 2, y - 30]
    point(screen, x + width // 2, y + height // 2)
    shown.wait("controls", True)
    facts = shown.ask()
    assert facts["box"] == box
    left, top, wide, high = facts["buttons"]["Larger text"]
    middle = (left + wide // 2, top + high // 2)
    picture("controls", lambda image: image.pixelColor(left + 6, top + 20) not in NOT_OURS)
    click(screen, middle)
    while shown.ask()["box"][2] <= width:
        pass  # larger letters, the box grows with them; the test's time limit ends the wait
    assert active(screen) == other.window
    screen.xdotool("type", "a")
    other.wait("typed", "a")
    point(screen, 20, 20)
    shown.wait("controls", False)


def test_controls_by_keyboard_and_back_to_the_other_window(
    screen: Screen, run: Callable[..., Program], settings: str
) -> None:
    other = run("other")
    other.wait("active", True)
    shown = run("captions", settings)
    shown.order("keyboard")
    shown.wait("controls", True)
    while not (facts := shown.ask())["active"]:
        pass  # the window manager has been asked; the test's time limit ends the wait
    assert facts["focus"] == "Hold the text; listening goes on"
    x, y, width, height = shown.ask()["box"]
    screen.xdotool("key", "Left", "Left", "Up")
    shown.wait("saved", [x - 20, y - 10, width, height])
    screen.xdotool("key", "Tab", "Tab", "Tab")
    while shown.ask()["focus"] != "Larger text":
        pass
    screen.xdotool("key", "Shift+Tab", "Shift+Tab", "Shift+Tab", "space")
    while not shown.ask()["held"]:
        pass
    screen.xdotool("key", "Escape")  # the text goes on; the next one is for the keyboard
    while shown.ask()["held"]:
        pass
    screen.xdotool("key", "Escape")
    shown.wait("controls", False)
    other.wait("active", True)  # without anyone's help
    screen.xdotool("type", "b")
    other.wait("typed", "b")


def test_trouble_is_told_without_a_pointer(
    screen: Screen, run: Callable[..., Program], settings: str, picture: Callable[..., QImage]
) -> None:
    shown = run("captions", settings)
    shown.wait("painted", " heart.")
    shown.order("trouble")
    x, y, _, _ = shown.ask()["box"]

    def told(image: QImage) -> bool:
        pill = {image.pixelColor(x + column, y + 22).name() for column in range(12, 200)}
        hint = [image.pixelColor(x + column, y - 30).lightness() for column in range(20, 90)]
        return "#ffc24b" in pill and max(hint) > 200

    picture("no-sound", told)


def test_a_full_screen_window_does_not_cover_the_captions(
    screen: Screen, run: Callable[..., Program], settings: str, picture: Callable[..., QImage]
) -> None:
    """Window managers put a full-screen window above those that are kept above."""
    other = run("other")
    other.wait("active", True)
    shown = run("captions", settings)
    shown.wait("painted", " heart.")
    box = shown.ask()["box"]
    other.order("full screen")
    picture(
        "full-screen",
        lambda image: image.pixelColor(5, 5) == OTHER and brightest_inside(image, box) > 240,
    )
    assert active(screen) == other.window
    while not (facts := shown.ask())["over_fullscreen"]:
        pass  # it has another window from then on
    assert facts["box"] == box
    with shown.stopped():  # it brings itself back at any time: no picture may come before that
        screen.xdotool("windowunmap", facts["id"])  # as a window manager does that is late
        picture("gone", lambda image: brightest_inside(image, box) < 240)
    picture("back", lambda image: brightest_inside(image, box) > 240)
    assert shown.ask()["box"] == box
    other.order("normal")
    while "_NET_WM_STATE_ABOVE" not in properties(
        screen, "-id", shown.ask()["id"], "_NET_WM_STATE"
    ):
        pass  # it returns to the window manager; the test's time limit ends the wait
    assert shown.ask()["box"] == box


# --- what is below gets the clicks, and what is maximised ends at the captions -------------------


@pytest.fixture(params=["openbox", "metacity"])
def managed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Screen]:
    """A screen with one of two window managers, without a compositor: as bare as X11 gets."""
    missing = screen_support.missing_tools()
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    folder = tmp_path / "screen"
    folder.mkdir()
    screen = Screen(folder, manager=request.param, composited=False)
    yield screen
    screen.close()


def test_clicks_reach_the_window_below_until_the_handle_is_clicked(
    managed: Screen, settings: str
) -> None:
    """Where the window manager's frame is in the way (openbox), and where it is not."""
    other, shown = Program(managed, "other"), Program(managed, "captions", settings)
    try:
        shown.wait("painted", " heart.")
        x, y, width, height = shown.ask()["box"]
        middle = x + width // 2, y + height // 2
        shown.order("call let_clicks_through [true]")
        while (handle := shown.ask()["handle"]) is None:
            pass
        click(managed, middle)
        assert other.wait("clicked")["clicked"] == list(middle)
        click(managed, (handle[0] + 14, handle[1] + 14))
        while shown.ask()["handle"] is not None:
            pass
        click(managed, middle)  # the captions' own again
        click(managed, (x + 5, y - 140))
        assert other.wait("clicked")["clicked"] == [x + 5, y - 140]
    finally:
        shown.close()
        other.close()


def test_the_handle_is_seen_while_another_window_of_ours_is_in_use(
    managed: Screen, settings: str, tmp_path: Path
) -> None:
    """On captions that float and on docked ones: metacity would put it below both."""
    shown = Program(managed, "captions", settings)
    try:
        shown.wait("painted", " heart.")
        shown.order("another of ours")
        while "0x0" in properties(managed, "-root", "_NET_ACTIVE_WINDOW"):
            pass
        shown.order("call let_clicks_through [true]")
        until_handle_is_seen(managed, tmp_path, shown)
        shown.order("call keep_above []")  # as it does every other second
        until_handle_is_seen(managed, tmp_path, shown)
        shown.order('call dock ["bottom"]')
        while shown.ask()["box"][0] != 0:
            pass
        until_handle_is_seen(managed, tmp_path, shown)
    finally:
        shown.close()


def test_captions_go_along_to_another_virtual_desktop(managed: Screen, settings: str) -> None:
    """Whoever reads a meeting and turns to another desktop has them before the eyes there, too."""
    shown = Program(managed, "captions", settings)
    try:
        shown.wait("painted", " heart.")
        managed.xdotool("set_num_desktops", "2")
        shown.order("call keep_above []")  # as it does every other second
        while "4294967295" not in properties(managed, "-id", shown.window, "_NET_WM_DESKTOP"):
            pass
        managed.xdotool("set_desktop", "1")
        while "= 1" not in properties(managed, "-root", "_NET_CURRENT_DESKTOP"):
            pass
        assert "Normal" in properties(managed, "-id", shown.window, "WM_STATE")
    finally:
        shown.close()


def test_what_floats_beside_captions_or_instead_goes_along_too(
    managed: Screen, settings: str
) -> None:
    """The way to hidden captions, and the one to take hold of them, each time they are there."""
    shown = Program(managed, "captions", settings)
    try:
        shown.wait("painted", " heart.")
        managed.xdotool("set_num_desktops", "2")
        for kind, verb, arguments in (
            ("handle", "let_clicks_through", "[true]"),
            ("pill", "hide_captions", "[]"),
            ("handle", "show", "[]"),
            ("pill", "hide_captions", "[]"),
        ):
            shown.order(f"call {verb} {arguments}")
            while not (small := shown.ask()["small"].get(kind)):
                pass
            while "4294967295" not in properties(managed, "-id", small, "_NET_WM_DESKTOP"):
                pass
            for desktop in ("1", "0"):
                managed.xdotool("set_desktop", desktop)
                while f"= {desktop}" not in properties(managed, "-root", "_NET_CURRENT_DESKTOP"):
                    pass
                assert "Normal" in properties(managed, "-id", small, "WM_STATE")
    finally:
        shown.close()


def until_handle_is_seen(screen: Screen, folder: Path, shown: Program) -> list[int]:
    """Its dots, over which nothing lies: where it is. The test's time limit ends the wait."""
    while True:
        handle: list[int] | None = shown.ask()["handle"]
        if handle is None:
            continue
        image = QImage(str(screen.screenshot(folder / "handle.png")))
        places = ((handle[0] + x, handle[1] + y) for x in range(4, 24) for y in range(4, 24))
        if max(image.pixelColor(*place).lightness() for place in places) > 200:
            return handle


@pytest.mark.parametrize("edge", ["top", "bottom"])
def test_a_maximised_window_ends_where_docked_captions_begin(
    managed: Screen, settings: str, edge: str
) -> None:
    other, shown = Program(managed, "other"), Program(managed, "captions", settings)
    try:
        shown.order(f'call dock ["{edge}"]')
        other.order("maximise")
        wanted = {"top": [0, 0, 1280, 163], "bottom": [0, 637, 1280, 163]}[edge]
        while shown.ask()["box"] != wanted:
            pass
        while not between(size_of(managed, other), 560, 637):
            pass  # with its frame it is 637 high; the test's time limit ends the wait
        shown.order('call dock [""]')
        while not between(size_of(managed, other), 720, 800):
            pass
    finally:
        shown.close()
        other.close()


def size_of(screen: Screen, program: Program) -> int:
    """Its height."""
    told = screen.xdotool("getwindowgeometry", "--shell", program.window)
    return int(dict(line.split("=") for line in told.splitlines())["HEIGHT"])


def between(number: int, low: int, high: int) -> bool:
    return low <= number <= high


def test_the_wheel_holds_the_text_and_the_bar_lets_it_go_on(
    screen: Screen, run: Callable[..., Program], settings: str, picture: Callable[..., QImage]
) -> None:
    shown = run("captions", settings)
    shown.wait("painted", " heart.")
    shown.order("say " + "Nothing that is shown moves while one reads. " * 12)
    x, y, width, height = shown.ask()["box"]
    point(screen, x + width // 2, y + height // 2)
    screen.xdotool("click", "4")
    while not (facts := shown.ask())["held"] or len(facts["painted_text"]) != 8:
        pass  # the window grows, and is painted
    before = facts["painted_text"]
    shown.order("say and more is said meanwhile")
    while not (facts := shown.ask())["live"].endswith("words"):
        pass
    assert facts["painted_text"] == before
    amber = QColor("#ffc24b")
    live = next(at for name, at in facts["buttons"].items() if name.endswith("unread"))
    spot = live[0] + 40, live[1] + 6
    picture("held", lambda image: image.pixelColor(*spot) == amber)
    click(screen, (live[0] + live[2] // 2, live[1] + live[3] // 2))
    while shown.ask()["held"]:
        pass
    assert shown.ask()["box"] == [x, y, width, height]


def test_a_drag_is_drawn_to_the_edge_of_the_screen(
    screen: Screen, run: Callable[..., Program], settings: str
) -> None:
    shown = run("captions", settings)
    x, y, width, height = shown.ask()["box"]
    drag(screen, (x + width // 2, y + height // 2), (-x + 8, -120))
    shown.wait("saved", [0, y - 120, width, height])
    screen.xdotool("keydown", "shift")
    drag(screen, (width // 2, y - 120 + height // 2), (5, 0))
    screen.xdotool("keyup", "shift")
    shown.wait("saved", [5, y - 120, width, height])

"""Typing into a window of another process, on a real X server."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.native.typist import CAPS_LOCK, KEYS, Focus, NoTypingError
from app.native.x11_typing import X11Typist
from tests.support.editor import Editor
from tests.support.screen import Screen

pytestmark = pytest.mark.screen

EVERYTHING = (
    "Hello, World! “Grüße” naïve ça ñ Łódź Привет 你好，世界 👍🏽 👩\u200d👧 €100 {x} ~^` |é|"
)


@pytest.fixture
def editor(screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Editor]:
    monkeypatch.setenv("DISPLAY", screen.variables["DISPLAY"])
    with Editor(screen, tmp_path / "typed.txt") as made:
        yield made


def lay_out(screen: Screen, *layout: str) -> None:
    subprocess.run(["setxkbmap", *layout], env=screen.env, check=True)


def test_a_window_is_heard_when_it_says_what_it_has_read(editor: Editor) -> None:
    """Qt's answers go another way than GTK's; unheard, each wait would be the longest."""
    typist = X11Typist()
    window = typist._client()
    assert [typist._server.ping(window, number, 60) for number in (1, 2)] == [True, True]
    typist.close()


def test_everything_arrives_as_it_is_once_in_any_layout(editor: Editor, screen: Screen) -> None:
    """In Russian no key types a Latin letter; in French digits need Shift."""
    typist, said = X11Typist(), ""
    for layout in ("us", "fr", "ru"):
        lay_out(screen, layout)
        assert typist.type(EVERYTHING) == 0
        said += EVERYTHING
        editor.wait_for(said)
    before = typist._server.keyboard()[0]
    typist.close()
    after = X11Typist()
    borrowed = [code for code, row in after._server.keyboard()[0].items() if row != before[code]]
    assert borrowed, "some keys had been lent characters …"
    assert not any(any(after._server.keyboard()[0][code]) for code in borrowed), "… and are empty"
    after.close()


def test_a_program_that_is_stuck_gets_what_was_meant(editor: Editor) -> None:
    """More characters than there are keys to lend, while it reads nothing."""
    typist = X11Typist()
    assert typist._server.pings(typist._client())
    text = "".join(chr(0x4E00 + n) for n in range(60))
    editor.stop()
    typing = threading.Thread(target=typist.type, args=(text,))
    typing.start()
    time.sleep(3)  # long enough for whoever only rests; with the answer it makes no difference
    assert typing.is_alive()
    editor.go_on()
    typing.join(60)
    editor.wait_for(text)
    typist.close()


def test_a_key_that_does_something_is_never_pressed(editor: Editor) -> None:
    typist = X11Typist()
    typist.type("a\nb\tc\x1b\x08d\u202ee")
    editor.wait_for("a b cde")
    typist.close()


def test_who_has_the_keyboard_and_what_is_held_is_known(
    editor: Editor, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    typist = X11Typist()

    def until_held(what: str) -> None:
        editor.until(lambda: typist.focus().held == what)

    editor.until(lambda: bool(typist.focus().window))  # the desktop tells it in its own time
    assert not typist.focus().ours and not typist.focus().held
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: editor._process.pid)
        editor.until(lambda: typist.focus().ours)
    for keys, held in (("ctrl", KEYS), ("shift", KEYS), ("alt", KEYS)):
        screen.xdotool("keydown", keys)
        until_held(held)
        screen.xdotool("keyup", keys)
        until_held("")
    for lock, held in (("Caps_Lock", CAPS_LOCK), ("Num_Lock", "")):
        screen.xdotool("key", lock)
        until_held(held)
        screen.xdotool("key", lock)
    typist.close()


def test_where_no_window_is_nothing_has_the_keyboard(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", screen.variables["DISPLAY"])
    typist = X11Typist()
    assert typist.focus() == Focus()
    typist.close()


def test_a_server_that_goes_is_told(editor: Editor, screen: Screen) -> None:
    typist = X11Typist()
    screen._server.kill()
    screen._server.wait()
    for act in (typist.focus, lambda: typist.type("a")):
        with pytest.raises(NoTypingError):
            act()
    typist.close()
    with pytest.raises(NoTypingError):
        X11Typist()

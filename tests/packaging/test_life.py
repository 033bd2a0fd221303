"""The parts of the package's life that can be looked at without a computer of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import empty_debian
import life_proof
import pytest
from empty_debian import Computer, Desk, LifeError, Person

from tests.packaging.conftest import CHECKOUT


def computer_in(root: Path) -> Computer:
    """One whose folders are there and that nobody has switched on."""
    made = Computer.__new__(Computer)
    made.root = root
    return made


def desk_at(computer: Computer) -> Desk:
    made = Desk.__new__(Desk)
    made.computer, made.person = computer, life_proof.ANA
    made.home.mkdir(parents=True)
    return made


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """With the desktop entry as the package has it."""
    entry = tmp_path / life_proof.ENTRY.lstrip("/")
    entry.parent.mkdir(parents=True)
    shutil.copy(CHECKOUT / "packaging/linux/voxline.desktop", entry)
    return desk_at(computer_in(tmp_path))


@pytest.mark.parametrize("name", ["new-session", "show-captions"])
def test_the_desktop_entry_has_the_actions(desk: Desk, name: str) -> None:
    assert life_proof.action(desk, name) == ["voxline-gui", f"--{name}"]


def test_an_action_that_is_gone_is_told(desk: Desk) -> None:
    with pytest.raises(LifeError, match="no action begin"):
        life_proof.action(desk, "begin")


def test_what_is_left_behind_is_seen_and_caches_are_not(tmp_path: Path) -> None:
    left = ("usr/lib/voxline/gone.so", "etc/voxline.conf", "var/lib/voxline/state")
    kept = ("var/cache/man/index.db", "var/lib/dpkg/status", "home/bo/mine.srt", "proc/1/maps")
    for name in (*left, *kept):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.touch()
    assert computer_in(tmp_path).files() == {f"/{name}" for name in left}


def test_a_user_s_program_has_the_user_s_environment_and_no_other(tmp_path: Path) -> None:
    command = computer_in(tmp_path).command(["voxline"], life_proof.ANA, DISPLAY=":101")
    assert command[:3] == ["chroot", "--userspec=2001:2001", "--groups="]
    assert command[command.index("env") + 1] == "-i"
    assert f"HOME={life_proof.ANA.home}" in command
    assert "DISPLAY=:101" in command
    assert command[-1] == "voxline"


def test_words_count_from_where_one_began_to_listen(desk: Desk) -> None:
    lines: list[dict[str, object]] = [
        {"type": "shown", "ms": 700},
        {"type": "status", "stage": "listening"},
        *({"type": "painted", "ms": ms, "text": text} for ms, text in ((1, " my"), (2, " fellow"))),
    ]
    log = desk.home / "painted.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"type": "pain', "utf-8")
    captions = life_proof.Captions.__new__(life_proof.Captions)
    captions.desk = desk
    assert captions._words(0) == " my fellow"
    assert captions._words(1) == " fellow"
    assert captions._stages() == ["listening"]


def test_it_waits_as_long_as_somebody_works_on_it() -> None:
    looks = iter([False, False, False, True])
    empty_debian.wait_for(lambda: next(looks), "never")


def test_it_does_not_wait_for_what_has_ended_and_says_what_was_there_then() -> None:
    seen: list[str] = []

    def going() -> bool:
        seen.append("loading")
        return len(seen) < 3

    with pytest.raises(LifeError, match="its states were loading, loading, loading"):
        empty_debian.wait_for(lambda: False, lambda: f"its states were {', '.join(seen)}", going)


def test_the_last_deed_of_what_has_ended_counts() -> None:
    done: list[bool] = []

    def going() -> bool:
        done.append(True)
        return False

    empty_debian.wait_for(lambda: done, "not done", going)


class Beside(Computer):
    """One whose users' programs run here, for who looks at how they end."""

    def __init__(self, root: Path, *instead: str) -> None:
        self.root, self._instead = root, instead
        (root / "var/log").mkdir(parents=True)
        (root / "home").mkdir()

    def command(
        self, command: Sequence[str], person: Person | None = None, **variables: str
    ) -> list[str]:
        return list(self._instead)


@pytest.mark.skipif(sys.platform == "win32", reason="no sh")
def test_a_session_that_ends_before_it_began_is_told_with_its_last_words(tmp_path: Path) -> None:
    computer = Beside(tmp_path, "sh", "-c", "echo no keyboard >&2; exit 3")
    nobody = Person("cleo", 2_000_000_001, "/home/cleo")
    with pytest.raises(LifeError, match="of cleo ended with 3 before it began: no keyboard"):
        Desk(computer, nobody, ":101")


THERE = {"Xvfb": "exec /bin/sleep 600", "openbox": "", "pactl": "", "pulseaudio": "", "sleep": ""}
ONCE_IN_VAIN = '[ -e "$HOME/tried" ] || { touch "$HOME/tried"; exit 1; }'


@pytest.mark.skipif(sys.platform == "win32", reason="no sh")
@pytest.mark.parametrize(
    ("programs", "begins"),
    [
        ({}, True),
        ({"pactl": ONCE_IN_VAIN}, True),
        ({"pactl": "exit 1", "pulseaudio": '[ "$1" != --check ]'}, False),
        ({"pulseaudio": "exit 1"}, False),
    ],
)
def test_a_session_begins_or_ends(
    programs: dict[str, str], begins: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name may not be long
    with socket.socket(socket.AF_UNIX) as screen:
        screen.bind("X101")
        assert (session(programs, tmp_path) == 0) is begins
    assert (tmp_path / ".session-is-up").exists() is begins


@pytest.mark.skipif(sys.platform == "win32", reason="no sh")
def test_a_session_whose_screen_has_died_ends(tmp_path: Path) -> None:
    assert session({"Xvfb": "exit 1"}, tmp_path) != 0
    assert not (tmp_path / ".session-is-up").exists()


def session(programs: dict[str, str], home: Path) -> int:
    """The session's script with programs that stand in for a desktop's; its exit status."""
    for name, script in (THERE | programs).items():
        program = home / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    script = empty_debian._SESSION.replace("/tmp/.X11-unix", str(home))
    known = {"HOME": str(home), "DISPLAY": ":101", "PATH": f"{home}:/usr/bin:/bin"}
    begun = subprocess.Popen(["sh", "-c", script], env=known, start_new_session=True)
    try:
        return begun.wait(600)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(begun.pid, signal.SIGKILL)  # what plays the screen goes on


def test_without_its_tools_it_says_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert life_proof.main(["older.deb", "newer.deb"]) == 1
    told = capsys.readouterr().err
    assert all(package in told for package in empty_debian.TOOLS.values())

"""The parts of the package's life that can be looked at without a computer of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import empty_debian
import life_proof
import pytest
from empty_debian import Computer, Desk, LifeError

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


def test_without_its_tools_it_says_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert life_proof.main(["older.deb", "newer.deb"]) == 1
    told = capsys.readouterr().err
    assert all(package in told for package in empty_debian.TOOLS.values())

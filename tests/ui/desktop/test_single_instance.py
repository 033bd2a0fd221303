"""A second start shows the first one's window and leaves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.ui.desktop import single_instance
from app.ui.desktop.single_instance import Claim, SingleInstance

SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from app.ui.single_instance import SingleInstance
app = QCoreApplication([])
print(SingleInstance(Path(sys.argv[1])).claim().name)
"""


@pytest.fixture
def first(qtbot: QtBot, tmp_path: Path) -> Iterator[SingleInstance]:
    instance = SingleInstance(tmp_path)
    assert instance.claim() is Claim.FIRST
    yield instance
    instance.release()


def start_second(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SECOND, str(folder)], stdout=subprocess.PIPE, text=True
    )


def test_the_second_shows_the_first(first: SingleInstance, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(first.raise_requested, timeout=20_000):
        second = start_second(tmp_path)
    assert second.communicate(timeout=20)[0] == "SHOWN\n"


def test_every_further_start_is_answered(
    first: SingleInstance, tmp_path: Path, qtbot: QtBot
) -> None:
    asked: list[bool] = []
    first.raise_requested.connect(lambda: asked.append(True))
    others = [start_second(tmp_path) for _ in range(2)]
    qtbot.waitUntil(lambda: all(other.poll() is not None for other in others), timeout=30_000)
    assert [other.communicate()[0] for other in others] == ["SHOWN\n"] * 2
    assert len(asked) == 2


def test_another_data_folder_is_another_app(first: SingleInstance, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    other = SingleInstance(folder)
    assert other.claim() is Claim.FIRST
    other.release()


def test_after_the_first_has_gone_the_next_is_first(first: SingleInstance, tmp_path: Path) -> None:
    first.release()
    second = start_second(tmp_path)
    assert second.communicate(timeout=20)[0] == "FIRST\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows leaves no sockets behind")
def test_a_socket_left_by_a_crash_is_no_obstacle(qtbot: QtBot, tmp_path: Path) -> None:
    crash = SECOND + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    dead = subprocess.run(
        [sys.executable, "-u", "-c", crash, str(tmp_path)], capture_output=True, text=True
    )
    assert dead.stdout == "FIRST\n"
    instance = SingleInstance(tmp_path)
    assert instance.claim() is Claim.FIRST
    instance.release()


def test_a_first_that_hangs_is_told_apart(
    first: SingleInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked from its own thread, the first cannot answer."""
    monkeypatch.setattr(single_instance, "ANSWER_WITHIN_MS", 50)
    assert SingleInstance(tmp_path).claim() is Claim.MUTE

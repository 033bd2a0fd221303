"""A second start shows the first one's window and leaves."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
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
from app.ui.desktop import single_instance
from app.ui.desktop.single_instance import SingleInstance
app = QCoreApplication([])
single_instance.ANSWER_WITHIN_MS = 60_000
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
    with qtbot.waitSignal(first.raise_requested, timeout=60_000):
        second = start_second(tmp_path)
    assert second.communicate(timeout=60)[0] == "SHOWN\n"


def test_every_further_start_is_answered(
    first: SingleInstance, tmp_path: Path, qtbot: QtBot
) -> None:
    asked: list[bool] = []
    first.raise_requested.connect(lambda: asked.append(True))
    others = [start_second(tmp_path) for _ in range(2)]
    qtbot.waitUntil(lambda: all(other.poll() is not None for other in others), timeout=60_000)
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
    assert second.communicate(timeout=60)[0] == "FIRST\n"


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


posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has pipes, not folders")


@posix
def test_the_socket_is_in_a_folder_of_this_user_alone(first: SingleInstance) -> None:
    folder = Path(first._name).parent
    assert folder == Path(os.environ["XDG_RUNTIME_DIR"])
    assert single_instance.is_private(folder)


@posix
@pytest.mark.parametrize("trap", ["open", "link", "missing", "long"])
def test_a_folder_that_others_could_use_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str
) -> None:
    runtime = tmp_path / ("r" * 100 if trap == "long" else "runtime")
    if trap != "missing":
        runtime.mkdir(mode=0o700)
    if trap == "open":
        runtime.chmod(0o755)
    if trap == "link":
        runtime = runtime.rename(tmp_path / "real")
        (tmp_path / "runtime").symlink_to(runtime)
        runtime = tmp_path / "runtime"
    temporary = Path(tempfile.mkdtemp(prefix="v"))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    instance = SingleInstance(tmp_path)
    assert instance.claim() is Claim.FIRST
    folder = Path(instance._name).parent
    assert folder == temporary / f"voxline-{os.getuid()}"
    assert single_instance.is_private(folder)
    instance.release()
    shutil.rmtree(temporary)


@posix
def test_a_trap_in_the_temporary_folder_is_not_trusted_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = Path(tempfile.mkdtemp(prefix="v"))
    (temporary / f"voxline-{os.getuid()}").mkdir(mode=0o777)
    (temporary / f"voxline-{os.getuid()}").chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    instance = SingleInstance(tmp_path)
    assert instance.claim() is Claim.FIRST
    assert single_instance.is_private(Path(instance._name).parent)
    instance.release()
    shutil.rmtree(temporary)


@posix
def test_an_answer_from_another_user_is_no_answer(
    first: SingleInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sits on the socket must not keep the app from opening."""
    stranger = os.getuid() + 1
    monkeypatch.setattr(single_instance, "peer_uid", lambda descriptor: stranger)
    second = SingleInstance(tmp_path)
    assert second.claim() is Claim.FIRST
    second.release()


@posix
def test_the_user_at_the_other_end_is_known() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert single_instance.peer_uid(ours.fileno()) == os.getuid()

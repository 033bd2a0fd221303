"""Asking the Voxline that runs, without Qt: who answers, who does not, and who is not it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from app.native import doorway

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has pipes, not sockets")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def serve(data: Path) -> Iterator[Callable[[Callable[[bytes], bytes]], None]]:
    """Answer one line at the address, in a thread."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(doorway.address(data))
    server.listen()
    threads: list[Thread] = []

    def answer(reply: Callable[[bytes], bytes]) -> None:
        def run() -> None:
            try:
                link, _ = server.accept()
                with link, link.makefile("rb") as lines:
                    link.sendall(reply(lines.readline()))
            except OSError:
                return  # nobody came, or who came has left

        threads.append(Thread(target=run, daemon=True))
        threads[-1].start()

    yield answer
    server.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(60)
    server.close()


Serve = Callable[[Callable[[bytes], bytes]], None]


def test_a_line_is_answered_with_a_line(data: Path, serve: Serve) -> None:
    serve(lambda line: b"heard " + line)
    assert doorway.ask(data, "hallo, Wörld", 20) == "heard hallo, Wörld"


def test_nobody_there_is_told_apart(data: Path, serve: Serve) -> None:
    assert doorway.ask(data / "other", "status", 20) is None
    Path(doorway.address(data)).unlink()
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(doorway.address(data))
    left.close()  # as a crash leaves it: the file is there, and nobody behind it
    assert doorway.ask(data, "status", 20) is None


def test_who_is_not_this_user_is_asked_nothing(
    data: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []
    serve(lambda line: heard.append(line) or b"done\n")  # type: ignore[func-returns-value]
    monkeypatch.setattr(doorway, "peer_uid", lambda descriptor: os.getuid() + 1)
    assert doorway.ask(data, "status", 20) is None
    assert heard in ([], [b""])


def test_a_folder_that_others_may_enter_is_not_looked_into(data: Path, serve: Serve) -> None:
    """Its owner could have put a socket of his there."""
    serve(lambda line: b"done\n")
    Path(os.environ["XDG_RUNTIME_DIR"]).chmod(0o755)
    assert doorway.ask(data, "status", 20) is None


def test_nor_is_one_in_the_temporary_folder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(tempfile, "tempdir", tempfile.mkdtemp(prefix="v"))  # short, as a path must
    trap = doorway._folder("voxline")
    trap.mkdir()
    trap.chmod(0o777)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as theirs:
        theirs.bind(str(trap / doorway._name(data)))
        theirs.listen()
        assert doorway.ask(data, "status", 0.2) is None  # and no TimeoutError


def test_one_that_hangs_is_not_waited_for(data: Path, serve: Serve) -> None:
    with pytest.raises(TimeoutError):
        doorway.ask(data, "status", 0.05)  # nobody accepts


@pytest.mark.parametrize("said", [b"", b"half an answ"])
def test_one_that_leaves_without_an_answer_is_a_failure(
    data: Path, serve: Serve, said: bytes
) -> None:
    serve(lambda line: said)
    with pytest.raises(ConnectionResetError):
        doorway.ask(data, "status", 20)


def test_the_command_loads_no_qt(data: Path) -> None:
    code = (
        "import sys; from app.cli import main; status = main(['control', 'status', '--json']);"
        "loaded = [m for m in sys.modules if m.split('.')[0] in ('PySide6', 'numpy', 'psutil')];"
        "sys.exit(f'loaded {loaded}' if loaded else status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, '{"running": false}\n')
    assert done.stderr == "Voxline is not running. Start it, then try again.\n"

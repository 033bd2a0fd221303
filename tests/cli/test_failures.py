"""Whatever goes wrong ends in a sentence and an exit status, never in a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

import app.cli
from app import cli, paths
from app.cli import guarded, main
from app.cli.usage_error import UsageError
from model_backends.base import EngineError


def _raises(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (EngineError("It is broken.", "Mend it."), 1, "It is broken. Mend it.\n"),
        (UsageError("No such thing."), 2, "No such thing.\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_errors_own_words_and_status(
    error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(lambda: _raises(error)) == status
    assert capsys.readouterr() == ("", said)


def test_a_bug_is_one_sentence_with_the_log_that_has_the_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert guarded(lambda: _raises(ZeroDivisionError("division by zero"))) == 1
    said = capsys.readouterr().err
    log = paths.log_dir() / "voxline.log"
    assert said.count("\n") == 1
    assert "division by zero" in said
    assert str(log) in said
    assert "Traceback" in log.read_text("utf-8")


def test_a_reader_who_has_gone_is_no_error() -> None:
    """As in `voxline engines | head -0`."""
    reader, writer = os.pipe()
    os.close(reader)
    program = [sys.executable, "-m", "app", "engines"]
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(program, stdout=pipe, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_captions_of_any_script_go_through_a_pipe_in_any_locale(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "app", "transcribe", str(tmp_path / "漢字.wav")]
    environment = os.environ | {"LC_ALL": "C", "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(program, capture_output=True, env=environment, check=False)
    assert done.returncode == 1
    assert "漢字.wav" in done.stderr.decode("utf-8")


def test_plain_voxline_without_a_display_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    ran: list[Namespace] = []

    def run(args: Namespace) -> int:
        ran.append(args)
        return 0

    monkeypatch.setattr(app.cli, "_run", run)
    assert main([]) == 0
    assert [args.command for args in ran] == ["listen"]


def test_plain_voxline_with_a_display_opens_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(cli, "_window", lambda args: 7)
    assert main([]) == 7


@pytest.mark.skipif(sys.platform != "linux", reason="only X11 and Wayland can be absent")
@pytest.mark.parametrize("display", [":7654", "127.0.0.1:7654", "nonsense", ":x"])
def test_a_display_that_does_not_answer_is_none(display: str) -> None:
    from app.native.display import has_display

    assert not has_display({"DISPLAY": display})
    assert not has_display({"WAYLAND_DISPLAY": "wayland-9", "XDG_RUNTIME_DIR": "/nonexistent"})


def test_without_what_the_window_needs_captions_come_in_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setitem(sys.modules, "app.main", None)  # importing it raises ImportError
    monkeypatch.setattr(cli, "_run", lambda args: 5 if args.command == "listen" else 1)
    assert main([]) == 5
    assert "The window cannot be opened" in capsys.readouterr().err


_NO_NAME = "n" * 300  # longer than a disk takes


@pytest.mark.parametrize(
    "line",
    [
        "transcribe {}",
        "transcribe {sample} --output {}",
        "transcribe {sample} --engine voxtral-torch --model {}",
        "transcribe {sample} --words ~nobody-of-that-name/words.txt",
        "listen --source {}",
        "models convert {} out",
        "pack install --cpu --python {}",
        "sessions list",
    ],
)
def test_a_name_that_no_disk_could_hold_is_one_that_is_not_there(
    line: str,
    sample: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As is one in a folder that may not be entered: `Path.exists()` raises for both."""
    if line.startswith("sessions"):
        monkeypatch.setenv("VOXLINE_DATA", str(Path.cwd() / _NO_NAME))
    assert main(line.format(_NO_NAME, sample=sample).split()) in (1, 2)
    said = capsys.readouterr()
    assert said.out == "" and said.err and "inside Voxline" not in said.err


@pytest.mark.skipif(os.name != "posix", reason="sends itself what Ctrl-C sends")
@pytest.mark.parametrize("command", ["main", "gui"])
def test_control_c_while_python_imports_tells_nothing_of_it(command: str) -> None:
    program = (
        "import os, signal, app.__main__ as it\n"
        # whoever runs the tests in the background may have it ignored by all that begins there
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "it._look_for_packs = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
        f"it.{command}()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")

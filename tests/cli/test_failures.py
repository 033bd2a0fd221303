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


# Control-C comes as a module is looked for. (Whoever runs the tests in the background may have it
# ignored by all that begins there.)
_COMING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Coming:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Coming())
sys.argv[1:] = {arguments!r}
"""
_AS_MODULE = "import runpy; runpy.run_module('app', run_name='__main__', alter_sys=True)"
_AS_SCRIPT = "from app.__main__ import {way}; sys.exit({way}())"


def _interrupted(module: str, start: str, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", _COMING.format(module=module, arguments=arguments) + start],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(os.name != "posix", reason="sends itself what Ctrl-C sends")
@pytest.mark.parametrize(
    "start", [_AS_MODULE, _AS_SCRIPT.format(way="main"), _AS_SCRIPT.format(way="gui")]
)
@pytest.mark.parametrize("module", ["app.frozen", "app.cli", "app.worker.packs"])
def test_control_c_while_python_imports_tells_nothing_of_it(module: str, start: str) -> None:
    assert _interrupted(module, start, "models", "path") == (-signal.SIGINT, "", "")


@pytest.mark.skipif(os.name != "posix", reason="sends itself what Ctrl-C sends")
@pytest.mark.parametrize("module", ["app.cli.arguments", "app.cli.tongue", "app.cli.models"])
def test_control_c_while_a_command_is_found_and_begun_tells_nothing_either(module: str) -> None:
    assert _interrupted(module, _AS_MODULE, "models", "path") == (130, "", "")


@pytest.mark.skipif(os.name != "posix", reason="sends itself what Ctrl-C sends")
def test_control_c_once_all_is_done_tells_nothing_either() -> None:
    at_the_end = "import logging; logging.shutdown = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
    status, out, errors = _interrupted("", at_the_end + _AS_MODULE, "models", "path")
    assert (status, errors) == (-signal.SIGINT, "") and out.endswith("models\n")


@pytest.mark.skipif(os.name != "posix", reason="sends itself what Ctrl-C sends")
@pytest.mark.parametrize("module", ["app.cli", "app.cli.arguments"])
def test_who_starts_voxline_may_have_control_c_ignored(module: str) -> None:
    ignored = "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    status, out, errors = _interrupted(module, ignored + _AS_MODULE, "--version")
    assert (status, errors) == (0, "") and out.startswith("voxline ")


@pytest.mark.skipif(os.name != "posix", reason="sends itself what Ctrl-C sends")
@pytest.mark.parametrize(
    ("start", "module"),
    [
        (_AS_MODULE.replace("'app'", "'app.worker.process'"), "queue"),
        ("sys.argv[1:] = ['--worker']; " + _AS_SCRIPT.format(way="main"), "app.worker.process"),
    ],
)
def test_control_c_leaves_a_worker_that_starts_alone(start: str, module: str) -> None:
    """It ends when its input does, with nothing to say."""
    status, out, errors = _interrupted(module, "sys.modules.pop('queue', None); " + start)
    assert status in (0, 1) and errors == "" and "Hello" in out

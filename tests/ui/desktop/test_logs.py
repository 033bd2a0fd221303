"""What goes wrong is written down, wherever it happens. Each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(script: str, log_home: Path) -> subprocess.CompletedProcess[str]:
    """Run with the log in `log_home`, whatever the system."""
    env = {**os.environ, "XDG_STATE_HOME": str(log_home), "QT_QPA_PLATFORM": "offscreen"}
    prelude = (
        "from pathlib import Path\nfrom app import paths\n"
        f"paths.log_dir = lambda: Path({str(log_home)!r})\n"
        "from app.ui.desktop import logs\npath = logs.start()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", prelude + script], capture_output=True, text=True, env=env
    )


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("1 / 0", "ZeroDivisionError"),
        (
            "import threading\nt = threading.Thread(target=lambda: 1 / 0, name='odd job')\n"
            "t.start(); t.join()",
            "uncaught in odd job",
        ),
        ("from PySide6.QtCore import qWarning\nqWarning('a warning of Qt')", "a warning of Qt"),
    ],
)
def test_it_is_in_the_log_and_no_trace_is_on_the_terminal(
    script: str, expected: str, tmp_path: Path
) -> None:
    done = run(script, tmp_path)
    assert expected in (tmp_path / "voxline.log").read_text("utf-8")
    assert done.stderr == ""


def test_a_crash_of_native_code_leaves_where_it_was(tmp_path: Path) -> None:
    done = run("import faulthandler\nfaulthandler._sigsegv()", tmp_path)
    assert done.returncode != 0
    assert "Segmentation fault" in (tmp_path / "crash.log").read_text("utf-8")


def test_an_exception_in_a_slot_is_told_to_the_user(tmp_path: Path) -> None:
    done = run(
        "from PySide6.QtCore import QCoreApplication, QTimer\n"
        "app = QCoreApplication([])\n"
        "logs.on_uncaught(lambda: (print('told'), app.exit(3)))\n"
        "QTimer.singleShot(0, lambda: 1 / 0)\n"
        "raise SystemExit(app.exec())",
        tmp_path,
    )
    assert (done.returncode, done.stdout) == (3, "told\n")
    assert "ZeroDivisionError" in (tmp_path / "voxline.log").read_text("utf-8")


def test_a_full_log_that_another_program_has_open_is_gone_on_with(tmp_path: Path) -> None:
    """Windows renames no file that is open."""
    done = run(
        "import os\n"
        "def refuse(*paths): raise PermissionError(13, 'The process cannot access the file')\n"
        "os.rename = refuse\n"
        "for line in ('x' * 1_000_000, 'first after', 'second after'): logs.log.info(line)",
        tmp_path,
    )
    text = (tmp_path / "voxline.log").read_text("utf-8")
    assert "first after" in text and "second after" in text
    assert done.stderr == ""


def test_without_a_place_to_write_it_goes_on(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    done = run("print('goes on', path)", in_the_way)
    assert done.stdout == "goes on None\n"
    assert "No log is written" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only here can a display be missing")
def test_a_display_that_does_not_answer_is_said_in_a_sentence(tmp_path: Path) -> None:
    script = (
        "import os\nos.environ.update(QT_QPA_PLATFORM='xcb', DISPLAY=':9999')\n"
        "from PySide6.QtWidgets import QApplication\nQApplication([])"
    )
    done = run(script, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Voxline cannot open its windows.")
    assert "Traceback" not in done.stderr

"""Exit codes as systems give them: what the log and the user read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.worker.ending import Ending, read_ending


@pytest.mark.parametrize(
    ("status", "kind", "detail"),
    [
        (-9, "killed", "SIGKILL"),
        (137, "killed", "SIGKILL"),
        (-11, "crashed", "SIGSEGV"),
        (139, "crashed", "SIGSEGV"),
        (-6, "crashed", "SIGABRT"),
        (-4, "crashed", "SIGILL"),
        (-15, "ended", "SIGTERM"),
        (0, "ended", "status 0"),
        (1, "ended", "status 1"),
        (3221225477, "crashed", "ACCESS_VIOLATION"),
        (-1073741819, "crashed", "ACCESS_VIOLATION"),
        (0xC0000017, "killed", "NO_MEMORY"),
        (0xC000012D, "killed", "COMMITMENT_LIMIT"),
        (0xC0000409, "crashed", "BUFFER_OVERRUN"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="the names of signals are POSIX's")
def test_a_status_is_read(status: int, kind: str, detail: str) -> None:
    ending = read_ending(status)
    assert (ending.kind, detail in ending.detail) == (kind, True), ending


def test_what_we_ended_ourselves_says_why() -> None:
    assert read_ending(-9, hung="no step for 60 s").kind == "hung"
    fault = Ending("nonsense", "not a message")
    assert read_ending(-9, fault=fault) == fault
    assert read_ending(-9, "no step for 60 s", fault).kind == "hung"


def test_each_reads_differently_to_the_user() -> None:
    endings = [read_ending(status) for status in (-9, -11, 0)]
    endings += [read_ending(-9, hung="x")]
    endings += [read_ending(-9, fault=Ending(kind, "x")) for kind in ("nonsense", "broken")]
    sentences = {str(ending.sentence) for ending in endings}
    assert len(sentences) == 6
    assert "memory" in endings[0].sentence
    assert "crashed" in endings[1].sentence


@pytest.mark.skipif(sys.platform == "win32", reason="ends itself with a signal")
def test_a_real_crash_is_read() -> None:
    program = "import faulthandler; faulthandler._sigsegv()"
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert read_ending(done.returncode).kind == "crashed"

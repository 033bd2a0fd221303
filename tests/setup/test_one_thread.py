"""Each of our processes computes on the thread that asks, whatever NumPy would rather do."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.one_thread import SWITCH
from app.worker.link import child_env

_OTHERS = ("OMP_NUM_THREADS", "OPENBLAS_DEFAULT_NUM_THREADS", "GOTO_NUM_THREADS")


def _said(program: str, chosen: dict[str, str] | None = None) -> str:
    """What a Python of ours prints where nobody, not these tests either, has chosen threads."""
    bare = {name: value for name, value in child_env().items() if name not in (SWITCH, *_OTHERS)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=bare | (chosen or {}),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_a_product_of_matrices_takes_no_other_core() -> None:
    program = (
        "{} os, numpy; numpy.ones((80, 201)) @ numpy.ones((201, 3000));"
        "print(len(os.listdir('/proc/self/task')))"
    )
    if _said(program.format("import")) == "1":
        pytest.skip("this NumPy has one thread anyway, or this computer one core")
    assert _said(program.format("import app,")) == "1"


def test_a_number_that_the_user_has_chosen_stands() -> None:
    program = f"import app, os; print(os.environ['{SWITCH}'])"
    assert _said(program) == "1"
    assert _said(program, {SWITCH: "3"}) == "3"

"""Which process wrote something, whatever was done to the clock since."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import psutil
import pytest

from app.session.processes import identity, is_alive

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only there it is kept in ticks")


def test_this_process_is_alive() -> None:
    assert is_alive(identity())
    assert is_alive({"pid": os.getpid(), "created": psutil.Process().create_time()})


@LINUX
def test_a_clock_that_was_set_does_not_make_it_another() -> None:
    """psutil works the start out from the boot's time, which moves with the clock."""
    mine = identity()
    assert is_alive(mine | {"created": mine["created"] - 7200})


@LINUX
def test_a_process_id_that_was_used_again_is_another_process() -> None:
    mine = identity()
    assert not is_alive(mine | {"ticks": mine["ticks"] + 1})
    assert not is_alive(mine | {"boot": "of last week"})


def test_without_ticks_the_start_decides() -> None:
    mine = identity()
    mine.pop("ticks", None)
    assert not is_alive(mine | {"created": mine["created"] - 3600})


def test_a_process_that_has_ended_is_not_alive() -> None:
    program = "import json, app.session.processes as p; print(json.dumps(p.identity()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert not is_alive(json.loads(done.stdout))


@pytest.mark.parametrize(
    "nonsense", [{}, {"pid": -1, "created": 1.0}, {"pid": "x"}, {"pid": 10**300, "created": 1}]
)
def test_nonsense_is_no_process(nonsense: dict[str, object]) -> None:
    assert not is_alive(nonsense)

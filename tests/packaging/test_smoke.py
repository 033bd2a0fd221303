"""The check of a release notices an app that does not do what it is for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import smoke
import smoke_user

from tests.packaging.conftest import CHECKOUT

SRT = """1
00:00:00,352 --> 00:00:02,240
And so my fellow Americans,

2
00:00:03,296 --> 00:00:07,648
Ask not what your country
can do for you;

3
00:00:08,192 --> 00:00:10,592
ask what you can do for your country.
"""


def test_the_sample_s_words_may_stand_in_any_lines() -> None:
    smoke_user.check_words(SRT)


def test_other_words_are_noticed() -> None:
    with pytest.raises(smoke_user.SmokeError, match="ask not what your country can do for you"):
        smoke_user.check_words(SRT.replace("not", ""))


def app_that(tmp_path: Path, *lines: str) -> Path:
    """A program that answers like the app, as far as these lines of shell go."""
    program = tmp_path / "voxline"
    program.write_text("\n".join(["#!/bin/sh", *lines, ""]), "utf-8")
    program.chmod(0o755)
    return program


@pytest.mark.skipif(sys.platform == "win32", reason="the app of this test is a shell script")
@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["echo voxline 0.0.0"], "its version is “voxline 0.0.0”"),
        (["exit 3"], "--version ended with 3"),
        (["echo voxline $(cat version)", "exit 0"], "its version"),
    ],
)
def test_an_app_that_is_not_right_is_not_released(
    lines: list[str], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoke.main([str(app_that(tmp_path, *lines))]) == 1
    assert problem in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="the app of this test is a shell script")
def test_the_checkout_itself_would_pass(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same check on the app as it is run here, weights lent to it."""
    lend = f'export VOXLINE_MODELS="{weights}" PYTHONPATH="{CHECKOUT}"'
    program = app_that(tmp_path, lend, f'exec "{sys.executable}" -m app "$@"')
    assert smoke.main([str(program)]) == 0, capsys.readouterr().err

"""The check of a release notices an app that does not do what it is for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import smoke
import smoke_parts
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


def test_live_some_words_may_be_others_but_not_most() -> None:
    smoke_user.check_live_words(SRT.replace("my", "am I").replace("Ask not", "asked not"))
    with pytest.raises(smoke_user.SmokeError, match="it heard “and so my fellow americans”"):
        smoke_user.check_live_words(SRT[: SRT.index("2\n00:00:03")])


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


@pytest.fixture
def checkout(weights: Path, tmp_path: Path) -> Path:
    """The app as it is run here, weights lent to it."""
    if sys.platform == "win32":
        pytest.skip("the app of this test is a shell script")
    lend = f'export VOXLINE_MODELS="{weights}" PYTHONPATH="{CHECKOUT}"'
    return app_that(tmp_path, lend, f'exec "{sys.executable}" -m app "$@"')


@pytest.mark.timeout(1200)  # the second hearing takes only what others leave of the computer
def test_the_checkout_itself_would_pass(checkout: Path) -> None:
    """What is heard and kept; that it serves others is held by the tests of `share`."""
    with smoke.somebody(checkout) as (user, talk):
        smoke.check_speech(user, talk)
        smoke_parts.check_library(user)


def test_its_keys_page_and_qr_code_would_pass(checkout: Path) -> None:
    with smoke.somebody(checkout) as (user, talk):
        smoke_parts.check_keys(user)
        smoke_parts.check_page(user, talk)
        smoke_parts.check_qr_code(user, talk)


@pytest.mark.skipif(sys.platform == "win32", reason="the app of this test is a shell script")
@pytest.mark.parametrize(
    ("lines", "check", "problem"),
    [
        (["echo '[]'"], smoke_parts.check_library, "the number of sessions"),
        (["echo No key of that host"], smoke_parts.check_keys, "a key was stored, and then: No"),
        (["echo It is in the keyring"], smoke_parts.check_keys, "what is told of a deleted key"),
    ],
)
def test_an_app_that_keeps_nothing_or_all_is_not_released(
    lines: list[str], check: Callable[[smoke_user.User], None], problem: str, tmp_path: Path
) -> None:
    user = smoke_user.User(app_that(tmp_path, *lines), tmp_path)
    with pytest.raises(smoke_user.SmokeError, match=problem):
        check(user)


@pytest.mark.skipif(sys.platform == "win32", reason="the app of this test is a shell script")
def test_a_page_that_is_not_there_and_a_code_that_is_not_drawn_are_noticed(tmp_path: Path) -> None:
    silent = app_that(tmp_path, "echo Captions page: http://127.0.0.1:9/#key=x")
    with smoke.somebody(silent) as (user, talk):
        with pytest.raises(smoke_user.SmokeError, match=r"http://127\.0\.0\.1:9/"):
            smoke_parts.check_page(user, talk)
        if smoke_user.without_network():
            with pytest.raises(smoke_user.SmokeError, match="no QR code was drawn"):
                smoke_parts.check_qr_code(user, talk)

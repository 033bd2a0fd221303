"""Where wheels come from: as pip's own configuration says, file by file and key by key."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from app.packs.sources import PYPI, PYTORCH, Sources, configured


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer whose only configuration is the user's."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def said(home: Path, text: str, **variables: str) -> Sources:
    place = home / "conf" / "pip" / "pip.conf"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, "utf-8")
    nowhere = {"XDG_CONFIG_DIRS": str(home / "none"), "XDG_CONFIG_HOME": str(home / "conf")}
    # what the machine itself has in /etc is read first, and overruled where it matters
    clean = {"PIP_EXTRA_INDEX_URL": " ", "PIP_FIND_LINKS": " ", "PIP_CERT": " "}
    return configured(nowhere | clean | variables)


def test_pips_own_index_where_nothing_is_configured() -> None:
    assert configured({"PIP_CONFIG_FILE": os.devnull}) == Sources((), (PYPI,), "", PYTORCH)


def test_a_password_is_not_shown() -> None:
    found = Sources(links=("/srv/wheels",), indexes=("https://me:secret@i.example/simple",))
    assert found.shown("cpu") == f"/srv/wheels, https://i.example/simple, {PYTORCH}/cpu"


def test_the_users_file(home: Path) -> None:
    text = "[global]\nindex-url = https://packages.example.org/simple/\n"
    assert said(home, text).indexes == ("https://packages.example.org/simple",)


def test_the_environment_comes_last_and_counts(home: Path) -> None:
    found = said(
        home,
        "[global]\nindex-url = https://a.example\n",
        PIP_INDEX_URL="https://b.example/simple",
        PIP_EXTRA_INDEX_URL="https://c.example\n  file:///srv/simple",
        PIP_FIND_LINKS="/srv/my-wheels",
        PIP_CERT="/etc/ours.pem",
    )
    assert found.indexes == ("https://b.example/simple", "https://c.example", "file:///srv/simple")
    assert (found.links, found.certificates) == (("/srv/my-wheels",), "/etc/ours.pem")


def test_what_is_said_for_install_is_more_precise(home: Path) -> None:
    text = "[install]\nindex_url = https://b.example\n[global]\nindex-url = https://a.example\n"
    assert said(home, text).indexes == ("https://b.example",)


def test_no_index_means_none(home: Path) -> None:
    found = said(home, "[global]\nno-index = true\n", PIP_FIND_LINKS="/srv/wheels")
    assert (found.indexes, found.pytorch, found.links) == ((), "", ("/srv/wheels",))


def test_a_file_that_is_none_says_nothing(home: Path) -> None:
    assert said(home, "index-url\n\x00[").indexes == (PYPI,)


def test_a_named_file_and_windows(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "mine.ini"
    named.write_text("[global]\nindex-url = https://named.example\n", "utf-8")
    assert said(home, "", PIP_CONFIG_FILE=str(named)).indexes == ("https://named.example",)
    monkeypatch.setattr(sys, "platform", "win32")
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "pip.ini").write_text("[global]\nindex-url = https://w.example\n", "utf-8")
    found = configured({"APPDATA": str(tmp_path), "PROGRAMDATA": str(tmp_path / "none")})
    assert found.indexes == ("https://w.example",)

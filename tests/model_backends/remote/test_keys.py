"""Keys: where they are kept, in which order they are found, and where they never appear."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import KeyringLocked, PasswordDeleteError

from model_backends.base import UserError
from model_backends.remote.keys import VARIABLE, KeyStore
from model_backends.remote.wire import Credentials

HOST = "captions.example.org:8443"
KEY = "sk-secret-1"


class Ring(KeyringBackend):
    """A system's keyring; `locked`: the user does not open it."""

    priority = -1.0  # or keyring would choose it by itself, in every test that imports it

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        if (service, username) not in self.kept:
            raise PasswordDeleteError("not found")
        del self.kept[service, username]

    def _open(self) -> None:
        if self.locked:
            raise KeyringLocked("the user has cancelled")


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(VARIABLE, raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(before)


@pytest.fixture
def ring() -> Ring:
    ring = Ring()
    keyring.set_keyring(ring)
    return ring


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "keys.json"


def test_the_keyring_is_first(ring: Ring, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = KeyStore(file)
    told = keys.store(HOST, f" {KEY}\n")
    assert "keyring" in told and KEY not in told
    assert ring.kept == {("Voxline", HOST): KEY}
    assert not file.exists()
    monkeypatch.setenv(VARIABLE, "other")
    assert (keys.find(HOST).place, keys.find(HOST).key) == ("keyring", KEY)
    assert keys.find("elsewhere").place == "variable"


def test_without_a_keyring_it_is_a_file_for_its_owner(file: Path) -> None:
    keys = KeyStore(file)
    told = keys.store(HOST, KEY)
    assert str(file) in told and KEY not in told
    assert keys.find(HOST).key == KEY
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert keys.find("elsewhere").place == ""


def test_a_locked_keyring_is_as_none(ring: Ring, file: Path) -> None:
    ring.locked = True
    keys = KeyStore(file)
    assert keys.find(HOST).place == ""
    keys.store(HOST, KEY)
    assert keys.find(HOST).place == "file"
    with pytest.raises(UserError, match="could not be deleted"):
        keys.forget(HOST)


def test_the_variable_counts_before_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = KeyStore(file)
    keys.store(HOST, KEY)
    monkeypatch.setenv(VARIABLE, "other")
    assert keys.find(HOST).key == "other"


def test_a_key_is_forgotten_everywhere(file: Path) -> None:
    keys = KeyStore(file)
    keys.store(HOST, KEY)
    ring = Ring()
    keyring.set_keyring(ring)
    keys.store(HOST, KEY + "2")
    assert json.loads(file.read_text()) == {}, "the old one is not left behind"
    assert keys.forget(HOST)
    assert not ring.kept
    assert not keys.forget(HOST)


@pytest.mark.parametrize("key", ["", "  ", "two words", "schlüssel", "a\nb"])
def test_what_is_no_key_is_refused(file: Path, key: str) -> None:
    with pytest.raises(UserError, match="no key"):
        KeyStore(file).store(HOST, key)
    assert not file.exists()


@pytest.mark.parametrize("text", ["", "[]", "7", "{", '{"a": {"b": 1}}'])
def test_a_damaged_file_holds_nothing_else(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert KeyStore(file).find(HOST).key is None


@pytest.mark.parametrize(
    "text",
    [
        '{"a.org": "one", "b.org": "two", "c.or',  # cut off
        '{"a.org": "one", "b.org": "two",}',
        '{"a.org": "one", "c.org": oops, "b.org": "t\\u0077o"}',
        '{"a.org": "one"\x00\x00, "b.org": "two"}',
    ],
)
def test_a_damaged_file_loses_no_key_that_stands_in_it(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(text)
    keys = KeyStore(file)
    assert (keys.find("a.org").key, keys.find("b.org").key) == ("one", "two")
    assert file.read_text() == text, "looking changes nothing"
    aside = file.with_suffix(".broken-1.json")
    assert str(aside) in keys.store(HOST, KEY)
    assert json.loads(file.read_text()) == {"a.org": "one", "b.org": "two", HOST: KEY}
    assert aside.read_text() == text
    again = KeyStore(file)
    again.store(HOST, KEY)
    assert again.remark is None, "it is told once"
    assert not file.with_suffix(".broken-2.json").exists()


def test_a_file_that_is_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "dotfiles" / "keys"
    theirs.parent.mkdir()
    theirs.write_text('{"a.org": "one"}')
    file.parent.mkdir(parents=True)
    file.symlink_to(theirs)
    KeyStore(file).store(HOST, KEY)
    assert file.is_symlink()
    assert json.loads(theirs.read_text()) == {"a.org": "one", HOST: KEY}


def test_a_key_is_in_nothing_that_is_printed(ring: Ring, file: Path) -> None:
    KeyStore(file).store(HOST, KEY)
    assert KEY not in repr(KeyStore(file).find(HOST))
    assert KEY not in repr(Credentials(KEY, None))


def test_all_that_was_kept_can_be_deleted_though_a_keyring_tells_nobody_what_it_holds(
    ring: Ring, file: Path
) -> None:
    ring.kept["Voxline", "old.example.org"] = "of a version that noted nothing"
    ring.kept["Another program", HOST] = "theirs"
    KeyStore(file).store(HOST, KEY)
    KeyStore(file, variable="").keep(
        "Zoom’s caption URL", "https://wmcc.zoom.us/closedcaption?id=1"
    )
    assert KEY not in file.with_suffix(".names").read_text("utf-8")
    assert KeyStore(file).forget_all(also=["old.example.org", "never.example.org"]) == []
    assert ring.kept == {("Another program", HOST): "theirs"}
    assert list(file.parent.iterdir()) == []


def test_a_locked_keyring_is_told_and_the_next_time_finds_what_is_left(
    ring: Ring, file: Path
) -> None:
    KeyStore(file).store(HOST, KEY)
    ring.locked = True
    (problem,) = KeyStore(file).forget_all()
    assert HOST in problem.message
    assert "Voxline" in problem.hint
    ring.locked = False
    assert KeyStore(file).forget_all() == []
    assert ring.kept == {}


def test_what_is_kept_in_the_file_is_deleted_with_the_rest(file: Path) -> None:
    KeyStore(file).store(HOST, KEY)
    KeyStore(file).store("other.example.org", KEY)
    assert KeyStore(file).forget_all() == []
    assert json.loads(file.read_text("utf-8")) == {}

"""Keys to servers: the system's keyring, else VOXLINE_REMOTE_KEY, else a file for its owner only.

A key is kept under the server it is for, as `Address.host` names it. It never stands in arguments,
settings, logs or reports. A keyring tells nobody what is in it, so the names of what was put there
are noted beside the file: all of it can be deleted again. Knows nothing about connections.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from model_backends.base import Sentence, UserError

VARIABLE = "VOXLINE_REMOTE_KEY"
_SERVICE = "Voxline"
_MOST_BYTES = 100_000
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a key is: "keyring", "variable", "file", or "" for nowhere."""

    place: str
    key: str | None = None

    def __repr__(self) -> str:
        return f"Kept({self.place!r})"


class KeyStore:
    """`file`: where keys are kept on a computer without a keyring. `variable`: of the environment,
    which may hold one; "": none does."""

    def __init__(self, file: Path, variable: str = VARIABLE) -> None:
        self._file, self._variable = file, variable

    def find(self, host: str) -> Kept:
        """The key of a server. Never raises: a keyring that cannot be opened holds nothing."""
        key = _from_keyring(host)
        if key:
            return Kept("keyring", key)
        if key := os.environ.get(self._variable, "").strip():
            return Kept("variable", key)
        if key := self._read().get(host):
            return Kept("file", key)
        return Kept("")

    def store(self, host: str, key: str) -> Sentence:
        """Keep a key; where it is now, in a sentence. Raises UserError if it can be kept nowhere,
        or is none."""
        key = key.strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise UserError(
                Sentence("That is no key."), "A key is one word of letters, digits and marks."
            )
        if self.keep(host, key) == "keyring":
            return Sentence("The key of {host} is in the system’s keyring.", host=host)
        return Sentence(
            "There is no keyring on this computer that could be used: the key of {host} is in "
            "{path}, which only you may read.",
            host=host,
            path=str(self._file),
        )

    def keep(self, name: str, secret: str) -> str:
        """Keep any secret under any name; where it is now: "keyring" or "file". Raises UserError
        if it can be kept nowhere."""
        self._note({*self._noted(), name})  # first: what is not noted is never deleted
        if _to_keyring(name, secret):
            self._write({other: old for other, old in self._read().items() if other != name})
            return "keyring"
        self._write(self._read() | {name: secret})
        return "file"

    def forget(self, host: str) -> bool:
        """Delete the key of a server; whether there was one. Raises UserError."""
        there = _delete_from_keyring(host)
        keys = self._read()
        if keys.pop(host, None) is not None:
            there = True
            self._write(keys)
        self._note(self._noted() - {host})
        return there

    def forget_all(self, also: Iterable[str] = ()) -> list[UserError]:
        """Delete every secret that was kept, and those of these names; what could not be."""
        problems = []
        for name in sorted({*self._noted(), *self._read(), *also}):
            try:
                self.forget(name)
            except UserError as error:
                problems.append(error)
        return problems

    @property
    def _notes(self) -> Path:
        return self._file.with_suffix(".names")

    def _noted(self) -> set[str]:
        try:
            names = json.loads(self._notes.read_text("utf-8"))
            return {str(name) for name in names} if isinstance(names, list) else set()
        except (OSError, ValueError, RecursionError):
            return set()

    def _note(self, names: set[str]) -> None:
        """The names alone. Where they cannot be written, the secret is kept all the same."""
        try:
            if names:
                self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._notes.write_text(json.dumps(sorted(names)), "utf-8")
            else:
                self._notes.unlink(missing_ok=True)
        except OSError:
            log.warning("which keys are in the keyring could not be noted", exc_info=True)

    def _read(self) -> dict[str, str]:
        try:
            with self._file.open("rb") as file:
                values = json.loads(file.read(_MOST_BYTES))
            return {str(host): str(key) for host, key in values.items()}
        except (OSError, ValueError, AttributeError, RecursionError):
            return {}

    def _write(self, keys: dict[str, str]) -> None:
        """Whole or not at all, for the owner's eyes from the first byte on."""
        if not keys and not self._file.exists():
            return
        part = self._file.with_suffix(".part")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(keys, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._file)
        except OSError as error:
            raise UserError(
                Sentence(
                    "The key could not be kept in {path}: {reason}.",
                    path=str(self._file),
                    reason=error.strerror or str(error),
                ),
                Sentence("Set {name} to it instead.", name=VARIABLE),
            ) from error


def _keyring() -> ModuleType | None:
    """The library, if there is a keyring behind it that keeps secrets."""
    try:
        import keyring
        from keyring.backends import fail, null

        # what chooses among several may have chosen none
        useless = isinstance(keyring.get_keyring(), (fail.Keyring, null.Keyring))
        return None if useless else keyring
    except Exception:  # every system's own kinds, and the session bus's
        log.info("no keyring", exc_info=True)
        return None


def _from_keyring(host: str) -> str | None:
    ring = _keyring()
    try:
        key = ring.get_password(_SERVICE, host) if ring is not None else None
        return key if isinstance(key, str) else None
    except Exception:  # locked, and the user did not open it; or the bus is gone
        log.info("the keyring cannot be read", exc_info=True)
        return None


def _to_keyring(host: str, key: str) -> bool:
    ring = _keyring()
    if ring is None:
        return False
    try:
        ring.set_password(_SERVICE, host, key)
        return bool(ring.get_password(_SERVICE, host) == key)
    except Exception:
        log.info("the keyring cannot be written", exc_info=True)
        return False


def _delete_from_keyring(host: str) -> bool:
    ring = _keyring()
    try:
        if ring is None or ring.get_password(_SERVICE, host) is None:
            return False
        ring.delete_password(_SERVICE, host)
        return True
    except Exception as error:
        raise UserError(
            Sentence("The key of {host} could not be deleted from the keyring.", host=host),
            "Open the keyring with the system’s own program, and look for “Voxline”.",
        ) from error

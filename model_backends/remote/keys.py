"""Keys to servers: the system's keyring, else VOXLINE_REMOTE_KEY, else a file for its owner only.

A key is kept under the server it is for, as `Address.host` names it. It never stands in arguments,
settings, logs or reports. A keyring tells nobody what is in it, so the names of what was put there
are noted beside the file: all of it can be deleted again. Knows nothing about connections.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from model_backends import on_disk
from model_backends.base import Sentence, UserError, joined

VARIABLE = "VOXLINE_REMOTE_KEY"
_SERVICE = "Voxline"
_MOST_BYTES = 100_000
ASIDE = "keys.broken-*.json"  # of damaged files, beside the file of keys
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
        self.remark: Sentence | None = None  # what was wrong with the file, told by who changes it

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

    def store(self, host: str, key: str) -> str:
        """Keep a key; where it is now, in a sentence. Raises UserError if it can be kept nowhere,
        or is none."""
        key = key.strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise UserError(
                Sentence("That is no key."),
                Sentence("A key is one word of letters, digits and marks."),
            )
        if self.keep(host, key) == "keyring":
            kept = Sentence("The key of {host} is in the system’s keyring.", host=host)
        else:
            kept = Sentence(
                "There is no keyring on this computer that could be used: the key of {host} is in "
                "{path}, which only you may read.",
                host=host,
                path=str(self._file),
            )
        return joined(kept, self.remark or "")

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

    def _keep_aside(self) -> None:
        """A damaged file is kept beside the one that takes its place. Raises OSError."""
        number = 1
        while (aside := self._file.with_suffix(f".broken-{number}.json")).exists():
            number += 1
        shutil.move(os.path.realpath(self._file), aside)
        self.remark = Sentence(
            "The file of keys was damaged. Those that could be read are still there; the damaged "
            "file is {path}.",
            path=str(aside),
        )

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
                on_disk.write_whole(self._notes, json.dumps(sorted(names)).encode())
            else:
                self._notes.unlink(missing_ok=True)
        except OSError:
            log.warning("which keys are in the keyring could not be noted", exc_info=True)

    def _read(self) -> dict[str, str]:
        return self._found()[0]

    def _found(self) -> tuple[dict[str, str], bool]:
        """All that can be read, and whether the file is damaged: then that may not be all."""
        try:
            with self._file.open("rb") as file:
                data = file.read(_MOST_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return {}, False
        except OSError:
            log.warning("the keys in %s cannot be read", self._file, exc_info=True)
            return {}, True
        try:
            values = json.loads(data)
            return {str(host): str(key) for host, key in values.items()}, False
        except (ValueError, AttributeError, RecursionError):
            log.warning("the file of keys is damaged: %s", self._file)
            return _pairs(data.decode("utf-8", "replace")), True

    def _write(self, keys: dict[str, str]) -> None:
        """Whole or not at all, for the owner's eyes from the first byte on."""
        if not keys and not self._file.exists():
            return
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._found()[1]:
                self._keep_aside()
            on_disk.write_whole(self._file, json.dumps(keys).encode())
        except OSError as error:
            raise UserError(
                Sentence(
                    "The key could not be kept in {path}: {reason}.",
                    path=str(self._file),
                    reason=error.strerror or str(error),
                ),
                Sentence("Set {name} to it instead.", name=VARIABLE),
            ) from error


def _pairs(text: str) -> dict[str, str]:
    """The keys that stand whole in a damaged file."""
    found = {}
    for pair in _PAIR.finditer(text):
        try:
            name, key = (str(json.loads(part)) for part in pair.groups())
        except ValueError:  # an escape that there is not
            continue
        found[name] = key
    return found


_PAIR = re.compile(r'("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*")')


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
            Sentence("Open the keyring with the system’s own program, and look for “Voxline”."),
        ) from error

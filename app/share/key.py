"""The keys of this installation: of the endpoint, which hears, and of the captions page, which is
read. Each is made once, and kept in a file that only its user can read.

Knows nothing of who asks for it.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from app import paths
from model_backends.base import Sentence, UserError

ENDPOINT, PAGE = "serve", "page"
_BYTES = 32
_LONGEST = 512


class KeyFileError(UserError):
    """The key cannot be read or written, or others could read it."""


def key_file(of: str = ENDPOINT) -> Path:
    """Where a key is kept."""
    return paths.config_dir() / f"{of}.key"


def kept_key(of: str = ENDPOINT) -> str:
    """The key, made if there is none yet. Raises KeyFileError."""
    path = key_file(of)
    try:
        paths.make_private(path.parent)
        return _read(path) if path.exists() else _made(path)
    except OSError as error:
        raise _unusable(path, error) from error


def another_key(of: str) -> str:
    """A new key; who has the one before it is kept out from now on. Raises KeyFileError."""
    path = key_file(of)
    try:
        Path(os.path.realpath(path)).unlink(missing_ok=True)  # a link stays
    except OSError as error:
        raise _unusable(path, error) from error
    return kept_key(of)


def same(given: str, key: str) -> bool:
    """Whether somebody has the key; takes as long for a wrong one."""
    return secrets.compare_digest(given.encode(errors="replace"), key.encode())


def _unusable(path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(
        Sentence("The key {path} cannot be used: {reason}.", path=path, reason=error.strerror),
        Sentence(
            "Delete it, and another is made; or start Voxline with VOXLINE_CONFIG set to another "
            "folder."
        ),
    )


def _read(path: Path) -> str:
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
    with path.open("rb") as file:
        key = file.read(_LONGEST).decode("ascii", "replace").strip()
    if len(key) < 16 or not key.isprintable() or not key.isascii():
        raise KeyFileError(
            Sentence("The key in {path} is damaged.", path=path),
            Sentence("Delete the file, and another is made."),
        )
    return key


def _made(path: Path) -> str:
    """Whole or not at all: two that start at once end up with the same key."""
    key = secrets.token_urlsafe(_BYTES)
    path = Path(os.path.realpath(path))  # where there is a link, to what it leads to
    part = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key + "\n")
        try:
            os.link(part, path)
        except FileExistsError:
            return _read(path)
        except OSError:  # no links on this file system
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return key

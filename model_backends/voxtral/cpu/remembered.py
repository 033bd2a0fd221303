"""What loading a model found out on this computer, kept for the next time: the plan it settled on,
and the keys and values behind the silence that every stream begins with.

A file a finding, in a folder that may be emptied at any time. Each holds its whole key: everything
that its bytes follow from (the model's checksums, the library, the processor, the system …). One
for anything else, a damaged one, and one that was cut short are passed over, and what they would
have said is found out again. Nothing of what anybody said is in them. A folder that cannot be read
or written hinders nobody. Knows nothing about what is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_backends.voxtral.cpu.library import checksum

_log = logging.getLogger(__name__)

_MAGIC = b"VOXLKEPT"
_START = struct.Struct("<8sQQQ")  # magic, bytes of the key, bytes after it, their checksum
_ENDING = ".kept"
_MOST = 10  # files: those for earlier versions and other models go, the longest unused first
Bytes = NDArray[np.uint8]


class Remembered:
    """The findings that belong to some facts."""

    def __init__(self, folder: Path | None, facts: Mapping[str, object]) -> None:
        """`facts`: what all of them follow from, as JSON takes it. No folder: nothing is kept."""
        self._folder, self._facts = folder, dict(facts)

    def get(self, name: str, **facts: object) -> Bytes | None:
        """What was kept under the name for exactly these facts; None if nothing sound was."""
        if self._folder is None:
            return None
        key = self._key(name, facts)
        path = self._path(name, key)
        try:
            data = _after(key, path.read_bytes())
            if data is not None:
                os.utime(path)  # so that it is not the longest unused
        except OSError:
            return None
        return data

    def put(self, name: str, data: bytes | Bytes, **facts: object) -> None:
        """Keep it; where that is not possible, do nothing."""
        if self._folder is None:
            return
        key, flat = self._key(name, facts), np.frombuffer(data, np.uint8)
        start = _START.pack(_MAGIC, len(key), len(flat), checksum(flat))
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._path(name, key), start + key, flat)
            _tidy(self._folder)
        except OSError as error:
            _log.info("not remembered: %s", error)

    def _key(self, name: str, facts: Mapping[str, object]) -> bytes:
        return json.dumps({**self._facts, **facts, "name": name}, sort_keys=True).encode()

    def _path(self, name: str, key: bytes) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}-{hashlib.sha256(key).hexdigest()[:16]}{_ENDING}"


def digest(*arrays: NDArray[np.generic]) -> str:
    """A fact that changes with any value of the arrays."""
    made = hashlib.sha256()
    for array in arrays:
        made.update(repr((array.shape, array.dtype.str)).encode() + array.tobytes())
    return made.hexdigest()


def _after(key: bytes, content: bytes) -> Bytes | None:
    """The bytes behind a file's key, if it has that key and they are what was written."""
    start = _START.size + len(key)
    if len(content) < start or content[_START.size : start] != key:
        return None
    magic, key_size, size, expected = _START.unpack_from(content)
    data = np.frombuffer(content, np.uint8, offset=start)
    if (magic, key_size, size) != (_MAGIC, len(key), len(data)) or checksum(data) != expected:
        return None
    return data


def _write(path: Path, start: bytes, data: Bytes) -> None:
    """The whole file or none, whoever else writes it at the same time. Raises OSError."""
    number, name = tempfile.mkstemp(".partial", path.stem, path.parent)
    try:
        with os.fdopen(number, "wb") as stream:
            stream.write(start)
            stream.write(data.data)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _tidy(folder: Path) -> None:
    """Remove what has not been used for longest, and what a process that was killed left."""
    by_age = sorted(folder.glob(f"*{_ENDING}"), key=lambda path: -path.stat().st_mtime)
    newest = by_age[0].stat().st_mtime if by_age else 0.0
    partial = (p for p in folder.glob("*.partial") if p.stat().st_mtime < newest - 3600)
    for path in (*by_age[_MOST:], *partial):
        path.unlink(missing_ok=True)

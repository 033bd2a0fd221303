"""What a GGUF file says of itself, read without the library: which model it is, its keys, and
whether it is whole. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

Reads the head only, so it costs milliseconds whatever the file's size. Knows nothing of engines.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from model_backends.base import EngineError, Sentence

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?",
            10: "<Q", 11: "<q", 12: "<d"}  # fmt: skip
_MOST_KEYS, _MOST_TENSORS, _MOST_TEXTS = 10_000, 100_000, 1_000_000
_LONGEST = 32_000_000  # bytes of a head: the largest vocabularies take a fifth of that
_KEPT_VALUES = 256  # of an array: vocabularies are passed over
_ALIGNMENT = "general.alignment"
# kind of tensor: weights in a block, bytes of a block (ggml's type numbers)
_BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
           10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
           24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 30: (1, 2)}  # fmt: skip

_AGAIN = Sentence("Download the file again.")


@dataclass(frozen=True, slots=True)
class Header:
    """`keys`: every key but long arrays, which are vocabularies. `bytes`: how long the file must
    be, by its own word; 0 where it holds a kind of tensor that is not known here."""

    architecture: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    bytes: int = 0

    @property
    def name(self) -> str:
        """What its maker calls it."""
        return str(self.keys.get("general.name", ""))


def read_header(path: Path) -> Header:
    """Raises EngineError for a file that cannot be read, is no GGUF file, or is cut off."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = _read(file, path)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise EngineError(
            Sentence("{name} cannot be read ({why}).", name=path.name, why=why),
            Sentence("Choose a file that is there."),
        ) from error
    if size < header.bytes:
        raise _cut(path)
    return header


def _read(file: BinaryIO, path: Path) -> Header:
    if file.read(4) != _MAGIC:
        raise EngineError(
            Sentence("{name} is not a GGUF file.", name=path.name),
            Sentence("Choose a speech model whose name ends in .gguf."),
        )
    version = _number(file, path, "<I")
    if version not in _VERSIONS:
        raise EngineError(
            Sentence(
                "{name} is a GGUF file of version {version}, which Voxline cannot read.",
                name=path.name,
                version=version,
            ),
            _AGAIN,
        )
    tensors, count = _number(file, path, "<Q"), _number(file, path, "<Q")
    if tensors > _MOST_TENSORS or count > _MOST_KEYS:
        raise damaged(path.name)
    keys = dict(_pairs(file, path, count))
    ends = [_end_of_tensor(file, path) for _ in range(tensors)]
    alignment = keys.get(_ALIGNMENT, 32)
    if not isinstance(alignment, int) or alignment <= 0:
        raise damaged(path.name)
    begin = -(-file.tell() // alignment) * alignment
    known = all(end is not None for end in ends)
    last = max((end for end in ends if end is not None), default=0)
    size = begin + last if last else file.tell()
    return Header(str(keys.get("general.architecture", "")), keys, size if known else 0)


def _pairs(file: BinaryIO, path: Path, count: int) -> Iterator[tuple[str, Any]]:
    for _ in range(count):
        name = _text(file, path)
        yield name, _value(file, path, _number(file, path, "<I"))


def _value(file: BinaryIO, path: Path, kind: int) -> Any:
    if kind == _STRING:
        return _text(file, path)
    if kind == _ARRAY:
        return _array(file, path)
    if kind not in _SCALARS:
        raise damaged(path.name)
    return _number(file, path, _SCALARS[kind])


def _array(file: BinaryIO, path: Path) -> tuple[Any, ...]:
    """Its first values: who needs a vocabulary has a library for it."""
    kind, count = _number(file, path, "<I"), _number(file, path, "<Q")
    if count > (_MOST_TEXTS if kind == _STRING else _LONGEST) or file.tell() > _LONGEST:
        raise damaged(path.name)
    if kind != _STRING and kind not in _SCALARS:
        raise damaged(path.name)
    kept = tuple(_value(file, path, kind) for _ in range(min(count, _KEPT_VALUES)))
    rest = count - len(kept)
    if kind != _STRING:
        file.seek(rest * struct.calcsize(_SCALARS[kind]), 1)
        return kept
    for _ in range(rest):
        file.seek(_length(file, path), 1)
        if file.tell() > _LONGEST:
            raise damaged(path.name)
    return kept


def _end_of_tensor(file: BinaryIO, path: Path) -> int | None:
    """Where its bytes end behind the head; None for a kind that is not known here."""
    _text(file, path)
    dimensions = _number(file, path, "<I")
    if dimensions > 8:
        raise damaged(path.name)
    shape = [_number(file, path, "<Q") for _ in range(dimensions)]
    kind, offset = _number(file, path, "<I"), _number(file, path, "<Q")
    if kind not in _BLOCKS:
        return None
    weights, size = _BLOCKS[kind]
    return int(offset + math.prod(shape) // weights * size)


def _text(file: BinaryIO, path: Path) -> str:
    length = _length(file, path)
    if file.tell() + length > _LONGEST:
        raise damaged(path.name)
    data = file.read(length)
    if len(data) < length:
        raise _cut(path)
    return data.decode("utf-8", "replace")


def _length(file: BinaryIO, path: Path) -> int:
    length: int = _number(file, path, "<Q")
    if length > _LONGEST:
        raise damaged(path.name)
    return length


def _number(file: BinaryIO, path: Path, form: str) -> Any:
    size = struct.calcsize(form)
    data = file.read(size)
    if len(data) < size:
        raise _cut(path)
    return struct.unpack(form, data)[0]


def _cut(path: Path) -> EngineError:
    cut = Sentence("{name} is cut off: a part of it is missing.", name=path.name)
    return EngineError(cut, _AGAIN)


def damaged(name: str) -> EngineError:
    """What is told of a file whose head makes no sense."""
    return EngineError(Sentence("{name} is damaged.", name=name), _AGAIN)

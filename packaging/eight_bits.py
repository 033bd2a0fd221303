"""Writes a CTranslate2 model again with its weights in eight bits: half as large, and no work left
for whoever loads it.

The engine asks CTranslate2 for eight bits (`compute_type="int8"`), which of a published file in
sixteen makes the same integers anew at every load. Here they are made once, for the installers, by
the same rule: each row of a weight has one scale, 127 / its largest magnitude, and a value times
that scale is rounded to the nearest integer, halves to the even one. All of it is single precision
as IEEE 754 has it, so that every computer writes the same bytes. What CTranslate2 leaves alone on
some computers stays as it was: the weights of convolutions, and all that is no weight.

The layout is that of CTranslate2's `ModelSpec` (python/ctranslate2/specs/model_spec.py, binary
version 6), the rule that of its `Model::set_compute_type` and `Quantize` (src/models/model.cc,
src/cpu/kernels.cc). Knows nothing of Whisper, and of no sha256: those are in
`model_backends/embedded/store.py`.
"""

from __future__ import annotations

import math
import shutil
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

_VERSION = 6  # of the layout; since 5, values are rounded and not cut off
# how an array's type is written: CTranslate2's number of it, and a value's bytes
_FLOAT32, _INT8, _FLOAT16 = 0, 1, 4
_ITEM_BYTES = {_FLOAT32: 4, _INT8: 1, 2: 2, 3: 4, _FLOAT16: 2, 5: 2}
_LARGEST = np.float32(127)

T = TypeVar("T")


class NotAModelError(ValueError):
    """A file is not what can be converted; the text says why."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An array: `data` is its bytes, row after row, little-endian."""

    name: str
    shape: tuple[int, ...]
    kind: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a `model.bin` holds. `aliases`: (other name, variable's name)."""

    spec: str
    revision: int
    variables: tuple[Variable, ...]
    aliases: tuple[tuple[str, str], ...]


def convert(source: Path, target: Path, names: Iterable[str]) -> None:
    """Make the folder `target` anew with these files of the model in the folder `source`, its
    `model.bin` in eight bits. Raises NotAModelError."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in names:
        if name == "model.bin":
            write(in_eight_bits(read(source / name)), target / name)
        else:
            shutil.copyfile(source / name, target / name)


def in_eight_bits(contents: Contents) -> Contents:
    """The same model with its weights in eight bits. Raises NotAModelError if it has none."""
    variables = [made for each in contents.variables for made in _converted(each)]
    if len(variables) == len(contents.variables):
        raise NotAModelError("It has no weights in sixteen bits.")
    return replace(contents, variables=tuple(sorted(variables, key=lambda each: each.name)))


def _converted(variable: Variable) -> Iterator[Variable]:
    """A weight and its scales, or what is no weight as it is."""
    name, shape = variable.name, variable.shape
    if variable.kind != _FLOAT16 or not name.endswith("weight") or "conv" in name:
        yield variable
        return
    values = np.frombuffer(variable.data, "<f2").reshape(shape).astype(np.float32)
    integers, scales = quantised(values, name)
    yield Variable(name, shape, _INT8, integers.tobytes())
    yield Variable(f"{name}_scale", scales.shape, _FLOAT32, scales.astype("<f4").tobytes())


def quantised(values: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(int8 (rows, columns), float32 scales (rows,)) of float32 values (rows, columns).

    Raises NotAModelError for values that are no numbers.
    """
    if values.ndim != 2 or not np.isfinite(values).all():
        raise NotAModelError(f"{name} is no table of numbers.")
    largest = np.abs(values).max(axis=1)
    scales = np.ones_like(largest)  # of a row that is all nought
    np.divide(_LARGEST, largest, out=scales, where=largest != 0)
    return np.rint(values * scales[:, None]).astype(np.int8), scales


# --- the file --------------------------------------------------------------------------------


def read(path: Path) -> Contents:
    """Raises NotAModelError, also for a file that ends early or does not end."""
    reader = _Reader(path.read_bytes())
    if (version := reader.number("I")) != _VERSION:
        raise NotAModelError(f"{path.name} has a layout that is not known: {version}.")
    contents = Contents(
        spec=reader.text(),
        revision=reader.number("I"),
        variables=tuple(reader.several(_read_variable)),
        aliases=tuple(reader.several(lambda it: (it.text(), it.text()))),
    )
    if reader.left:
        raise NotAModelError(f"{path.name} goes on after its end.")
    return contents


def write(contents: Contents, path: Path) -> None:
    """The same contents give the same bytes."""
    with path.open("wb") as file:
        file.write(struct.pack("<I", _VERSION) + _text(contents.spec))
        file.write(struct.pack("<II", contents.revision, len(contents.variables)))
        for each in contents.variables:
            file.write(_text(each.name) + struct.pack("<B", len(each.shape)))
            file.write(struct.pack(f"<{len(each.shape)}I", *each.shape))
            file.write(struct.pack("<BI", each.kind, len(each.data)))
            file.write(each.data)
        file.write(struct.pack("<I", len(contents.aliases)))
        file.writelines(_texts(contents.aliases))


class _Reader:
    """Takes one thing after the other from the bytes of a file."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def number(self, form: str) -> int:
        return int(struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))[0])

    def text(self) -> str:
        """Its length, counting the zero at its end, comes first."""
        data = self.take(self.number("H"))
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise NotAModelError(f"What ends at byte {self._at} is no name.") from error
        if not text.endswith("\0"):
            raise NotAModelError(f"No name ends at byte {self._at}.")
        return text[:-1]

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise NotAModelError(f"The file ends at byte {len(self._data)}, in the middle.")
        self._at += count
        return self._data[self._at - count : self._at]

    def several(self, one: Callable[[_Reader], T]) -> Iterator[T]:
        """As many as their number, which comes first, says."""
        for _ in range(self.number("I")):
            yield one(self)


def _read_variable(reader: _Reader) -> Variable:
    name = reader.text()
    shape = tuple(reader.number("I") for _ in range(reader.number("B")))
    kind, count = reader.number("B"), reader.number("I")
    if count != _ITEM_BYTES.get(kind, 0) * math.prod(shape):
        raise NotAModelError(f"{name} has {count} bytes, which do not fit {shape} of type {kind}.")
    return Variable(name, shape, kind, reader.take(count))


def _texts(aliases: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    for alias, name in aliases:
        yield _text(alias) + _text(name)


def _text(text: str) -> bytes:
    data = text.encode() + b"\0"
    return struct.pack("<H", len(data)) + data

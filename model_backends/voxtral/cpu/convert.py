"""A Voxtral checkpoint packed for the processor engine.

Works through the source some thousand rows at a time, so a model converts in a few hundred
megabytes whatever its size. Everything is written into `<target>.partial`, the file's beginning
last, and that becomes the target in one rename: a conversion that was interrupted leaves nothing
that looks like a model, and the next one clears it away. Knows nothing about engines.

4 bit weights are symmetric, in groups of 32 with a half precision scale (4.5 bits a weight), the
scale searched for the least squared error: 8.1 % of a normal weight's size, where the usual scale
errs by 8.6 % and one with a middle besides (5 bits a weight) by 7.1 %. Per byte the symmetric form
errs less: 0.5 bit spent on finer codes would lower its error by three tenths, not by one.
This is also the form of GGUF's Q4_0, whose blocks could be reordered into ours exactly; the files
that are published are Q4_K_M (superblocks of 256 with 6 bit scales and minima), which cannot.
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial as bound
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model_backends.base import EngineError, Report, Sentence
from model_backends.voxtral.checkpoint.folder import Checkpoint, Entry, open_checkpoint
from model_backends.voxtral.checkpoint.tensor_names import halves_order, rotary_heads
from model_backends.voxtral.cpu.library import checksum, library, pack
from model_backends.voxtral.cpu.packed_file import (
    FILE,
    Packed,
    file_size,
    looks_packed,
    packed_tensors,
    start_of,
)
from model_backends.voxtral.info import gigabytes

_ROWS_AT_ONCE = 2048  # of a weight, widened to float32: 38 MB at the widest
_WAITING = 8  # pieces made ahead of the file
_NUMPY = {"BF16": np.uint16, "F16": np.float16, "F32": np.float32}
Rows = NDArray[np.float32]


class Source(Protocol):
    """Weights under our names, q and k in halves order."""

    def count(self, name: str) -> int:
        """How many rows a tensor has."""

    def rows(self, name: str, chosen: NDArray[np.int64]) -> Rows:
        """Some of them, (len(chosen), -1), float32."""


class CheckpointRows:
    """A checkpoint's rows, mapped from its files. Raises EngineError for what is no number."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint

    def count(self, name: str) -> int:
        return self._checkpoint.tensors[name].shape[0]

    def rows(self, name: str, chosen: NDArray[np.int64]) -> Rows:
        entry = self._checkpoint.tensors[name]
        heads = rotary_heads(name, self._checkpoint.spec)
        if heads is not None and self._checkpoint.layout == "native":
            chosen = halves_order(*heads)[chosen]
        rows = read_rows(entry, chosen)
        if not np.isfinite(rows.sum(dtype=np.float64)):
            message = Sentence(
                "Tensor {name} holds values that are not finite numbers.", name=entry.name
            )
            raise EngineError(message, "Download the model again.")
        return rows


def read_rows(entry: Entry, chosen: NDArray[np.int64]) -> Rows:
    """Rows of a stored tensor, widened to float32."""
    shape = (entry.shape[0], -1)
    flat = np.memmap(entry.file, np.uint8, "r", entry.begin, (entry.end - entry.begin,))
    stored = flat.view(_NUMPY[entry.dtype]).reshape(shape)[chosen]
    if entry.dtype == "BF16":
        return (stored.astype(np.uint32) << 16).view(np.float32)
    return stored.astype(np.float32)


def convert(source: Path, target: Path, report: Report, *, rows: int = _ROWS_AT_ONCE) -> None:
    """Write `source` (Mistral's or Hugging Face's layout, 16 or 32 bits) to the new `target`.

    Raises EngineError if the source is unsound, the target exists, the library is not built, or
    the disk is too small or cannot be written.
    """
    library()
    if looks_packed(source):
        raise EngineError(
            Sentence("{name} is packed already.", name=source.name),
            "Convert the original weights, in 16 bits.",
        )
    _check_new(target)
    checkpoint = open_checkpoint(source)
    _check_tied(checkpoint, rows)
    partial = target.with_name(target.name + ".partial")
    try:
        _clear(partial)
        _check_room(target, file_size(checkpoint.spec))
        partial.mkdir(parents=True)
        try:
            shutil.copyfile(checkpoint.tokenizer, partial / "tekken.json")  # may be read-only
            _sync(partial / "tekken.json")
            _write(partial / FILE, checkpoint, report, rows)
            partial.replace(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    except OSError as error:
        message = Sentence(
            "{target} could not be written: {reason}.",
            target=str(target),
            reason=error.strerror or str(error),
        )
        hint = "Nothing was left there. Choose another folder, or free some space."
        raise EngineError(message, hint) from error
    report(1.0, "done")


def _write(path: Path, checkpoint: Checkpoint, report: Report, rows: int) -> None:
    spec = checkpoint.spec
    source = CheckpointRows(checkpoint)
    total, done = file_size(spec), 0
    checksums: dict[str, int] = {}
    with path.open("w+b") as stream, ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        stream.write(bytes(len(start_of(spec, {}))))
        for packed in packed_tensors(spec):
            report(done / total, packed.name)
            begin = stream.tell()
            for piece in _in_order(threads, pieces(packed, source, rows)):
                stream.write(piece)
            stream.write(bytes((begin - stream.tell()) % 64))
            stream.flush()
            checksums[packed.name] = checksum(np.memmap(path, np.uint8, "r", begin, (packed.size,)))
            done += packed.size
        stream.seek(0)
        stream.write(start_of(spec, checksums))  # last: without it the file is none
        stream.flush()
        os.fsync(stream.fileno())


def _in_order(
    threads: ThreadPoolExecutor, makers: Iterator[Callable[[], bytes]]
) -> Iterator[bytes]:
    """What the makers make, a few at a time: the rest waits until those have been taken."""
    waiting: deque[Future[bytes]] = deque()
    for make in makers:
        waiting.append(threads.submit(make))
        if len(waiting) > _WAITING:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def pieces(
    packed: Packed, source: Source, rows: int = _ROWS_AT_ONCE
) -> Iterator[Callable[[], bytes]]:
    """Pieces of a tensor's bytes in order, each made when it is called."""
    if packed.kind == "f32":
        yield bound(_floats, packed, source)
    elif packed.kind == "conv":
        yield bound(_convolution, packed, source)
    else:
        step = rows // 16 * 16
        for begin in range(0, packed.rows, step):
            chosen = np.arange(begin, min(begin + step, packed.rows))
            yield bound(_blocks, packed, source, chosen)


def make_bytes(packed: Packed, source: Source) -> NDArray[np.uint8]:
    """A whole tensor as it is stored."""
    return np.frombuffer(b"".join(make() for make in pieces(packed, source)), np.uint8)


def _blocks(packed: Packed, source: Source, chosen: NDArray[np.int64]) -> bytes:
    """Rows of a product's weight, as blocks of few bits."""
    places = _interleaved if packed.name.endswith("w13.weight") else _stacked
    weight = np.zeros((len(chosen), packed.inputs), np.float32)
    for part, mine, rows in places(packed, source, chosen):
        weight[mine] = source.rows(part, rows)
    return pack(weight, int(packed.kind[1])).tobytes()


Places = Iterator[tuple[str, NDArray[np.bool_], NDArray[np.int64]]]


def _stacked(packed: Packed, source: Source, chosen: NDArray[np.int64]) -> Places:
    """The parts (q, k and v, or the one there is) follow each other."""
    begin = 0
    for part in packed.parts:
        count = source.count(part)
        mine = (chosen >= begin) & (chosen < begin + count)
        yield part, mine, chosen[mine] - begin
        begin += count


def _interleaved(packed: Packed, source: Source, chosen: NDArray[np.int64]) -> Places:
    """16 rows of the gate, the same 16 of up, and so on; zeros beyond the last."""
    block, inside = np.divmod(chosen, 16)
    rows = block // 2 * 16 + inside
    for i, part in enumerate(packed.parts):
        mine = (block % 2 == i) & (rows < source.count(part))
        yield part, mine, rows[mine]


def _floats(packed: Packed, source: Source) -> bytes:
    """Vectors end to end (k, between q and v, has no bias), or a small matrix, padded to 32."""
    found = [source.rows(part, np.arange(source.count(part))) for part in packed.parts]
    if packed.rows > 1:
        padding = (0, -packed.inputs % 32)
        return np.pad(found[0], ((0, 0), padding)).astype(np.float32).tobytes()
    flat = [part.ravel() for part in found]
    if len(flat) == 2:
        missing = packed.inputs - sum(map(len, flat))
        flat.insert(1, np.zeros(missing, np.float32))
    whole = np.concatenate(flat)
    return np.pad(whole, (0, -packed.inputs % 32)).astype(np.float32).tobytes()


def _convolution(packed: Packed, source: Source) -> bytes:
    """(out, in, 3) to bfloat16 in [out / 16][3 * in, padded][16]: a window is contiguous."""
    (part,) = packed.parts
    count = source.count(part)
    kernel = source.rows(part, np.arange(count)).reshape(count, -1, 3)
    channels = packed.inputs // 3
    padding = ((0, -count % 16), (0, channels - kernel.shape[1]), (0, 0))
    taps = np.pad(kernel, padding).transpose(0, 2, 1).reshape(-1, 16, packed.inputs)
    return _bfloat16(taps.transpose(0, 2, 1)).tobytes()


def _bfloat16(x: Rows) -> NDArray[np.uint16]:
    """Rounded to the nearest, ties to even."""
    bits = np.ascontiguousarray(x).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def _check_tied(checkpoint: Checkpoint, rows: int) -> None:
    head, embedding = checkpoint.head, checkpoint.tensors["embedding.weight"]
    if head is None:
        return
    for begin in range(0, head.shape[0], rows):
        chosen = np.arange(begin, min(begin + rows, head.shape[0]))
        if not np.array_equal(read_rows(head, chosen), read_rows(embedding, chosen)):
            raise EngineError(
                "The weights have an output head (lm_head.weight) that differs from the embedding.",
                "Voxtral Realtime ties the two; these weights belong to another model.",
            )


def _check_new(target: Path) -> None:
    """Nothing is there. Said first: "." and "/" have no name to which anything could be added."""
    if os.path.lexists(target):
        message = Sentence("{target} exists already.", target=str(target))
        raise EngineError(message, "Choose a folder that does not exist yet.")


def _check_room(target: Path, size: int) -> None:
    parent = next(folder for folder in target.absolute().parents if folder.is_dir())
    free = shutil.disk_usage(parent).free
    if free < 1.05 * size:
        message = Sentence(
            "The packed model takes {size}; {free} are free on that disk.",
            size=gigabytes(size),
            free=gigabytes(free),
        )
        raise EngineError(message, "Free some space, or choose another disk.")


def _clear(partial: Path) -> None:
    """Remove an interrupted conversion. Raises EngineError if it holds anything but our files."""
    if not os.path.lexists(partial):
        return
    if not partial.is_dir() or {f.name for f in partial.iterdir()} - {FILE, "tekken.json"}:
        message = Sentence("{partial} is in the way.", partial=str(partial))
        raise EngineError(message, "Move it, or choose another folder.")
    shutil.rmtree(partial)


def _sync(path: Path) -> None:
    """On the disk before anything that follows: a rename must not outlive what it renames."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())

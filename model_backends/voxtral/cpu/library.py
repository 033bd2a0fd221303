"""The library of `native/speech.h`, as Python calls it. Knows nothing about files or streams."""

from __future__ import annotations

import ctypes as c
import functools
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_backends.base import EngineError, Sentence
from model_backends.voxtral.cpu.build import find_library

VERSION = 2
KERNELS = ("avx512vnni", "avxvnni", "avx2", "i8mm", "neon", "plain")
_LIBRARY_VARIABLE = "VOXLINE_CPU_LIBRARY"  # another build of it (sanitisers), for tests
_NOT_BUILT = Sentence("The processor engine's library has not been built here.")
BUILD_HINT = Sentence(
    "Install a C compiler and run: python -m model_backends.voxtral.cpu.build. "
    "Until then Voxtral runs in PyTorch."
)


class TowerSizes(c.Structure):
    """vx_tower"""

    _fields_ = (
        *((name, c.c_int32) for name in ("layers", "width", "heads", "kv_heads", "head_dim")),
        *((name, c.c_int32) for name in ("ffn", "window", "block")),
        ("theta", c.c_double),
        ("eps", c.c_double),
    )


class Sizes(c.Structure):
    """vx_spec"""

    _fields_ = (
        ("tower", TowerSizes * 2),
        *((name, c.c_int32) for name in ("vocab", "pad", "eos", "kv_bits")),
    )


class EncodeEntry(c.Structure):
    """vx_encode_work"""

    _fields_ = (
        ("kv", c.c_void_p),
        ("row", c.c_int64),
        ("rows", c.c_int32),
        ("mel", c.c_void_p),
        ("out", c.c_void_p),
    )


class DecodeEntry(c.Structure):
    """vx_decode_work"""

    _fields_ = (
        ("kv", c.c_void_p),
        ("position", c.c_int64),
        ("token", c.c_int32),
        ("pad_bias", c.c_float),
        ("row", c.c_void_p),
        ("gain", c.c_void_p),
        ("logits", c.c_void_p),
    )


class Answer(c.Structure):
    """vx_answer"""

    _fields_ = (
        ("token", c.c_int32),
        ("gap", c.c_float),
        ("logprob", c.c_float),
    )


_P, _INT, _LONG = c.c_void_p, c.c_int, c.c_int64
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "vx_version": (_INT, ()),
    "vx_kernel_name": (c.c_char_p, (c.c_char_p,)),
    "vx_open": (_P, (c.POINTER(Sizes), c.POINTER(_P), _INT, c.c_char_p)),
    "vx_close": (None, (_P,)),
    "vx_set_threads": (_INT, (_P, _INT)),
    "vx_kv_new": (_P, (_P, _INT, _LONG)),
    "vx_kv_copy": (_P, (_P, _LONG)),
    "vx_kv_free": (None, (_P,)),
    "vx_kv_bytes": (_LONG, (_P,)),
    "vx_kv_fill": (_INT, (_P, _LONG)),
    "vx_kv_store": (None, (_P, _P)),
    "vx_kv_restore": (_P, (_P, _INT, _LONG, _P, _LONG)),
    "vx_encode": (_INT, (_P, c.POINTER(EncodeEntry), _INT)),
    "vx_decode": (_INT, (_P, c.POINTER(DecodeEntry), _INT, c.POINTER(Answer))),
    "vx_pack_q4": (None, (_P, _LONG, _LONG, _P)),
    "vx_pack_q8": (None, (_P, _LONG, _LONG, _P)),
    "vx_checksum": (c.c_uint64, (_P, _LONG)),
    "vx_read_seconds": (c.c_double, (_P, _P, _LONG)),
    "vx_product": (_INT, (c.c_char_p, _INT, _P, _LONG, _LONG, _P, _LONG, _INT, _P)),
}


def library_path() -> Path | None:
    """The library that `library()` would load, or None."""
    named = os.environ.get(_LIBRARY_VARIABLE)
    return Path(named) if named else find_library()


@functools.cache
def library() -> Any:
    """The loaded library. Raises EngineError if there is none for these sources."""
    path = library_path()
    if path is None:
        raise EngineError(_NOT_BUILT, BUILD_HINT)
    try:
        loaded = c.CDLL(str(path))
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        reason = Sentence(
            "The processor engine's library does not load: {error}.", error=str(error)
        )
        raise EngineError(reason, BUILD_HINT) from error
    if loaded.vx_version() != VERSION:
        raise EngineError(
            Sentence("The processor engine's library is of another version."), BUILD_HINT
        )
    return loaded


def kernels_here() -> tuple[str, ...]:
    """The kernels that this processor runs, the best first."""
    return tuple(name for name in KERNELS if library().vx_kernel_name(name.encode()) is not None)


def address(array: NDArray[Any] | None) -> int | None:
    """Where a contiguous array's first value is; None stays None."""
    if array is None:
        return None
    assert array.flags.c_contiguous
    return int(array.ctypes.data)


def checksum(array: NDArray[Any]) -> int:
    """64 bits that change with any single change. Of memory in order, whatever its type."""
    return int(library().vx_checksum(address(array), array.nbytes))


def pack(weight: NDArray[np.float32], bits: int) -> NDArray[np.uint8]:
    """float32 (rows, inputs) to blocks of 4 or 8 bits (`native/blocks.h`), as flat bytes."""
    rows, inputs = weight.shape
    out = np.empty(packed_bytes(bits, rows, inputs), np.uint8)
    function = library().vx_pack_q4 if bits == 4 else library().vx_pack_q8
    function(address(np.ascontiguousarray(weight, np.float32)), rows, inputs, address(out))
    return out


def packed_bytes(bits: int, rows: int, inputs: int) -> int:
    """Bytes of a packed weight: 16 rows by 32 inputs a block, with 16 half precision scales."""
    return -(-rows // 16) * -(-inputs // 32) * (32 + 64 * bits)


def product(
    blocks: NDArray[np.uint8], bits: int, rows: int, x: NDArray[np.float32], kernels: str = "",
    threads: int = 1,
) -> NDArray[np.float32]:  # fmt: skip
    """x (count, inputs) times a packed weight: (count, rows). For tests and measuring."""
    count, inputs = x.shape
    y = np.empty((count, -(-rows // 16) * 16), np.float32)
    status = library().vx_product(
        kernels.encode(), bits, address(blocks), rows, inputs,
        address(np.ascontiguousarray(x, np.float32)), count, threads, address(y),
    )  # fmt: skip
    if status != 0:
        raise EngineError(
            Sentence("The product does not run with the kernels “{kernels}” here.", kernels=kernels)
        )
    return y[:, :rows]

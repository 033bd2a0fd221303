"""How linear layers are stored on a processor: packed for its kernels, and exactly.

PyTorch's plain product of one to four rows is two to four times slower than reading the weights
once. Two of its own packed kernels are not (oneDNN, and FBGEMM on x86). A checkpoint is bfloat16,
so its values, scaled by a power of two, are float16 values too: FBGEMM multiplies float32 rows
with weights kept in 16 bits, accumulating in float32. That is float32 arithmetic on the same
numbers, at half the bytes. Where a kernel or the exactness is missing, the next best is taken.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from model_backends.voxtral.torch_model import Dense, Linear

_ROWS_HINT = 64  # oneDNN packs for this many rows; of 1, 4 and 64 the best for 1 to 64 rows
_LARGEST_EXPONENT = 14  # float16 reaches 2**16
_EXACT = 2.0**-38  # of the largest weight; float32 itself rounds at 2**-24


class HalfStored:
    """float32 rows times weights kept in 16 bits that stand for exactly the given ones."""

    def __init__(self, weight: Tensor, exponent: int, bias: Tensor | None) -> None:
        scaled = weight * 2.0**exponent
        self._packed: Any = torch.ops.quantized.linear_prepack_fp16(scaled, None)
        self._back = 2.0**-exponent
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.quantized.linear_dynamic_fp16(x, self._packed)
        y.mul_(self._back)
        return y if self._bias is None else y.add_(self._bias)

    def rows(self, ids: Tensor) -> Tensor:
        raise NotImplementedError("an embedding is kept beside its packed copy")


class Packed:
    """oneDNN's own order of a float32 or bfloat16 weight."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS_HINT)
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._packed, self._bias, "none", [], "")
        return y

    def rows(self, ids: Tensor) -> Tensor:
        raise NotImplementedError("an embedding is kept beside its packed copy")


class Embedding:
    """The tied embedding: rows as they are in the checkpoint, products from a packed copy."""

    def __init__(self, rows: Tensor, head: Linear, dtype: torch.dtype) -> None:
        self._rows, self._head, self._dtype = Dense(rows), head, dtype

    def __call__(self, x: Tensor) -> Tensor:
        return self._head(x)

    def rows(self, ids: Tensor) -> Tensor:
        return self._rows.rows(ids).to(self._dtype)


def pack(weight: Tensor, bias: Tensor | None) -> Linear:
    """The fastest storage here that computes with exactly these weights."""
    exponent = _half_exponent(weight) if weight.dtype == torch.float32 else None
    try:
        layer = Packed(weight, bias) if exponent is None else HalfStored(weight, exponent, bias)
        layer(weight.new_zeros((1, weight.shape[1])))  # some kernels refuse only when they run
        return layer
    except (RuntimeError, AttributeError, NotImplementedError):  # not on this processor
        return Dense(weight, bias)


def pack_embedding(weight: Tensor, bias: Tensor | None) -> Linear:
    """As `pack`, with the rows kept for look-ups: in 16 bits if they are bfloat16 values."""
    head = pack(weight, bias)
    if isinstance(head, Dense):
        return head
    short = weight.to(torch.bfloat16)
    rows = short if torch.equal(short.to(weight.dtype), weight) else weight
    return Embedding(rows, head, weight.dtype)


def _half_exponent(weight: Tensor) -> int | None:
    """k such that weight * 2**k fits into float16 without loss, or None."""
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        return None
    largest = float(weight.abs().max())
    if largest == 0.0:
        return None
    exponent = _LARGEST_EXPONENT - int(torch.tensor(largest).log2().floor())
    scaled = weight * 2.0**exponent
    loss = float((scaled.half().float() - scaled).abs().max())
    return exponent if loss <= _EXACT * 2.0**_LARGEST_EXPONENT else None

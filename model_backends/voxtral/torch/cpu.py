"""How linear layers are stored on a processor: packed for its kernels, and exactly.

PyTorch's plain product of one to four rows is two to four times slower than reading the weights
once. Two of its own packed kernels are not (oneDNN, and FBGEMM on x86). A checkpoint is bfloat16,
so its values, scaled by a power of two, are float16 values too: FBGEMM multiplies float32 rows
with weights kept in 16 bits, accumulating in float32. That is float32 arithmetic on the same
numbers, at half the bytes. Where a kernel or the exactness is missing, the next best is taken.
8 bit weights go through FBGEMM's product of bytes, with activations in two digits (see `Bytes`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from model_backends.voxtral.torch.ops import Dense, Linear

_ROWS_HINT = 64  # oneDNN packs for this many rows; of 1, 4 and 64 the best for 1 to 64 rows
_LARGEST_EXPONENT = 14  # float16 reaches 2**16
_EXACT = 2.0**-38  # of the largest weight; float32 itself rounds at 2**-24
_DIGIT = 63  # 7 bits with sign: two products of it fit AVX2's 16 bit sums, which would saturate
_ZERO = 64  # the unsigned byte that stands for a digit of 0
_SMALLEST = 1e-30  # keeps a row of zeros from being divided by zero


class HalfStored:
    """Rows times weights kept in 16 bits that stand for exactly the given ones, in float32."""

    def __init__(self, weight: Tensor, exponent: int, bias: Tensor | None) -> None:
        scaled = weight.float() * 2.0**exponent
        self._packed: Any = torch.ops.quantized.linear_prepack_fp16(scaled, None)
        self._back = 2.0**-exponent
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.quantized.linear_dynamic_fp16(x.float(), self._packed)
        y.mul_(self._back)
        return (y if self._bias is None else y.add_(self._bias)).to(x.dtype)

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


class Bytes:
    """Rows times 8 bit weights, on the processor's product of bytes.

    Each row of x is written in two digits of 7 bits, x = (high + low / 126) * largest / 63: 13
    bits, more than bfloat16 has. Bytes are multiplied and added exactly, and each row has its own
    scale, so a row's result does not depend on what it is batched with.
    """

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor | None) -> None:
        """`weight`: int8 (out, in); `scale`: (out,), what a weight of 1 stands for."""
        zeros = torch.zeros(len(scale), dtype=torch.int64)
        with warnings.catch_warnings():  # quantised tensors are on their way out, the product not
            warnings.simplefilter("ignore")
            whole = torch._make_per_channel_quantized_tensor(weight, scale.double(), zeros, 0)
        self._packed: Any = _fbgemm_packed(whole)
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        flat = x.reshape(-1, x.shape[-1]).float()
        unit = torch.linalg.vector_norm(flat, float("inf"), -1, keepdim=True)
        unit = unit.clamp_(min=_SMALLEST).div_(_DIGIT)
        digits = flat / unit
        high = digits.round()
        low = digits.sub_(high).mul_(2 * _DIGIT)
        y: Tensor = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            torch.cat([high, low]), 1.0, _ZERO, self._packed
        )
        y_high, y_low = y.chunk(2)
        y = y_high.add_(y_low, alpha=1 / (2 * _DIGIT)).mul_(unit)
        y = (y if self._bias is None else y.add_(self._bias)).to(x.dtype)
        return y.view(*x.shape[:-1], -1)

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
    ways: list[Callable[[], Linear]] = [
        lambda: Packed(weight, bias),
        lambda: _half_stored(weight, bias),
    ]
    if weight.dtype == torch.float32:  # half the bytes; for bfloat16 only where oneDNN refuses
        ways.reverse()
    return _first_that_runs(ways, weight) or Dense(weight, bias)


def _half_stored(weight: Tensor, bias: Tensor | None) -> Linear:
    exponent = _half_exponent(weight)
    if exponent is None:
        raise NotImplementedError("not exact, or no kernel")
    return HalfStored(weight, exponent, bias)


def pack_bytes(weight: Tensor, scale: Tensor, bias: Tensor | None) -> Linear | None:
    """8 bit weights for this processor, or None where it has no product of bytes."""
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        return None
    return _first_that_runs(
        [lambda: Bytes(weight, scale, bias)], scale.new_zeros((1, weight.shape[1]))
    )


def pack_embedding(weight: Tensor, bias: Tensor | None) -> Linear:
    """As `pack`, with the rows kept for look-ups: in 16 bits if they are bfloat16 values."""
    head = pack(weight, bias)
    if isinstance(head, Dense):
        return head
    short = weight.to(torch.bfloat16)
    rows = short if torch.equal(short.to(weight.dtype), weight) else weight
    return Embedding(rows, head, weight.dtype)


def _first_that_runs(ways: list[Callable[[], Linear]], weight: Tensor) -> Linear | None:
    for way in ways:
        try:
            layer = way()
            layer(weight.new_zeros((1, weight.shape[1])))  # some refuse only when they run
        except (RuntimeError, AttributeError, NotImplementedError):  # not on this processor
            continue
        return layer
    return None


def _fbgemm_packed(weight: Tensor) -> Any:
    """A quantised weight in FBGEMM's order, whatever the process prefers for itself."""
    engines = torch.backends.quantized
    usual = engines.engine
    engines.engine = "fbgemm"
    try:
        return torch.ops.quantized.linear_prepack(weight, None)
    finally:
        engines.engine = usual


def _half_exponent(weight: Tensor) -> int | None:
    """k such that weight * 2**k fits into float16 without loss, or None."""
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        return None
    largest = float(weight.abs().max())
    if largest == 0.0:
        return None
    exponent = _LARGEST_EXPONENT - int(torch.tensor(largest).log2().floor())
    scaled = weight.float() * 2.0**exponent
    loss = float((scaled.half().float() - scaled).abs().max())
    return exponent if loss <= _EXACT * 2.0**_LARGEST_EXPONENT else None

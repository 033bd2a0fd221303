"""Products of 1 to 8 rows, the weight read once: norm before, bias, gate and sum behind in the same
kernel.

One row of a plain weight, and up to eight of an 8 bit one; cuBLAS reads a plain weight faster for
more (measured on an H100, see `resources/benchmarks/voxtral/cuda.md`). The norm costs no pass of
its own: sum(w g x) / rms(x) needs both sums only at the end. An output belongs to one program, so
nothing is added across programs: the same sum every time.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from model_backends.voxtral.torch import ops
from model_backends.voxtral.torch.ops import Dense, Linear
from model_backends.voxtral.torch.quant import Int8

_MOST_ROWS = {Dense: 1, Int8: 8}
# rows: (outputs, inputs, warps) of a program's tile, by measurement on an H100
_TILES = {1: (2, 1024, 1), 4: (4, 512, 1), 8: (4, 512, 1)}


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _gemv(  # type: ignore[no-untyped-def]
    x, weight, scale, bias, add, gain, out, rows, outputs, inputs, eps, rows_a_gain,
    M: tl.constexpr, OUT: tl.constexpr, IN: tl.constexpr, SCALE: tl.constexpr,  # noqa: N803
    BIAS: tl.constexpr, ADD: tl.constexpr, NORM: tl.constexpr, GATE: tl.constexpr,  # noqa: N803
):  # fmt: skip
    o = tl.program_id(0) * OUT + tl.arange(0, OUT)
    m = tl.arange(0, M)
    there, asked = o < outputs, m < rows
    sums = tl.zeros((M, OUT), tl.float32)
    ups = tl.zeros((M, OUT), tl.float32)
    squares = tl.zeros((M,), tl.float32)
    row = o.to(tl.int64) * inputs
    for start in range(0, inputs, IN):
        i = start + tl.arange(0, IN)
        inside = i < inputs
        w_mask, x_mask = there[:, None] & inside[None], asked[:, None] & inside[None]
        w = tl.load(weight + row[:, None] + i[None], mask=w_mask, other=0)
        v = tl.load(x + m[:, None] * inputs + i[None], mask=x_mask, other=0.0).to(tl.float32)
        if NORM:
            squares += tl.sum(v * v, 1)
            gains = gain + (m // rows_a_gain)[:, None] * inputs + i[None]
            v *= tl.load(gains, mask=x_mask, other=0.0).to(tl.float32)
        sums += tl.sum(v[:, None, :] * w.to(tl.float32)[None], 2)
        if GATE:
            below = outputs.to(tl.int64) * inputs
            u = tl.load(weight + below + row[:, None] + i[None], mask=w_mask, other=0)
            ups += tl.sum(v[:, None, :] * u.to(tl.float32)[None], 2)
    if NORM:
        root = (1.0 / tl.sqrt(squares / inputs + eps))[:, None]
        sums *= root
        ups *= root
    if SCALE:
        sums *= tl.load(scale + o, mask=there, other=0.0).to(tl.float32)[None]
        if GATE:
            ups *= tl.load(scale + outputs + o, mask=there, other=0.0).to(tl.float32)[None]
    if BIAS:
        sums += tl.load(bias + o, mask=there, other=0.0).to(tl.float32)[None]
    if GATE:
        sums = sums / (1.0 + tl.exp(-sums)) * ups
    at = m[:, None] * outputs + o[None]
    mask = asked[:, None] & there[None]
    if ADD:
        sums += tl.load(add + at, mask=mask, other=0.0).to(tl.float32)
    tl.store(out + at, sums.to(out.dtype.element_ty), mask=mask)


def linear(layer: Linear, x: Tensor, add: Tensor | None) -> Tensor:
    """See `ops.linear`; other weights and more rows take the plain way."""
    if not _few(layer, x):
        return ops.linear(layer, x, add)
    return _product(layer, x, add=add)


def normed(layer: Linear, x: Tensor, gain: Tensor, eps: float) -> Tensor | None:
    """See `ops.FusedProduct` and `Ops.normed`."""
    return _product(layer, x, gain=gain, eps=eps) if _few(layer, x) else None


def gated(layer: Linear, x: Tensor, gain: Tensor, eps: float) -> Tensor | None:
    """See `ops.FusedProduct` and `Ops.gated`."""
    if not _few(layer, x) or layer.bias is not None:  # type: ignore[attr-defined]
        return None
    return _product(layer, x, gain=gain, eps=eps, gate=True)


def _few(layer: Linear, x: Tensor) -> bool:
    return x.numel() // x.shape[-1] <= _MOST_ROWS.get(type(layer), 0)


def _product(layer: Linear, x: Tensor, *, add: Tensor | None = None, gain: Tensor | None = None,
             eps: float = 0.0, gate: bool = False) -> Tensor:  # fmt: skip
    assert isinstance(layer, (Dense, Int8))
    x = x.contiguous()
    inputs = x.shape[-1]
    rows, outputs = x.numel() // inputs, layer.weight.shape[0] >> gate
    out = x.new_empty((*x.shape[:-1], outputs))
    scale = layer.scale if isinstance(layer, Int8) else None
    gain = None if gain is None else gain.contiguous()
    m = next(size for size in _TILES if rows <= size)
    wide, deep, warps = _TILES[m]
    _gemv[(triton.cdiv(outputs, wide),)](
        x, layer.weight, _or(scale, x), _or(layer.bias, x),
        x if add is None else add.contiguous(), _or(gain, x), out, rows, outputs, inputs, eps,
        1 if gain is None else max(1, rows * inputs // gain.numel()),
        M=m, OUT=wide, IN=deep, SCALE=scale is not None, BIAS=layer.bias is not None,
        ADD=add is not None, NORM=gain is not None, GATE=gate, num_warps=warps,
    )  # fmt: skip
    return out


def _or(tensor: Tensor | None, stand_in: Tensor) -> Tensor:
    """A kernel takes an address, used or not."""
    return stand_in if tensor is None else tensor

"""Products of 1 to 8 rows with a plain weight, which is read once; bias and sum at the end.

An output belongs to one program, so nothing is added across programs: the same sum every time.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from model_backends.voxtral.torch import ops
from model_backends.voxtral.torch.ops import Dense, Linear

_MOST_ROWS = 8
_OUTPUTS, _INPUTS = 4, 256  # of one tile


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _gemv(  # type: ignore[no-untyped-def]
    x, weight, bias, add, out, rows, outputs, inputs,
    M: tl.constexpr, OUT: tl.constexpr, IN: tl.constexpr,  # noqa: N803
    BIAS: tl.constexpr, ADD: tl.constexpr,  # noqa: N803
):  # fmt: skip
    o = tl.program_id(0) * OUT + tl.arange(0, OUT)
    m = tl.arange(0, M)
    there, asked = o < outputs, m < rows
    sums = tl.zeros((M, OUT), tl.float32)
    for start in range(0, inputs, IN):
        i = start + tl.arange(0, IN)
        inside = i < inputs
        w_mask, x_mask = there[:, None] & inside[None], asked[:, None] & inside[None]
        w = tl.load(weight + o[:, None].to(tl.int64) * inputs + i[None], mask=w_mask, other=0.0)
        v = tl.load(x + m[:, None] * inputs + i[None], mask=x_mask, other=0.0)
        sums += tl.sum(v.to(tl.float32)[:, None, :] * w.to(tl.float32)[None], 2)
    if BIAS:
        sums += tl.load(bias + o, mask=there, other=0.0).to(tl.float32)[None]
    at = m[:, None] * outputs + o[None]
    mask = asked[:, None] & there[None]
    if ADD:
        sums += tl.load(add + at, mask=mask, other=0.0).to(tl.float32)
    tl.store(out + at, sums.to(out.dtype.element_ty), mask=mask)


def linear(layer: Linear, x: Tensor, add: Tensor | None) -> Tensor:
    """See `ops.linear`; packed weights and more rows take the plain way."""
    rows = x.numel() // x.shape[-1]
    if not isinstance(layer, Dense) or rows > _MOST_ROWS:
        return ops.linear(layer, x, add)
    outputs, inputs = layer.weight.shape
    x = x.contiguous()
    out = x.new_empty((*x.shape[:-1], outputs))
    m = next(size for size in (1, 4, 8) if rows <= size)
    _gemv[(triton.cdiv(outputs, _OUTPUTS),)](
        x, layer.weight, x if layer.bias is None else layer.bias,
        x if add is None else add.contiguous(), out, rows, outputs, inputs,
        M=m, OUT=_OUTPUTS, IN=_INPUTS, BIAS=layer.bias is not None, ADD=add is not None,
    )  # fmt: skip
    return out

"""silu(gate) * up in one kernel."""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 1024


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _swiglu(both, out, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]  # noqa: N803
    row = tl.program_id(0)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = at < width
    gate = tl.load(both + 2 * row * width + at, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(both + (2 * row + 1) * width + at, mask=inside, other=0.0).to(tl.float32)
    made = gate / (1.0 + tl.exp(-gate)) * up
    tl.store(out + row * width + at, made.to(out.dtype.element_ty), mask=inside)


def swiglu(both: Tensor) -> Tensor:
    """See `ops.swiglu`."""
    both = both.contiguous()
    width = both.shape[-1] // 2
    out = both.new_empty((*both.shape[:-1], width))
    grid = (out.numel() // width, triton.cdiv(width, _BLOCK))
    _swiglu[grid](both, out, width, BLOCK=_BLOCK)
    return out

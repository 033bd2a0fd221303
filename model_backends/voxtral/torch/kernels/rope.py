"""Rotation of queries and keys, and the keys' and values' way into the KV cache, in one kernel."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from model_backends.voxtral.spec import Tower
from model_backends.voxtral.torch.ops import Places


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _store(  # type: ignore[no-untyped-def]
    qkv, turn, write, q, keys, values, steps, cells,
    slot_stride, HEADS: tl.constexpr, KV: tl.constexpr, HALF: tl.constexpr,  # noqa: N803
):  # fmt: skip
    position, head = tl.program_id(0), tl.program_id(1)  # of (slot, step); of q, then k, then v
    pair = tl.arange(0, HALF)
    base = qkv + (position * (HEADS + 2 * KV) + head) * 2 * HALF + 2 * pair
    a, b = tl.load(base), tl.load(base + 1)
    if head < HEADS + KV:
        cos = tl.load(turn + position * 2 * HALF + 2 * pair)
        sin = tl.load(turn + position * 2 * HALF + 2 * pair + 1)
        wide_a, wide_b = a.to(tl.float32), b.to(tl.float32)
        a = (wide_a * cos - wide_b * sin).to(a.dtype)
        b = (wide_a * sin + wide_b * cos).to(b.dtype)
    if head < HEADS:
        out = q + (position * HEADS + head) * 2 * HALF
    else:
        cell = tl.load(write + position)
        kv_head = (head - HEADS) % KV
        offset = (position // steps) * slot_stride + (kv_head * cells + cell) * 2 * HALF
        if head < HEADS + KV:  # noqa: SIM108 - Triton chooses between pointers by a branch only
            out = keys + offset
        else:
            out = values + offset
    tl.store(out + 2 * pair, a)
    tl.store(out + 2 * pair + 1, b)


def store(qkv: Tensor, tower: Tower, keys: Tensor, values: Tensor, places: Places) -> Tensor:
    """See `ops.store`."""
    slots, steps = qkv.shape[:2]
    qkv = qkv.contiguous()
    q = qkv.new_empty((slots, steps, tower.heads, tower.head_dim))
    turn = torch.view_as_real(places.turn).contiguous()
    grid = (slots * steps, tower.heads + 2 * tower.kv_heads)
    _store[grid](
        qkv, turn, places.write.contiguous(), q, keys, values, steps, keys.shape[2],
        keys.stride(0), HEADS=tower.heads, KV=tower.kv_heads, HALF=tower.head_dim // 2,
    )  # fmt: skip
    return q

"""Attention of up to some hundred queries over a long KV cache, its cells shared out to many
programs.

How far a cache is filled is read on the device, so one captured shape serves every length and
nothing beyond is touched: an empty slot costs one cell. Two kernels: the first gives each program
a run of cells and keeps its softmax's parts, the second joins them (flash decoding). Scores and
sums are in float32.
"""

from __future__ import annotations

import os

import torch
import triton
import triton.language as tl
from torch import Tensor

from model_backends.voxtral.spec import Tower
from model_backends.voxtral.torch import ops
from model_backends.voxtral.torch.ops import Places

_SPLITS = 16
_BLOCK = 64  # cells at once
_INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"  # whose product knows no bfloat16
_ROWS = 16  # queries of one key head in a program: the least a tensor core's product takes
_MANY_ROWS = 64  # … where there are more: of a draft, or of a file's block
_MOST_ROWS = 512


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _parts(  # type: ignore[no-untyped-def]
    q, keys, values, query, limit, sums, most, total,
    steps, blocks, cells, window, slot_stride,
    KV: tl.constexpr, GROUP: tl.constexpr, ROWS: tl.constexpr, D: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr, SPLITS: tl.constexpr, WIDEN: tl.constexpr,  # noqa: N803
):  # fmt: skip
    slot, kv_head, split = tl.program_id(0) // blocks, tl.program_id(1), tl.program_id(2)
    row = tl.program_id(0) % blocks * ROWS + tl.arange(0, ROWS)
    channel = tl.arange(0, D)
    step, member = row // GROUP, row % GROUP
    used = step < steps
    heads = KV * GROUP
    q_at = ((slot * steps + step) * heads + kv_head * GROUP + member) * D
    rows = tl.load(q + q_at[:, None] + channel[None], mask=used[:, None], other=0.0)
    if WIDEN:
        rows = rows.to(tl.float32)
    cell_of = tl.load(query + slot * steps + step, mask=used, other=0).to(tl.int32)
    limits = tl.load(limit + slot * steps + step, mask=used, other=1).to(tl.int32)
    last = tl.max(limits)  # of what this program asks; a step that is there to fill up asks for 1
    filled = tl.where(last < window, last, cells - 1)
    share = tl.cdiv(tl.cdiv(filled, SPLITS), BLOCK) * BLOCK
    first = split * share
    end = tl.minimum(first + share, filled)
    base = slot * slot_stride + kv_head * cells * D
    best = tl.full((ROWS,), float("-inf"), tl.float32)
    norm = tl.zeros((ROWS,), tl.float32)
    found = tl.zeros((ROWS, D), tl.float32)
    for start in range(first, end, BLOCK):
        cell = start + tl.arange(0, BLOCK)
        there = cell < end
        at = base + cell[:, None] * D + channel[None]
        k = tl.load(keys + at, mask=there[:, None], other=0.0)
        v = tl.load(values + at, mask=there[:, None], other=0.0)
        if WIDEN:
            k, v = k.to(tl.float32), v.to(tl.float32)
        age = cell_of[:, None] - cell[None]
        age = tl.where(age < 0, age + cells - 1, age)
        seen = (age < limits[:, None]) & there[None]
        scores = tl.dot(rows, tl.trans(k), input_precision="ieee")
        scores = tl.where(seen, scores, float("-inf"))
        higher = tl.maximum(best, tl.max(scores, 1))
        safe = tl.where(higher == float("-inf"), 0.0, higher)
        share_of = tl.exp(scores - safe[:, None])
        shrink = tl.exp(best - safe)
        norm = norm * shrink + tl.sum(share_of, 1)
        found = found * shrink[:, None]
        found += tl.dot(share_of.to(v.dtype), v, input_precision="ieee")
        best = higher
    part = ((slot * KV + kv_head) * SPLITS + split) * blocks * ROWS + row
    tl.store(most + part, best)
    tl.store(total + part, norm)
    tl.store(sums + part[:, None] * D + channel[None], found)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _joined(  # type: ignore[no-untyped-def]
    sums, most, total, out, steps, rows, KV: tl.constexpr,  # noqa: N803
    GROUP: tl.constexpr, D: tl.constexpr, SPLITS: tl.constexpr,  # noqa: N803
):  # fmt: skip
    slot, kv_head, row = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    split, channel = tl.arange(0, SPLITS), tl.arange(0, D)
    part = ((slot * KV + kv_head) * SPLITS + split) * rows + row
    best = tl.load(most + part)
    weight = tl.exp(best - tl.max(best))
    norm = tl.sum(weight * tl.load(total + part))
    found = tl.sum(weight[:, None] * tl.load(sums + part[:, None] * D + channel[None]), 0) / norm
    at = ((slot * steps + row // GROUP) * KV * GROUP + kv_head * GROUP + row % GROUP) * D
    tl.store(out + at + channel, found.to(out.dtype.element_ty))


def attend(q: Tensor, tower: Tower, keys: Tensor, values: Tensor, places: Places) -> Tensor:
    """See `ops.attend`; more queries than a file's block has take the plain way."""
    slots, steps, heads, d = q.shape
    kv, group = tower.kv_heads, heads // tower.kv_heads
    if group * steps > _MOST_ROWS:
        return ops.attend(q, tower, keys, values, places)
    tile = _ROWS if group * steps <= _ROWS else _MANY_ROWS
    blocks = triton.cdiv(group * steps, tile)
    rows = blocks * tile
    wide = {"device": q.device, "dtype": torch.float32}
    sums = torch.empty((slots, kv, _SPLITS, rows, d), **wide)  # type: ignore[call-overload]
    most = torch.empty((slots, kv, _SPLITS, rows), **wide)  # type: ignore[call-overload]
    total = torch.empty_like(most)
    out = q.new_empty((slots, steps, heads * d))
    shape = {"KV": kv, "GROUP": group, "D": d, "SPLITS": _SPLITS}
    _parts[(slots * blocks, kv, _SPLITS)](
        q.contiguous(), keys, values, places.query.contiguous(), places.limit.contiguous(),
        sums, most, total, steps, blocks, keys.shape[2], tower.window, keys.stride(0),
        ROWS=tile, BLOCK=_BLOCK, WIDEN=_INTERPRETED, **shape,
    )  # fmt: skip
    _joined[(slots, kv, group * steps)](sums, most, total, out, steps, rows, **shape)
    return out

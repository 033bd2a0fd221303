"""Whether an implementation of the operations says what the plain one says, on small numbers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from model_backends.voxtral.spec import Tower
from model_backends.voxtral.torch.ops import PLAIN, Dense, Ops, Places, places_of
from model_backends.voxtral.torch.quant import Int8

_TOWER = Tower(1, 96, 8, 2, 64, 160, 40, 1e6, 1e-5, False)
_CELLS = 64
_TOLERANCE = {torch.float32: 2e-5, torch.bfloat16: 2e-2, torch.float16: 4e-3}


def agrees(ops: Ops, device: torch.device, dtype: torch.dtype) -> bool:
    """Compares every operation, for one and for several slots, early and past the window."""
    return all(
        float((one - other).abs().max()) <= _TOLERANCE[dtype] * (1.0 + float(other.abs().max()))
        for one, other in zip(
            results(ops, device, dtype), results(PLAIN, device, dtype), strict=True
        )
    )


@torch.inference_mode()
def results(ops: Ops, device: torch.device, dtype: torch.dtype) -> list[Tensor]:
    """What each operation makes of the same numbers, in float32 on the host."""
    made: list[Tensor] = []
    for slots, steps, at in ((1, 1, 3), (4, 1, 30), (2, 1, 100), (1, 4, 61), (1, 9, 33)):
        random = torch.Generator("cpu").manual_seed(slots)

        def numbers(*shape: int, random: torch.Generator = random) -> Tensor:
            return torch.randn(shape, generator=random).to(device, dtype)

        x, gain = numbers(slots, steps, _TOWER.width), numbers(slots, 1, _TOWER.width)
        made += [ops.norm(x, gain, 1e-5), ops.norm(x, gain[0, 0].contiguous(), 1e-5)]
        made.append(ops.swiglu(numbers(slots, steps, 2 * _TOWER.ffn)))
        made += _products(ops, x, gain, numbers)
        cache = [numbers(slots, _TOWER.kv_heads, _CELLS, _TOWER.head_dim) for _ in range(2)]
        qkv = numbers(slots, steps, _TOWER.heads + 2 * _TOWER.kv_heads, _TOWER.head_dim)
        places = _places(slots, steps, at, device, dtype)
        q = ops.store(qkv, _TOWER, cache[0], cache[1], places)
        made += [q, ops.attend(q, _TOWER, cache[0], cache[1], places), *cache]
    return [tensor.float().cpu() for tensor in made]


def _products(ops: Ops, x: Tensor, gain: Tensor, numbers: Callable[..., Tensor]) -> list[Tensor]:
    """Of plain and of 8 bit weights, alone and with what stands before and behind them."""
    weight, add = numbers(2 * _TOWER.ffn, _TOWER.width) * 0.2, numbers(*x.shape[:2], 2 * _TOWER.ffn)
    made = []
    for layer in (Dense(weight), Int8(weight)):
        made += [ops.linear(layer, x, None), ops.linear(layer, x, add)]
        made += [ops.normed(layer, x, gain, 1e-5), ops.gated(layer, x, gain, 1e-5)]
        made.append(ops.normed(layer, x, gain[0, 0].contiguous(), 1e-5))
    return made


def _places(slots: int, steps: int, at: int, device: torch.device, dtype: torch.dtype) -> Places:
    """`steps` positions from `at` on; each further slot five positions further."""
    count = at + torch.arange(steps) + 5 * torch.arange(slots)[:, None]
    cell = count % (_CELLS - 1)
    limit = (count + 1).clamp(max=_TOWER.window)
    angles = torch.arange(_TOWER.head_dim // 2) * 0.1 + count[..., None]
    rope = torch.stack([angles.cos(), angles.sin()], -1).flatten(-2) * _TOWER.head_dim**-0.25
    ints = torch.stack([cell, cell, limit], -1)
    if steps > 4:  # a shape is filled up with steps that have nothing to do
        ints[:, -1] = torch.tensor([_CELLS - 1, 0, 1])
    ints = ints.to(device)
    return places_of(_TOWER, ints, rope.float().to(device), _CELLS, dtype)

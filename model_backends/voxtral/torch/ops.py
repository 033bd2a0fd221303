"""What a step is made of: products, norm, rotation, attention and gate, plainly in PyTorch.

`PLAIN` holds the operations that run on every device; `kernels/` offers fused ones in the same
places. Each has fixed shapes and no branch on data, so that a step can be captured.

Shapes: B slots, T positions, D width, H heads, K key/value heads, G = H / K, d head_dim, C cells of
a KV cache, of which the last is scratch. Knows nothing about layers, streams or files.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own habit
from torch import Tensor

from model_backends.voxtral.spec import Tower

_FEW_QUERIES = 16  # rows of one key head's product, up to which attention is two plain products


class Linear(Protocol):
    """y = x W^T + b for x of shape (..., in)."""

    def __call__(self, x: Tensor) -> Tensor: ...

    def rows(self, ids: Tensor) -> Tensor:
        """Rows of W, for use as an embedding: shape (*ids.shape, in)."""


class Dense:
    """A weight as it is."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.weight, self.bias = weight, bias

    def __call__(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    def rows(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.weight)


@dataclass
class Places:
    """Where this step's positions stand in the caches, shared by all layers."""

    slots: Tensor  # (B, 1) index of each slot within the caches passed in
    write: Tensor  # (B, T) cell that takes the new key
    query: Tensor  # (B, T) cell that holds the query's own key
    limit: Tensor  # (B, T) how many keys it sees, its own included
    turn: Tensor  # (B, T, 1, d / 2) complex: the rotation of each pair, with attention's scale
    make_mask: Callable[[], Tensor]

    @functools.cached_property
    def mask(self) -> Tensor:
        """(B, 1, G T, C) added to the scores: 0 or -inf. Made if somebody asks: once a step."""
        return self.make_mask()


def places_of(tower: Tower, ints: Tensor, rope: Tensor, cells: int, dtype: torch.dtype) -> Places:
    """Places from (B, T, 3) ints (cell to write, cell to query from, limit) and (B, T, d) rope
    (see `KVCache.rope`)."""
    write, query, limit = ints.unbind(-1)
    slots = torch.arange(ints.shape[0], device=ints.device)[:, None]
    turn = torch.complex(rope[..., 0::2], rope[..., 1::2])

    def mask() -> Tensor:
        return _grouped(window_mask(query, limit, cells, dtype), tower)

    return Places(slots, write, query, limit, turn[:, :, None], mask)


def window_mask(query: Tensor, limit: Tensor, cells: int, dtype: torch.dtype) -> Tensor:
    """Which cells each position sees, shape (B, 1, T, C), 0 or -inf.

    A cell is visible if the key it holds is at most `limit - 1` positions older than the query:
    age = (query's cell - cell) mod (C - 1). Cells not yet written, or written for later positions,
    have a larger age. `limit` is min(window, keys so far).
    """
    cell = torch.arange(cells, device=query.device)
    age = torch.remainder(query[..., None] - cell, cells - 1)
    visible = (age < limit[..., None]) & (cell < cells - 1)
    mask = torch.zeros(visible.shape, dtype=dtype, device=query.device)
    return mask.masked_fill_(~visible, float("-inf"))[:, None]


def _grouped(mask: Tensor, tower: Tower) -> Tensor:
    """(B, 1, T, C) to (B, 1, G T, C); one row per head group when T is 1 (it broadcasts)."""
    batch, _, steps, cells = mask.shape
    group = tower.heads // tower.kv_heads
    if steps == 1 or group == 1:
        return mask
    return mask.expand(batch, group, steps, cells).reshape(batch, 1, group * steps, cells)


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Rotary embedding in native order (channels 2i and 2i + 1 turn together), in float32.

    x: (B, T, heads, d). One complex product; see `KVCache.rope` for the scale in it.
    """
    pairs = torch.view_as_complex(x.float().view(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * turn).flatten(-2).to(x.dtype)


def store(qkv: Tensor, tower: Tower, keys: Tensor, values: Tensor, places: Places) -> Tensor:
    """Rotate q and k of qkv (B, T, H + 2 K, d), put k and v into caches (B, K, C, d); returns q
    (B, T, H, d)."""
    heads, kv = tower.heads, tower.kv_heads
    qk = rotate(qkv[:, :, : heads + kv], places.turn)
    keys[places.slots, :, places.write] = qk[:, :, heads:]
    values[places.slots, :, places.write] = qkv[:, :, heads + kv :]
    return qk[:, :, :heads]


def attend(q: Tensor, tower: Tower, keys: Tensor, values: Tensor, places: Places) -> Tensor:
    """What q (B, T, H, d) finds in caches (B, K, C, d): (B, T, H d)."""
    batch, steps, heads, d = q.shape
    kv = tower.kv_heads
    # The queries that share a key head become rows of one product: (B, K, G T, d).
    q = q.reshape(batch, steps, kv, heads // kv, d)
    q = q.permute(0, 2, 3, 1, 4).reshape(batch, kv, -1, d)
    out = softmax_attention(q, keys, values, places.mask)
    out = out.view(batch, kv, heads // kv, steps, d).permute(0, 3, 1, 2, 4)
    return out.reshape(batch, steps, heads * d)


def softmax_attention(q: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """Softmax over scores that are never rounded to 16 bits: a score of 20 would err by 0.06
    there, and differently in a draft than in a single step. q and keys hold the scale."""
    if q.shape[2] <= _FEW_QUERIES and (
        q.dtype == torch.float32 or _widens(q.device, q.dtype)
    ):  # a long cache is to be read once: over the whole GPU, not in one block per head
        scores = _scores(q, keys) + mask
        return torch.matmul(torch.softmax(scores, -1).to(q.dtype), values)
    return F.scaled_dot_product_attention(q, keys, values, attn_mask=mask, scale=1.0)


def _scores(q: Tensor, keys: Tensor) -> Tensor:
    """(B, K, G T, C) float32."""
    if q.dtype == torch.float32:
        return torch.matmul(q, keys.transpose(-1, -2))
    flat = keys.flatten(0, 1).transpose(1, 2)
    scores: Tensor = torch.bmm(q.flatten(0, 1), flat, out_dtype=torch.float32)
    return scores.view(*q.shape[:3], -1)


@functools.cache
def _widens(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether products of 16 bits can be had in float32 there (CUDA); the fused kernel keeps its
    scores in float32 everywhere."""
    one = torch.ones((1, 1, 1), device=device, dtype=dtype)
    try:
        torch.bmm(one, one, out_dtype=torch.float32)
    except (RuntimeError, NotImplementedError):
        return False
    return True


def norm(x: Tensor, gain: Tensor, eps: float) -> Tensor:
    """RMS norm of x (B, T, D), its gain (D,) or (B, 1, D) inside where all slots share it."""
    width = x.shape[-1]
    if gain.numel() == width:
        return F.rms_norm(x, (width,), gain.view(-1), eps)
    return F.rms_norm(x, (width,), None, eps) * gain


def swiglu(both: Tensor) -> Tensor:
    """silu(gate) * up of (B, T, 2 F), gate before up: (B, T, F)."""
    gate, up = both.chunk(2, -1)
    return F.silu(gate) * up


def linear(layer: Linear, x: Tensor, add: Tensor | None) -> Tensor:
    """layer(x), plus `add`: a plain weight adds while it multiplies, and rounds once."""
    if add is None:
        return layer(x)
    if isinstance(layer, Dense) and layer.bias is None:
        flat = torch.addmm(add.flatten(0, 1), x.flatten(0, 1), layer.weight.T)
        return flat.view(add.shape)
    return add + layer(x)


class Norm(Protocol):
    def __call__(self, x: Tensor, gain: Tensor, eps: float) -> Tensor: ...


class WithCache(Protocol):
    def __call__(
        self, x: Tensor, tower: Tower, keys: Tensor, values: Tensor, places: Places, /
    ) -> Tensor: ...


class Gate(Protocol):
    def __call__(self, both: Tensor) -> Tensor: ...


class Product(Protocol):
    def __call__(self, layer: Linear, x: Tensor, add: Tensor | None) -> Tensor: ...


class FusedProduct(Protocol):
    """A product with what stands before or behind it in one kernel; None: not of these."""

    def __call__(self, layer: Linear, x: Tensor, gain: Tensor, eps: float) -> Tensor | None: ...


def _not_fused(layer: Linear, x: Tensor, gain: Tensor, eps: float) -> Tensor | None:
    return None


@dataclass(frozen=True, slots=True)
class Ops:
    """An implementation of each operation; see the functions of these names."""

    norm: Norm = norm
    store: WithCache = store
    attend: WithCache = attend
    swiglu: Gate = swiglu
    linear: Product = linear
    fused_normed: FusedProduct = _not_fused
    fused_gated: FusedProduct = _not_fused

    def normed(self, layer: Linear, x: Tensor, gain: Tensor, eps: float) -> Tensor:
        """layer(norm(x)), see `norm` for the shapes."""
        made = self.fused_normed(layer, x, gain, eps)
        return self.linear(layer, self.norm(x, gain, eps), None) if made is None else made

    def gated(self, layer: Linear, x: Tensor, gain: Tensor, eps: float) -> Tensor:
        """silu(gate) * up of `normed()`: layer gives (B, T, 2 F), the answer is (B, T, F)."""
        made = self.fused_gated(layer, x, gain, eps)
        return self.swiglu(self.normed(layer, x, gain, eps)) if made is None else made


PLAIN = Ops()

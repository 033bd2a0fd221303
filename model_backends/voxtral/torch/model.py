"""The network in PyTorch: weights, and pure steps over static key/value rings.

Read top to bottom: dense layers, one transformer block, the encoder step (mel to adapter rows),
the decoder step (row + token to the next token). Every step has fixed shapes and no branch on
data, so it can be captured as a CUDA graph; the CPU runs the very same code.

Shapes: B lanes, T positions, D width, H heads, K key/value heads, d head_dim, C ring slots.
A ring has C - 1 slots in turn and one scratch slot (the last) where idle lanes write. Knows
nothing about streams, files or when to run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own habit
from torch import Tensor

from model_backends.voxtral.schedule import delay_embedding
from model_backends.voxtral.spec import FRAMES_PER_ROW, ModelSpec, Tower

_FEW_QUERIES = 16  # rows of one key head's product, up to which attention is two plain products

Get = Callable[[str], Tensor]  # our tensor name -> tensor on the device, q/k rows in halves order


class Linear(Protocol):
    """y = x W^T + b for x of shape (..., in)."""

    def __call__(self, x: Tensor) -> Tensor: ...

    def rows(self, ids: Tensor) -> Tensor:
        """Rows of W, for use as an embedding: shape (*ids.shape, in)."""


Pack = Callable[[Tensor, Tensor | None], Linear]  # decides how a weight is stored


class Dense:
    """A weight as it is."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.weight, self.bias = weight, bias

    def __call__(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    def rows(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.weight)


@dataclass(slots=True)
class Layer:
    """One transformer block. `wqkv` and `w13` are fused: fewer, larger products."""

    attention_norm: Tensor
    wqkv: Linear  # D -> (H + 2 K) d
    wo: Linear
    ffn_norm: Tensor
    w13: Linear  # D -> 2 ffn: gate, then up
    w2: Linear


@dataclass(slots=True)
class Network:
    """All weights."""

    spec: ModelSpec
    conv: tuple[Linear, Linear]  # kernels flattened: (out, in * 3)
    encoder: list[Layer]
    encoder_norm: Tensor
    adapter: tuple[Linear, Linear]
    embedding: Linear  # also the output head
    decoder: list[Layer]
    decoder_norm: Tensor
    ada: list[tuple[Tensor, Tensor]]  # the delay MLP of each decoder layer: down, up

    def ffn_gain(self, delay_tokens: float) -> Tensor:
        """FFN norm weights with the delay's scale folded in, shape (layers, D).

        gain = w * (1 + up(gelu(down(t)))), t the delay embedding; float32 until the end.
        """
        width = self.spec.decoder.width
        device = self.decoder_norm.device
        t = torch.from_numpy(delay_embedding(delay_tokens, width)).to(device)
        gains = []
        for layer, (down, up) in zip(self.decoder, self.ada, strict=True):
            scale = F.linear(F.gelu(F.linear(t, down.float())), up.float())
            gains.append(layer.ffn_norm.float() * (1.0 + scale))
        return torch.stack(gains).to(self.decoder_norm.dtype)


def build(
    spec: ModelSpec, get: Get, pack: Pack = Dense, pack_head: Pack = Dense, pack_conv: Pack = Dense
) -> Network:
    """Assemble the network; `get` is called once per tensor, layer by layer."""

    def tower(name: str, sizes: Tower) -> list[Layer]:
        return [_layer(f"{name}.layers.{i}.", sizes, get, pack) for i in range(sizes.layers)]

    def conv(i: int) -> Linear:
        return pack_conv(get(f"encoder.conv.{i}.weight").flatten(1), get(f"encoder.conv.{i}.bias"))

    return Network(
        spec=spec,
        conv=(conv(0), conv(1)),
        encoder=tower("encoder", spec.encoder),
        encoder_norm=get("encoder.norm.weight"),
        adapter=(pack(get("adapter.0.weight"), None), pack(get("adapter.1.weight"), None)),
        embedding=pack_head(get("embedding.weight"), None),
        decoder=tower("decoder", spec.decoder),
        decoder_norm=get("decoder.norm.weight"),
        ada=[
            (get(f"decoder.layers.{i}.ada.0.weight"), get(f"decoder.layers.{i}.ada.1.weight"))
            for i in range(spec.decoder.layers)
        ],
    )


def _layer(prefix: str, tower: Tower, get: Get, pack: Pack) -> Layer:
    q, k, v = (get(f"{prefix}attention.w{x}.weight") for x in "qkv")
    qkv_bias = wo_bias = w2_bias = None
    if tower.biases:
        q_bias, v_bias = get(prefix + "attention.wq.bias"), get(prefix + "attention.wv.bias")
        qkv_bias = torch.cat([q_bias, torch.zeros_like(v_bias), v_bias])
        wo_bias = get(prefix + "attention.wo.bias")
        w2_bias = get(prefix + "feed_forward.w2.bias")
    gate_up = [get(f"{prefix}feed_forward.{w}.weight") for w in ("w1", "w3")]
    return Layer(
        attention_norm=get(prefix + "attention_norm.weight"),
        wqkv=pack(torch.cat([q, k, v]), qkv_bias),
        wo=pack(get(prefix + "attention.wo.weight"), wo_bias),
        ffn_norm=get(prefix + "ffn_norm.weight"),
        w13=pack(torch.cat(gate_up), None),
        w2=pack(get(prefix + "feed_forward.w2.weight"), w2_bias),
    )


@dataclass(slots=True)
class Places:
    """Where this step's positions stand in the rings, shared by all layers."""

    lanes: Tensor  # (B, 1) index of each lane within the rings passed in
    write: Tensor  # (B, T) ring slot that takes the new key
    mask: Tensor  # (B, 1, G T, C) added to the scores: 0 or -inf
    rope: Tensor  # (B, T, 1, d): cosines, then sines


def ring_mask(query: Tensor, limit: Tensor, slots: int, dtype: torch.dtype) -> Tensor:
    """Which ring slots each position sees, shape (B, 1, T, C), 0 or -inf.

    A slot is visible if the key it holds is at most `limit - 1` positions older than the query:
    age = (query slot - slot) mod (C - 1). Slots not yet written, or written for later positions,
    have a larger age. `limit` is min(window, keys so far).
    """
    slot = torch.arange(slots, device=query.device)
    age = torch.remainder(query[..., None] - slot, slots - 1)
    visible = (age < limit[..., None]) & (slot < slots - 1)
    mask = torch.zeros(visible.shape, dtype=dtype, device=query.device)
    return mask.masked_fill_(~visible, float("-inf"))[:, None]


def rotate(x: Tensor, rope: Tensor) -> Tensor:
    """Rotary embedding in halves order, in float32. x: (B, T, heads, d)."""
    cos, sin = rope.chunk(2, -1)
    a, b = x.float().chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1).to(x.dtype)


def attention(
    x: Tensor, layer: Layer, tower: Tower, keys: Tensor, values: Tensor, places: Places
) -> Tensor:
    """Causal sliding-window attention of x (B, T, D) over rings (B, K, C, d), which it extends."""
    batch, steps, _ = x.shape
    heads, kv, d = tower.heads, tower.kv_heads, tower.head_dim
    qkv = layer.wqkv(x).view(batch, steps, heads + 2 * kv, d)
    qk = rotate(qkv[:, :, : heads + kv], places.rope)
    keys[places.lanes, :, places.write] = qk[:, :, heads:]
    values[places.lanes, :, places.write] = qkv[:, :, heads + kv :]
    # The queries that share a key head become rows of one product: (B, K, G T, d).
    q = qk[:, :, :heads].view(batch, steps, kv, heads // kv, d)
    q = q.permute(0, 2, 3, 1, 4).reshape(batch, kv, -1, d)
    out = _attend(q, keys, values, places.mask)
    out = out.view(batch, kv, heads // kv, steps, d).permute(0, 3, 1, 2, 4)
    return layer.wo(out.reshape(batch, steps, heads * d))


def _attend(q: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    if q.shape[2] <= _FEW_QUERIES and _multiplies(q.device.type, q.dtype):
        # Few queries over a long ring are a matter of reading it once. cuBLAS spreads the keys
        # over the whole GPU, where the fused kernel would use one block per head; on a processor
        # that knows the type two products are no slower, in bfloat16 nearly twice as fast.
        scores = torch.matmul(q, keys.transpose(-1, -2)).float() * q.shape[-1] ** -0.5 + mask
        return torch.matmul(torch.softmax(scores, -1).to(q.dtype), values)
    return F.scaled_dot_product_attention(q, keys, values, attn_mask=mask)


@functools.cache
def _multiplies(device: str, dtype: torch.dtype) -> bool:
    """Whether batched products of a type are made by more than a plain loop there. On older
    processors those of 16 bits are not, and the fused kernel is eight times faster."""
    if device != "cpu" or dtype == torch.float32:
        return True
    name = "bf16" if dtype == torch.bfloat16 else "fp16"
    try:
        return bool(getattr(torch.ops.mkldnn, f"_is_mkldnn_{name}_supported")())
    except (AttributeError, RuntimeError):  # a build without oneDNN
        return False


def block(
    x: Tensor,
    layer: Layer,
    gain: Tensor,
    tower: Tower,
    keys: Tensor,
    values: Tensor,
    places: Places,
) -> Tensor:
    """One transformer block. `gain` is the FFN norm's weight, (D,) or (B, 1, D)."""
    width, eps = (tower.width,), tower.norm_eps
    y = F.rms_norm(x, width, layer.attention_norm, eps)
    x = x + attention(y, layer, tower, keys, values, places)
    y = F.rms_norm(x, width, None, eps) * gain
    gate, up = layer.w13(y).chunk(2, -1)
    return x + layer.w2(F.silu(gate) * up)


def places_of(tower: Tower, ints: Tensor, rope: Tensor, slots: int, dtype: torch.dtype) -> Places:
    """Places from (B, T, 3) ints (write slot, query slot, limit) and (B, T, d) rope."""
    write, query, limit = ints.unbind(-1)
    mask = ring_mask(query, limit, slots, dtype)
    lanes = torch.arange(ints.shape[0], device=ints.device)[:, None]
    return Places(lanes, write, _grouped(mask, tower), rope[:, :, None])


def stem(net: Network, mel: Tensor, keep: Tensor) -> Tensor:
    """Two causal convolutions: mel (B, 3 + 2 T, 128) to frames (B, T, D).

    Three frames of context make it stateless: output j needs conv1 frames 2j-1, 2j, 2j+1 and
    each of those three mel frames. `keep` (B,) is 0 where the stream begins: there the second
    convolution pads with zeros, which no mel context gives.
    """
    first, second = net.conv
    h = F.gelu(first(mel.unfold(1, 3, 1).flatten(2)))  # (B, 2 T + 1, D)
    h[:, 0] *= keep[:, None].to(h.dtype)
    return F.gelu(second(h.unfold(1, 3, 2).flatten(2)))


def encode(
    net: Network,
    mel: Tensor,
    keep: Tensor,
    places: Places,
    keys: list[Tensor],
    values: list[Tensor],
) -> tuple[Tensor, Tensor]:
    """Mel (B, 3 + 8 R, 128) to encoder output (B, 4 R, De) and adapter rows (B, R, D)."""
    tower = net.spec.encoder
    x = stem(net, mel, keep)
    for layer, k, v in zip(net.encoder, keys, values, strict=True):
        x = block(x, layer, layer.ffn_norm, tower, k, v, places)
    x = F.rms_norm(x, (tower.width,), net.encoder_norm, tower.norm_eps)
    joined = x.reshape(x.shape[0], -1, FRAMES_PER_ROW * tower.width)
    first, second = net.adapter
    return x, second(F.gelu(first(joined)))


def decode(
    net: Network,
    tokens: Tensor,
    audio: Tensor,
    gains: Tensor,
    places: Places,
    keys: list[Tensor],
    values: list[Tensor],
) -> Tensor:
    """Tokens (B, T) and audio rows (B, T, D) to logits (B, T, vocab). `gains`: (layers, B, D)."""
    tower = net.spec.decoder
    x = net.embedding.rows(tokens) + audio
    for layer, gain, k, v in zip(net.decoder, gains, keys, values, strict=True):
        x = block(x, layer, gain[:, None], tower, k, v, places)
    return net.embedding(F.rms_norm(x, (tower.width,), net.decoder_norm, tower.norm_eps))


def choose(logits: Tensor, bias: Tensor, pad: int, eos: int) -> Tensor:
    """Logits (B, T, vocab) to (B, T, 3) float32: id to go on with, natural id, margin of [P].

    </s> never ends a live stream, so it is not among the ids to go on with. `bias` (B, T) is
    added to [P] for the first answer only. Ids below 2**24 are exact in float32.
    """
    pad_logit, eos_logit = logits[..., pad].float().clone(), logits[..., eos].float().clone()
    logits[..., pad] = float("-inf")
    logits[..., eos] = float("-inf")
    best, token = logits.max(-1)
    rival = torch.maximum(best.float(), eos_logit)
    natural = token.masked_fill(eos_logit > best, eos).masked_fill_(pad_logit >= rival, pad)
    going_on = token.masked_fill(pad_logit + bias >= best, pad)
    return torch.stack([going_on.float(), natural.float(), pad_logit - rival], -1)


def _grouped(mask: Tensor, tower: Tower) -> Tensor:
    """(B, 1, T, C) to (B, 1, G T, C); one row per head group when T is 1 (it broadcasts)."""
    batch, _, steps, slots = mask.shape
    group = tower.heads // tower.kv_heads
    if steps == 1 or group == 1:
        return mask
    return mask.expand(batch, group, steps, slots).reshape(batch, 1, group * steps, slots)

"""The network in PyTorch: weights, and pure steps over static KV caches.

Read top to bottom, after `ops.py`: weights, one transformer block, the encoder step (mel to
adapter rows), the decoder step (row + token to the next token). Every step has fixed shapes and no
branch on data, so it can be captured as a CUDA graph; the CPU runs the very same code.

Shapes: B slots, T positions, D width, H heads, K key/value heads, d head_dim, C cells of a cache.
A cache has C - 1 cells in turn and one scratch cell (the last) where idle slots write. Knows
nothing about streams, files or when to run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own habit
from torch import Tensor

from model_backends.voxtral.schedule import delay_embedding
from model_backends.voxtral.spec import FRAMES_PER_ROW, ModelSpec, Tower
from model_backends.voxtral.speech_model import BONUS_REACH
from model_backends.voxtral.torch.ops import PLAIN, Dense, Linear, Ops, Places

Get = Callable[[str], Tensor]  # our tensor name -> tensor on the device, q/k rows in native order


Pack = Callable[[Tensor, Tensor | None], Linear]  # decides how a weight is stored


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
    ops: Ops = PLAIN

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


def block(
    x: Tensor,
    layer: Layer,
    gain: Tensor,
    tower: Tower,
    keys: Tensor,
    values: Tensor,
    places: Places,
    ops: Ops,
) -> Tensor:
    """One transformer block: causal sliding-window attention of x (B, T, D) over caches
    (B, K, C, d), which it extends, and the gated products. `gain` is the FFN norm's weight, (D,)
    or (B, 1, D)."""
    qkv = ops.normed(layer.wqkv, x, layer.attention_norm, tower.norm_eps)
    qkv = qkv.view(*x.shape[:2], tower.heads + 2 * tower.kv_heads, tower.head_dim)
    q = ops.store(qkv, tower, keys, values, places)
    x = ops.linear(layer.wo, ops.attend(q, tower, keys, values, places), x)
    return ops.linear(layer.w2, ops.gated(layer.w13, x, gain, tower.norm_eps), x)


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
        x = block(x, layer, layer.ffn_norm, tower, k, v, places, net.ops)
    x = net.ops.norm(x, net.encoder_norm, tower.norm_eps)
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
        x = block(x, layer, gain[:, None], tower, k, v, places, net.ops)
    return net.ops.normed(net.embedding, x, net.decoder_norm, tower.norm_eps)


Bonuses = tuple[Tensor, Tensor]  # ids (B, K) and what to add to their logits (B, K)


def choose(
    logits: Tensor, bias: Tensor, pad: int, eos: int, bonuses: Bonuses | None = None
) -> Tensor:
    """Logits (B, T, vocab) to (B, T, 3) float32: id to go on with, its gap, its log probability.

    See `speech_model.Decoded`. `bias` (B, T) is added to [P]; T is 1 with `bonuses`. Ids below
    2**24 are exact in float32.
    """
    raw = logits.float()
    adjusted = raw.clone()
    adjusted[..., eos] = float("-inf")
    adjusted[..., pad] += bias
    if bonuses is not None:
        _lift(adjusted[:, 0], *bonuses)
    token = adjusted.argmax(-1, keepdim=True)
    chosen = raw.gather(-1, token)
    all_together = torch.logsumexp(raw, -1, keepdim=True)
    rival = adjusted.copy_(raw).scatter_(-1, token, float("-inf")).amax(-1, keepdim=True)
    return torch.cat([token.float(), chosen - rival, chosen - all_together], -1)


def _lift(logits: Tensor, ids: Tensor, bonus: Tensor) -> None:
    """Add bonuses to logits (B, vocab) in place, where the best is within reach."""
    asked = logits.gather(-1, ids)
    near = asked >= logits.amax(-1, keepdim=True) - BONUS_REACH
    logits.scatter_(-1, ids, asked + bonus * near)

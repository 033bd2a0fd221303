"""The network in MLX: weights, and pure steps over KV caches.

Read top to bottom, beside `torch/model.py`: dense layers, one transformer block, the encoder step
(mel to adapter rows), the decoder step (row + token to the next token). A step takes its caches
and returns them extended; MLX writes in place because nobody else holds the old ones. No step
branches on data, so `mx.compile` may trace it once per shape.

Shapes: B slots, T positions, D width, H heads, K key/value heads, d head_dim, C cells of a cache.
Each slot brings its own caches, as long as its own past. q and k rows are in the native order:
channels 2i and 2i + 1 rotate together. Knows nothing about streams, files or when to run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Protocol, TypeAlias

import mlx.core as mx

from model_backends.voxtral.schedule import delay_embedding
from model_backends.voxtral.spec import FRAMES_PER_ROW, ModelSpec, Tower
from model_backends.voxtral.speech_model import BONUS_REACH

LayerCache: TypeAlias = tuple[
    mx.array, mx.array
]  # keys and values of one layer of one slot: (K, C, d)
Caches: TypeAlias = list[list[LayerCache]]  # [slot][layer]


class Linear(Protocol):
    """y = x W^T + b for x of shape (..., in)."""

    def __call__(self, x: mx.array) -> mx.array: ...

    def rows(self, ids: mx.array) -> mx.array:
        """Rows of W, for use as an embedding: shape (*ids.shape, in)."""

    @property
    def arrays(self) -> list[mx.array]:
        """What it holds, to be evaluated and counted."""


Get = Callable[[str], mx.array]  # our tensor name -> array; convolutions as (out, 3, in)
# Names of weights to stack along their outputs, and their joint bias -> one layer.
Pack = Callable[[Sequence[str], mx.array | None], Linear]


class Dense:
    """A weight as it is."""

    def __init__(self, weight: mx.array, bias: mx.array | None = None) -> None:
        self.weight, self.bias = weight, bias

    def __call__(self, x: mx.array) -> mx.array:
        if self.bias is None:
            return x @ self.weight.T
        return mx.addmm(self.bias, x, self.weight.T)

    def rows(self, ids: mx.array) -> mx.array:
        return self.weight[ids]

    @property
    def arrays(self) -> list[mx.array]:
        return [self.weight] if self.bias is None else [self.weight, self.bias]


@dataclass(slots=True)
class Layer:
    """One transformer block. `wqkv` and `w13` are fused: fewer, larger products."""

    attention_norm: mx.array
    wqkv: Linear  # D -> (H + 2 K) d
    wo: Linear
    ffn_norm: mx.array
    w13: Linear  # D -> 2 ffn: gate, then up
    w2: Linear

    @property
    def arrays(self) -> list[mx.array]:
        linears = (self.wqkv, self.wo, self.w13, self.w2)
        return [self.attention_norm, self.ffn_norm, *(a for x in linears for a in x.arrays)]


@dataclass(slots=True)
class Network:
    """All weights."""

    spec: ModelSpec
    conv: tuple[Dense, Dense]  # kernels flattened: (out, 3 * in)
    encoder: list[Layer]
    encoder_norm: mx.array
    adapter: tuple[Linear, Linear]
    embedding: Linear  # also the output head
    decoder: list[Layer]
    decoder_norm: mx.array
    ada: list[tuple[mx.array, mx.array]]  # the delay MLP of each decoder layer: down, up

    @property
    def arrays(self) -> list[mx.array]:
        linears: list[Linear] = [*self.conv]
        linears += [*self.adapter, self.embedding]
        held = [array for linear in linears for array in linear.arrays]
        held += [array for layer in self.encoder + self.decoder for array in layer.arrays]
        held += [array for pair in self.ada for array in pair]
        return [*held, self.encoder_norm, self.decoder_norm]

    def ffn_gain(self, delay_tokens: float) -> mx.array:
        """FFN norm weights with the delay's scale folded in, shape (layers, D).

        gain = w * (1 + up(gelu(down(t)))), t the delay embedding; float32 until the end.
        """
        t = mx.array(delay_embedding(delay_tokens, self.spec.decoder.width))
        gains = []
        for layer, (down, up) in zip(self.decoder, self.ada, strict=True):
            scale = up.astype(mx.float32) @ gelu(down.astype(mx.float32) @ t)
            gains.append(layer.ffn_norm.astype(mx.float32) * (1.0 + scale))
        return mx.stack(gains).astype(self.decoder_norm.dtype)


def build(spec: ModelSpec, get: Get, pack: Pack) -> Network:
    """Assemble the network; every tensor is asked for once, layer by layer."""

    def tower(name: str, sizes: Tower) -> list[Layer]:
        return [_layer(f"{name}.layers.{i}.", sizes, get, pack) for i in range(sizes.layers)]

    def conv(i: int) -> Dense:
        return Dense(get(f"encoder.conv.{i}.weight").flatten(1), get(f"encoder.conv.{i}.bias"))

    return Network(
        spec=spec,
        conv=(conv(0), conv(1)),
        encoder=tower("encoder", spec.encoder),
        encoder_norm=get("encoder.norm.weight"),
        adapter=(pack(["adapter.0.weight"], None), pack(["adapter.1.weight"], None)),
        embedding=pack(["embedding.weight"], None),
        decoder=tower("decoder", spec.decoder),
        decoder_norm=get("decoder.norm.weight"),
        ada=[
            (get(f"decoder.layers.{i}.ada.0.weight"), get(f"decoder.layers.{i}.ada.1.weight"))
            for i in range(spec.decoder.layers)
        ],
    )


def _layer(prefix: str, tower: Tower, get: Get, pack: Pack) -> Layer:
    qkv_bias = wo_bias = w2_bias = None
    if tower.biases:
        q_bias, v_bias = get(prefix + "attention.wq.bias"), get(prefix + "attention.wv.bias")
        qkv_bias = mx.concatenate([q_bias, mx.zeros_like(v_bias), v_bias])
        wo_bias = get(prefix + "attention.wo.bias")
        w2_bias = get(prefix + "feed_forward.w2.bias")
    return Layer(
        attention_norm=get(prefix + "attention_norm.weight"),
        wqkv=pack([f"{prefix}attention.w{x}.weight" for x in "qkv"], qkv_bias),
        wo=pack([prefix + "attention.wo.weight"], wo_bias),
        ffn_norm=get(prefix + "ffn_norm.weight"),
        w13=pack([f"{prefix}feed_forward.{w}.weight" for w in ("w1", "w3")], None),
        w2=pack([prefix + "feed_forward.w2.weight"], w2_bias),
    )


@dataclass(slots=True)
class Places:
    """Where this step's positions stand in the caches, shared by all layers."""

    write: mx.array  # (B, T) cell that takes the new key
    masks: list[mx.array]  # per slot (1, 1, T, C): which cells each position sees
    turn: tuple[mx.array, mx.array]  # (B, T, 1, d / 2, 2) float32: cosines; -sines and sines


def gelu(x: mx.array) -> mx.array:
    """The exact one: the usual tanh approximation moves logits by a hundredth."""
    return x * (1.0 + mx.erf(x * (1.0 / sqrt(2.0)))) * 0.5


def silu(x: mx.array) -> mx.array:
    return x * mx.sigmoid(x)


def window_mask(query: mx.array, limit: mx.array, length: mx.array, cells: int) -> mx.array:
    """Which cells each position sees, shape (1, 1, T, C), bool. All but `cells` are (T,).

    A cell is visible if the key it holds is at most `limit - 1` positions older than the query:
    age = (query's cell - cell) mod C. Cells not yet written, or written for later positions, have
    a larger age. `limit` is min(window, keys so far). `length` is C once more: a plain number would
    be written into the fused kernel, and every longer cache would have to wait for a new one.
    """
    age = mx.remainder(query[:, None] - mx.arange(cells, dtype=query.dtype), length[:, None])
    return (age < limit[:, None])[None, None]


def rotate(x: mx.array, turn: tuple[mx.array, mx.array]) -> mx.array:
    """Rotary embedding of x (B, T, heads, d) in native order, in float32.

    Not `mx.fast.rope`: it makes the angles in float32, which at position 5e5 (2.9 h of the
    encoder) are 0.06 rad off. The tables come from float64; compiled, this is one kernel too.
    """
    pairs = x.reshape(*x.shape[:-1], -1, 2)
    cosines, sines = turn
    turned = pairs.astype(mx.float32) * cosines + pairs[..., ::-1].astype(mx.float32) * sines
    return turned.astype(x.dtype).reshape(x.shape)


def attention(
    x: mx.array, layer: Layer, tower: Tower, caches: Sequence[LayerCache], places: Places
) -> tuple[mx.array, list[LayerCache]]:
    """Causal sliding-window attention of x (B, T, D) over each slot's cache, which it extends."""
    batch, steps, _ = x.shape
    heads, kv, d = tower.heads, tower.kv_heads, tower.head_dim
    qkv = layer.wqkv(x).reshape(batch, steps, heads + 2 * kv, d)
    qk = rotate(qkv[:, :, : heads + kv], places.turn).transpose(0, 2, 1, 3)
    new_values = qkv[:, :, heads + kv :].transpose(0, 2, 1, 3)
    outs, extended = [], []
    for slot, (keys, values) in enumerate(caches):
        keys = written(keys, places.write[slot], qk[slot, heads:])
        values = written(values, places.write[slot], new_values[slot])
        out = mx.fast.scaled_dot_product_attention(
            qk[slot : slot + 1, :heads],
            keys[None],
            values[None],
            scale=d**-0.5,
            mask=places.masks[slot],
        )
        outs.append(out)
        extended.append((keys, values))
    joined = outs[0] if batch == 1 else mx.concatenate(outs)
    return layer.wo(joined.transpose(0, 2, 1, 3).reshape(batch, steps, heads * d)), extended


def written(cache: mx.array, cells: mx.array, new: mx.array) -> mx.array:
    """A cache (K, C, d) with `new` (K, T, d) in `cells` (T,); in place if the old one is let go."""
    places = mx.broadcast_to(cells[None, :, None], new.shape)
    return mx.put_along_axis(cache, places, new, axis=1)


def block(
    x: mx.array,
    layer: Layer,
    gain: mx.array,
    tower: Tower,
    caches: Sequence[LayerCache],
    places: Places,
) -> tuple[mx.array, list[LayerCache]]:
    """One transformer block. `gain` is the FFN norm's weight, (D,) or (B, 1, D)."""
    y = mx.fast.rms_norm(x, layer.attention_norm, tower.norm_eps)
    attended, extended = attention(y, layer, tower, caches, places)
    x = x + attended
    if gain.ndim == 1:
        y = mx.fast.rms_norm(x, gain, tower.norm_eps)
    else:
        y = mx.fast.rms_norm(x, None, tower.norm_eps) * gain
    gate, up = mx.split(layer.w13(y), 2, axis=-1)
    return x + layer.w2(silu(gate) * up), extended


def places_of(ints: mx.array, rope: mx.array, lengths: Sequence[int]) -> Places:
    """Places from (B, T, 3) ints (cell, key limit, C) and (B, T, d) rope (cosines, sines).

    `lengths`: C of each slot's cache.
    """
    write, limit, length = ints[..., 0], ints[..., 1], ints[..., 2]
    masks = [window_mask(write[i], limit[i], length[i], cells) for i, cells in enumerate(lengths)]
    cosines, sines = mx.split(rope[:, :, None, :, None], 2, axis=3)  # (B, T, 1, d / 2, 1) each
    signs = mx.array([-1.0, 1.0])
    return Places(write, masks, (cosines, sines * signs))


def stem(net: Network, mel: mx.array, keep: mx.array) -> mx.array:
    """Two causal convolutions: mel (B, 3 + 2 T, 128) to frames (B, T, D).

    Three frames of context make it stateless: output j needs conv1 frames 2j-1, 2j, 2j+1 and
    each of those three mel frames. `keep` (B,) is 0 where the stream begins: there the second
    convolution pads with zeros, which no mel context gives.
    """
    first, second = net.conv
    h = gelu(first(mx.concatenate([mel[:, :-2], mel[:, 1:-1], mel[:, 2:]], axis=-1)))
    before = h[:, :1] * keep[:, None, None].astype(h.dtype)
    left = mx.concatenate([before, h[:, 2:-1:2]], axis=1)
    return gelu(second(mx.concatenate([left, h[:, 1::2], h[:, 2::2]], axis=-1)))


def encode(
    net: Network, mel: mx.array, keep: mx.array, places: Places, caches: Caches
) -> tuple[mx.array, mx.array, Caches]:
    """Mel (B, 3 + 8 R, 128) to encoder output (B, 4 R, De) and adapter rows (B, R, D).

    The mel is cast to the weights' type first: a float32 input would turn every product and every
    cache after it into float32.
    """
    tower = net.spec.encoder
    x = stem(net, mel.astype(net.encoder_norm.dtype), keep)
    gains = [layer.ffn_norm for layer in net.encoder]
    x, caches = _through(x, net.encoder, gains, tower, caches, places)
    x = mx.fast.rms_norm(x, net.encoder_norm, tower.norm_eps)
    joined = x.reshape(x.shape[0], -1, FRAMES_PER_ROW * tower.width)
    first, second = net.adapter
    return x, second(gelu(first(joined))), caches


def decode(
    net: Network,
    tokens: mx.array,
    audio: mx.array,
    gains: Sequence[mx.array],
    places: Places,
    caches: Caches,
) -> tuple[mx.array, Caches]:
    """Tokens (B, T) and audio rows (B, T, D) to the last layer's output (B, T, D).

    `gains`: per slot (layers, D), see `Network.ffn_gain`.
    """
    x = net.embedding.rows(tokens) + audio
    together = gains[0] if len(gains) == 1 else mx.stack(list(gains), axis=1)[:, :, None]
    per_layer = [together[i] for i in range(net.spec.decoder.layers)]
    return _through(x, net.decoder, per_layer, net.spec.decoder, caches, places)


def predict(net: Network, x: mx.array) -> mx.array:
    """Output of the last decoder layer (B, T, D) to logits (B, T, vocab), float32."""
    normed = mx.fast.rms_norm(x, net.decoder_norm, net.spec.decoder.norm_eps)
    return net.embedding(normed).astype(mx.float32)


Bonuses = tuple[mx.array, mx.array]  # ids (B, K) and what to add to their logits (B, K)


def choose(
    logits: mx.array, bias: mx.array, pad: int, eos: int, bonuses: Bonuses | None = None
) -> mx.array:
    """Logits (B, T, vocab) to (B, T, 3) float32: id to go on with, its gap, its log probability.

    See `speech_model.Decoded`. `bias` (B, T) is added to [P]; T is 1 with `bonuses`. Ids below
    2**24 are exact in float32.
    """
    ids = mx.arange(logits.shape[-1])
    adjusted = mx.where(ids == eos, -mx.inf, logits)
    adjusted = mx.where(ids == pad, adjusted + bias[..., None], adjusted)
    if bonuses is not None:
        adjusted = _lifted(adjusted, *bonuses)
    token = mx.argmax(adjusted, -1, keepdims=True).astype(mx.int32)
    chosen = mx.take_along_axis(logits, token, -1)
    rival = mx.where(ids == token, -mx.inf, logits).max(-1, keepdims=True)
    together = mx.logsumexp(logits, -1, keepdims=True)
    return mx.concatenate([token.astype(mx.float32), chosen - rival, chosen - together], -1)


def _lifted(logits: mx.array, ids: mx.array, bonus: mx.array) -> mx.array:
    """Logits (B, 1, vocab) with bonuses added, where the best is within reach."""
    ids = ids[:, None]
    asked = mx.take_along_axis(logits, ids, -1)
    near = asked >= logits.max(-1, keepdims=True) - BONUS_REACH
    return mx.put_along_axis(logits, ids, asked + mx.where(near, bonus[:, None], 0.0), -1)


def _through(
    x: mx.array,
    layers: Sequence[Layer],
    gains: Sequence[mx.array],
    tower: Tower,
    caches: Caches,
    places: Places,
) -> tuple[mx.array, Caches]:
    """All blocks of a tower; returns the caches by slot and layer, as they came."""
    extended: Caches = [[] for _ in caches]
    for i, (layer, gain) in enumerate(zip(layers, gains, strict=True)):
        x, written_to = block(x, layer, gain, tower, [held[i] for held in caches], places)
        for held, cache in zip(extended, written_to, strict=True):
            held.append(cache)
    return x, extended

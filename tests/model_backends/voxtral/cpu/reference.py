"""The network in plain NumPy on the very numbers of a packed file: what the C code is held against.

Whole sequences at once, no caches, no batches; the arithmetic that belongs to the format
(activations in 8 bits by groups of 32, keys and values rounded to bfloat16) is done as the format
says. Shapes: T positions, D width, H heads, d head_dim.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import erf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_backends.voxtral.cpu.packed_file import packed_tensors
from model_backends.voxtral.schedule import delay_embedding, rope
from model_backends.voxtral.spec import ModelSpec, Tower

Floats = NDArray[np.float64]
ALL = slice(None)
_erf = np.vectorize(erf)


def unpacked(data: NDArray[np.uint8], bits: int, rows: int, inputs: int) -> tuple[Floats, Floats]:
    """Blocks to signed codes (rows, groups, 32) and scales (rows, groups)."""
    groups = -(-inputs // 32)
    blocks = data.reshape(-1, groups, 32 + 64 * bits)
    if bits == 4:
        both = blocks[..., :256].reshape(-1, groups, 4, 16, 4)
        quads = np.stack([both & 15, both >> 4], 3).astype(np.int64) - 8  # z, row, half, byte
        codes = np.moveaxis(quads, 4, 2)  # row first: z, half, byte make the 32 inputs
    else:
        quads = blocks[..., :512].reshape(-1, groups, 8, 16, 4).astype(np.int64) - 128
        codes = np.moveaxis(quads, 3, 2)
    codes = codes.reshape(-1, groups, 16, 32).swapaxes(1, 2).reshape(-1, groups, 32)
    scales = blocks[..., 64 * bits :].copy().view(np.float16).astype(np.float64)
    return codes[:rows].astype(np.float64), scales.swapaxes(1, 2).reshape(-1, groups)[:rows]


def coded(x: Floats) -> tuple[Floats, Floats]:
    """Activations (T, inputs) to codes (T, groups, 32), scales (T, groups), in float32's steps."""
    padded = np.pad(x, ((0, 0), (0, -x.shape[1] % 32))).astype(np.float32).reshape(len(x), -1, 32)
    most = np.abs(padded).max(-1)
    back = np.divide(np.float32(127), most, out=np.zeros_like(most), where=most > 0)
    codes = np.clip(np.rint(padded * back[..., None]), -127, 127)
    return codes.astype(np.float64), (most / np.float32(127)).astype(np.float64)


def as_is(x: Floats) -> tuple[Floats, Floats]:
    """The same, without loss."""
    padded = np.pad(x, ((0, 0), (0, -x.shape[1] % 32)))
    return padded.reshape(len(x), -1, 32), np.ones((len(x), padded.shape[1] // 32))


def product(x: Floats, weight: tuple[Floats, Floats], exact: bool = False) -> Floats:
    """x (T, inputs) times a packed weight: (T, rows). `exact`: activations as they are."""
    codes, scales = as_is(x) if exact else coded(x)
    w_codes, w_scales = weight
    whole = np.matmul(codes.transpose(1, 0, 2), w_codes.transpose(1, 2, 0))  # (groups, T, rows)
    whole *= scales.T[:, :, None]
    whole *= w_scales.T[:, None, :]
    y: Floats = whole.sum(0)
    return y


def bfloat(x: Floats) -> Floats:
    bits = x.astype(np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    y: Floats = rounded.view(np.float32).astype(np.float64)
    return y


def gelu(x: Floats) -> Floats:
    y: Floats = 0.5 * x * (1.0 + _erf(x / np.sqrt(2.0)))
    return y


class Reference:
    """The network on a packed file's tensors."""

    def __init__(
        self, spec: ModelSpec, tensors: Mapping[str, NDArray[Any]], exact: bool = False
    ) -> None:
        """`exact`: activations are not rounded to 8 bits, as by the library's exact kernels."""
        self.spec = spec
        self._exact = exact
        self._packed = {packed.name: packed for packed in packed_tensors(spec)}
        self._tensors = tensors

    def encode(self, mel: NDArray[np.float32]) -> Floats:
        """Mel (3 + 8 R, 128) from a stream's beginning to adapter rows (R, D)."""
        tower = self.spec.encoder
        x = mel.astype(np.float64)
        x = self._gelu(self._convolved(x, 0, 1))
        x[0] = 0.0
        x = self._gelu(self._convolved(x, 1, 2))
        for i in range(tower.layers):
            x = self._block(x, f"encoder.layers.{i}.", tower, None)
        x = self._norm(x, self._vector("encoder.norm.weight", tower.width), tower)
        joined = x.reshape(len(x) // 4, -1)
        inner = self._gelu(self._product(joined, self._weight("adapter.0.weight")))
        return self._product(inner, self._weight("adapter.1.weight"))

    def decode(self, ids: list[int], rows: Floats, delay: int, asked: slice = ALL) -> Floats:
        """Inputs `ids` and as many adapter rows to logits (T, vocab), of all positions or some."""
        tower = self.spec.decoder
        x = self._embedding(ids) + rows
        for i in range(tower.layers):
            gain = self._gain(f"decoder.layers.{i}.", delay)
            x = self._block(x, f"decoder.layers.{i}.", tower, gain)
        x = self._norm(x[asked], self._vector("decoder.norm.weight", tower.width), tower)
        return self._product(x, self._weight("embedding.weight"))

    def _embedding(self, ids: list[int]) -> Floats:
        codes, scales = self._weight("embedding.weight")
        rows: Floats = (codes[ids] * scales[ids][..., None]).reshape(len(ids), -1)
        return rows[:, : self.spec.decoder.width]

    def _block(self, x: Floats, prefix: str, tower: Tower, gain: Floats | None) -> Floats:
        d, q_end = tower.head_dim, tower.q_width
        y = self._norm(x, self._vector(prefix + "attention_norm.weight", tower.width), tower)
        qkv = self._product(y, self._weight(prefix + "attention.wqkv.weight"))
        if tower.biases:
            qkv += self._vector(prefix + "attention.wqkv.bias", qkv.shape[1])
        q, k, v = np.split(qkv, [q_end, q_end + tower.kv_width], 1)
        turns = rope(np.arange(len(x)), d, tower.rope_theta)
        q, k, v = (part.reshape(len(x), -1, d) for part in (q, k, v))
        q, k = turned(q, turns), turned(k, turns)
        mixed = self._attention(q, bfloat(k), bfloat(v), tower.window)
        x = x + self._with_bias(mixed, prefix + "attention.wo", tower)
        if gain is None:
            gain = self._vector(prefix + "ffn_norm.weight", tower.width)
        y = self._product(
            self._norm(x, gain, tower), self._weight(prefix + "feed_forward.w13.weight")
        )
        gate, up = y.reshape(len(x), -1, 2, 16).transpose(2, 0, 1, 3).reshape(2, len(x), -1)
        inner = self._swiglu(gate, up)[:, : tower.ffn]
        return x + self._with_bias(inner, prefix + "feed_forward.w2", tower)

    def _with_bias(self, x: Floats, name: str, tower: Tower) -> Floats:
        y = self._product(x, self._weight(name + ".weight"))
        return y + self._vector(name + ".bias", tower.width) if tower.biases else y

    def _product(self, x: Floats, weight: tuple[Floats, Floats]) -> Floats:
        return product(x, weight, self._exact)

    def _gain(self, prefix: str, delay: int) -> Floats:
        width = self.spec.decoder.width
        down = self._tensors[prefix + "ada.0.weight"][:, :width].astype(np.float64)
        up = self._tensors[prefix + "ada.1.weight"][:, : self.spec.delay_rank].astype(np.float64)
        scale = up @ gelu(down @ delay_embedding(delay, width))
        return self._vector(prefix + "ffn_norm.weight", width) * (1.0 + scale)

    def _convolved(self, x: Floats, index: int, stride: int) -> Floats:
        """Three frames at a time: (frames, channels) to (frames', width)."""
        packed = self._packed[f"encoder.conv.{index}.weight"]
        stored = self._tensors[packed.name].view(np.uint16).astype(np.uint32) << 16
        kernel = stored.view(np.float32).reshape(-1, packed.inputs, 16).transpose(0, 2, 1)
        taps = kernel.reshape(-1, 3, packed.inputs // 3)[: packed.rows, :, : x.shape[1]]
        windows = np.lib.stride_tricks.sliding_window_view(x, 3, 0)[::stride]
        y: Floats = np.einsum("tck,okc->to", windows, taps.astype(np.float64))
        return y + self._vector(f"encoder.conv.{index}.bias", packed.rows)

    def _weight(self, name: str) -> tuple[Floats, Floats]:
        packed = self._packed[name]
        data = self._tensors[name]
        return unpacked(data, int(packed.kind[1]), packed.rows, packed.inputs)

    def _vector(self, name: str, length: int) -> Floats:
        vector: Floats = self._tensors[name][0, :length].astype(np.float64)
        return vector

    def _gelu(self, x: Floats) -> Floats:
        return gelu(x)

    def _swiglu(self, gate: Floats, up: Floats) -> Floats:
        y: Floats = gate / (1.0 + np.exp(-gate)) * up
        return y

    def _attention(self, q: Floats, k: Floats, v: Floats, window: int) -> Floats:
        return attention(q, k, v, window)

    def _norm(self, x: Floats, gain: Floats, tower: Tower) -> Floats:
        y: Floats = x / np.sqrt((x * x).mean(-1, keepdims=True) + tower.norm_eps) * gain
        return y


def turned(x: Floats, turns: NDArray[np.floating]) -> Floats:
    """Rotary embedding in halves order: x (T, heads, d), turns (T, d)."""
    cos, sin = (part[:, None] for part in np.split(turns, 2, 1))
    a, b = np.split(x, 2, -1)
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


def attention(q: Floats, k: Floats, v: Floats, window: int, block: int = 512) -> Floats:
    """Causal, `window` keys with the query's own: (T, H, d) and (T, K, d) to (T, H d)."""
    group = q.shape[1] // k.shape[1]
    q = (q / np.sqrt(q.shape[-1])).transpose(1, 0, 2)
    k, v = (np.repeat(part, group, 1).transpose(1, 0, 2) for part in (k, v))
    y = np.empty_like(q)
    for begin in range(0, q.shape[1], block):
        end, first = min(begin + block, q.shape[1]), max(0, begin - window + 1)
        scores = q[:, begin:end] @ k[:, first:end].transpose(0, 2, 1)
        age = np.arange(begin, end)[:, None] - np.arange(first, end)
        scores[:, (age < 0) | (age >= window)] = -np.inf
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        y[:, begin:end] = shares @ v[:, first:end] / shares.sum(-1, keepdims=True)
    return y.transpose(1, 0, 2).reshape(y.shape[1], -1)

"""Weights in 8 or 4 bits, for small GPUs and processors; activations stay in bfloat16.

What is quantised: every large linear layer and the tied embedding. Norms, convolutions and the
delay MLP stay in 16 bits. The embedding is kept in 8 bits even where the rest has 4: it is looked
up by row as well as multiplied, and most of its error would end in the choice of the next id.

8 bit: symmetric, one scale per output row, w = q * scale, |q| <= 127.
4 bit: groups of 32 inputs, w = (q - 8) * scale + middle, 0 <= q <= 15.
The products are PyTorch's own weight-only kernels (CPU, CUDA, MPS), but for 8 bits on processors
with a faster product of bytes (`cpu.Bytes`).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own habit
from torch import Tensor

from model_backends.voxtral.torch import cpu as torch_cpu
from model_backends.voxtral.torch.model import Pack
from model_backends.voxtral.torch.ops import Dense, Linear

_ROWS_AT_ONCE = 8192  # rows widened to float32 while quantising: bounds the memory it takes
GROUP = 32  # inputs that share a 4 bit scale
_INNER_TILES = (8, 4, 2)  # CUDA's packing: 16 * tiles must divide the inputs


class Int8:
    """8 bits, one scale per output row."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        parts = [_eight_bits(part) for part in torch.split(weight, _ROWS_AT_ONCE)]
        self.weight = torch.cat([q for q, _ in parts])
        self.scale = torch.cat([scale for _, scale in parts])
        self.bias = bias
        self.packed: Linear | None = None  # a faster product of the same numbers

    def __call__(self, x: Tensor) -> Tensor:
        if self.packed is not None:
            return self.packed(x)
        if self.weight.device.type == "cuda":  # PyTorch's own takes one thread an output there
            y = F.linear(x, self.weight.to(x.dtype)) * self.scale
            return y if self.bias is None else y + self.bias
        flat = x.reshape(-1, x.shape[-1])
        y = torch._weight_int8pack_mm(flat, self.weight, self.scale)
        return _shaped(y, x, self.bias)

    def rows(self, ids: Tensor) -> Tensor:
        return self.weight[ids].to(self.scale.dtype) * self.scale[ids][..., None]

    def dequantised(self) -> Tensor:
        """The float32 weight this stands for, shape (out, in)."""
        return self.weight.float() * self.scale.float()[:, None]


class Int4:
    """4 bits, a scale and a middle per group of 32 inputs."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        outputs, inputs = weight.shape
        groups = weight.float().view(outputs, inputs // GROUP, GROUP)
        low, high = groups.amin(-1), groups.amax(-1)
        scale = ((high - low) / 15.0).clamp_(min=1e-8)
        middle = low + 8.0 * scale
        # Rounded as they will be used, so that q is the best choice for the stored values.
        scale, middle = (t.to(torch.bfloat16).float() for t in (scale, middle))
        q = ((groups - middle[..., None]) / scale[..., None] + 8.0).round_().clamp_(0, 15)
        self._on_cpu = weight.device.type == "cpu"
        self.weight = _packed(q.view(outputs, inputs).to(torch.int32), self._on_cpu)
        both = torch.stack([scale, middle], -1).transpose(0, 1)
        self.scales = both.contiguous().to(torch.bfloat16)  # (groups, outputs, 2)
        self.bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        multiply = (
            torch.ops.aten._weight_int4pack_mm_for_cpu
            if self._on_cpu
            else torch.ops.aten._weight_int4pack_mm
        )
        return _shaped(multiply(flat, self.weight, GROUP, self.scales), x, self.bias)

    def rows(self, ids: Tensor) -> Tensor:
        raise NotImplementedError("the embedding is never kept in 4 bits")


def _eight_bits(weight: Tensor) -> tuple[Tensor, Tensor]:
    """(q int8, scale) of some rows; the scale is rounded as it will be used, and up."""
    wide = weight.float()
    scale = (wide.abs().amax(1) * (1.004 / 127.0)).clamp_(min=1e-12).to(weight.dtype)
    q = (wide / scale.float()[:, None]).round_().clamp_(-127, 127)
    return q.to(torch.int8), scale


def _packed(q: Tensor, on_cpu: bool) -> Tensor:
    """The kernels' own order of 4 bit numbers q (out, in), 0..15."""
    packed: Tensor
    if on_cpu:
        packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(q, 1)
        return packed
    pairs = (q[:, ::2] << 4 | q[:, 1::2]).to(torch.uint8)
    tiles = next(n for n in _INNER_TILES if q.shape[1] % (16 * n) == 0)
    packed = torch.ops.aten._convert_weight_to_int4pack(pairs, tiles)
    return packed


def _shaped(y: Tensor, x: Tensor, bias: Tensor | None) -> Tensor:
    y = y.view(*x.shape[:-1], -1)
    return y if bias is None else y + bias


def _int8(weight: Tensor, bias: Tensor | None) -> Linear:
    layer = Int8(weight, bias)
    return _bytes(layer) or layer


def _int8_head(weight: Tensor, bias: Tensor | None) -> Linear:
    """The embedding is looked up by row too, so its weights stay beside a packed copy."""
    layer = Int8(weight, bias)
    layer.packed = _bytes(layer)
    return layer


def _bytes(layer: Int8) -> Linear | None:
    if layer.weight.device.type != "cpu":
        return None
    return torch_cpu.pack_bytes(layer.weight, layer.scale, layer.bias)


def _int4_where_it_fits(weight: Tensor, bias: Tensor | None) -> Linear:
    outputs, inputs = weight.shape
    fits = outputs % 16 == 0 and inputs % GROUP == 0
    return Int4(weight, bias) if fits else _int8(weight, bias)


def packer(precision: str, device: torch.device) -> tuple[Pack, Pack, Pack]:
    """How to store linear layers, the tied embedding and head, and the convolutions."""
    on_cpu = device.type == "cpu" and precision != "fp16"
    exact: Pack = torch_cpu.pack if on_cpu else Dense
    if precision == "int8":
        return _int8, _int8_head, exact
    if precision == "int4":
        return _int4_where_it_fits, _int8_head, exact
    return exact, torch_cpu.pack_embedding if on_cpu else Dense, exact

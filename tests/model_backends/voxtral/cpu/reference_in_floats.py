"""The plain NumPy network again, in the very arithmetic of the C kernels: float32, every sum in
their order. With it an activation gets the same one of 255 codes here and there, so that the two
can be held to each other through the rounding. Slower than `reference.py`, and says nothing new
about the network itself.

Not imitated: the last bits of `pow`, `cos` and `sin` in double precision.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_backends.voxtral.spec import ModelSpec, Tower
from tests.model_backends.voxtral.cpu.reference import Reference, coded

Singles = NDArray[np.float32]
_ONE, _HALF = np.float32(1), np.float32(0.5)


class InFloats(Reference):
    """The network on a packed file's tensors, as the plain or the AVX2 kernels compute it."""

    def __init__(
        self, spec: ModelSpec, tensors: Mapping[str, NDArray[Any]], gains: Singles, kernels: str
    ) -> None:
        """`gains`: the FFN norms' for the delay that is decoded, (layers, padded width)."""
        super().__init__(spec, tensors)
        self._gains = gains
        self._wide = kernels == "avx2"
        self._lanes = 8 if self._wide else 1

    def _fma(self, a: Any, b: Any, c: Any) -> Any:
        """a * b + c; rounded once with AVX2, else twice."""
        if not self._wide:
            return a * b + c
        return (np.float64(a) * np.float64(b) + np.float64(c)).astype(np.float32)

    def _block(self, x: Any, prefix: str, tower: Tower, gain: Any) -> Any:
        return super()._block(x.astype(np.float32), prefix, tower, gain)

    def _gain(self, prefix: str, delay: int) -> Any:
        return self._gains[int(prefix.split(".")[2]), : self.spec.decoder.width]

    def _vector(self, name: str, length: int) -> Any:
        return self._tensors[name][0, :length]

    def _product(self, x: Any, weight: tuple[Any, Any]) -> Any:
        codes, scales = coded(x)
        w_codes, w_scales = weight
        small = abs(w_codes).max() <= 8  # of 4 bits: AVX2 adds what stands for their middle later
        scales, w_scales = scales.astype(np.float32), w_scales.astype(np.float32)
        y = np.zeros((len(x), len(w_codes)), np.float32)
        for g in range(codes.shape[1]):
            x_scale, w_scale = scales[:, g, None], w_scales[None, :, g]
            dots = (codes[:, g] @ w_codes[:, g].T).astype(np.float32)
            if not self._wide:
                y += dots * (w_scale * x_scale)
                continue
            offset = (-8 * codes[:, g].sum(-1, keepdims=True)).astype(np.float32)
            moved = self._fma(dots - offset, x_scale, x_scale * offset)
            y = self._fma(moved if small else dots * x_scale, w_scale, y)
        return y

    def _convolved(self, x: Any, index: int, stride: int) -> Any:
        packed = self._packed[f"encoder.conv.{index}.weight"]
        stored = self._tensors[packed.name].view(np.uint16).astype(np.uint32) << 16
        kernel = stored.view(np.float32).reshape(-1, packed.inputs, 16)
        channels = packed.inputs // 3
        x = np.pad(x, ((0, 0), (0, channels - x.shape[1]))).astype(np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(x, 3, 0)[::stride]
        y = np.zeros((len(windows), len(kernel) * 16), np.float32)
        for i in range(packed.inputs):
            tap, channel = divmod(i, channels)
            y = self._fma(windows[:, channel, tap, None], kernel[:, i].reshape(1, -1), y)
        return y[:, : packed.rows] + self._vector(f"encoder.conv.{index}.bias", packed.rows)

    def _gelu(self, x: Any) -> Any:
        v = x.astype(np.float32)
        return _HALF * v * (_ONE + _erff(v * np.float32(0.70710678)))

    def _swiglu(self, gate: Any, up: Any) -> Any:
        return gate / (_ONE + self._exp(-gate)) * up

    def _attention(self, q: Any, k: Any, v: Any, window: int) -> Any:
        """By age, the oldest key first: (T, H, d) and (T, K, d) to (T, H d)."""
        q = q * (_ONE / np.sqrt(np.float32(q.shape[-1])))
        group = q.shape[1] // k.shape[1]
        k, v = (np.repeat(part, group, 1).astype(np.float32) for part in (k, v))
        ages = range(min(window, len(q)) - 1, -1, -1)
        scores = np.full((len(q), q.shape[1], len(ages)), -np.inf, np.float32)
        for at, age in enumerate(ages):
            sums = np.zeros((len(q) - age, q.shape[1]), np.float32)
            for c in range(q.shape[2]):
                sums = self._fma(q[age:, :, c], k[: len(k) - age, :, c], sums)
            scores[age:, :, at] = sums
        shares = self._exp(scores - scores.max(-1, keepdims=True))
        lanes, places = np.zeros((self._lanes, *shares.shape[:2]), np.float32), np.arange(len(q))
        for at, age in enumerate(ages):
            lanes[(places - age) % self._lanes, places] += shares[..., at]
        shares *= (_ONE / _in_turn(lanes))[..., None]
        y = np.zeros(q.shape, np.float32)
        for at, age in enumerate(ages):
            y[age:] = self._fma(shares[age:, :, at, None], v[: len(v) - age], y[age:])
        return y.reshape(len(q), -1)

    def _norm(self, x: Any, gain: Any, tower: Tower) -> Any:
        """Two vectors take turns at the places."""
        x = x.astype(np.float32)
        sums = np.zeros((2, self._lanes, len(x)), np.float32)
        for i in range(x.shape[1]):
            own = sums[i // self._lanes % 2, i % self._lanes]
            own[:] = self._fma(x[:, i], x[:, i], own)
        mean = _in_turn(sums[0] + sums[1]) / np.float32(x.shape[1]) + np.float32(tower.norm_eps)
        return x * (_ONE / np.sqrt(mean))[:, None] * gain.astype(np.float32)

    def _exp(self, x: Any) -> Any:
        """`vf_exp` of `vector.h`, an operation at a time."""
        x = np.minimum(np.maximum(x, np.float32(-87)), np.float32(88))
        n = np.rint(x * np.float32(1.44269504))
        r = self._fma(n, np.float32(-0.693359375), x)
        r = self._fma(n, np.float32(2.12194440e-4), r)
        p = np.full_like(r, _ONE / np.float32(5040))
        for term in (720, 120, 24, 6, 2, 1, 1):
            p = self._fma(p, r, _ONE / np.float32(term))
        return p * ((n.astype(np.int32) + 127) << 23).view(np.float32)


def _in_turn(parts: Singles) -> Singles:
    """Added up one after the other along the first axis."""
    total = np.zeros(parts.shape[1:], np.float32)
    for part in parts:
        total += part
    return total


def _erff(x: Singles) -> Singles:
    """The C library's own."""
    function = ctypes.CDLL(ctypes.util.find_library("m")).erff
    function.restype, function.argtypes = ctypes.c_float, (ctypes.c_float,)
    flat = (function(value) for value in x.ravel().tolist())
    return np.fromiter(flat, np.float32, x.size).reshape(x.shape)

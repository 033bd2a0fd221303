"""What a benchmark is fed: sizes of models, and a sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model_backends.voxtral.spec import PUBLISHED, ModelSpec, Tower

_ENC = {"rope_theta": 1e6, "norm_eps": 1e-5, "biases": True, "window": 750}
_DEC = {"rope_theta": 1e6, "norm_eps": 1e-5, "biases": False, "window": 8192}


def _tower(kind: dict[str, float], layers: int, width: int, heads: int, kv: int, d: int, ffn: int,
           ) -> Tower:  # fmt: skip
    return Tower(layers, width, heads, kv, d, ffn, **kind)  # type: ignore[arg-type]


SIZES = {
    "full": PUBLISHED,
    "wide": ModelSpec(_tower(_ENC, 4, 1280, 32, 32, 64, 5120),
                      _tower(_DEC, 4, 3072, 32, 8, 128, 9216), 131_072),
    "half": ModelSpec(_tower(_ENC, 4, 640, 16, 16, 64, 2560),
                      _tower(_DEC, 4, 1536, 16, 4, 128, 4608), 32_768),
    "quarter": ModelSpec(_tower(_ENC, 4, 320, 8, 8, 64, 1280),
                         _tower(_DEC, 4, 768, 8, 2, 128, 2304), 16_384),
    "tiny": ModelSpec(_tower(_ENC, 2, 64, 2, 2, 32, 128),
                      _tower(_DEC, 2, 64, 4, 2, 32, 128), 2_048),
}  # fmt: skip


def sound(seconds: float) -> NDArray[np.float32]:
    """Something that is never the same: a chirp that comes and goes, and noise."""
    t = np.arange(int(seconds * 16_000)) / 16_000
    tone = 0.3 * np.sin(2 * np.pi * (200 + 3 * t) * t) * (np.sin(3 * t) > 0)
    noise = 0.02 * np.random.default_rng(0).standard_normal(len(t))
    return (tone + noise).astype(np.float32)

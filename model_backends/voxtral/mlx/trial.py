"""Whether this MLX works on this computer: a tiny model of random numbers takes its steps.

The same verbs as `torch/trial.py`. Needs no weights.
"""

from __future__ import annotations

import mlx.core as mx

from model_backends.voxtral.engine import VoxtralEngine, warm_up
from model_backends.voxtral.made_up import TINY, one_word
from model_backends.voxtral.mlx.info import INFO
from model_backends.voxtral.mlx.runner import ModelRunner
from model_backends.voxtral.mlx.weights import DTYPES, random_network


def has(device: str) -> bool:
    """Whether MLX finds the device: "gpu" (Metal) or "cpu"."""
    return device == "cpu" or bool(mx.metal.is_available())


def why_not(device: str) -> str:
    """Why it does not."""
    return f"MLX finds no {device}"


def take_steps(device: str) -> str:
    """A second of silence for two voices; the device. Raises whatever MLX raises."""
    mx.set_default_device(mx.gpu if device == "gpu" else mx.cpu)
    network = random_network(TINY, DTYPES["fp32"])
    tokens = one_word(TINY.vocab)
    engine = VoxtralEngine(INFO, "trial", ModelRunner(network, tokens, "fp32"), tokens)
    warm_up(engine)
    engine.close()
    return device

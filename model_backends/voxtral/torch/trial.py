"""Whether this PyTorch works on this computer: a tiny model of random numbers takes its steps.

The same verbs as `mlx/trial.py`. Needs no weights.
"""

from __future__ import annotations

import torch

from model_backends.voxtral.engine import VoxtralEngine, warm_up
from model_backends.voxtral.made_up import TINY, one_word
from model_backends.voxtral.torch.info import INFO
from model_backends.voxtral.torch.load import prepare
from model_backends.voxtral.torch.runner import ModelRunner
from model_backends.voxtral.torch.weights import random_network


def has(device: str) -> bool:
    """Whether PyTorch finds the device: "cuda" or "cpu"."""
    return device == "cpu" or torch.cuda.is_available()


def why_not(device: str) -> str:
    """Why it does not: PyTorch's own words."""
    if torch.version.cuda is None and torch.version.hip is None:
        return f"PyTorch {torch.__version__} was built without CUDA"
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        return str(error).splitlines()[0]
    return "no device"


def take_steps(device: str) -> str:
    """A second of silence for two voices; the device's name. Raises whatever PyTorch raises."""
    place = torch.device(device)
    precision = "fp32" if device == "cpu" else "bf16"
    prepare(place)
    network = random_network(TINY, place, precision)
    tokens = one_word(TINY.vocab)
    engine = VoxtralEngine(INFO, "trial", ModelRunner(network, tokens, precision), tokens)
    warm_up(engine)
    engine.close()
    return torch.cuda.get_device_name(place) if device == "cuda" else device

"""Fused GPU kernels in Triton for what lies between and in the products of a step.

`trusted()` gives the network the kernels that this GPU runs, and runs rightly: each stage is tried
on small numbers against the plain path, and what fails or differs stays plain. Importing this
loads Triton only when it is asked for; without it everything is plain. Knows nothing about
streams, caches' owners or when to run.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable
from dataclasses import replace

import torch

from model_backends.voxtral.torch.kernels.check import agrees
from model_backends.voxtral.torch.ops import PLAIN, Ops

STAGES = ("norm", "rope", "attention", "swiglu", "gemv")

_log = logging.getLogger(__name__)


def fused(stages: Iterable[str] = STAGES) -> Ops:
    """The plain operations with these stages replaced. Raises ImportError without Triton."""
    from model_backends.voxtral.torch.kernels import gemv
    from model_backends.voxtral.torch.kernels.attention import attend
    from model_backends.voxtral.torch.kernels.norm import norm
    from model_backends.voxtral.torch.kernels.rope import store
    from model_backends.voxtral.torch.kernels.swiglu import swiglu

    kernels = {
        "norm": {"norm": norm},
        "rope": {"store": store},
        "attention": {"attend": attend},
        "swiglu": {"swiglu": swiglu},
        "gemv": {"linear": gemv.linear, "fused_normed": gemv.normed, "fused_gated": gemv.gated},
    }
    ops = PLAIN
    for stage in stages:
        ops = replace(ops, **kernels[stage])  # type: ignore[arg-type]
    return ops


def trusted(device: torch.device, dtype: torch.dtype, stages: Iterable[str] = STAGES) -> Ops:
    """The stages that run on this device and agree with the plain path."""
    if device.type != "cuda" or importlib.util.find_spec("triton") is None:
        return PLAIN
    right = []
    for stage in stages:
        try:
            if agrees(fused([stage]), device, dtype):
                right.append(stage)
            else:
                _log.warning("The fused kernel “%s” is wrong on this GPU; it is not used.", stage)
        except Exception as error:  # whatever a compiler may say: the plain path is there
            _log.warning("The fused kernel “%s” does not run here: %s", stage, error)
    return fused(right) if right else PLAIN

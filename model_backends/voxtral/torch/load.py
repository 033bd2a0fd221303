"""Loads a checkpoint into the PyTorch engine: device, precision, warm-up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from model_backends.base import EngineError, LoadOptions, Report, StreamOptions
from model_backends.voxtral import info
from model_backends.voxtral.checkpoint.folder import open_checkpoint
from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.tekken import Tekken
from model_backends.voxtral.torch.info import INFO, Device, fitting
from model_backends.voxtral.torch.runner import TorchSpeech
from model_backends.voxtral.torch.weights import PRECISIONS, load_network

_BY_BITS = {32: "fp32", 16: "bf16", 8: "int8", 4: "int4"}
_WARM_UP_SAMPLES = 16_000
_WORTH_THREADS = 20_000_000  # parameters; below, one thread is faster


def load(options: LoadOptions, report: Report) -> VoxtralEngine:
    """Load `options.model` (a folder, a name in the models folder, or the default).

    `options.extra` may hold `precision` ("fp32", "bf16", "fp16", "int8", "int4") or `bits`.
    Raises EngineError for missing or unsound weights, an absent device, or too little memory.
    """
    INFO.check_language(options.language)
    folder = info.find_model(options.model, options.models_dir)
    report(0.0, "checking the model")
    checkpoint = open_checkpoint(folder)
    tokens = Tekken.load(checkpoint.tokenizer, checkpoint.spec.vocab)
    device = choose_device(options.device)
    _settle_threads(device, checkpoint.spec.parameters)
    precision = choose_precision(options.extra, device, folder)
    net = load_network(checkpoint, device, precision, lambda done, _: report(0.9 * done, "weights"))
    report(0.9, "warming up")
    engine = VoxtralEngine(
        INFO, f"{folder.name} ({precision})", TorchSpeech(net, tokens, precision), tokens
    )
    _warm_up(engine)
    report(1.0, "ready")
    return engine


def choose_device(name: str | None) -> torch.device:
    """The device asked for, or the best there is. Raises EngineError if it is not there."""
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name is None:
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    kind = name.partition(":")[0]
    if not there.get(kind, False):
        found = ", ".join(kind for kind, here in there.items() if here)
        raise EngineError(f"PyTorch finds no device “{name}” here.", f"It finds: {found}.")
    if kind == "cuda" and name != kind:
        _choose_gpu(name.partition(":")[2])
    return torch.device(name)


def _choose_gpu(number: str) -> None:
    """Make a GPU the current one: streams and captured graphs belong to that."""
    count = torch.cuda.device_count()
    if not number.isdecimal() or int(number) >= count:
        raise EngineError(f"There is no GPU “{number}” here.", f"PyTorch finds {count}, from 0 on.")
    torch.cuda.set_device(int(number))


def choose_precision(extra: Any, device: torch.device, folder: Path) -> str:
    """The precision asked for, or the best that fits. Raises EngineError for one unknown."""
    precision = extra.get("precision") or _BY_BITS.get(extra.get("bits"), extra.get("bits"))
    if precision is None:
        return fitting(Device(device.type, str(device), _free_bytes(device)), folder) or "int4"
    if precision not in PRECISIONS:
        raise EngineError(f"There is no precision “{precision}”.", f"Choose: {PRECISIONS}.")
    return str(precision)


def _settle_threads(device: torch.device, parameters: int) -> None:
    """A small model's products are shorter than waking a second thread for them."""
    if device.type == "cpu" and parameters < _WORTH_THREADS:
        torch.set_num_threads(1)


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return info.free_memory()


def _warm_up(engine: VoxtralEngine) -> None:
    """A second of silence, so that the first words are not late: kernels, captures, caches."""
    stream = engine.open(StreamOptions("warm-up", 0, (INFO.default_delay_ms,), 0))
    stream.push(np.zeros(_WARM_UP_SAMPLES, np.float32), 0.0)
    stream.finish()
    while not stream.done:
        engine.advance()

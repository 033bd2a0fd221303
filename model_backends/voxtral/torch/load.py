"""Loads a checkpoint into the PyTorch engine: device, precision, warm-up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from model_backends.base import EngineError, LoadOptions, Report, Sentence
from model_backends.voxtral import info, memory
from model_backends.voxtral.checkpoint.folder import open_checkpoint
from model_backends.voxtral.engine import VoxtralEngine, warm_up
from model_backends.voxtral.hotwords import hotwords_of
from model_backends.voxtral.spec import ModelSpec
from model_backends.voxtral.tekken import Tekken
from model_backends.voxtral.torch import kernels
from model_backends.voxtral.torch.info import INFO, Device, fitting
from model_backends.voxtral.torch.runner import ModelRunner
from model_backends.voxtral.torch.weights import PRECISIONS, load_network

_BY_BITS = {32: "fp32", 16: "bf16", 8: "int8", 4: "int4"}
_SPARE = 400_000_000  # bytes of a GPU left for activations and graphs
_WORTH_THREADS = 20_000_000  # parameters; below, one thread is faster


def load(options: LoadOptions, report: Report) -> VoxtralEngine:
    """Load `options.model` (a folder, a name in the models folder, or the default).

    `options.extra` may hold `precision` ("fp32", "bf16", "fp16", "int8", "int4") or `bits`, and
    `hotwords`, a list of words to expect.
    Raises EngineError for missing or unsound weights, an absent device, or too little memory.
    """
    INFO.check_language(options.language)
    folder = info.find_model(options.model, options.models_dir)
    report(0.0, "checking the model")
    checkpoint = open_checkpoint(folder)
    tokens = Tekken.load(checkpoint.tokenizer, checkpoint.spec.vocab)
    hotwords = hotwords_of(options.extra, tokens)
    device = choose_device(options.device)
    _settle_threads(device, checkpoint.spec.parameters)
    precision = choose_precision(options.extra, device, folder)
    net = load_network(checkpoint, device, precision, lambda done, _: report(0.9 * done, "weights"))
    report(0.9, "warming up")
    prepare(device)
    net.ops = kernels.trusted(device, net.decoder_norm.dtype)
    slots = (0, 0)
    if device.type == "cuda":
        slots = slots_for(net.spec, _free_bytes(device), net.decoder_norm.element_size())
    runner = ModelRunner(net, tokens, precision, slots)
    name = f"{folder.name} ({precision})"
    engine = VoxtralEngine(INFO, name, runner, tokens, hotwords)
    warm_up(engine)
    runner.capture(blocks=not options.realtime, bonuses=hotwords is not None)
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
        raise EngineError(
            Sentence("PyTorch finds no device “{name}” here.", name=name),
            Sentence("It finds: {found}.", found=found),
        )
    if kind == "cuda" and name != kind:
        _choose_gpu(name.partition(":")[2])
    return torch.device(name)


def _choose_gpu(number: str) -> None:
    """Make a GPU the current one: streams and captured graphs belong to that."""
    count = torch.cuda.device_count()
    if not number.isdecimal() or int(number) >= count:
        raise EngineError(
            Sentence("There is no GPU “{number}” here.", number=number),
            Sentence("PyTorch finds {count}, from 0 on.", count=count),
        )
    torch.cuda.set_device(int(number))


def choose_precision(extra: Any, device: torch.device, folder: Path) -> str:
    """The precision asked for, or the best that fits. Raises EngineError for one unknown."""
    precision = extra.get("precision") or _BY_BITS.get(extra.get("bits"), extra.get("bits"))
    if precision is None:
        return fitting(Device(device.type, str(device), _free_bytes(device)), folder) or "int4"
    if precision not in PRECISIONS:
        raise EngineError(
            Sentence("There is no precision “{precision}”.", precision=precision),
            Sentence("Choose: {precisions}.", precisions=PRECISIONS),
        )
    return str(precision)


def _settle_threads(device: torch.device, parameters: int) -> None:
    """A small model's products are shorter than waking a second thread for them."""
    if device.type == "cpu" and parameters < _WORTH_THREADS:
        torch.set_num_threads(1)


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return info.free_memory()


def prepare(device: torch.device) -> None:
    """Sums of 16-bit products stay in float32 from end to end."""
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
        torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False


def slots_for(spec: ModelSpec, free_bytes: int, item_bytes: int) -> tuple[int, int]:
    """Encoder and decoder slots that a GPU holds from the beginning: for two voices, each with a
    second delay or a reader that takes over; fewer where memory is short, none where it is gone."""
    for streams, tracks in ((2, 2), (1, 2), (1, 1)):
        if memory.cache_bytes(spec, item_bytes, tracks, streams) + _SPARE <= free_bytes:
            return streams, streams * tracks
    return 0, 0

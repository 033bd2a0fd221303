"""From a checked checkpoint (or a seed) to the network on a device, one tensor at a time.

Files are memory-mapped, so loading needs little more than the weights themselves. Knows the
tensor library and the row orders; what a sound checkpoint is, `checkpoint/folder.py` has decided.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from model_backends.base import EngineError, Report, Sentence
from model_backends.voxtral.checkpoint.folder import Checkpoint, Entry
from model_backends.voxtral.checkpoint.tensor_names import halves_order, rotary_heads, shapes
from model_backends.voxtral.spec import ModelSpec
from model_backends.voxtral.torch.model import Get, Network, build
from model_backends.voxtral.torch.quant import packer

PRECISIONS = ("fp32", "bf16", "fp16", "int8", "int4")


def compute_dtype(precision: str) -> torch.dtype:
    """What activations and unquantised weights are kept in."""
    if precision in ("fp32", "bf16", "fp16"):
        return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    return torch.bfloat16  # the quantised kernels' activations


def load_network(
    checkpoint: Checkpoint, device: torch.device, precision: str, report: Report
) -> Network:
    """Read all tensors. Raises EngineError for an untied head, for a tensor that holds anything
    but numbers, or for too little memory."""
    dtype = compute_dtype(precision)
    total, done = checkpoint.size_bytes, 0
    with ExitStack() as files:
        read = _reader(files)

        def get(name: str) -> Tensor:
            nonlocal done
            entry = checkpoint.tensors[name]
            tensor = _native(read(entry), name, checkpoint.spec, checkpoint.layout)
            done += entry.end - entry.begin
            report(done / total, "weights")
            tensor = tensor.to(device=device, dtype=dtype, copy=True)
            _check_finite(tensor, entry.name)
            return tensor

        if checkpoint.head is not None:
            _check_tied(read(checkpoint.head), read(checkpoint.tensors["embedding.weight"]))
        return assembled(checkpoint.spec, get, precision, device)


def random_tensors(spec: ModelSpec, device: torch.device, dtype: torch.dtype, seed: int = 0) -> Get:
    """Tensors from a seed, made on the device when asked for; large enough to show a mistake.

    Their values are bfloat16's, as a published checkpoint's are, whatever `dtype` is.
    """
    generator = torch.Generator(device).manual_seed(seed)
    known = shapes(spec)

    def get(name: str) -> Tensor:
        shape = known[name]
        tensor = torch.empty(shape, device=device, dtype=torch.float32)
        tensor.normal_(generator=generator)
        if "norm" in name:
            tensor.mul_(0.3).add_(1.0)
        elif len(shape) == 1:
            tensor.mul_(0.2)
        else:
            by_inputs = (2.0 / tensor[0].numel()) ** 0.5
            tensor.mul_(0.3 if name == "embedding.weight" else by_inputs)
        return tensor.to(torch.bfloat16).to(dtype)

    return get


def random_network(spec: ModelSpec, device: torch.device, precision: str, seed: int = 0) -> Network:
    """A network of `random_tensors`: for speed, memory and parity."""
    get = random_tensors(spec, device, compute_dtype(precision), seed)
    return assembled(spec, get, precision, device)


def network_from(
    spec: ModelSpec, source: Callable[[str], Tensor], device: torch.device, precision: str
) -> Network:
    """A network from tensors under our names with q/k rows in native order."""
    dtype = compute_dtype(precision)

    def get(name: str) -> Tensor:
        return source(name).to(device=device, dtype=dtype)

    return assembled(spec, get, precision, device)


def assembled(spec: ModelSpec, get: Get, precision: str, device: torch.device) -> Network:
    """A network from tensors with q/k rows in native order. Raises EngineError if none fits."""
    try:
        with torch.inference_mode():
            return build(spec, get, *packer(precision, device))
    except torch.OutOfMemoryError as error:
        raise EngineError(
            Sentence(
                "The model does not fit into the memory of {device} in {precision}.",
                device=device,
                precision=precision,
            ),
            Sentence("Choose fewer bits (8 or 4), or another device."),
        ) from error


def _reader(files: ExitStack) -> Callable[[Entry], Tensor]:
    opened: dict[Path, Any] = {}

    def read(entry: Entry) -> Tensor:
        if entry.file not in opened:
            try:
                opened[entry.file] = files.enter_context(safe_open(entry.file, framework="pt"))
            except SafetensorError as error:
                raise EngineError(
                    Sentence("{name} cannot be read ({error}).", name=entry.file.name, error=error),
                    Sentence("Download the model again."),
                ) from error
        tensor: Tensor = opened[entry.file].get_tensor(entry.name)
        return tensor

    return read


def _native(tensor: Tensor, name: str, spec: ModelSpec, layout: str) -> Tensor:
    """q and k rows so that channels 2i and 2i + 1 rotate together, as `model.rotate` expects."""
    heads = rotary_heads(name, spec) if layout == "hf" else None
    if heads is None:
        return tensor
    return tensor[torch.from_numpy(np.argsort(halves_order(*heads)))]


def _check_finite(tensor: Tensor, name: str) -> None:
    """One read of the tensor: what is no number, or infinite in this precision, stays in a sum."""
    wide = torch.float32 if tensor.dtype == torch.float16 else None  # whose own sum might overflow
    if not math.isfinite(float(tensor.sum(dtype=wide))):
        raise EngineError(
            Sentence(
                "Tensor {name} holds values that are not finite numbers in {removeprefix}.",
                name=name,
                removeprefix=str(tensor.dtype).removeprefix("torch."),
            ),
            Sentence("Download the model again, or choose another precision."),
        )


def _check_tied(head: Tensor, embedding: Tensor) -> None:
    if not torch.equal(head, embedding):
        raise EngineError(
            Sentence(
                "The weights have an output head (lm_head.weight) that differs from the embedding."
            ),
            Sentence("Voxtral Realtime ties the two; these weights belong to another model."),
        )

"""Loads a checkpoint into the MLX engine: bits, number type, memory limits, warm-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlx.core as mx

from model_backends.base import EngineError, LoadOptions, Report, Sentence
from model_backends.voxtral import info, memory
from model_backends.voxtral.checkpoint.packed import MlxCheckpoint, open_checkpoint
from model_backends.voxtral.engine import VoxtralEngine, warm_up
from model_backends.voxtral.hotwords import Hotwords, hotwords_of
from model_backends.voxtral.mlx.chip import (
    BUFFER_CACHE_BYTES,
    OFFERED_BITS,
    Chip,
    fits,
    may_take,
    memory_needed,
    storage,
)
from model_backends.voxtral.mlx.info import INFO, bits_for, chip, find_model
from model_backends.voxtral.mlx.model import Network
from model_backends.voxtral.mlx.runner import ModelRunner
from model_backends.voxtral.mlx.weights import DTYPES, load_network
from model_backends.voxtral.pace import keep_pace
from model_backends.voxtral.tekken import Tekken

_PRECISION_BITS = {"int8": 8, "int6": 6, "int4": 4}
_SMALL_PARAMETERS = 1_000_000_000  # below this a processor may as well compute in 32 bits


class Limits:
    """Keeps MLX from hoarding memory it has freed, from here until `restore()`."""

    def __init__(self) -> None:
        self._cache_before: int | None = mx.set_cache_limit(BUFFER_CACHE_BYTES)
        self._wired_before: int | None = None

    def wire(self, needed_bytes: int) -> None:
        """Keep this much from being swapped out (macOS 15 and later)."""
        if mx.metal.is_available():
            most = int(mx.device_info()["max_recommended_working_set_size"])
            self._wired_before = mx.set_wired_limit(min(needed_bytes, most))

    def restore(self) -> None:
        """As it was before. May be called again."""
        if self._cache_before is None:
            return
        mx.synchronize()  # the wired limit must not change under running work
        mx.set_cache_limit(self._cache_before)
        if self._wired_before is not None:
            mx.set_wired_limit(self._wired_before)
        self._cache_before = self._wired_before = None


class MlxEngine(VoxtralEngine):
    """A loaded model, and the limits it was loaded under."""

    def __init__(
        self,
        name: str,
        model: ModelRunner,
        tokens: Tekken,
        limits: Limits,
        hotwords: Hotwords | None = None,
    ) -> None:
        super().__init__(INFO, name, model, tokens, hotwords)
        self._limits = limits

    def close(self) -> None:
        """See `base.Engine.close`."""
        super().close()
        self._limits.restore()


def load(options: LoadOptions, report: Report) -> MlxEngine:
    """Load `options.model` (a folder, a name in the models folder, or the default).

    `options.extra` may hold `bits` (16, 8, 6, 4) or `precision` ("fp32", "bf16", "fp16", "int8",
    "int6", "int4"), and `hotwords`, a list of words to expect; 16-bit weights are packed into that
    many bits on the way in. Raises
    EngineError for missing or unsound weights, another device, or too little memory.
    """
    INFO.check_language(options.language)
    _check_device(options.device)
    folder = find_model(options.model, options.models_dir)
    report(0.0, "checking the model")
    checkpoint = open_checkpoint(folder)
    tokens = Tekken.load(checkpoint.tokenizer, checkpoint.spec.vocab)
    hotwords = hotwords_of(options.extra, tokens)
    computer = chip()
    bits = choose_bits(options.extra, checkpoint, computer)
    dtype_name = choose_dtype(options.extra, checkpoint, computer)
    _check_memory(checkpoint, bits, computer)
    limits = Limits()
    try:
        net = _read(checkpoint, bits, dtype_name, report)
        report(0.9, "warming up")
        limits.wire(needed_by(checkpoint, bits))
        precision = dtype_name if bits >= 16 else f"{bits} bits, {dtype_name}"
        full = whole_caches_fit(checkpoint, bits, computer)
        speech = ModelRunner(net, tokens, precision, full_length=full)
        engine = MlxEngine(f"{folder.name} ({precision})", speech, tokens, limits, hotwords)
        warm_up(engine)
        if computer.apple:  # M1 and M2 read weights again for each of a row's four frames
            keep_pace(engine)
    except BaseException:
        limits.restore()
        raise
    report(1.0, "ready")
    return engine


def _read(checkpoint: MlxCheckpoint, bits: int, dtype_name: str, report: Report) -> Network:
    """The weights, packed on the way if they are to be and are not."""
    pack = bits if bits < 16 and not checkpoint.packed else None

    def weights(done: float, what: str) -> None:
        report(0.9 * done, what)

    return load_network(checkpoint, DTYPES[dtype_name], pack, weights)


def choose_bits(extra: Mapping[str, Any], checkpoint: MlxCheckpoint, computer: Chip) -> int:
    """The bits asked for, or those of a packed file, or the most this chip can carry.

    Raises EngineError for a number that is not offered.
    """
    precision = extra.get("precision")
    asked = extra.get("bits", _PRECISION_BITS.get(str(precision)))
    if checkpoint.packed:
        if asked not in (None, checkpoint.bits):
            raise EngineError(
                Sentence(
                    "{name} is packed into {bits} bits, not {asked}.",
                    name=checkpoint.folder.name,
                    bits=checkpoint.bits,
                    asked=asked,
                ),
                Sentence("Leave out the number of bits, or choose the original weights."),
            )
        return checkpoint.bits
    if asked is not None:
        if asked not in (*OFFERED_BITS, 32):
            raise EngineError(
                Sentence("The MLX engine does not run in {asked} bits.", asked=asked),
                "Choose: " + ", ".join(map(str, OFFERED_BITS)) + ".",
            )
        return int(asked)
    if precision is not None:
        return 32 if precision == "fp32" else 16
    return bits_for(checkpoint.folder, checkpoint.spec, computer)


def choose_dtype(extra: Mapping[str, Any], checkpoint: MlxCheckpoint, computer: Chip) -> str:
    """What activations and unpacked weights are kept in. Raises EngineError for one unknown."""
    precision = extra.get("precision")
    if precision in DTYPES:
        return str(precision)
    if precision is not None and precision not in _PRECISION_BITS:
        known = ", ".join((*DTYPES, *_PRECISION_BITS))
        raise EngineError(
            Sentence("There is no precision “{precision}”.", precision=precision),
            Sentence("Choose one of: {known}.", known=known),
        )
    if extra.get("bits") == 32:
        return "fp32"
    if computer.apple:
        return computer.half_precision
    return "fp32" if checkpoint.spec.parameters < _SMALL_PARAMETERS else "bf16"


def _check_device(name: str | None) -> None:
    here = "mps" if mx.metal.is_available() else "cpu"
    if name not in (None, here, "gpu" if here == "mps" else here):
        raise EngineError(
            Sentence("MLX finds no device “{name}” here.", name=name),
            Sentence("It finds: {here}. Leave out --device.", here=here),
        )


def needed_by(checkpoint: MlxCheckpoint, bits: int) -> int:
    """Bytes for everything at once. A packed file says itself what its weights take: smaller
    groups and an embedding left in 16 bits add up to half a gigabyte and more."""
    needed = memory_needed(checkpoint.spec, bits)
    if not checkpoint.packed:
        return needed
    return needed - memory.weight_bytes(checkpoint.spec, storage(bits)) + checkpoint.size_bytes


def whole_caches_fit(checkpoint: MlxCheckpoint, bits: int, computer: Chip) -> bool:
    """Whether two voices with two readers each may have KV caches of full length from the start,
    so that no step is traced again as they fill. Elsewhere than on a Mac nothing is traced."""
    item_bytes = storage(bits).item_bytes
    one, four = (memory.cache_bytes(checkpoint.spec, item_bytes, n, n) for n in (1, 2))
    return computer.apple and may_take(needed_by(checkpoint, bits) + four - one, computer)


def _check_memory(checkpoint: MlxCheckpoint, bits: int, computer: Chip) -> None:
    spec, needed = checkpoint.spec, needed_by(checkpoint, bits)
    if may_take(needed, computer):
        return
    fitting = [b for b in OFFERED_BITS if b < bits and fits(spec, b, computer)]
    hint = (
        Sentence("It fits in {value} bits.", value=fitting[0])
        if fitting
        else Sentence("Use the embedded engine.")
    )
    raise EngineError(
        Sentence(
            "In {bits} bits the model needs {size}; this computer has {there} for all programs.",
            bits=bits,
            size=info.gigabytes(needed),
            there=info.gigabytes(computer.memory_bytes),
        ),
        hint,
    )

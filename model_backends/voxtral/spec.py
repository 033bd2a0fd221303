"""The sizes of a Voxtral Realtime model, read from a checkpoint's own description.

Two dialects are understood: Mistral's `params.json` and Hugging Face's `config.json`. Everything
that is fixed by the architecture (mel settings, one token per 80 ms) is checked here, so that no
other module has to doubt it. Knows nothing about tensors, files or tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model_backends.base import EngineError, Sentence

MEL_BINS = 128
FRAMES_PER_ROW = 4  # encoder frames (50 Hz) joined into one adapter row (12.5 Hz)
MEL_PER_ROW = 8  # mel frames (100 Hz) behind one adapter row
DELAY_RANK = 32  # hidden width of the delay MLP; Hugging Face's config does not name it
DELAY_THETA = 10_000.0  # base of the delay embedding's frequencies

_MOST = {  # refuses nonsense before any memory is asked for; ten times the published model
    "n_layers": 512, "dim": 65_536, "n_heads": 1024, "n_kv_heads": 1024, "head_dim": 1024,
    "hidden_dim": 262_144, "sliding_window": 1_048_576, "vocab_size": 4_194_304,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tower:
    """One stack of transformer layers: the encoder or the decoder."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    window: int  # keys a query sees, itself included
    rope_theta: float
    norm_eps: float
    biases: bool  # q, v, o and w2 carry a bias (k, w1 and w3 never do)

    @property
    def q_width(self) -> int:
        return self.heads * self.head_dim

    @property
    def kv_width(self) -> int:
        return self.kv_heads * self.head_dim

    @property
    def layer_parameters(self) -> int:
        attention = self.width * (2 * self.q_width + 2 * self.kv_width)
        norms = 2 * self.width
        biases = self.q_width + self.kv_width + 2 * self.width if self.biases else 0
        return attention + 3 * self.width * self.ffn + norms + biases

    @property
    def cache_values(self) -> int:
        """Numbers one position keeps in the key and value caches, all layers."""
        return 2 * self.layers * self.kv_width


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """The whole model."""

    encoder: Tower
    decoder: Tower
    vocab: int
    delay_rank: int = DELAY_RANK

    @property
    def parameters(self) -> int:
        """Numbers in the checkpoint (4,429,679,360 for the published model)."""
        enc, dec = self.encoder, self.decoder
        stem = 3 * enc.width * (MEL_BINS + enc.width) + 2 * enc.width
        encoder = stem + enc.layers * enc.layer_parameters + enc.width
        adapter = FRAMES_PER_ROW * enc.width * dec.width + dec.width**2
        delay = 2 * dec.layers * self.delay_rank * dec.width
        decoder = dec.layers * dec.layer_parameters + delay + dec.width
        return encoder + adapter + decoder + self.vocab * dec.width


# mistralai/Voxtral-Mini-4B-Realtime-2602: 4,429,679,360 parameters
PUBLISHED = ModelSpec(
    Tower(32, 1280, 32, 32, 64, 5120, 750, 1e6, 1e-5, True),
    Tower(26, 3072, 32, 8, 128, 9216, 8192, 1e6, 1e-5, False),
    131_072,
)


def from_params(params: Mapping[str, Any]) -> ModelSpec:
    """Read Mistral's `params.json`. Raises EngineError if it describes another kind of model."""
    audio = _dig(params, "multimodal", "whisper_model_args")
    if audio is None or not params.get("ada_rms_norm_t_cond"):
        raise EngineError(
            Sentence("params.json describes a model that is not Voxtral Realtime."),
            Sentence("Choose the folder of Voxtral-Mini-4B-Realtime."),
        )
    encoder_args = _mapping(audio, "encoder_args")
    _check_mel(_mapping(encoder_args, "audio_encoding_args"))
    _same("downsample_factor", _mapping(audio, "downsample_args"), FRAMES_PER_ROW)
    if not encoder_args.get("causal", True) or not params.get("tied_embeddings", True):
        raise EngineError(
            Sentence("params.json asks for an encoder or output head this engine lacks.")
        )
    return ModelSpec(
        encoder=_tower(encoder_args, biases=True),
        decoder=_tower(params, biases=False),
        vocab=_size(params, "vocab_size"),
        delay_rank=_size({"dim": params.get("ada_rms_norm_t_cond_dim", DELAY_RANK)}, "dim"),
    )


def from_hf(config: Mapping[str, Any]) -> ModelSpec:
    """Read Hugging Face's `config.json`. Raises EngineError if it describes another model."""
    kind = config.get("model_type")
    if kind != "voxtral_realtime":
        raise EngineError(
            Sentence(
                "config.json describes a model of type “{kind}”, not Voxtral Realtime.", kind=kind
            ),
            Sentence("Choose the folder of Voxtral-Mini-4B-Realtime."),
        )
    audio, text = _mapping(config, "audio_config"), _mapping(config, "text_config")
    _same("num_mel_bins", audio, MEL_BINS)
    _same("downsample_factor", config, FRAMES_PER_ROW)
    return ModelSpec(
        encoder=_tower(_native_keys(audio), biases=True),
        decoder=_tower(_native_keys(text), biases=False),
        vocab=_size(_native_keys(text), "vocab_size"),
    )


_HF_KEYS = {
    "n_layers": "num_hidden_layers",
    "dim": "hidden_size",
    "n_heads": "num_attention_heads",
    "n_kv_heads": "num_key_value_heads",
    "head_dim": "head_dim",
    "hidden_dim": "intermediate_size",
    "sliding_window": "sliding_window",
    "norm_eps": "rms_norm_eps",
    "vocab_size": "vocab_size",
}


def _native_keys(config: Mapping[str, Any]) -> dict[str, Any]:
    """A Hugging Face sub-config under Mistral's key names."""
    native = {ours: config[theirs] for ours, theirs in _HF_KEYS.items() if theirs in config}
    native.setdefault("n_kv_heads", native.get("n_heads"))
    rope = config.get("rope_parameters") or {}
    native["rope_theta"] = rope.get("rope_theta", config.get("rope_theta"))
    if rope.get("rope_type", "default") != "default":
        raise EngineError(
            Sentence(
                "config.json asks for “{value}” positions, unknown here.", value=rope["rope_type"]
            )
        )
    return native


def _tower(args: Mapping[str, Any], biases: bool) -> Tower:
    tower = Tower(
        layers=_size(args, "n_layers"),
        width=_size(args, "dim"),
        heads=_size(args, "n_heads"),
        kv_heads=_size(args, "n_kv_heads"),
        head_dim=_size(args, "head_dim"),
        ffn=_size(args, "hidden_dim"),
        window=_size(args, "sliding_window"),
        rope_theta=_real(args, "rope_theta"),
        norm_eps=_real(args, "norm_eps"),
        biases=biases,
    )
    if tower.heads % tower.kv_heads or tower.head_dim % 2:
        raise EngineError(
            Sentence("The model's description has head counts that do not fit together.")
        )
    if tower.width % 2:  # half of the delay's embedding is cosines, half sines
        raise EngineError(
            Sentence(
                "The model's description has no usable {key}: {written!r:.40}.",
                key="dim",
                written=tower.width,
            )
        )
    return tower


def _check_mel(audio: Mapping[str, Any]) -> None:
    for key, value in {"num_mel_bins": MEL_BINS, "hop_length": 160, "window_size": 400}.items():
        _same(key, audio, value)
    _same("sampling_rate", audio, 16_000)


def _same(key: str, holder: Mapping[str, Any], expected: int) -> None:
    if holder.get(key, expected) != expected:
        raise EngineError(
            Sentence(
                "The model's description says {key} = {value}; this engine needs {expected}.",
                key=key,
                value=holder[key],
                expected=expected,
            )
        )


def _size(args: Mapping[str, Any], key: str) -> int:
    """A positive whole number; `sliding_window` is a string in some published files."""
    written = args.get(key)
    try:
        value = 0 if isinstance(written, (bool, float)) else int(written)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = 0
    if not 0 < value <= _MOST[key]:
        raise EngineError(
            Sentence(
                "The model's description has no usable {key}: {written!r:.40}.",
                key=key,
                written=written,
            )
        )
    return value


def _real(args: Mapping[str, Any], key: str) -> float:
    value = args.get(key)
    if not isinstance(value, (int, float)) or not 0 < value < 1e12:
        raise EngineError(
            Sentence(
                "The model's description has no usable {key}: {value!r}.", key=key, value=value
            )
        )
    return float(value)


def _mapping(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    if not isinstance(value, Mapping):
        raise EngineError(Sentence("The model's description lacks “{key}”.", key=key))
    return value


def _dig(holder: Mapping[str, Any], *keys: str) -> Mapping[str, Any] | None:
    for key in keys:
        inner = holder.get(key)
        if not isinstance(inner, Mapping):
            return None
        holder = inner
    return holder


def tower_params(tower: Tower) -> dict[str, Any]:
    """Its sizes under the names of the published `params.json`, which `_tower` reads."""
    return {
        "dim": tower.width,
        "n_layers": tower.layers,
        "n_heads": tower.heads,
        "n_kv_heads": tower.kv_heads,
        "head_dim": tower.head_dim,
        "hidden_dim": tower.ffn,
        "sliding_window": tower.window,
        "rope_theta": tower.rope_theta,
        "norm_eps": tower.norm_eps,
    }

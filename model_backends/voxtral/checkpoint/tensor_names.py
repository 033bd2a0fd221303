"""What the tensors of a checkpoint are called, in every published layout, and their shapes.

Each tensor has one name of ours ("decoder.layers.3.attention.wq.weight"); the table gives the
name each layout uses for it. The layouts differ in one more thing: Hugging Face stores the rows
of q and k (and the encoder's q bias) in another order, see `halves_order`. Knows nothing about
files or tensor libraries.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from model_backends.voxtral.spec import FRAMES_PER_ROW, MEL_BINS, ModelSpec, Tower

LAYOUTS = ("native", "hf", "mlx-audio", "voxmlx")

# ours | native | hf | mlx-audio | voxmlx. {i}: layer. A row without suffix serves .weight, .bias,
# and in quantised layouts .scales and .biases alike.
_ENCODER = "mm_streams_embeddings.embedding_module.whisper_encoder."
_TABLE = (
    ("encoder.conv.0", _ENCODER + "conv_layers.0.conv", "audio_tower.embedder.conv1",
     "encoder.conv_layers_0_conv.conv", "encoder.conv1"),
    ("encoder.conv.1", _ENCODER + "conv_layers.1.conv", "audio_tower.embedder.conv2",
     "encoder.conv_layers_1_conv.conv", "encoder.conv2"),
    ("encoder.norm", _ENCODER + "transformer.norm", "audio_tower.norm",
     "encoder.transformer_norm", "encoder.norm"),
    ("adapter.0", "mm_streams_embeddings.embedding_module.audio_language_projection.0",
     "multi_modal_projector.linear_1", "encoder.audio_language_projection_0", "adapter.w_in"),
    ("adapter.1", "mm_streams_embeddings.embedding_module.audio_language_projection.2",
     "multi_modal_projector.linear_2", "encoder.audio_language_projection_2", "adapter.w_out"),
    ("embedding", "mm_streams_embeddings.embedding_module.tok_embeddings",
     "language_model.embed_tokens", "decoder.tok_embeddings", "language_model.embed_tokens"),
    ("decoder.norm", "norm", "language_model.norm", "decoder.norm", "language_model.norm"),
)  # fmt: skip
_LAYER_PREFIX = {
    "encoder": ("encoder.layers.{i}.", _ENCODER + "transformer.layers.{i}.",
                "audio_tower.layers.{i}.", "encoder.transformer_layers.{i}.",
                "encoder.layers.{i}."),
    "decoder": ("decoder.layers.{i}.", "layers.{i}.", "language_model.layers.{i}.",
                "decoder.layers.{i}.", "language_model.layers.{i}."),
}  # fmt: skip
_ATTENTION = tuple(
    (f"attention.w{x}", f"attention.w{x}", f"self_attn.{x}_proj", f"attention.w{x}",
     f"attention.{x}_proj")
    for x in "qkvo"
)  # fmt: skip
_LAYER = {
    "encoder": (
        *_ATTENTION,
        ("attention_norm", "attention_norm", "self_attn_layer_norm", "attention_norm", "attn_norm"),
        ("ffn_norm", "ffn_norm", "final_layer_norm", "ffn_norm", "ffn_norm"),
        ("feed_forward.w1", "feed_forward.w1", "mlp.gate_proj", "feed_forward_w1", "mlp.gate_proj"),
        ("feed_forward.w2", "feed_forward.w2", "mlp.down_proj", "feed_forward_w2", "mlp.down_proj"),
        ("feed_forward.w3", "feed_forward.w3", "mlp.up_proj", "feed_forward_w3", "mlp.up_proj"),
    ),
    "decoder": (
        *_ATTENTION,
        ("attention_norm", "attention_norm", "input_layernorm", "attention_norm", "attn_norm"),
        ("ffn_norm", "ffn_norm", "post_attention_layernorm", "ffn_norm", "ffn_norm"),
        ("feed_forward.w1", "feed_forward.w1", "mlp.gate_proj", "feed_forward_w1", "mlp.gate_proj"),
        ("feed_forward.w2", "feed_forward.w2", "mlp.down_proj", "feed_forward_w2", "mlp.down_proj"),
        ("feed_forward.w3", "feed_forward.w3", "mlp.up_proj", "feed_forward_w3", "mlp.up_proj"),
        ("ada.0", "ada_rms_norm_t_cond.0", "ada_rms_norm.linear1", "ada_rms_norm_t_cond.ada_down",
         "ada_norm.linear_in"),
        ("ada.1", "ada_rms_norm_t_cond.2", "ada_rms_norm.linear2", "ada_rms_norm_t_cond.ada_up",
         "ada_norm.linear_out"),
    ),
}  # fmt: skip


def tidy(name: str, layout: str) -> str:
    """A file's tensor name without the prefixes that exporters add or change."""
    if layout == "native" and name.startswith("mm_whisper_embeddings."):
        return "mm_streams_embeddings.embedding_module." + name.partition(".")[2]
    if layout == "hf":
        name = name.removeprefix("model.")
        if name.startswith("language_model."):
            inner = name.removeprefix("language_model.").removeprefix("model.")
            return inner if inner.startswith("lm_head.") else "language_model." + inner
    return name


def is_spare(name: str) -> bool:
    """Whether a tensor may be there without being used: rotary tables that exporters leave."""
    return name.endswith("inv_freq")


def layout_of(names: Iterable[str]) -> str | None:
    """The layout that a checkpoint's tensor names show, or None."""
    marks = (
        ("native", ("mm_streams_embeddings.", "mm_whisper_embeddings.")),
        ("hf", ("audio_tower.", "model.audio_tower.")),
        ("mlx-audio", ("encoder.transformer_layers.",)),
        ("voxmlx", ("encoder.layers.", "adapter.")),
    )
    present = list(names)
    for layout, prefixes in marks:
        if any(name.startswith(prefixes) for name in present):
            return layout
    return None


def modules(spec: ModelSpec, layout: str) -> dict[str, str]:
    """Module names without suffix: ours -> the layout's."""
    column = 1 + LAYOUTS.index(layout)
    names = {row[0]: row[column] for row in _TABLE}
    for tower, layers in (("encoder", spec.encoder.layers), ("decoder", spec.decoder.layers)):
        ours, theirs = _LAYER_PREFIX[tower][0], _LAYER_PREFIX[tower][column]
        for i in range(layers):
            for row in _LAYER[tower]:
                names[ours.format(i=i) + row[0]] = theirs.format(i=i) + row[column]
    return names


def file_names(spec: ModelSpec, layout: str) -> dict[str, str]:
    """Tensor names of a 16 or 32 bit checkpoint: ours -> the layout's (after `tidy`)."""
    known = modules(spec, layout)
    names = {}
    for tensor in shapes(spec):
        module, _, suffix = tensor.rpartition(".")
        names[tensor] = f"{known[module]}.{suffix}"
    return names


def shapes(spec: ModelSpec) -> dict[str, tuple[int, ...]]:
    """Every tensor under our name, with the shape it has in the native and HF layouts."""
    enc, dec = spec.encoder, spec.decoder
    found: dict[str, tuple[int, ...]] = {
        "encoder.conv.0.weight": (enc.width, MEL_BINS, 3),
        "encoder.conv.0.bias": (enc.width,),
        "encoder.conv.1.weight": (enc.width, enc.width, 3),
        "encoder.conv.1.bias": (enc.width,),
        "encoder.norm.weight": (enc.width,),
        "adapter.0.weight": (dec.width, FRAMES_PER_ROW * enc.width),
        "adapter.1.weight": (dec.width, dec.width),
        "embedding.weight": (spec.vocab, dec.width),
        "decoder.norm.weight": (dec.width,),
    }
    for i in range(enc.layers):
        found |= _layer_shapes(f"encoder.layers.{i}.", enc)
    for i in range(dec.layers):
        prefix = f"decoder.layers.{i}."
        found |= _layer_shapes(prefix, dec)
        found[prefix + "ada.0.weight"] = (spec.delay_rank, dec.width)
        found[prefix + "ada.1.weight"] = (dec.width, spec.delay_rank)
    return found


def _layer_shapes(prefix: str, tower: Tower) -> dict[str, tuple[int, ...]]:
    width = tower.width
    found: dict[str, tuple[int, ...]] = {
        "attention.wq.weight": (tower.q_width, width),
        "attention.wk.weight": (tower.kv_width, width),
        "attention.wv.weight": (tower.kv_width, width),
        "attention.wo.weight": (width, tower.q_width),
        "attention_norm.weight": (width,),
        "ffn_norm.weight": (width,),
        "feed_forward.w1.weight": (tower.ffn, width),
        "feed_forward.w2.weight": (width, tower.ffn),
        "feed_forward.w3.weight": (tower.ffn, width),
    }
    if tower.biases:
        found |= {
            "attention.wq.bias": (tower.q_width,),
            "attention.wv.bias": (tower.kv_width,),
            "attention.wo.bias": (width,),
            "feed_forward.w2.bias": (width,),
        }
    return {prefix + name: shape for name, shape in found.items()}


def rotary_heads(name: str, spec: ModelSpec) -> tuple[int, int] | None:
    """(heads, head_dim) if the rows of this tensor (our name) are in rotary order, else None."""
    tower = spec.encoder if name.startswith("encoder.") else spec.decoder
    if ".attention.wq." in name:
        return tower.heads, tower.head_dim
    if ".attention.wk." in name:
        return tower.kv_heads, tower.head_dim
    return None


def halves_order(heads: int, head_dim: int) -> NDArray[np.int64]:
    """Row indices that turn native rows (pairs 2i, 2i+1 rotate together) into Hugging Face's
    (i and i + d/2): `hf = native[halves_order(...)]`. `argsort` of it goes the other way."""
    rows = np.arange(heads * head_dim).reshape(heads, head_dim // 2, 2)
    return rows.transpose(0, 2, 1).reshape(-1)

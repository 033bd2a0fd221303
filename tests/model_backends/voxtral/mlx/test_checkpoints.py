"""Four layouts, 16 to 4 bits, whole and sharded: loaded alike, and refused by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mlx.core", reason="MLX is not installed")

import mlx.core as mx

from model_backends.base import EngineError
from model_backends.voxtral.checkpoint.packed import open_checkpoint
from model_backends.voxtral.mlx.model import Dense, Layer, Network
from model_backends.voxtral.mlx.quant import Affine, SideBySide
from model_backends.voxtral.mlx.weights import load_network, network_from
from tests.model_backends.voxtral.mlx import layouts
from tests.model_backends.voxtral.mlx.conftest import load
from tests.model_backends.voxtral.mlx.forcing import forced_logits, speech_of
from tests.model_backends.voxtral.transcribing import TINY, clip, reference_ids, transcribe

IDS = [1] + [32] * 38 + [32, 33, 1271, 32, 33, 1265, 1267, 32, 32, 33, 1276] * 3
MLX_LAYOUTS = ("mlx-audio", "voxmlx")


def logits(net: Network) -> np.ndarray:
    speech = speech_of(net)
    made = forced_logits(speech, clip("aligned_end"), IDS[:56], 6, blocks=(8,))
    speech.close()
    return made


def network(folder: Path, bits: int | None = None) -> Network:
    return load_network(open_checkpoint(folder), mx.float32, bits, lambda fraction, what: None)


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("layout", ["native", "hf", *MLX_LAYOUTS])
def test_every_layout_holds_the_same_model(tmp_path: Path, layout: str, shards: int) -> None:
    spec, tensors = layouts.tiny()
    folder = layouts.write(tmp_path / "model", layout, spec, tensors, shards=shards)
    assert open_checkpoint(folder).layout == layout
    assert open_checkpoint(folder).spec == spec
    expected = {name: np.array(a) for name, a in named_arrays(network(TINY)).items()}
    for name, array in named_arrays(network(folder)).items():
        assert np.array_equal(np.array(array), expected[name]), name


@pytest.mark.parametrize("layout", ["hf", *MLX_LAYOUTS])
def test_every_layout_gives_the_reference_ids(tmp_path: Path, layout: str) -> None:
    spec, tensors = layouts.tiny()
    engine = load(layouts.write(tmp_path / "model", layout, spec, tensors))
    for name, delay in (("fast_mixed", 1), ("aligned_end", 30)):
        assert transcribe(engine, clip(name), delay).ids[0] == reference_ids(name, delay)
    heard = transcribe(engine, clip("join_00"), 6, pieces=10**9, realtime=False)
    assert heard.ids[0] == reference_ids("join_00", 6)
    engine.close()


@pytest.mark.parametrize("layout", MLX_LAYOUTS)
@pytest.mark.parametrize("bits", [8, 6, 4])
def test_packed_weights_equal_their_unpacked_twin(tmp_path: Path, layout: str, bits: int) -> None:
    """The same numbers, multiplied packed and unpacked: only rounding differs. What is packed is
    found by the scales alone: voxmlx packs the delay MLP's first half, mlx-audio does not."""
    spec, tensors = layouts.tiny()
    packs = layouts.everything if layout == "mlx-audio" else lambda name, tensor: tensor.ndim == 2
    folder = layouts.write(tmp_path / "m", layout, spec, tensors, bits, 32, packs)
    packed = network(folder)
    assert isinstance(packed.embedding, Affine)
    assert packed.embedding.bits == bits
    assert np.abs(logits(packed) - logits(unpacked(packed))).max() < 1e-4


def test_each_tensor_is_packed_or_not_by_its_own_scales(tmp_path: Path) -> None:
    """An older file: embedding and adapter in 16 bits, and one odd layer out."""
    spec, tensors = layouts.tiny()

    def packs(name: str, tensor: object) -> bool:
        odd = name in (
            "encoder.layers.1.attention.wk.weight",
            "decoder.layers.0.attention.wq.weight",
        )
        return layouts.not_the_embedding(name, tensor) and not odd  # type: ignore[arg-type]

    folder = layouts.write(tmp_path / "m", "mlx-audio", spec, tensors, 4, 32, packs)
    net = network(folder)
    assert isinstance(net.embedding, Dense)
    assert isinstance(net.encoder[0].wqkv, Affine)
    assert isinstance(net.encoder[1].wqkv, SideBySide)
    assert open_checkpoint(folder).bits == 4
    assert np.abs(logits(net) - logits(unpacked(net))).max() < 1e-4


@pytest.mark.parametrize(("bits", "most"), [(8, 0.02), (6, 0.1), (4, 0.4)])
def test_fewer_bits_cost_this_much(tmp_path: Path, bits: int, most: float) -> None:
    """Relative error of the logits against 16 bits, on the trained tiny model, groups of 32."""
    spec, tensors = layouts.tiny()
    folder = layouts.write(tmp_path / "m", "mlx-audio", spec, tensors, bits, 32)
    whole = logits(network(TINY))
    error = np.abs(logits(network(folder)) - whole).mean() / whole.std()
    assert most / 10 < error < most


def test_packing_while_loading_equals_packing_on_disk(tmp_path: Path) -> None:
    spec, tensors = layouts.tiny()
    whole = layouts.write(tmp_path / "whole", "native", spec, tensors)
    packed = layouts.write(tmp_path / "packed", "mlx-audio", spec, tensors, 6, 64)
    on_the_way = {n: np.array(a) for n, a in named_arrays(network(whole, bits=6)).items()}
    for name, array in named_arrays(network(packed)).items():
        same = np.allclose(np.array(array), on_the_way[name], rtol=1e-2, atol=1e-6)
        assert same, name


def test_what_is_refused_and_by_which_name(tmp_path: Path) -> None:
    spec, tensors = layouts.tiny()
    folder = layouts.write(tmp_path / "m", "mlx-audio", spec, tensors, 4, 32)
    file = folder / "model.safetensors"
    held = layouts.tensors_in(file)

    def refusal(changed: dict[str, mx.array], message: str) -> None:
        mx.save_safetensors(str(file), changed)
        with pytest.raises(EngineError, match=message):
            open_checkpoint(folder)

    name = "decoder.layers.2.attention.wk."
    refusal({k: v for k, v in held.items() if k != name + "biases"}, "wk.biases")
    refusal({k: v for k, v in held.items() if k != name + "weight"}, "wk.weight")
    refusal(held | {name + "scales": held[name + "scales"][:, :-1]}, "packed in a way")
    refusal(held | {name + "weight": held[name + "weight"][:-1]}, "shape")
    flat = "encoder.transformer_norm."  # never packed by anybody
    scales = {flat + "scales": held[name + "scales"], flat + "biases": held[name + "biases"]}
    refusal(held | scales | {flat + "weight": held[name + "weight"]}, "transformer_norm")
    refusal(held | {"decoder.layers.9.extra.weight": held[name + "scales"]}, "layers.9.extra")
    refusal(held | {"decoder.norm.weight": mx.zeros(spec.decoder.width, mx.int32)}, "I32")
    mx.save_safetensors(str(file), held)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(EngineError, match="cut short"):
        open_checkpoint(folder)


def test_a_config_that_leaves_out_its_defaults_is_understood(tmp_path: Path) -> None:
    spec, tensors = layouts.tiny()
    folder = layouts.write(tmp_path / "m", "mlx-audio", spec, tensors)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    for part in ("encoder_args", "decoder"):
        for key in ("rope_theta", "norm_eps"):
            del config[part][key]
    del config["encoder_args"]["audio_encoding_args"]
    (folder / "config.json").write_text(json.dumps(config))
    assert open_checkpoint(folder).spec == spec


def test_names_decide_the_layout_not_the_description(tmp_path: Path) -> None:
    """Some converters keep Hugging Face's config.json beside their own tensor names."""
    spec, tensors = layouts.tiny()
    folder = layouts.write(tmp_path / "m", "mlx-audio", spec, tensors, 4, 32)
    hf = layouts.write(tmp_path / "hf", "hf", spec, tensors)
    shutil.copy(hf / "config.json", folder)
    found = open_checkpoint(folder)
    assert (found.layout, found.spec, found.bits) == ("mlx-audio", spec, 4)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"decoder": None},
        {"encoder_args": {"downsample_factor": 3}},
        {"encoder_args": {"n_layers": "many"}},
        {"decoder": {"dim": -5}},
        {"decoder": {"head_dim": 10**9}},
    ],
)
def test_nonsense_in_the_description_is_refused(tmp_path: Path, nonsense: dict[str, Any]) -> None:
    spec, tensors = layouts.tiny()
    folder = layouts.write(tmp_path / "m", "mlx-audio", spec, tensors)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    for part, values in nonsense.items():
        config[part] = values if values is None else config[part] | values
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(EngineError):
        open_checkpoint(folder)


def test_an_output_head_must_equal_the_embedding(tmp_path: Path) -> None:
    spec, tensors = layouts.tiny()
    folder = layouts.write(tmp_path / "m", "hf", spec, tensors)
    file = folder / "model.safetensors"
    held = layouts.tensors_in(file)
    mx.save_safetensors(str(file), held | {"lm_head.weight": tensors["embedding.weight"]})
    network(folder)
    mx.save_safetensors(str(file), held | {"lm_head.weight": tensors["embedding.weight"] * 2})
    with pytest.raises(EngineError, match="lm_head"):
        network(folder)


def test_bits_that_a_packed_file_does_not_have_are_refused(tmp_path: Path) -> None:
    spec, tensors = layouts.tiny()
    folder = layouts.write(tmp_path / "m", "mlx-audio", spec, tensors, 4, 32)
    with pytest.raises(EngineError, match="4 bits, not 8"):
        load(folder, bits=8)
    engine = load(folder)
    assert "4 bits" in engine.model
    engine.close()


def named_arrays(net: Network) -> dict[str, object]:
    """Every array of a network, by its place."""
    return {f"array {i}": array for i, array in enumerate(net.arrays)}


def unpacked(net: Network) -> Network:
    """The same network with every packed weight multiplied out."""

    def dense(linear: object) -> object:
        if isinstance(linear, SideBySide):
            return SideBySide([dense(part) for part in linear.parts], linear.bias)  # type: ignore[misc]
        return linear.dense() if isinstance(linear, Affine) else linear

    def layer(held: Layer) -> Layer:
        linears = [dense(x) for x in (held.wqkv, held.wo, held.w13, held.w2)]
        return Layer(held.attention_norm, linears[0], linears[1], held.ffn_norm, *linears[2:])  # type: ignore[arg-type]

    return Network(
        spec=net.spec,
        conv=net.conv,
        encoder=[layer(held) for held in net.encoder],
        encoder_norm=net.encoder_norm,
        adapter=(dense(net.adapter[0]), dense(net.adapter[1])),  # type: ignore[arg-type]
        embedding=dense(net.embedding),  # type: ignore[arg-type]
        decoder=[layer(held) for held in net.decoder],
        decoder_norm=net.decoder_norm,
        ada=net.ada,
    )


def test_the_twins_differ_when_they_should() -> None:
    """The comparison above is not blind: another model gives other logits."""
    spec, tensors = layouts.tiny()
    changed = dict(tensors)
    changed["decoder.layers.3.attention.wv.weight"] = changed[
        "decoder.layers.2.attention.wv.weight"
    ]
    other = network_from(spec, lambda name: changed[name], mx.float32)
    assert np.abs(logits(other) - logits(network(TINY))).max() > 0.1

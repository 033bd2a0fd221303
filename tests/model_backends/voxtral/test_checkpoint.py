"""Checkpoints: sound ones are read, every other is refused by the name of what is wrong."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_backends.base import EngineError
from model_backends.voxtral.checkpoint import tensor_names
from model_backends.voxtral.checkpoint.folder import open_checkpoint, read_header, read_spec
from model_backends.voxtral.spec import PUBLISHED
from model_backends.voxtral.tekken import Tekken
from tests.model_backends.voxtral.transcribing import TINY

WEIGHTS = "consolidated.safetensors"
WQ = "layers.2.attention.wq.weight"
Header = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy to spoil."""
    copy = tmp_path / "model"
    copy.mkdir()
    for name in ("params.json", "tekken.json", WEIGHTS):
        shutil.copy(TINY / name, copy / name)
    return copy


def rewrite(file: Path, change: Callable[[Header], None]) -> None:
    """Change the header of a safetensors file and keep its bytes."""
    content = file.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])


def refused(folder: Path) -> str:
    with pytest.raises(EngineError) as error:
        open_checkpoint(folder)
    return error.value.message


def test_the_published_sizes_add_up() -> None:
    assert PUBLISHED.parameters == 4_429_679_360
    assert len(tensor_names.shapes(PUBLISHED)) == 711
    assert PUBLISHED.decoder.cache_values * 2 == 106_496  # bytes a position in 16 bits


def test_a_sound_folder(folder: Path, hf_folder: Path) -> None:
    native, converted = open_checkpoint(folder), open_checkpoint(hf_folder)
    assert (native.layout, converted.layout) == ("native", "hf")
    assert native.spec == converted.spec
    assert native.spec.parameters == 2_728_992
    assert native.size_bytes == converted.size_bytes == 2 * 2_728_992


@pytest.mark.parametrize("layout", tensor_names.LAYOUTS)
def test_every_tensor_has_one_name_in_every_layout(layout: str) -> None:
    found = tensor_names.file_names(PUBLISHED, layout)
    assert len(set(found.values())) == len(found) == 711
    assert tensor_names.layout_of(found.values()) == layout


def test_prefixes_that_exporters_change() -> None:
    for name in ("model.language_model.norm.weight", "language_model.model.norm.weight"):
        assert tensor_names.tidy(name, "hf") == "language_model.norm.weight"
    assert tensor_names.tidy("language_model.lm_head.weight", "hf") == "lm_head.weight"
    assert tensor_names.tidy("model.audio_tower.norm.weight", "hf") == "audio_tower.norm.weight"
    old = "mm_whisper_embeddings.tok_embeddings.weight"
    assert (
        tensor_names.tidy(old, "native")
        == tensor_names.file_names(PUBLISHED, "native")["embedding.weight"]
    )


def test_the_row_order_is_its_own_inverse_by_argsort() -> None:
    order = tensor_names.halves_order(3, 8)
    assert sorted(order) == list(range(24))
    assert list(order[:8]) == [0, 2, 4, 6, 1, 3, 5, 7]
    assert np.array_equal(order[np.argsort(order)], np.arange(24))


def test_an_older_prefix_is_read(folder: Path) -> None:
    def rename(header: Header) -> None:
        for name in list(header):
            new = name.replace("mm_streams_embeddings.embedding_module", "mm_whisper_embeddings")
            header[new] = header.pop(name)

    rewrite(folder / WEIGHTS, rename)
    assert open_checkpoint(folder).layout == "native"


def test_a_missing_tensor_is_named(folder: Path) -> None:
    rewrite(folder / WEIGHTS, lambda header: header.pop(WQ))
    assert WQ in refused(folder)


def test_a_strange_tensor_is_named(folder: Path) -> None:
    rewrite(folder / WEIGHTS, lambda h: h.__setitem__("backdoor.weight", h["norm.weight"]))
    assert "backdoor.weight" in refused(folder)


def test_a_mis_shaped_tensor_is_named(folder: Path) -> None:
    rewrite(folder / WEIGHTS, lambda header: header[WQ]["shape"].reverse())
    assert WQ in refused(folder)
    assert "[256, 160]" in refused(folder)


def test_a_tensor_of_a_strange_type_is_named(folder: Path) -> None:
    rewrite(folder / WEIGHTS, lambda header: header[WQ].__setitem__("dtype", "I16"))
    assert WQ in refused(folder)


def test_a_tensor_that_claims_more_than_its_place_is_named(folder: Path) -> None:
    def grow(header: Header) -> None:
        header[WQ]["data_offsets"][1] += 2

    rewrite(folder / WEIGHTS, grow)
    assert WQ in refused(folder)


@pytest.mark.parametrize("offsets", [[-2, 81918], [81920, 0], ["a", "b"], [1], [0.0, 81920.0]])
def test_an_impossible_place_is_named(folder: Path, offsets: list[Any]) -> None:
    rewrite(folder / WEIGHTS, lambda header: header[WQ].__setitem__("data_offsets", offsets))
    assert WQ in refused(folder)


@pytest.mark.parametrize("shape", [[float("inf"), 3], [256.0, 160], [True, 40960], [10**30] * 2])
def test_an_impossible_shape_is_named(folder: Path, shape: list[Any]) -> None:
    rewrite(folder / WEIGHTS, lambda header: header[WQ].__setitem__("shape", shape))
    assert WQ in refused(folder)


def test_tensors_that_share_bytes_are_named(folder: Path) -> None:
    w1, w3 = (WQ.replace("attention.wq", f"feed_forward.w{i}") for i in (1, 3))

    def overlap(header: Header) -> None:
        header[w3]["data_offsets"] = [at + 2 for at in header[w1]["data_offsets"]]

    rewrite(folder / WEIGHTS, overlap)
    assert w1 in refused(folder)
    assert w3 in refused(folder)


def test_bytes_that_no_tensor_claims_are_refused(folder: Path) -> None:
    last = max(read_header(folder / WEIGHTS), key=lambda entry: entry.end)
    with (folder / WEIGHTS).open("ab") as file:
        file.write(b"more")
    assert last.name in refused(folder)


def test_a_tensor_that_is_there_twice_is_named(folder: Path) -> None:
    shutil.copy(folder / WEIGHTS, folder / "consolidated-2.safetensors")
    assert "twice" in refused(folder)
    assert "consolidated-2" in refused(folder)


def test_a_header_with_one_name_twice_is_refused(folder: Path) -> None:
    def twice(header: Header) -> None:
        header["A"] = header["norm.weight"]

    rewrite(folder / WEIGHTS, twice)
    content = (folder / WEIGHTS).read_bytes().replace(b'"A":', b'"norm.weight":', 1)
    length = struct.unpack("<Q", content[:8])[0] + len("norm.weight") - 1
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", length) + content[8:])
    assert "norm.weight is there twice" in refused(folder)


@pytest.mark.parametrize("kind", ["folder", "dangling", "pipe"])
def test_weights_that_are_no_file_are_refused(folder: Path, kind: str) -> None:
    weights = folder / WEIGHTS
    weights.unlink()
    if kind == "folder":
        weights.mkdir()
    elif kind == "dangling":
        weights.symlink_to(folder / "nowhere")
    elif hasattr(os, "mkfifo"):
        os.mkfifo(weights)
    assert WEIGHTS in refused(folder)


@pytest.mark.parametrize("file", ["params.json", "tekken.json", WEIGHTS])
def test_a_description_nested_without_end_is_refused(folder: Path, file: str) -> None:
    nested = b"[" * 200_000
    length = struct.pack("<Q", len(nested)) if file == WEIGHTS else b""
    (folder / file).write_bytes(length + nested)
    with pytest.raises(EngineError, match=file):
        Tekken.load(open_checkpoint(folder).tokenizer, 1400)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(folder: Path, value: float) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors.torch import load_file, save_file

    from tests.model_backends.voxtral.conftest import load

    tensors = load_file(folder / WEIGHTS)
    tensors[WQ][3, 5] = value
    save_file(tensors, folder / WEIGHTS)
    with pytest.raises(EngineError, match=WQ):
        load(folder)


def test_what_the_tensor_library_refuses_is_a_sentence(folder: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from tests.model_backends.voxtral.conftest import load

    rewrite(folder / WEIGHTS, lambda header: header.__setitem__("__metadata__", {"format": 1}))
    with pytest.raises(EngineError, match=WEIGHTS):
        load(folder)


def test_a_file_cut_short_names_what_is_missing(folder: Path) -> None:
    entries = read_header(folder / WEIGHTS)
    last = max(entries, key=lambda entry: entry.end)
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:-10])
    assert last.name in refused(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 7, b"\xff" * 64, struct.pack("<Q", 4) + b"[1]]",
     struct.pack("<Q", 9) + b"{" * 9, pickle.dumps({"weights": [1, 2, 3]})],
)  # fmt: skip
def test_what_is_no_safetensors_file_is_refused(folder: Path, content: bytes) -> None:
    (folder / WEIGHTS).write_bytes(content)
    assert WEIGHTS in refused(folder)


def test_pickles_are_never_looked_at(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / "consolidated.pth").write_bytes(pickle.dumps(print))
    assert "no weights" in refused(folder)


def test_a_missing_vocabulary_is_named(folder: Path) -> None:
    (folder / "tekken.json").unlink()
    assert "tekken.json" in refused(folder)


def params_changed(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    params = json.loads((folder / "params.json").read_text())
    change(params)
    (folder / "params.json").write_text(json.dumps(params))


@pytest.mark.parametrize(
    ("key", "value"),
    [("n_layers", -1), ("dim", "wide"), ("sliding_window", None), ("vocab_size", 10**12),
     ("n_kv_heads", 3), ("rope_theta", "x"), ("norm_eps", None), ("n_layers", 4.7),
     ("n_layers", float("inf")), ("n_layers", True), ("norm_eps", float("nan")), ("dim", 65)],
)  # fmt: skip
def test_impossible_sizes_are_refused_before_memory_is_asked_for(
    folder: Path, key: str, value: object
) -> None:
    params_changed(folder, lambda params: params.__setitem__(key, value))
    with pytest.raises(EngineError):
        read_spec(folder)


def test_a_window_written_as_text_is_a_number(folder: Path) -> None:
    params_changed(folder, lambda params: params.__setitem__("sliding_window", "64"))
    assert read_spec(folder).decoder.window == 64


def test_another_model_of_mistral_is_refused(folder: Path) -> None:
    params_changed(folder, lambda params: params.pop("multimodal"))
    assert "not Voxtral Realtime" in refused(folder)


def test_another_model_of_hugging_face_is_refused_by_its_type(
    hf_folder: Path, tmp_path: Path
) -> None:
    config = json.loads((hf_folder / "config.json").read_text()) | {"model_type": "whisper"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert "whisper" in refused(tmp_path)


def test_other_audio_settings_are_refused(folder: Path) -> None:
    def change(params: dict[str, Any]) -> None:
        encoder = params["multimodal"]["whisper_model_args"]["encoder_args"]
        encoder["audio_encoding_args"]["hop_length"] = 320

    params_changed(folder, change)
    assert "hop_length" in refused(folder)


def test_an_index_may_not_point_outside_the_folder(folder: Path) -> None:
    index = {"weight_map": {WQ: "../elsewhere.safetensors"}}
    (folder / "consolidated.safetensors.index.json").write_text(json.dumps(index))
    assert "elsewhere" in refused(folder)


def test_a_head_that_differs_from_the_embedding_is_refused(folder: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors.torch import load_file, save_file

    from tests.model_backends.voxtral.conftest import hf_config, load

    native = load_file(folder / WEIGHTS)
    spec = read_spec(folder)
    files, converted = tensor_names.file_names(spec, "native"), {}
    for ours, theirs in tensor_names.file_names(spec, "hf").items():
        converted[theirs] = native[files[ours]].contiguous()
    converted["lm_head.weight"] = torch.zeros_like(converted["language_model.embed_tokens.weight"])
    (tmp_path / "config.json").write_text(json.dumps(hf_config()))
    shutil.copy(folder / "tekken.json", tmp_path)
    save_file(converted, tmp_path / "model.safetensors")
    with pytest.raises(EngineError, match="lm_head"):
        load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [lambda t: t.pop("vocab"), lambda t: t["special_tokens"].pop(32),
     lambda t: t["vocab"][7].__setitem__("token_bytes", "no base64!"),
     lambda t: t.__setitem__("audio", {"streaming_n_left_pad_tokens": 38}),
     lambda t: t.__setitem__("audio", {"sampling_rate": 8000}),
     lambda t: t["special_tokens"][32].__setitem__("rank", 10**9),
     lambda t: t["config"].__setitem__("default_num_special_tokens", 5000),
     lambda t: t["config"].__setitem__("default_num_special_tokens", -5)],
)  # fmt: skip
def test_a_spoilt_vocabulary_is_refused(folder: Path, change: Callable[[Any], Any]) -> None:
    content = json.loads((folder / "tekken.json").read_text())
    change(content)
    (folder / "tekken.json").write_text(json.dumps(content))
    with pytest.raises(EngineError):
        Tekken.load(folder / "tekken.json", 1400)


def test_ids_beyond_the_reachable_vocabulary_print_nothing() -> None:
    tokens = Tekken.load(TINY / "tekken.json", 1400)
    assert tokens.text(1256) == b" z"
    assert tokens.text(1399) != b""
    assert tokens.text(1400) == tokens.text(1409) == b""  # listed, but the model has no such id
    assert (tokens.bos, tokens.eos, tokens.pad, tokens.word) == (1, 2, 32, 33)

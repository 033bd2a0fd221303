"""Engines on the tiny model, loaded once; its Hugging Face twin, derived from the native one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import model_backends
from model_backends.base import LoadOptions
from model_backends.voxtral.engine import VoxtralEngine
from tests.model_backends.voxtral.transcribing import TINY


def load(folder: Path, **extra: object) -> VoxtralEngine:
    """The PyTorch engine in fp32 on the processor, unless told otherwise."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.set_num_threads(1)
    options = LoadOptions(str(folder), "cpu", folder, extra={"precision": "fp32", **extra})
    engine = model_backends.load("voxtral-torch", options, lambda fraction, what: None)
    assert isinstance(engine, VoxtralEngine)
    return engine


@pytest.fixture(scope="session")
def engine() -> VoxtralEngine:
    return load(TINY)


@pytest.fixture(scope="session")
def hf_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model in Hugging Face's layout: other names, q and k rows in halves order."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors.torch import load_file, save_file

    from model_backends.voxtral.checkpoint import tensor_names
    from model_backends.voxtral.checkpoint.folder import read_spec

    folder = tmp_path_factory.mktemp("tiny-hf")
    spec = read_spec(TINY)
    native = load_file(TINY / "consolidated.safetensors")
    ours_to_native = tensor_names.file_names(spec, "native")
    converted = {}
    for ours, theirs in tensor_names.file_names(spec, "hf").items():
        tensor = native[ours_to_native[ours]]
        heads = tensor_names.rotary_heads(ours, spec)
        if heads is not None:
            tensor = tensor[torch.from_numpy(tensor_names.halves_order(*heads))]
        converted[theirs] = tensor.contiguous()
    save_file(converted, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(hf_config()))
    shutil.copy(TINY / "tekken.json", folder)
    return folder


def hf_config() -> dict[str, object]:
    """config.json of the tiny model, from its params.json."""
    params = json.loads((TINY / "params.json").read_text("utf-8"))
    encoder = params["multimodal"]["whisper_model_args"]["encoder_args"]
    return {
        "model_type": "voxtral_realtime",
        "downsample_factor": 4,
        "hidden_size": params["dim"],
        "audio_config": _hf_tower(encoder) | {"num_mel_bins": 128},
        "text_config": _hf_tower(params) | {"num_key_value_heads": params["n_kv_heads"]},
    }


def _hf_tower(args: dict[str, object]) -> dict[str, object]:
    return {
        "num_hidden_layers": args["n_layers"],
        "hidden_size": args["dim"],
        "num_attention_heads": args["n_heads"],
        "head_dim": args["head_dim"],
        "intermediate_size": args["hidden_dim"],
        "sliding_window": args["sliding_window"],
        "rms_norm_eps": args["norm_eps"],
        "vocab_size": args["vocab_size"],
        "rope_parameters": {"rope_type": "default", "rope_theta": args["rope_theta"]},
    }

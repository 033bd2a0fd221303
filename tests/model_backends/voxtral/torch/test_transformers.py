"""The engine against transformers' own Voxtral Realtime on random weights, past both windows."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")
transformers = pytest.importorskip(
    "transformers", reason="transformers, the reference, is not installed"
)

import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from model_backends.base import Pcm  # noqa: E402
from model_backends.voxtral.checkpoint import tensor_names  # noqa: E402
from model_backends.voxtral.checkpoint.folder import read_spec  # noqa: E402
from model_backends.voxtral.reader import Reader  # noqa: E402
from model_backends.voxtral.schedule import SILENT_ROWS, Schedule  # noqa: E402
from model_backends.voxtral.torch.runner import ModelRunner  # noqa: E402
from tests.model_backends.voxtral.forcing import encode_all, forced_logits, load_speech  # noqa: E402
from tests.model_backends.voxtral.transcribing import TINY  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

DELAYS = (1, 6, 30)
VOCAB = 1500
ROPE = {"rope_type": "default", "rope_theta": 1e6}
AUDIO = {
    "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2, "head_dim": 24,
    "num_attention_heads": 4, "num_mel_bins": 128, "sliding_window": 24, "rms_norm_eps": 1e-5,
    "max_position_embeddings": 1500, "rope_parameters": ROPE,
}  # fmt: skip
TEXT = {
    "vocab_size": VOCAB, "hidden_size": 96, "intermediate_size": 224, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "sliding_window": 40,
    "rms_norm_eps": 1e-5, "max_position_embeddings": 131072, "tie_word_embeddings": True,
    "rope_parameters": ROPE,
}  # fmt: skip


@dataclass
class Reference:
    """What transformers gives for one delay: all ids, and the logits of the generated ones."""

    ids: list[int]
    logits: torch.Tensor


def sound() -> Pcm:
    """Eight seconds that are never the same: a chirp that comes and goes, and noise."""
    t = np.arange(8 * 16_000) / 16_000
    tone = 0.3 * np.sin(2 * np.pi * (200 + 300 * t) * t) * (np.sin(3 * t) > 0)
    noise = 0.01 * np.random.default_rng(0).standard_normal(len(t))
    return (tone + noise).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> object:
    """Random weights large enough to show a mistake (the class's own are too small)."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = transformers.VoxtralRealtimeConfig(audio_config=AUDIO, text_config=TEXT)
    model = transformers.VoxtralRealtimeForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn_like(weight)
            if weight.dim() > 1:
                weight.copy_(noise * (2.0 / weight[0].numel()) ** 0.5)
            else:
                weight.copy_(1 + 0.3 * noise if "norm" in name else 0.2 * noise)
        model.model.language_model.embed_tokens.weight.copy_(0.3 * torch.randn(VOCAB, 96))
    model.tie_weights()
    return model


@pytest.fixture(scope="module")
def references(model: object) -> dict[int, Reference]:
    return {delay: generate(model, delay) for delay in DELAYS}


def generate(model: object, delay: int) -> Reference:
    extractor = transformers.VoxtralRealtimeFeatureExtractor()
    pcm, schedule = sound(), Schedule(delay)
    padded = np.zeros(schedule.rows(len(pcm)) * 1280, np.float32)
    padded[32 * 1280 :][: len(pcm)] = pcm
    features = extractor(padded, sampling_rate=16_000, return_tensors="pt")["input_features"]
    with torch.no_grad():
        made = model.generate(  # type: ignore[attr-defined]
            input_ids=torch.tensor([[1] + [32] * (32 + delay)]),
            input_features=features,
            num_delay_tokens=delay,
            do_sample=False,
            eos_token_id=None,
            return_dict_in_generate=True,
            output_logits=True,
        )
    return Reference(made.sequences[0].tolist(), torch.cat(made.logits))


@pytest.fixture(scope="module", params=["hf", "hf-runtime", "hf-sharded", "native"])
def folder(request: pytest.FixtureRequest, model: object, tmp_path_factory: object) -> Path:
    """The same weights as each exporter would write them."""
    folder: Path = tmp_path_factory.mktemp(request.param)  # type: ignore[attr-defined]
    shutil.copy(TINY / "tekken.json", folder)
    state = {k: v.contiguous().clone() for k, v in model.state_dict().items()}  # type: ignore[attr-defined]
    (folder / "config.json").write_text(json.dumps(model.config.to_dict()))  # type: ignore[attr-defined]
    if request.param == "native":
        write_native(folder, state)
    elif request.param == "hf-runtime":  # as named in memory, output head included
        save_file(state, folder / "model.safetensors")
    elif request.param == "hf-sharded":
        write_shards(folder, {k.removeprefix("model."): v for k, v in state.items()})
    else:
        model.save_pretrained(folder)  # type: ignore[attr-defined]
    return folder


def write_native(folder: Path, state: dict[str, torch.Tensor]) -> None:
    spec = read_spec(folder)
    tidied = {tensor_names.tidy(name, "hf"): tensor for name, tensor in state.items()}
    native = tensor_names.file_names(spec, "native")
    written = {}
    for ours, theirs in tensor_names.file_names(spec, "hf").items():
        tensor, heads = tidied[theirs], tensor_names.rotary_heads(ours, spec)
        if heads is not None:
            count, size = heads
            rest = tensor.shape[1:]
            tensor = tensor.view(count, 2, size // 2, *rest).transpose(1, 2).reshape(tensor.shape)
        written[native[ours]] = tensor.contiguous()
    (folder / "config.json").unlink()
    (folder / "params.json").write_text(json.dumps(native_params()))
    save_file(written, folder / "consolidated.safetensors")


def native_params() -> dict[str, object]:
    def tower(args: dict[str, object]) -> dict[str, object]:
        return {
            "dim": args["hidden_size"], "n_layers": args["num_hidden_layers"],
            "head_dim": args["head_dim"], "hidden_dim": args["intermediate_size"],
            "n_heads": args["num_attention_heads"],
            "n_kv_heads": args.get("num_key_value_heads", args["num_attention_heads"]),
            "rope_theta": 1e6, "norm_eps": 1e-5, "sliding_window": str(args["sliding_window"]),
        }  # fmt: skip

    params: dict[str, Any] = json.loads((TINY / "params.json").read_text("utf-8"))
    whisper = params["multimodal"]["whisper_model_args"]
    whisper["encoder_args"] |= tower(AUDIO)
    return params | tower(TEXT) | {"vocab_size": VOCAB}


def write_shards(folder: Path, state: dict[str, torch.Tensor]) -> None:
    """Two files and an index; the tied head is left out, as is usual."""
    kept = sorted(name for name in state if "lm_head" not in name)
    shards = {"model-00001-of-00002.safetensors": kept[::2],
              "model-00002-of-00002.safetensors": kept[1::2]}  # fmt: skip
    for file, members in shards.items():
        save_file({name: state[name] for name in members}, folder / file)
    index = {name: file for file, members in shards.items() for name in members}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))


def test_every_layout_gives_the_same_logits_past_both_windows(
    folder: Path, references: dict[int, Reference]
) -> None:
    speech = load_speech(folder)
    for delay, reference in references.items():
        assert len(reference.ids) > 3 * 40, "the stream must be longer than the windows"
        for blocks in ((1,), (2, 7, 1, 16)):
            logits = forced_logits(speech, sound(), reference.ids, delay, blocks)
            generated = logits[Schedule(delay).prompt_positions - 1 - SILENT_ROWS : -1]
            assert float((generated - reference.logits).abs().max()) < 1e-4


@pytest.mark.parametrize("draft", [False, True])
def test_a_reader_gives_the_same_ids(
    folder: Path, references: dict[int, Reference], draft: bool
) -> None:
    """Live steps, and drafts that are nearly always wrong: random weights seldom say [P]."""
    speech = load_speech(folder)
    for delay, reference in references.items():
        assert 2 not in reference.ids, "</s> is barred in the engine"
        assert read(speech, delay, draft) == reference.ids[Schedule(delay).prompt_positions :]


def read(speech: ModelRunner, delay: int, draft: bool) -> list[int]:
    source, rows = encode_all(speech, sound(), delay, (1, 3))
    slot = speech.open_decoder(delay)
    reader = Reader(speech._tokens, slot, source, delay, draft=draft)
    reader.ids = []
    while (work := reader.work(rows, rows - 2)) is not None:  # the reference leaves out the last
        reader.take(work, speech.decode([work])[0])
    speech.close_decoder(slot)
    speech.close_encoder(source)
    return reader.ids

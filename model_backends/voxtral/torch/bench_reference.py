"""Transformers' own Voxtral Realtime on the same tensors, stepped beside ours. For the benchmark.

`generate()` in streaming mode pulls one chunk of mel per 80 ms from a generator; the time between
two pulls is its step. Between blocks of its steps the generator runs ours, so that both meet the
same state of the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model_backends.voxtral.checkpoint import tensor_names
from model_backends.voxtral.mel import CONTEXT_FRAMES, MelStream
from model_backends.voxtral.schedule import LEFT_PAD_ROWS
from model_backends.voxtral.spec import MEL_PER_ROW, ModelSpec, Tower

_PAD = 32


def reference_model(spec: ModelSpec, tensors: dict[str, Tensor]) -> Any:
    """A VoxtralRealtimeForConditionalGeneration that holds copies of `tensors` (native order)."""
    import transformers

    like = tensors["decoder.norm.weight"]
    config = transformers.VoxtralRealtimeConfig(
        audio_config=_tower(spec.encoder) | {"num_mel_bins": 128, "max_position_embeddings": 1500},
        text_config=_tower(spec.decoder)
        | {
            "num_key_value_heads": spec.decoder.kv_heads,
            "vocab_size": spec.vocab,
            "max_position_embeddings": 131_072,
            "tie_word_embeddings": True,
        },
    )
    with torch.device(like.device):
        model: Any = transformers.VoxtralRealtimeForConditionalGeneration(config)
    model = model.to(like.dtype).eval()
    state = {"model." + theirs: _in_halves(tensors[ours], ours, spec) for ours, theirs in
             tensor_names.file_names(spec, "hf").items()}  # fmt: skip
    missing = model.load_state_dict(state, strict=False)
    unknown = [name for name in missing.missing_keys if "lm_head" not in name]
    if unknown or missing.unexpected_keys:
        raise RuntimeError(f"transformers names its tensors otherwise: {unknown}")
    model.tie_weights()
    return model


def _in_halves(tensor: Tensor, name: str, spec: ModelSpec) -> Tensor:
    """q and k rows in transformers' own order."""
    heads = tensor_names.rotary_heads(name, spec)
    return tensor if heads is None else tensor[tensor_names.halves_order(*heads)]


def _tower(tower: Tower) -> dict[str, Any]:
    return {
        "hidden_size": tower.width,
        "intermediate_size": tower.ffn,
        "num_hidden_layers": tower.layers,
        "num_attention_heads": tower.heads,
        "head_dim": tower.head_dim,
        "sliding_window": tower.window,
        "rms_norm_eps": tower.norm_eps,
        "rope_parameters": {"rope_type": "default", "rope_theta": tower.rope_theta},
    }


class ReferenceRun:
    """One streaming generation: a prompt that fills the context, then single steps."""

    def __init__(self, model: Any, delay: int, context: int, audio: NDArray[np.float32]) -> None:
        """`audio` starts with the first sample after the left padding."""
        self._model, self._delay, self._context = model, delay, context
        self._mel = MelStream(first_row=0)
        self._mel.push(audio)
        self.step_ms: list[float] = []
        self.worked_ms: list[float] = []  # of all processors
        self.ids: list[int] = []

    def run(self, blocks: int, steps: int, between: Callable[[], None]) -> None:
        """`blocks` times: `steps` steps of transformers, then `between()`."""
        like = next(self._model.parameters())
        prompt = torch.full((1, self._context), _PAD, device=like.device)
        prompt[0, 0] = 1
        with torch.no_grad():
            made = self._model.generate(
                input_ids=prompt,
                input_features=self._chunks(blocks, steps, between),
                num_delay_tokens=self._delay,
                do_sample=False,
                eos_token_id=None,
            )
        self.ids = made[0, self._context :].tolist()

    def _chunks(self, blocks: int, steps: int, between: Callable[[], None]) -> Iterator[Tensor]:
        yield self._features(self._context)
        for _ in range(2):  # warm-up
            yield self._features(1)
        for _ in range(blocks):
            between()
            for _ in range(steps):
                features = self._features(1)
                self._wait()
                start, worked = time.perf_counter(), time.process_time()
                yield features
                self._wait()
                self.step_ms.append(1000 * (time.perf_counter() - start))
                self.worked_ms.append(1000 * (time.process_time() - worked))

    def _features(self, rows: int) -> Tensor:
        like = next(self._model.parameters())
        frames = self._mel.take(rows)[CONTEXT_FRAMES:]
        assert len(frames) == MEL_PER_ROW * rows
        return torch.from_numpy(frames.T.copy())[None].to(like.device, like.dtype)

    def _wait(self) -> None:
        if next(self._model.parameters()).is_cuda:
            torch.cuda.synchronize()


def prompt_positions(delay: int) -> int:
    """The shortest context: the prompt of a fresh stream."""
    return 1 + LEFT_PAD_ROWS + delay

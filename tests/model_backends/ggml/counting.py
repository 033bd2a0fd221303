"""A tiny Nemotron that was put together by hand: it counts. When sound sets in it says the next
number from zero on, in two pieces, the second when the sound stops; after nine it is silent for
good, as the real one is said to become. A test tool; needs PyPI's `gguf`.

    front      the mean of the mel bands, compared with a threshold: every frame becomes +v or -v,
               and the layers' norms make that +1 or -1, whatever the loudness
    layers     attention, feed-forward and convolution with outputs of zero
    predictor  an LSTM that remembers one thing, the token before (each its own unit)
    joint      one unit for each step: "the token before was k, and there is (no) sound"
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_backends.ggml import parakeet_layout
from model_backends.ggml.parakeet_layout import Shape, Words

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TAG = "<de-DE>"  # said after "one", to tell a language
_PIECES = [piece for n in NUMBERS for piece in ("▁" + n[:2], n[2:] or "'")]
_WIDTH, _HIDDEN = 8, 32
SHAPE = Shape(2, _WIDTH, 2, 16, 4, _HIDDEN, 1, 56, (13, 6, 3, 0), 4, 2 * _WIDTH)
WORDS = Words(
    "nemotron-3.5-asr-streaming-0.6b",
    [*_PIECES, TAG],
    ["en-US", "de-DE", "fr-FR"],
    [("en-US", 0), ("de-DE", 1), ("fr-FR", 2), ("auto", 3)],
    auto=3,
)
_THRESHOLD = -8.0  # of the mean of the mel bands, natural logarithms
_FLOOR = 17.0  # what digital silence is below zero
_SURE = 8.0


def write(path: Path, cyclic: bool = False, streams: bool = True) -> None:
    """The whole file. `cyclic`: zero follows on nine. Without `streams` it hears files only."""
    shape = replace(SHAPE, streams=streams)
    tensors = _front(shape) | _predictor() | _joint(_steps(cyclic)) | _prompt()

    def give(name: str, kind: str, size: tuple[int, ...]) -> NDArray[Any]:
        values = tensors.get(name)
        if values is None:
            values = np.ones(size) if _is_scale(name) else np.zeros(size)
        return np.ascontiguousarray(values.reshape(size), np.float32)

    parakeet_layout.write(path, shape, WORDS, give, lambda name, size: "f32")


def _is_scale(name: str) -> bool:
    return name.endswith(".weight") and (".norm_" in name or ".bn." in name)


def _front(shape: Shape) -> dict[str, NDArray[Any]]:
    channels, width = shape.channels, shape.width
    mean = np.zeros((channels, 1, 3, 3))
    mean[0] = 1 / 9
    first = np.zeros((channels, channels, 1, 1))
    first[0, 0] = 1
    bias = np.zeros(channels)
    bias[0] = _FLOOR
    places = shape.front_width // channels
    signs = np.resize([1.0, -1.0], width)
    out = np.zeros((width, channels, places))
    out[:, 0] = signs[:, None] / places
    made = {f"enc.pre_encode.conv.{n}.weight": mean for n in (0, 2, 5)}
    made |= {f"enc.pre_encode.conv.{n}.weight": first for n in (3, 6)}
    return made | {
        "enc.pre_encode.conv.0.bias": bias,
        "enc.pre_encode.out.weight": out,
        "enc.pre_encode.out.bias": -signs * (_FLOOR + _THRESHOLD),
    }


def _predictor() -> dict[str, NDArray[Any]]:
    """Input and output gates open, the forget gate shut, the token before into the cell."""
    zeros = np.zeros(_HIDDEN)
    wide = np.zeros((4 * _HIDDEN, _HIDDEN))
    wide[2 * _HIDDEN : 3 * _HIDDEN] = 10 * np.eye(_HIDDEN)
    tokens = len(WORDS.pieces)
    return {
        "pred.embed.weight": np.eye(tokens + 1, _HIDDEN)
        * (np.arange(tokens + 1) < tokens)[:, None],
        "pred.lstm.0.Wx": wide,
        "pred.lstm.0.bias": np.concatenate([zeros + 20, zeros - 20, zeros, zeros + 20]),
    }


def _steps(cyclic: bool) -> list[tuple[int | None, int, bool]]:
    """(token before, token, with sound). None: nothing has been said."""
    tag = len(_PIECES)
    steps: list[tuple[int | None, int, bool]] = [(None, 0, True)]
    for number in range(len(NUMBERS)):
        begun, ended = 2 * number, 2 * number + 1
        steps.append((begun, ended, False))
        after = ended
        if number == 1:
            steps.append((ended, tag, False))
            after = tag
        if number + 1 < len(NUMBERS):
            steps.append((after, begun + 2, True))
        elif cyclic:
            steps.append((after, 0, True))
    return steps


def _joint(steps: list[tuple[int | None, int, bool]]) -> dict[str, NDArray[Any]]:
    tokens = len(WORDS.pieces)
    enc, pred = np.zeros((_HIDDEN, _WIDTH)), np.zeros((_HIDDEN, _HIDDEN))
    bias, out = np.zeros(_HIDDEN), np.zeros((tokens + 1, _HIDDEN))
    said = 1 / np.tanh(1.0)  # a remembered token is tanh(1)
    for unit, (before, token, sound) in enumerate(steps):
        enc[unit, 0] = _SURE if sound else -_SURE
        if before is None:
            pred[unit] = -2 * _SURE * said
            bias[unit] = -_SURE / 2
        else:
            pred[unit, before] = _SURE * said
            bias[unit] = -1.5 * _SURE
        out[token, unit] = 1
    logits = np.zeros(tokens + 1)
    logits[-1] = _SURE / 8
    return {"joint.enc.weight": enc, "joint.pred.weight": pred, "joint.enc.bias": bias,
            "joint.out.weight": out, "joint.out.bias": logits}  # fmt: skip


def _prompt() -> dict[str, NDArray[Any]]:
    """Passes a frame on as it is, whatever the language."""
    both = np.vstack([np.eye(_WIDTH), -np.eye(_WIDTH)])
    into = np.hstack([both, np.zeros((2 * _WIDTH, SHAPE.prompts))])
    return {"prompt.mlp.0.weight": into, "prompt.mlp.2.weight": both.T}

"""The last thing a step does: which id is said, how far ahead and how probable it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from model_backends.voxtral.speech_model import BONUS_REACH

PAD, EOS, VOCAB = 5, 2, 40
Said = tuple[int, float, float]
Choose = Callable[..., list[Said]]  # (logits (T, vocab), bias, ids with a bonus, bonuses)


def by_torch(logits: NDArray[np.float32], bias: float, *lift: list[float]) -> list[Said]:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from model_backends.voxtral.torch.model import choose

    bonuses = (torch.tensor([lift[0]]), torch.tensor([lift[1]])) if lift else None
    biases = torch.full((1, len(logits)), bias)
    found = choose(torch.from_numpy(logits)[None], biases, PAD, EOS, bonuses)[0].tolist()
    return [(int(token), gap, logprob) for token, gap, logprob in found]


def by_mlx(logits: NDArray[np.float32], bias: float, *lift: list[float]) -> list[Said]:
    mx = pytest.importorskip("mlx.core", reason="MLX is not installed")
    from model_backends.voxtral.mlx.model import choose

    bonuses = (mx.array([lift[0]]), mx.array([lift[1]])) if lift else None
    biases = mx.full((1, len(logits)), bias)
    found = np.array(choose(mx.array(logits)[None], biases, PAD, EOS, bonuses)[0]).tolist()
    return [(int(token), gap, logprob) for token, gap, logprob in found]


@pytest.fixture(params=[by_torch, by_mlx], ids=["torch", "mlx"])
def choose(request: pytest.FixtureRequest) -> Iterator[Choose]:
    yield request.param


def logits(**given: float) -> NDArray[np.float32]:
    """Logits (1, VOCAB): noise around -9, and ids given as i7=2.5."""
    row = np.random.default_rng(0).normal(-9, 1, (1, VOCAB)).astype(np.float32)
    for name, value in given.items():
        row[0, int(name[1:])] = value
    return row


def logprob(row: NDArray[np.float32], token: int) -> float:
    return float(row[0, token]) - math.log(np.exp(row[0].astype(float)).sum())


def test_the_best_id_its_gap_and_its_probability(choose: Choose) -> None:
    rows = np.concatenate([logits(i7=3.0, i9=1.0), logits(i5=4.0, i7=3.5)])
    first, second = choose(rows, 0.0)
    assert first == pytest.approx((7, 2.0, logprob(rows[:1], 7)), abs=1e-5)
    assert second == pytest.approx((PAD, 0.5, logprob(rows[1:], PAD)), abs=1e-5)


def test_the_end_is_never_said_and_shows_in_the_gap(choose: Choose) -> None:
    row = logits(i2=6.0, i7=3.0, i9=1.0)
    assert choose(row, 0.0)[0] == pytest.approx((7, -3.0, logprob(row, 7)), abs=1e-5)


def test_a_bias_takes_from_silence_only_and_not_from_the_numbers(choose: Choose) -> None:
    row = logits(i5=6.0, i7=3.0)
    assert choose(row, -2.0)[0] == pytest.approx((PAD, 3.0, logprob(row, PAD)), abs=1e-5)
    assert choose(row, -4.0)[0] == pytest.approx((7, -3.0, logprob(row, 7)), abs=1e-5)


def test_a_bonus_lifts_what_is_within_reach(choose: Choose) -> None:
    near, far = 6.0 - BONUS_REACH + 0.1, 6.0 - BONUS_REACH - 0.1
    for logit, wins in ((near, True), (far, False)):
        row = logits(i7=6.0, i30=logit)
        token, gap, _ = choose(row, 0.0, [30, 0, 0], [5.0, 0.0, 0.0])[0]
        assert token == (30 if wins else 7)
        assert gap == pytest.approx(logit - 6.0 if wins else 6.0 - logit, abs=1e-5)


def test_a_bonus_that_is_too_small_or_nobodys_changes_nothing(choose: Choose) -> None:
    row = logits(i7=6.0, i30=3.0)
    assert choose(row, 0.0, [30, 0], [2.5, 0.0]) == choose(row, 0.0, [0, 0], [0.0, 0.0])
    assert choose(row, 0.0, [30, 0], [2.5, 0.0])[0][0] == 7

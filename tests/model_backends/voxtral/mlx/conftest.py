"""The MLX engine on the tiny model, loaded once; the same weights in MLX's own layouts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import model_backends
from model_backends.base import LoadOptions
from model_backends.voxtral.engine import VoxtralEngine
from tests.model_backends.voxtral.transcribing import TINY


def load(folder: Path, **extra: object) -> VoxtralEngine:
    """The MLX engine, in fp32 unless told otherwise."""
    pytest.importorskip("mlx.core", reason="MLX is not installed")
    options = LoadOptions(str(folder), None, folder, extra={"precision": "fp32", **extra})
    engine = model_backends.load("voxtral-mlx", options, lambda fraction, what: None)
    assert isinstance(engine, VoxtralEngine)
    return engine


@pytest.fixture(scope="session")
def engine() -> Iterator[VoxtralEngine]:
    engine = load(TINY)
    yield engine
    engine.close()

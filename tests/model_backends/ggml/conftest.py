"""Model files made once: the tiny Voxtral, and the Nemotron that counts."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.model_backends.voxtral.transcribing import TINY


def needed() -> None:
    """Skip where the library, or what writes its files, is not installed."""
    for package in ("transcribe_cpp", "gguf"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed; `./test` installs it")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needed()
    pytest.importorskip("torch", reason="PyTorch is not installed: the checkpoint is in bf16")
    from tests.model_backends.ggml.convert import convert

    file = tmp_path_factory.mktemp("tiny-gguf") / "tiny-voxtral.gguf"
    convert(TINY, file)
    return file


@pytest.fixture(scope="session")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Falls silent after “nine”."""
    return _counting(tmp_path_factory, cyclic=False)


@pytest.fixture(scope="session")
def cyclic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Begins anew after “nine”."""
    return _counting(tmp_path_factory, cyclic=True)


@pytest.fixture(scope="session")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for files: it does not stream."""
    return _counting(tmp_path_factory, cyclic=True, streams=False)


def _counting(factory: pytest.TempPathFactory, cyclic: bool, streams: bool = True) -> Path:
    needed()
    from tests.model_backends.ggml import counting as model

    file = factory.mktemp("counting") / "counting.gguf"
    model.write(file, cyclic, streams)
    return file

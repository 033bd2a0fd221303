"""The processor engine on the tiny model, packed and loaded once; its library, built if need be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import model_backends
from model_backends.base import LoadOptions
from model_backends.voxtral.cpu import build
from model_backends.voxtral.engine import VoxtralEngine
from tests.model_backends.voxtral.transcribing import TINY


def need_library() -> None:
    """Builds the library into the checkout, or skips."""
    if build.find_library() is None:
        folder = build.checkout_folder()
        if folder is None or build.find_compiler() is None:
            pytest.skip("the processor engine is not built and there is no C compiler")
        build.build(folder)


@pytest.fixture(scope="session", autouse=True)
def _library() -> None:
    need_library()


def load(folder: Path, **extra: object) -> VoxtralEngine:
    """The processor engine on one thread unless told otherwise, whatever this computer's speed."""
    options = LoadOptions(str(folder), None, folder, realtime=False, extra={"threads": 1, **extra})
    engine = model_backends.load("voxtral-cpu", options, lambda fraction, what: None)
    assert isinstance(engine, VoxtralEngine)
    return engine


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, converted."""
    from model_backends.voxtral.cpu.convert import convert

    folder = tmp_path_factory.mktemp("packed") / "tiny"
    convert(TINY, folder, lambda fraction, what: None)
    return folder


@pytest.fixture(scope="session")
def engine(packed: Path) -> Iterator[VoxtralEngine]:
    engine = load(packed)
    yield engine
    engine.close()

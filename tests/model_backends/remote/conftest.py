"""Servers to speak to: the stand-in, and on request a genuine vLLM.

`VOXLINE_VLLM_PYTHON` names an interpreter with vLLM for processors (0.32), `VOXLINE_VLLM_MODEL` the
tiny checkpoint that says one sentence; `VOXLINE_VLLM_URL` one that is running already, with the key
and length below.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from app.measure.genuine import Genuine
from app.measure.stand_in import StandIn
from model_backends.base import LoadOptions
from model_backends.remote import engine as remote
from model_backends.remote import probe, voice
from model_backends.remote.addresses import read
from model_backends.remote.keys import VARIABLE

KEY = "sk-test-key"
LENGTH = 512  # of the model, in tokens: 38 s

Load: TypeAlias = Callable[..., remote.RemoteEngine]


@dataclass(frozen=True, slots=True)
class Running:
    """A server that waits for connections, with a key and a short model."""

    url: str
    key: str = KEY
    length: int = LENGTH


@pytest.fixture(scope="session")
def vllm() -> Iterator[Running]:
    """A genuine server: minutes to start."""
    if url := os.environ.get("VOXLINE_VLLM_URL"):
        yield Running(url)
        return
    python, model = (os.environ.get(f"VOXLINE_VLLM_{name}") for name in ("PYTHON", "MODEL"))
    if not (python and model):
        pytest.skip("needs VOXLINE_VLLM_PYTHON and VOXLINE_VLLM_MODEL, or VOXLINE_VLLM_URL")
    running = Genuine(python, Path(model), length=LENGTH, streams=4, key=KEY)
    try:
        running.wait()
        yield Running(running.url)
    finally:
        running.close()


@pytest.fixture
def stand_in() -> Iterator[Running]:
    with StandIn(key=KEY, max_model_len=LENGTH) as server:
        yield Running(server.url)


@pytest.fixture(params=["stand_in", pytest.param("vllm", marks=pytest.mark.real_vllm)])
def server(request: pytest.FixtureRequest) -> Running:
    """Each of them in turn: what holds of one must hold of the other."""
    running: Running = request.getfixturevalue(request.param)
    return running


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads the engine for a server, agreed to; closes it afterwards. A server of this computer
    answers, however busy that is, and none is given up for its silence."""
    engines = []
    for name in ("_SLOW_S", "_DEAD_S", "_OPENING_S"):
        monkeypatch.setattr(voice, name, 60.0)
    for name in ("_ALONE_S", "_AMONG_S"):
        monkeypatch.setattr(remote, name, 60.0)
    for name in ("_TIMEOUT_S", "PATIENCE_S"):
        monkeypatch.setattr(probe, name, 60.0)

    def load(*urls: str, key: str = KEY, model: str | None = None, **server: Any) -> Any:
        monkeypatch.setenv(VARIABLE, key)
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        asked = {
            "urls": list(urls),
            "agreed": [read(url).host for url in urls],
            "key_file": str(tmp_path / "keys.json"),
        }
        options = LoadOptions(model, None, tmp_path, extra={"server": asked | server})
        engines.append(remote.load(options, lambda fraction, text: None))
        return engines[-1]

    yield load
    for engine in engines:
        engine.close()

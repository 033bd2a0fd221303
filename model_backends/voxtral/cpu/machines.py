"""What to expect of the processor engine where: a step's bytes over a memory's speed.

    python -m model_backends.voxtral.cpu.machines

prints the computed table of `resources/benchmarks/voxtral/cpu-int4.md`. `row` is the line that
`voxline bench --engine voxtral-cpu` ends with, for the table of computers people have measured.
Knows sizes and nominal speeds; loads nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

from model_backends.voxtral.cpu.packed_file import packed_tensors
from model_backends.voxtral.schedule import ROW_MS
from model_backends.voxtral.spec import FRAMES_PER_ROW, PUBLISHED, ModelSpec

REACHED = 0.75  # of the nominal speed, taken for the computed table
MEMORIES = {  # nominal GB/s
    "DDR4-3200, two channels": 51.2,
    "DDR5-5600, two channels": 89.6,
    "LPDDR5X-7500, 128 bit": 120.0,
    "LPDDR5X-8533, 256 bit": 273.0,
}
CONTEXTS = (64, 1024, 8192)
_SHORT_WINDOW = 2048


class Measured(Protocol):
    """What `row` needs of a `bench.Result`."""

    @property
    def machine(self) -> str: ...
    @property
    def kernels(self) -> str: ...
    @property
    def threads(self) -> int: ...
    @property
    def context(self) -> int: ...
    @property
    def step_p50_ms(self) -> float: ...
    @property
    def read_gb_s(self) -> float: ...
    @property
    def share_of_floor(self) -> float: ...


def encoder_bytes(spec: ModelSpec, context: int, kv_bits: int) -> int:
    """What the encoder's and the adapter's part of a step reads, weights and cache."""
    frames = min(FRAMES_PER_ROW * context, spec.encoder.window)
    own = (p.size for p in packed_tensors(spec) if p.name.startswith(("encoder.", "adapter.")))
    return sum(own) + frames * spec.encoder.cache_values * kv_bits // 8


def weight_bytes(spec: ModelSpec, rows_at_once: int = 1) -> int:
    """What a step reads of the weights; the encoder's and the adapter's once for so many rows."""
    total = 0
    for packed in packed_tensors(spec):
        if ".ada." in packed.name:
            continue
        shared = packed.name.startswith(("encoder.", "adapter."))
        total += packed.size // rows_at_once if shared else packed.size
    return total


def cache_bytes(spec: ModelSpec, context: int, kv_bits: int, rows_at_once: int = 1) -> int:
    """What a step reads of the caches with `context` positions behind it."""
    frames = min(FRAMES_PER_ROW * context, spec.encoder.window) // rows_at_once
    positions = min(context, spec.decoder.window)
    values = frames * spec.encoder.cache_values + positions * spec.decoder.cache_values
    return values * kv_bits // 8


def computed_table(spec: ModelSpec = PUBLISHED) -> str:
    """Milliseconds of a step by memory and context in Markdown; the last column with all that is
    done for slow computers: blocks of 160 ms, a cache of 8 bits, a window of 2048."""
    heads = [f"context {context}" for context in CONTEXTS]
    lines = [
        f"| memory (nominal GB/s) | {' | '.join(heads)} | all measures |",
        "| --- | --- | --- | --- | --- |",
    ]
    sizes = [weight_bytes(spec) + cache_bytes(spec, context, 16) for context in CONTEXTS]
    sizes.append(weight_bytes(spec, 2) + cache_bytes(spec, _SHORT_WINDOW, 8, 2))
    for memory, speed in MEMORIES.items():
        steps = [1000 * size / (REACHED * speed * 1e9) for size in sizes]
        lines.append(f"| {memory} ({speed:g}) | " + " | ".join(f"{ms:.0f}" for ms in steps) + " |")
    return "\n".join(lines) + "\n"


def row(results: Sequence[Measured]) -> str:
    """One line for the table of measured computers: at each context the fastest step and its number
    of threads, the speed of reading, the share of the floor, and whether that is live."""
    best = {c: min((r for r in results if r.context == c), key=lambda r: r.step_p50_ms)
            for c in sorted({r.context for r in results})}  # fmt: skip
    longest = best[max(best)]
    steps = ", ".join(f"{c}: {r.step_p50_ms:.0f} ms on {r.threads}" for c, r in best.items())
    live = "yes" if longest.step_p50_ms <= 0.9 * ROW_MS else "no"
    return (
        f"| {longest.machine}, {longest.kernels} | {steps} | {longest.read_gb_s:.0f} GB/s "
        f"| {100 * longest.share_of_floor:.0f} % | {live} |\n"
    )


if __name__ == "__main__":
    sys.stdout.write(computed_table())

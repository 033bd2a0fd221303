"""What a Mac carries of a Voxtral model: its chip, how MLX stores weights, and how fast that is.

The loader, the converter and the list of engines ask here how many bits suit a chip, before MLX is
imported. Speeds follow from memory bandwidth alone (every step reads every weight once); nothing
here has been measured on a Mac. Knows nothing about files.
"""

from __future__ import annotations

from dataclasses import dataclass

from model_backends.voxtral import memory
from model_backends.voxtral.memory import Storage
from model_backends.voxtral.spec import ModelSpec

OFFERED_BITS = (16, 8, 6, 4)  # what `voxline models convert` and the engine list offer
GROUP_SIZE = 64  # inputs that share a scale and a bias in a packed weight
BUFFER_CACHE_BYTES = 256_000_000  # spare buffers that MLX may keep for reuse
_ACTIVATIONS = 100_000_000  # the widest block: 32 positions of float32 logits, a few times
_SCALE_BYTES = 4  # a scale and a bias in 16 bits

# GB/s, from Apple's specifications; the smaller figure where a chip was sold in two.
_BANDWIDTH = {
    "M1": 68, "M1 Pro": 200, "M1 Max": 400, "M1 Ultra": 800,
    "M2": 100, "M2 Pro": 200, "M2 Max": 400, "M2 Ultra": 800,
    "M3": 100, "M3 Pro": 150, "M3 Max": 300, "M3 Ultra": 819,
    "M4": 120, "M4 Pro": 273, "M4 Max": 410,
    "M5": 153,
}  # fmt: skip
_UNKNOWN_BANDWIDTH = {"": 100, "Pro": 150, "Max": 300, "Ultra": 800}  # the least of its kind so far
_IN_PRACTICE = 1.6  # real steps take 1.3 to 2 times the bound set by bandwidth
_BUDGET_MS = 72.0  # of the 80 ms that a step has, so that a hiccup is made up for
_SHARE_BESIDE_OTHERS = 0.45  # of all memory: a browser and a call want the rest
_SHARE_AT_MOST = 0.7  # of all memory: about what Metal lets one program use


@dataclass(frozen=True, slots=True)
class Chip:
    """The computer, as far as it matters here."""

    name: str  # "Apple M2 Pro", or another processor's name
    memory_bytes: int
    apple: bool

    @property
    def family(self) -> str:
        """ "M2 Pro" of "Apple M2 Pro"."""
        return self.name.removeprefix("Apple ").strip()

    @property
    def bandwidth(self) -> float:
        """Bytes per second that the GPU can read."""
        kind = self.family.partition(" ")[2]
        unknown = _UNKNOWN_BANDWIDTH.get(kind, _UNKNOWN_BANDWIDTH[""])
        return 1e9 * _BANDWIDTH.get(self.family, unknown)

    @property
    def half_precision(self) -> str:
        """M1 and M2 compute bf16 in software; later chips have it in hardware."""
        return "fp16" if self.family.startswith(("M1", "M2")) else "bf16"


def storage(bits: int, group_size: int = GROUP_SIZE) -> Storage:
    """How MLX keeps weights of so many bits; 16 or 32: as they are."""
    if bits >= 16:
        return Storage(bits, item_bytes=bits // 8)
    return Storage(bits, 2, group_size, _SCALE_BYTES)


def memory_needed(spec: ModelSpec, bits: int, tracks: int = 1) -> int:
    """Bytes for everything at once, with one stream open."""
    return memory.memory_needed(spec, storage(bits), BUFFER_CACHE_BYTES + _ACTIVATIONS, tracks)


def step_ms(spec: ModelSpec, bits: int, chip: Chip) -> float:
    """What one 80 ms step should take with full caches: bytes / bandwidth, times experience."""
    read = memory.weight_bytes(spec, storage(bits)) + memory.cache_bytes(spec)
    return 1000.0 * _IN_PRACTICE * read / chip.bandwidth


def recommended_bits(spec: ModelSpec, chip: Chip) -> int:
    """The most bits that leave room for other programs and keep up with speech; else the fewest."""
    for bits in OFFERED_BITS:
        fits = memory_needed(spec, bits) <= _SHARE_BESIDE_OTHERS * chip.memory_bytes
        if fits and step_ms(spec, bits, chip) <= _BUDGET_MS:
            return bits
    return OFFERED_BITS[-1]


def fits(spec: ModelSpec, bits: int, chip: Chip) -> bool:
    """Whether the model can run at all."""
    return may_take(memory_needed(spec, bits), chip)


def may_take(count: int, chip: Chip) -> bool:
    """Whether one program can have this many bytes."""
    return count <= _SHARE_AT_MOST * chip.memory_bytes

"""What a Voxtral model takes of a Mac's memory and time, computed before MLX is imported.

The loader, the converter and the list of engines ask here which weights are packed, how long the
rings become and how many bits suit a chip. Speeds follow from memory bandwidth alone (every step
reads every weight once); nothing here has been measured on a Mac. Knows nothing about files.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from model_backends.voxtral.checkpoint.tensor_names import shapes
from model_backends.voxtral.schedule import SILENT_ROWS
from model_backends.voxtral.spec import FRAMES_PER_ROW, ModelSpec, Tower
from model_backends.voxtral.speech_model import DECODE_ROWS, ENCODE_ROWS, ROWS_KEPT

# mistralai/Voxtral-Mini-4B-Realtime-2602
PUBLISHED = ModelSpec(
    Tower(32, 1280, 32, 32, 64, 5120, 750, 1e6, 1e-5, True),
    Tower(26, 3072, 32, 8, 128, 9216, 8192, 1e6, 1e-5, False),
    131_072,
)

OFFERED_BITS = (16, 8, 6, 4)  # what `voxline models convert` and the engine list offer
GROUP_SIZE = 64  # inputs that share a scale and a bias in a packed weight
BUFFER_CACHE_BYTES = 256_000_000  # spare buffers that MLX may keep for reuse
_RING_STEP = 64  # ring lengths are multiples of this
_ACTIVATIONS = 100_000_000  # the widest block: 32 positions of float32 logits, a few times

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


def packable(name: str, shape: tuple[int, ...], group_size: int = GROUP_SIZE) -> bool:
    """Whether a tensor (our name) is packed into few bits: every product's weight, and the
    embedding, which is the output head; not norms, convolutions or the delay MLP."""
    return len(shape) == 2 and ".ada." not in name and shape[1] % group_size == 0


def packed_bytes(shape: tuple[int, ...], bits: int, group_size: int = GROUP_SIZE) -> int:
    """A packed weight with its 16-bit scales and biases."""
    return prod(shape) * bits // 8 + 4 * prod(shape) // group_size


def weight_bytes(
    spec: ModelSpec, bits: int, item_bytes: int = 2, group_size: int = GROUP_SIZE
) -> int:
    """All weights; what is not packed takes `item_bytes` a number. `bits` 16 or more: none is."""
    total = 0
    for name, shape in shapes(spec).items():
        if bits < 16 and packable(name, shape, group_size):
            total += packed_bytes(shape, bits, group_size)
        else:
            total += prod(shape) * item_bytes
    return total


def ring_slots(tower: Tower, block: int) -> int:
    """Slots of a ring at full length: the window, and room for the block being written."""
    return -(-(tower.window + block) // _RING_STEP) * _RING_STEP


def cache_bytes(spec: ModelSpec, item_bytes: int = 2, tracks: int = 1) -> int:
    """One stream at full length, and the silence that every stream begins with."""
    encoder_block = FRAMES_PER_ROW * ENCODE_ROWS
    frames = ring_slots(spec.encoder, encoder_block) + FRAMES_PER_ROW * SILENT_ROWS
    positions = tracks * (ring_slots(spec.decoder, DECODE_ROWS) + SILENT_ROWS)
    rows = ROWS_KEPT * spec.decoder.width
    values = frames * spec.encoder.cache_values + positions * spec.decoder.cache_values + rows
    return values * item_bytes


def memory_needed(spec: ModelSpec, bits: int, tracks: int = 1) -> int:
    """Bytes for everything at once, with one stream open."""
    item_bytes = 4 if bits == 32 else 2
    held = weight_bytes(spec, bits, item_bytes) + cache_bytes(spec, item_bytes, tracks)
    return held + BUFFER_CACHE_BYTES + _ACTIVATIONS


def step_ms(spec: ModelSpec, bits: int, chip: Chip) -> float:
    """What one 80 ms step should take with full rings: bytes read / bandwidth, times experience."""
    read = weight_bytes(spec, bits) + cache_bytes(spec)
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

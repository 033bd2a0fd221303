"""Run by test_native.py in a process with the sanitizers: models of odd shapes, from a seed.

python -m tests.model_backends.voxtral.cpu.odd_shapes COUNT
"""

from __future__ import annotations

import sys

import numpy as np

from model_backends.voxtral.cpu.bench import made_up_tekken
from model_backends.voxtral.cpu.library import kernels_here, pack, product
from model_backends.voxtral.cpu.packed_file import packed_tensors, place
from model_backends.voxtral.cpu.runner import CpuSpeech, Tensors
from model_backends.voxtral.spec import ModelSpec, Tower
from model_backends.voxtral.speech_model import DecodeWork, EncodeWork


def odd_spec(rng: np.random.Generator) -> ModelSpec:
    def tower(biases: bool) -> Tower:
        kv, group = int(rng.integers(1, 4)), int(rng.integers(1, 6))
        return Tower(
            layers=int(rng.integers(1, 3)), width=2 * int(rng.integers(1, 70)), heads=kv * group,
            kv_heads=kv, head_dim=2 * int(rng.integers(1, 30)), ffn=int(rng.integers(1, 100)),
            window=int(rng.integers(1, 150)), rope_theta=1e6, norm_eps=1e-5, biases=biases,
        )  # fmt: skip

    return ModelSpec(tower(True), tower(False), int(rng.integers(1001, 1100)))


def anything(spec: ModelSpec, rng: np.random.Generator) -> Tensors:
    """Bytes of any value: scales that are infinite or no numbers included."""
    made = {}
    for packed in packed_tensors(spec):
        data = rng.integers(0, 256, packed.size, np.uint8)
        if packed.kind == "f32":
            data.view(np.float32)[:] = rng.standard_normal(packed.size // 4)
        made[packed.name] = place(packed, data)
    return made


def sane(spec: ModelSpec, rng: np.random.Generator) -> Tensors:
    """Numbers as a model has them."""
    made = dict(anything(spec, rng))
    for packed in packed_tensors(spec):
        if packed.kind in ("q4", "q8"):
            weight = rng.standard_normal((packed.rows, packed.inputs)).astype(np.float32)
            made[packed.name] = pack(weight / packed.inputs**0.5, int(packed.kind[1]))
        elif packed.kind == "conv":
            made[packed.name].view(np.uint16)[:] = 0x3C00
    return made


def run(spec: ModelSpec, tensors: Tensors, kernels: str, bits: int, rng: np.random.Generator,
        ) -> None:  # fmt: skip
    """Two streams and their delays in ragged blocks, past the windows and back a little."""
    tokens = made_up_tekken(spec.vocab)
    speech = CpuSpeech(spec, tensors, tokens, threads=2, kv_bits=bits, kernels=kernels)
    speech.keep_logits = True
    slots = [(speech.open_encoder(), speech.open_decoder(d)) for d in (1, 30)]
    for row in range(31, 180, 7):
        count = int(rng.integers(1, 8))
        mel = rng.standard_normal((8 * count + 3, 128)).astype(np.float32)
        speech.encode([EncodeWork(encoder, row, mel) for encoder, _ in slots])
        steps = [
            DecodeWork(d, row, (3,) * int(rng.integers(1, 3)), ((e, row),) * 3) for e, d in slots
        ]
        speech.decode(steps)
    for encoder, decoder in slots:
        speech.close_encoder(encoder)
        speech.close_decoder(decoder)
    speech.close()


def main(count: int) -> None:
    rng = np.random.default_rng(11)
    names = [*kernels_here(), "exact"]
    for i in range(count):
        spec = odd_spec(rng)
        make = anything if i % 2 else sane
        run(spec, make(spec, rng), names[i % len(names)], 16 if i % 3 else 8, rng)
    for _ in range(20):
        rows, inputs = (int(n) for n in rng.integers(1, 200, 2))
        x = rng.standard_normal((int(rng.integers(1, 20)), inputs)).astype(np.float32)
        for bits in (4, 8):
            blocks = pack(rng.standard_normal((rows, inputs)).astype(np.float32), bits)
            for name in names:
                product(blocks, bits, rows, x, name, 2)
    sys.stdout.write(f"{count} models\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""A model of random numbers and a vocabulary of one word: for trials and measurements that need
neither weights nor a network. Knows no tensor library."""

from __future__ import annotations

from model_backends.voxtral.spec import ModelSpec, Tower
from model_backends.voxtral.tekken import Tekken

# every kind of layer once or twice: 1 MB of weights
TINY = ModelSpec(
    Tower(2, 64, 2, 2, 64, 192, 750, 1e6, 1e-5, True),
    Tower(2, 128, 4, 2, 64, 256, 8192, 1e6, 1e-5, False),
    1400,
)


def one_word(vocab: int) -> Tekken:
    """A vocabulary of this many ids; every one that is text says the same."""
    special = {"<s>": 1, "</s>": 2, "[STREAMING_PAD]": 32, "[STREAMING_WORD]": 33}
    return Tekken(special, [b" word"] * (vocab - 1000), 1000)

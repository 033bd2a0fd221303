"""What a killed server costs is counted rightly, on sound that tells when it was made."""

from __future__ import annotations

import random

import numpy as np
import pytest

from app.audio.files import int16_bytes
from app.measure.position import position, sound
from app.measure.server_kills import differences, said
from app.measure.stand_in_model import BLOCK, Script


@pytest.mark.parametrize(
    ("heard", "lost", "doubled"),
    [
        ("a b c", "", ""),
        ("a c", "b", ""),
        ("a b b c", "", "b"),
        ("a x c", "b", "x"),
        ("", "a b c", ""),
    ],
)
def test_words_lost_and_doubled(heard: str, lost: str, doubled: str) -> None:
    assert differences(["a", "b", "c"], heard.split()) == (lost.split(), doubled.split())


@pytest.mark.parametrize("first", [0, 512, 16_000 * 3000, 16_000 * 3600])
def test_sound_tells_when_it_was_made(first: int) -> None:
    pcm = sound(first, 1280)
    assert np.abs(pcm).max() <= 0.5
    rounded = np.frombuffer(int16_bytes(pcm), "<i2")
    for error in (-1, 0, 1):
        assert position((rounded + error).astype(np.int16)) == first // 16 * 16


def test_the_stand_in_hears_what_is_said_then_and_nothing_else() -> None:
    lines = said(20, random.Random(1))
    blocks = [int16_bytes(sound(at * BLOCK, BLOCK)) for at in range(20 * 25 // 2)]
    model = Script(lines)
    text = "".join(model.hear(np.frombuffer(block, "<i2")) for block in blocks)
    text += "".join(model.hear(np.zeros(BLOCK, np.int16)) for _ in range(30))
    assert text == "".join(word for word, _, end in lines if end < 20_000)
    late = Script(lines)
    heard = "".join(late.hear(np.frombuffer(block, "<i2")) for block in blocks[100:150])
    first = next(word for word, start, _ in lines if start >= 8_000)
    assert heard.split()[0] == first.strip()

"""A file played as if it were a microphone: cut into blocks, decoded many at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.audio import playback
from app.audio.files import Sound, open_sound
from app.audio.listening import BLOCK_S
from app.audio.playback import Playback
from model_backends.base import SAMPLE_RATE, Pcm
from tests.cli.sounds import tone, write_wav

BLOCK = round(BLOCK_S * SAMPLE_RATE)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many milliseconds the decoder is asked for at once."""
    asked: list[int] = []
    blocks = Sound.blocks

    def counted(sound: Sound, block_ms: int = 200) -> Iterator[Pcm]:
        asked.append(block_ms)
        return blocks(sound, block_ms)

    monkeypatch.setattr(Sound, "blocks", counted)
    return asked


def test_a_file_comes_in_blocks_and_is_decoded_by_the_second(
    tmp_path: Path, asked: list[int]
) -> None:
    said = tone(2.5)
    blocks = list(Playback(write_wav(tmp_path / "talk.wav", said))._blocks)
    assert [len(block) for block in blocks[:-1]] == [BLOCK] * (len(said) // BLOCK)
    assert np.array_equal(np.concatenate(blocks), said)
    [at_once] = asked
    assert at_once >= 10 * BLOCK_S * 1000


def test_a_pipe_is_waited_for_no_longer_than_a_block(
    tmp_path: Path, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever speaks into it now is not to be read a second later."""
    talk = write_wav(tmp_path / "talk.wav", tone(0.5))
    monkeypatch.setattr(playback, "open_sound", lambda _: open_sound(talk))
    assert list(Playback(Path("-"))._blocks)
    assert asked == [BLOCK_S * 1000]

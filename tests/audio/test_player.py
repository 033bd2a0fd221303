"""A file is heard from the word that was clicked on: what comes out is what was said there."""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from app.audio.devices import output
from app.audio.devices.output import CHANNELS, RATE
from app.audio.player import FilePlayer
from app.measure.beeps import beeps, heard
from model_backends.base import UserError
from tests.support.pulse import PulseServer

TIMEOUT_S = 30
_LONG_S = 8


class Loudspeaker:
    """Takes what is played; `hold()` makes it wait, as a real one does."""

    def __init__(self) -> None:
        self.data = b""
        self.room = threading.Event()
        self.room.set()
        self.waiting = threading.Event()
        self.finished = False
        self.gone = threading.Event()

    def write(self, data: bytes) -> None:
        self.waiting.set()
        assert self.room.wait(TIMEOUT_S)
        self.data += data

    def finish(self) -> None:
        self.finished = True

    def close(self) -> None:
        self.gone.set()

    @property
    def first(self) -> tuple[int, float]:
        """The pitch that is heard first, and when."""
        beep = heard(_left(self.data), RATE)[0]
        return beep.number, beep.at_s


def _left(data: bytes) -> NDArray[np.float32]:
    left = np.frombuffer(data, np.int16).reshape(-1, CHANNELS)[:, 0]
    return left.astype(np.float32) / np.float32(32768)


Ended = queue.Queue[UserError | None]


@pytest.fixture(params=["flac", "wav", "mp3"])
def sound(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Eight seconds with a beep in the middle of each, every one of another pitch."""
    path = tmp_path / f"beeps.{request.param}"
    soundfile.write(path, beeps(_LONG_S, 44_100), 44_100)
    return path


@pytest.mark.parametrize("at_ms", [0, 300, 2_000, 6_200])
def test_it_begins_where_it_is_told_to(sound: Path, at_ms: int) -> None:
    speaker, ended = Loudspeaker(), Ended()
    FilePlayer(ended.put, lambda: speaker).play(sound, at_ms)
    assert ended.get(timeout=TIMEOUT_S) is None
    assert speaker.finished and speaker.gone.is_set()
    number, at_s = speaker.first
    assert number == at_ms // 1000
    assert at_s == pytest.approx(number + 0.5 - at_ms / 1000, abs=0.06)
    seconds = len(speaker.data) / (2 * CHANNELS * RATE)
    assert seconds == pytest.approx(_LONG_S - at_ms / 1000, abs=0.2)


def test_a_stop_is_a_stop_and_another_word_ends_the_first(tmp_path: Path) -> None:
    path = tmp_path / "beeps.wav"
    soundfile.write(path, beeps(_LONG_S, 44_100), 44_100)
    speakers: list[Loudspeaker] = []
    ended, begun = Ended(), threading.Event()

    def opened() -> Loudspeaker:
        speakers.append(Loudspeaker())
        if len(speakers) == 1:
            speakers[0].room.clear()
            begun.set()
        return speakers[-1]

    player = FilePlayer(ended.put, opened)
    player.play(path, 0)
    assert begun.wait(TIMEOUT_S) and speakers[0].waiting.wait(TIMEOUT_S)
    player.play(path, 5_000)
    assert ended.get(timeout=TIMEOUT_S) is None  # of the second alone
    speakers[0].room.set()
    assert speakers[0].gone.wait(TIMEOUT_S)
    assert len(speakers[0].data) <= RATE // 20 * 2 * CHANNELS
    assert speakers[1].first[0] == 5
    assert ended.empty() and not player.playing


def test_what_cannot_be_played_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_text("no sound")
    ended = Ended()
    player = FilePlayer(ended.put, Loudspeaker)
    player.play(tmp_path / "a.mp3", 0)
    problem = ended.get(timeout=TIMEOUT_S)
    assert problem is not None and "“a.mp3”" in problem.message
    assert not player.playing


@pytest.mark.audio
def test_it_is_heard_from_the_loudspeakers(pulse: PulseServer, tmp_path: Path) -> None:
    """A fifth of a second is held: a player that gets no processor for longer leaves a hole, maybe
    in a beep, which is no whole one then. That is played again."""
    path = tmp_path / "beeps.wav"
    soundfile.write(path, beeps(_LONG_S, 44_100), 44_100)
    ends = time.monotonic() + 2 * TIMEOUT_S
    while (numbers := _from_loudspeakers(pulse, path, 5_400)) != [5, 6]:
        assert time.monotonic() < ends, numbers


def _from_loudspeakers(pulse: PulseServer, path: Path, at_ms: int) -> list[int]:
    """The first two beeps that are heard there."""
    recorder = subprocess.Popen(
        ["parec", "-d", pulse.system_source, "--raw", f"--rate={RATE}", "--channels=2"],
        env=pulse.env,
        stdout=subprocess.PIPE,
    )
    assert recorder.stdout is not None
    assert recorder.stdout.read(4)  # it listens
    ended = Ended()
    player = FilePlayer(ended.put, output.open_output)
    player.play(path, at_ms)
    data, numbers = b"", list[int]()
    while len(numbers) < 2 and len(data) < RATE * 4 * TIMEOUT_S:
        data += recorder.stdout.read(RATE)  # a quarter of a second
        numbers = [beep.number for beep in heard(_left(data), RATE)]
    recorder.kill()
    recorder.communicate()
    assert ended.get(timeout=TIMEOUT_S) is None
    return numbers[:2]

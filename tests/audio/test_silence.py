"""Silence where a door delivers nothing, and several streams of one program made one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio.devices.pulse_application import Mix, application_name
from app.audio.devices.silence import BEHIND_S, IDLE_S, Silence
from app.audio.listening import Block

RATE = 48_000


def frames(blocks: list[Block]) -> int:
    return sum(len(block.samples) for block in blocks)


def sound(length: int, value: float = 0.5) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.full((length, 2), value, dtype=np.float32)


def test_from_the_beginning_there_is_silence_as_long_as_the_time() -> None:
    silence = Silence(RATE, 2, begun=100.0)
    blocks = [b for step in range(1, 41) for b in silence.nothing(100.0 + step * 0.05)]
    assert frames(blocks) == round((2.0 - BEHIND_S) * RATE)
    assert blocks[-1].arrived == pytest.approx(102.0 - BEHIND_S)
    assert not any(block.samples.any() for block in blocks)


def test_a_block_that_comes_late_is_no_silence() -> None:
    silence = Silence(RATE, 2, begun=0.0)
    silence.take(sound(1536), 1.0)
    assert silence.nothing(1.0 + IDLE_S * 0.9) == []
    [only] = silence.take(sound(1536), 1.0 + IDLE_S * 0.9)
    assert only.samples.any()


@given(
    st.lists(st.tuples(st.floats(IDLE_S + 0.06, 1.8), st.integers(1, 40)), min_size=1, max_size=12)
)
def test_sound_and_silence_together_are_as_long_as_the_time(
    turns: list[tuple[float, int]],
) -> None:
    """However often it begins and ends, to within a block."""
    silence, now, heard = Silence(RATE, 2, begun=0.0), 0.0, 0
    for pause_s, blocks in turns:
        end = now + pause_s
        while now + 0.05 < end:
            now += 0.05
            heard += frames(silence.nothing(now))
        now = end
        for _ in range(blocks):
            now += 0.032
            heard += frames(silence.take(sound(1536), now))
    assert heard / RATE == pytest.approx(now, abs=0.033)


def test_time_that_the_computer_slept_is_no_silence() -> None:
    silence = Silence(RATE, 2, begun=0.0)
    assert frames(silence.nothing(1.0)) > 0
    assert silence.nothing(3600.0) == []
    assert frames(silence.nothing(3600.5)) == round(0.5 * RATE)


# --- streams of one program ----------------------------------------------------------------------


def test_one_stream_goes_through_as_it_comes() -> None:
    mix = Mix()
    assert np.array_equal(mix.take(1, sound(1536), 0.0), sound(1536))


def test_two_streams_are_added_as_far_as_both_have_come() -> None:
    mix = Mix()
    assert len(mix.take(1, sound(100, 0.25), 0.0)) == 100, "it is alone"
    assert len(mix.take(2, sound(60, 0.5), 0.01)) == 0, "the other is waited for"
    out = mix.take(1, sound(100, 0.25), 0.02)
    assert len(out) == 60 and np.allclose(out, 0.75)
    out = mix.take(2, sound(100, 0.5), 0.03)
    assert len(out) == 40 and np.allclose(out, 0.75)


def test_a_stream_that_sends_nothing_more_is_not_waited_for() -> None:
    mix = Mix()
    mix.take(1, sound(1536), 0.0)
    mix.take(2, sound(1536), 0.0)
    heard = sum(len(mix.take(2, sound(1536), step * 0.032)) for step in range(1, 11))
    assert heard == 11 * 1536
    mix.end(1)
    assert len(mix.take(2, sound(1536), 0.36)) == 1536


def test_of_a_stream_that_runs_ahead_no_more_is_kept_than_a_moment() -> None:
    mix = Mix()
    given_out = 0
    for step in range(1000):  # the clock of the second one's output is slower
        given_out += len(mix.take(1, sound(1536), step * 0.032))
        given_out += len(mix.take(2, sound(1500), step * 0.032))
    assert 1000 * 1536 - given_out <= 0.3 * RATE


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ({"application.name": "Firefox"}, "Firefox"),
        ({"application.name": "ALSA plug-in [mpv]"}, "mpv"),
        ({"application.name": "PipeWire ALSA [python3.11]"}, "python3.11"),
        (
            {"application.name": "WEBRTC VoiceEngine", "application.process.binary": "Discord"},
            "Discord",
        ),
        ({"application.process.binary": "zoom.real"}, "zoom.real"),
        ({"application.name": "Zoom: Room (1/2) 🎧"}, "Zoom: Room (1/2) 🎧"),
        ({"application.name": "Mutter", "media.role": "event"}, ""),
        ({"media.name": "Loopback to Built-in Audio"}, ""),
    ],
)
def test_an_application_has_the_name_that_people_know(
    properties: dict[str, str], name: str
) -> None:
    assert application_name(properties) == name

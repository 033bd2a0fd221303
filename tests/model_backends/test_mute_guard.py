"""When the guard acts: the field's numbers of a stuck model, of silence, music and a keyboard."""

from __future__ import annotations

import pytest

from model_backends.mute_guard import LEAK, RESTART_AFTER, MuteGuard

STUCK = (3.5, 5.2, 6.6)  # margins of [P] over real speech, 10, 50 and 90 %
SILENT = 8.5  # and the least on true silence


def watch(guard: MuteGuard, rows: int, speech: float = 1.0, margin: float = 5.2) -> list[int]:
    """Rows at which the guard asks for a restart."""
    return [row for row in range(rows) if guard.observe(speech, margin, said_something=False)]


@pytest.mark.parametrize("margin", STUCK)
def test_the_guard_asks_once_and_then_waits_much_longer(margin: float) -> None:
    restarts = watch(MuteGuard(), 8 * RESTART_AFTER, margin=margin)
    assert restarts == [RESTART_AFTER - 1, 8 * RESTART_AFTER - 1]


def test_silence_of_any_length_is_no_mute_stretch() -> None:
    guard = MuteGuard()
    assert watch(guard, 10_000, speech=0.2) == []
    assert guard.pad_bias == 0.0


def test_what_the_model_is_sure_of_is_no_mute_stretch() -> None:
    """Music that a detector takes for speech: [P] is as far ahead as over true silence."""
    guard = MuteGuard()
    assert watch(guard, 10_000, margin=SILENT) == []
    assert guard.pad_bias == 0.0


def test_a_keyboard_never_adds_up() -> None:
    """An hour in which every sixth row sounds like speech, and the model hesitates over it."""
    guard, restarts = MuteGuard(), 0
    for row in range(45_000):
        restarts += guard.observe(1.0 if row % 6 == 0 else 0.1, 5.2, said_something=False)
    assert restarts == 0
    assert guard.pad_bias == 0.0


def test_speech_with_its_own_pauses_is_noticed_within_seven_seconds() -> None:
    """Three rows of speech, one between the words."""
    guard = MuteGuard()
    rows = [row for row in range(200) if guard.observe(float(row % 4 > 0), 5.2, False)]
    assert rows
    assert rows[0] <= 7000 // 80


def test_a_word_makes_the_guard_forget() -> None:
    guard = MuteGuard()
    watch(guard, RESTART_AFTER - 1)
    assert not guard.observe(1.0, 5.2, said_something=True)
    assert watch(guard, RESTART_AFTER - 1) == []


def test_so_does_time_and_then_a_restart_is_as_near_as_at_first() -> None:
    guard = MuteGuard()
    watch(guard, RESTART_AFTER)
    watch(guard, int(RESTART_AFTER / LEAK) - 1, speech=0.0)
    assert guard.mute_rows > 0
    watch(guard, 1, speech=0.0)
    assert guard.mute_rows == 0
    assert watch(guard, RESTART_AFTER) == [RESTART_AFTER - 1]


def test_the_bias_grows_slowly_and_never_reaches_the_margin_of_silence() -> None:
    guard = MuteGuard()
    biases = []
    for _ in range(200):
        guard.observe(1.0, 5.2, said_something=False)
        biases.append(guard.pad_bias)
    assert biases == sorted(biases, reverse=True)
    assert biases[99] == 0.0
    assert biases[-1] == -7.0 > -SILENT

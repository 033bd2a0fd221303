"""What is told of a source, of its blocks and their times alone; each told once and taken back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from app.audio import watch as watch_module
from app.audio.advice import advice
from app.audio.listening import Condition, Elsewhere, SoundState
from app.audio.watch import Watch
from model_backends.base import Sentence, UserError

Sound: TypeAlias = NDArray[np.float32]  # (channels, frames)
ZEROS = np.zeros((2, 1536), dtype=np.float32)
SOUND = np.full((2, 1536), 0.01, dtype=np.float32)
CUT = np.clip(SOUND * 1000, -1.0, 32767 / 32768)


def states(watch: Watch, blocks: Iterable[tuple[float, Sound]]) -> list[str]:
    """The kinds told of blocks that come at these times."""
    told = [watch.block(at, sound, float(np.sqrt(np.mean(sound**2)))) for at, sound in blocks]
    return [state.kind for state in told if state]


def at(
    begin_s: float, end_s: float, sound: NDArray[np.float32]
) -> list[tuple[float, NDArray[np.float32]]]:
    """Blocks of this sound every 100 ms."""
    return [(0.1 * i, sound) for i in range(round(begin_s * 10), round(end_s * 10))]


def said(watch: Watch, dbfs: list[float]) -> list[str]:
    """The kinds told of blocks, 32 ms apart, of such loudness."""
    told = [watch.block(0.032 * i, SOUND, 10 ** (db / 20)) for i, db in enumerate(dbfs)]
    return [state.kind for state in told if state]


# --- where the system gives us another source ----------------------------------------------------


def test_moved_is_not_gone_and_the_name_is_the_one_sound_comes_from() -> None:
    watch = Watch("Desk microphone")
    watch.block(0.0, SOUND, 0.1)
    moved = watch.moved(Elsewhere("Headset", gone=False))
    assert moved is not None and moved.source == "Headset"
    assert "gone" not in moved.message and "Desk microphone to Headset" in moved.message
    assert watch.moved(Elsewhere("Headset", gone=False)) is None, "told once"
    told = [watch.block(when, ZEROS, 0.0) for when, _ in at(0.1, 4.0, ZEROS)]
    assert [str(s.message) for s in told if s] == ["No sound is arriving from Headset."]
    back = watch.moved(None)
    assert back is not None
    assert (back.kind, back.source, back.message) == (
        *("back", "Desk microphone"),
        "Listening to Desk microphone again.",
    )
    (silent,) = [s for when, _ in at(4.0, 9.0, ZEROS) if (s := watch.block(when, ZEROS, 0.0))]
    assert silent.message == "No sound is arriving from Desk microphone."


def test_a_source_that_became_another_and_then_went_is_told_so() -> None:
    watch = Watch("Desk microphone")
    moved, gone = (watch.moved(Elsewhere("Headset", gone)) for gone in (False, True))
    assert moved is not None and gone is not None
    assert gone.message == "Desk microphone is gone; listening to Headset instead."


# --- nothing comes, or nothing but zeros ---------------------------------------------------------


def test_zeros_are_told_within_three_seconds_and_taken_back() -> None:
    watch = Watch("Desk microphone")
    assert states(watch, at(0, 2, ZEROS)) == []
    assert states(watch, at(2, 3, ZEROS)) == ["silent"]
    assert states(watch, at(3, 4, ZEROS)) == []
    assert states(watch, [(4.1, SOUND)]) == ["flowing"]


def test_quiet_rooms_are_not_silence() -> None:
    watch = Watch("Desk microphone")
    now_and_then = [(0.1 * i, ZEROS if i % 20 else SOUND) for i in range(100)]
    assert states(watch, now_and_then) == ["flowing"]


def test_silence_of_the_computer_is_nothing_to_tell() -> None:
    watch = Watch("Speakers", system=True)
    assert states(watch, at(0, 60, ZEROS)) == ["flowing"]
    assert states(watch, at(60, 61, SOUND) + at(61, 200, ZEROS)) == []


def test_zeros_on_a_mac_may_mean_that_listening_is_not_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = {"unheard": Sentence("Allow it in System Settings.")}
    monkeypatch.setattr(watch_module, "advice", lambda problem: words[problem])
    watch = Watch("Speakers", system=True)
    assert states(watch, at(0, 9.9, ZEROS)) == ["flowing"]
    assert states(watch, at(9.9, 11, ZEROS)) == ["unheard"]
    assert states(watch, at(11, 60, ZEROS)) == []
    assert states(watch, at(60, 61, SOUND) + at(61, 99, ZEROS)) == ["flowing"], "it is allowed"


def test_no_frames_are_told_once_and_soon_hopeless() -> None:
    watch = Watch("Desk microphone")
    watch.block(0.0, SOUND, 0.1)
    assert watch.nothing(1.9) is None
    told = watch.nothing(2.1)
    assert told is not None and told.kind == "stalled" and told.hint
    hopeless = []
    for when in (2.2, 6.0):
        assert watch.nothing(when) is None, "told once"
        hopeless.append(watch.hopeless)
    watch.opened_again(6.0)
    assert watch.nothing(8.5) is None, "told already"
    assert [*hopeless, watch.hopeless] == [False, True, False]


def test_a_try_that_failed_is_told_until_sound_comes() -> None:
    watch = Watch("Desk microphone")
    watch.block(0.0, SOUND, 0.1)
    watch.nothing(5.5)
    lost = watch.lost(UserError("Desk microphone cannot be opened.", "It is tried again."))
    assert lost is not None and (lost.kind, lost.hint) == ("lost", "It is tried again.")
    watch.opened_again(6.0)
    assert watch.nothing(9.0) is None, "what is known of it is more than that nothing comes"
    assert states(watch, [(9.1, SOUND)]) == ["flowing"]


def test_a_source_that_sleeps_is_told_so() -> None:
    watch = Watch("Desk microphone")
    watch.block(0.0, SOUND, 0.1)
    watch.condition(Condition(suspended=True))
    told = watch.nothing(2.1)
    assert told is not None and (told.kind, told.hint) == ("stalled", advice("suspended"))
    assert "sleep" in told.message


def test_a_reason_that_comes_late_is_told_all_the_same() -> None:
    watch = Watch("Desk microphone")
    watch.block(0.0, SOUND, 0.1)
    assert watch.nothing(2.1) is not None
    told = watch.condition(Condition(suspended=True))
    assert told is not None and (told.kind, told.hint) == ("stalled", advice("suspended"))
    assert watch.nothing(2.2) is None, "told once"


def test_a_pipe_that_stalls_is_waited_for_and_gets_no_advice_for_devices() -> None:
    watch = Watch("standard input", live=False)
    watch.block(0.0, SOUND, 0.1)
    stalled = watch.nothing(2.1)
    assert stalled is not None and stalled.message == "No sound is arriving from standard input."
    assert "What writes it" in stalled.hint
    watch.nothing(600.0)
    assert not watch.hopeless, "what comes then is still to be heard"


# --- muted ---------------------------------------------------------------------------------------


def told_of(watch: Watch, condition: Condition) -> SoundState:
    state = watch.condition(condition)
    assert state is not None
    return state


def test_a_muted_microphone_is_told_at_once_and_taken_back_at_once() -> None:
    watch = Watch("Desk microphone")
    assert states(watch, at(0, 1, SOUND)) == ["flowing"]
    muted = told_of(watch, Condition(muted=True))
    assert (muted.kind, muted.message) == ("muted", "Desk microphone is muted.")
    assert muted.hint == advice("muted")
    assert states(watch, at(1, 9, ZEROS)) == [], "told already"
    assert told_of(watch, Condition()).kind == "flowing"
    assert states(watch, at(9, 11, ZEROS)) == [], "the zeros before count no more"
    assert states(watch, at(11, 12, ZEROS)) == ["silent"]


def test_a_muted_output_is_told_only_where_it_cannot_be_heard() -> None:
    """Hardware mutes behind the monitor, software before it."""
    watch = Watch("Speakers", system=True)
    assert watch.condition(Condition(output_muted=True)) is None
    assert states(watch, at(0, 60, SOUND)) == ["flowing"]
    assert states(watch, at(60, 63, ZEROS)) == ["unheard"]
    assert states(watch, at(63, 64, SOUND)) == ["flowing"]
    assert states(watch, at(64, 67, ZEROS)) == ["unheard"]
    watch.condition(Condition())
    assert states(watch, at(67, 80, ZEROS)) == ["flowing"]


def test_a_muted_output_is_nothing_to_a_microphone() -> None:
    watch = Watch("Desk microphone")
    assert watch.condition(Condition(output_muted=True)) is None
    assert states(watch, at(0, 5, SOUND)) == ["flowing"]


# --- too quiet, too loud -------------------------------------------------------------------------


def test_speech_too_quiet_is_told_once_and_taken_back() -> None:
    watch = Watch("Desk microphone")
    syllables = [-58.0, -60.0, -75.0, -80.0] * 250
    assert said(watch, syllables) == ["flowing", "quiet"]
    assert said(watch, [-30.0]) == ["flowing"]


def test_a_quiet_room_and_quiet_music_of_the_computer_are_no_trouble() -> None:
    hiss = list(np.random.default_rng(0).normal(-65, 1.0, 1000))
    assert said(Watch("Desk microphone"), hiss) == ["flowing"]
    assert said(Watch("Speakers", system=True), [-58.0, -75.0] * 500) == ["flowing"]
    now_and_then_loud = ([-60.0, -80.0] * 100 + [-40.0]) * 5
    assert said(Watch("Desk microphone"), now_and_then_loud) == ["flowing"]


def test_a_microphone_that_never_gave_more_than_noise_is_told_after_a_minute() -> None:
    """Another socket than the one the microphone is in, or its volume at nothing."""
    hiss = list(np.random.default_rng(0).normal(-75, 1.0, 4000))
    watch = Watch("Desk microphone")
    assert said(watch, hiss[:1800]) == ["flowing"]
    assert said(watch, hiss) == ["faint"]
    assert said(watch, [-30.0]) == ["flowing"]
    assert said(watch, hiss) == [], "it works: whoever is silent is not told about it"


def test_cut_peaks_are_told_and_taken_back_when_it_has_been_calm() -> None:
    watch = Watch("Desk microphone")
    assert states(watch, [*at(0, 1, SOUND), *at(1, 1.5, CUT)]) == ["flowing"], "a bang"
    assert states(watch, at(10, 12, CUT)) == ["loud"]
    assert states(watch, at(12, 21, SOUND)) == []
    assert states(watch, at(21, 23, SOUND)) == ["flowing"]


def test_what_the_computer_plays_may_be_as_loud_as_it_likes() -> None:
    assert states(Watch("Speakers", system=True), at(0, 30, CUT)) == ["flowing"]

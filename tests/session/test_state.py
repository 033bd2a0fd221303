"""A session as a playbook: what comes in and when, and every status, word and command it brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.audio.capture import Level, SoundState
from app.audio.choice import Device, MediaFile, Microphone
from app.core.timeline import Gap
from app.session import events as e
from app.session import state
from app.session.ending import LONGEST_STOP_MS, PATIENCE_MS, STOP_MS
from app.session.lane import OPEN_MS
from app.session.state import BEHIND_MS
from app.session.status import Facts, SessionOptions, Stage, Status, stage_of
from app.worker import messages as m
from app.worker.client import Restarting
from model_backends.base import Acting, Notice, Sentence, Tail, UserError, Word
from tests.session.playbook import (
    FILE,
    FLOWING,
    HEADSET,
    JABRA,
    LANE,
    MICROPHONE,
    READY,
    WEBCAM,
    Play,
    StillFeed,
    heard,
    settled,
    sound,
    word,
)

# --- beginning, listening --------------------------------------------------------------------


def test_from_the_start_to_the_first_word() -> None:
    play = Play()
    assert play.at(0, e.Begin(MICROPHONE)) == [
        e.OpenRecord(),
        e.StartEngine(),
        e.Listen(LANE, 1, MICROPHONE),
        e.Choices(MICROPHONE.name, 480),
        Status(Stage.STARTING, "Starting …"),
    ]
    assert play.at(300, m.Loading(0.512, "tensors"), m.Loading(0.514, "tensors")) == [
        Status(Stage.STARTING, "Loading the speech model …", fraction=0.5)
    ]
    assert play.at(900, READY) == [
        e.KeepWorker(READY),
        Status(Stage.LISTENING, f"Listening to {MICROPHONE.name}."),
    ]
    assert play.at(1500, m.Speech(LANE, True, 1400)) == [
        Status(Stage.SPEECH, "Someone is speaking.")
    ]
    first = word("Hello", 1400)
    assert play.at(2000, Tail(LANE, 0, 0, " Hel"), first) == [
        Tail(LANE, 0, 0, " Hel"),
        e.Keep(first),
        first,
    ]


def test_nothing_is_kept_where_nothing_is_to_be_kept() -> None:
    play = Play(SessionOptions(keep_transcript=False))
    play.listening()
    play.at(900, word("secret", 500), e.Stop(), m.Finished(), e.Dead())
    assert play.status.stage is Stage.STOPPED
    assert not play.of(e.OpenRecord) and not play.of(e.Save)


def test_a_space_goes_between_two_utterances() -> None:
    play = Play().listening()
    play.at(900, word("one", 300), Word(LANE, 0, 1, "two", 700, 800))
    assert [each.text for each in play.of(Word)] == [" one", " two"]
    assert [keep.event for keep in play.of(e.Keep)] == play.of(Word), "and so it is kept"


def test_the_level_is_that_of_the_present_capture() -> None:
    play = Play().listening()
    play.at(200, e.Sound(LANE, 1, Level(0.5)))
    assert play.state.levels["me"] == 0.5
    play.at(300, e.Sound(LANE, 0, Level(0.9)))
    assert play.state.levels["me"] == 0.5
    play.at(400, e.Pause())
    assert play.state.levels["me"] == 0.0, "nothing is listened to"


def test_what_is_shown_is_not_worked_out_for_a_level_nor_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both come several times a second for as long as the app runs."""
    asked: list[Facts] = []

    def counted(facts: Facts) -> Status:
        asked.append(facts)
        return stage_of(facts)

    play = Play().listening()
    monkeypatch.setattr(state, "stage_of", counted)
    play.at(200, e.Sound(LANE, 1, Level(0.5)))
    assert asked == []
    stage_of.cache_clear()
    for ms in range(300, 1300, 100):
        play.at(ms, e.Sound(LANE, 1, e.Heard(ms - 100, ms)))
    assert len(asked) == 10
    assert stage_of.cache_info().misses == 1


@pytest.mark.parametrize("ready", [True, False])
def test_no_sound_is_told_with_what_to_do(ready: bool) -> None:
    play = Play()
    play.at(0, e.Begin(MICROPHONE), *([READY] if ready else []))
    for kind in ("silent", "stalled", "lost", "muted"):
        play.at(3000, sound(kind, "No sound is arriving.", "Is it muted?"))
        assert play.status == Status(Stage.NO_SOUND, "No sound is arriving.", "Is it muted?"), kind
    play.at(4000, e.Sound(LANE, 1, FLOWING))
    assert play.status.stage is (Stage.LISTENING if ready else Stage.STARTING)


def test_a_file_may_be_silent() -> None:
    play = Play().listening(feed=FILE)
    play.at(9000, sound("silent", "No sound."))
    assert play.status.stage is Stage.LISTENING


def test_a_source_that_sends_nothing_is_told_in_time() -> None:
    play = Play()
    play.at(0, e.Begin(MICROPHONE), READY)
    play.at(OPEN_MS, e.Tick())
    assert play.stages[-1:] == [Stage.LISTENING]
    play.at(OPEN_MS + 1, e.Tick())
    assert play.status.stage is Stage.NO_SOUND
    assert MICROPHONE.name in play.status.message and play.status.hint


def test_a_lost_device_lets_the_engine_finish_what_was_said() -> None:
    play = Play().listening()
    assert e.Flush(LANE) in play.at(900, sound("lost", "It is gone."))


def test_falling_behind_is_told_until_it_has_caught_up() -> None:
    play = Play().listening()
    play.at(9000, e.Tick({LANE: 480 + BEHIND_MS}))
    assert play.status.stage is Stage.LISTENING
    play.at(9100, e.Tick({LANE: 480 + BEHIND_MS + 77}))
    assert (play.status.stage, play.status.lag_ms) == (Stage.CATCHING_UP, 4500)
    play.at(9150, e.Tick({LANE: 3501}))
    assert play.status.lag_ms == 4500, "a number that changes ten times a second is not read"
    play.at(9200, e.Tick({LANE: 3000}))
    assert (play.status.stage, play.status.lag_ms) == (Stage.CATCHING_UP, 3000)
    play.at(9300, e.Tick({LANE: 2000}))
    assert play.status.stage is Stage.LISTENING


# --- pauses and gaps ---------------------------------------------------------------------------


def test_a_pause_is_a_gap_and_time_runs_on() -> None:
    play = Play().listening()
    play.at(1000, heard(100, 990))
    assert play.at(1000, e.Pause()) == [e.LetGo(LANE, 1), Status(Stage.PAUSED, "Paused.")]
    assert play.at(1100, e.Pause()) == []
    play.at(1200, settled(989))  # what the engine says of the flush
    gap = Gap(LANE, 1000, 8000, "paused")
    assert play.at(8000, e.Resume()) == [
        e.Keep(gap),
        gap,
        e.Listen(LANE, 2, MICROPHONE),
        Status(Stage.LISTENING, f"Listening to {MICROPHONE.name}."),
    ]
    assert play.at(8100, e.Resume()) == []


def test_a_gap_comes_after_the_words_said_before_it() -> None:
    """U14: an engine that is behind still has words of before the pause."""
    play = Play().listening()
    play.at(4000, heard(0, 4000), word("gone,", 2500), e.Pause())
    play.at(5000, e.Resume(), heard(5000, 6000, capture=2))
    play.at(6000, word("moved", 3000), settled(3200), word("Thursday", 3300))
    assert play.transcript == ["gone,", "moved", "Thursday"]
    play.at(6500, settled(4000))
    assert play.transcript[-1] == "(paused 4000-5000)"
    play.at(7000, word("at", 5100))
    assert play.transcript == ["gone,", "moved", "Thursday", "(paused 4000-5000)", "at"]
    kept = [keep.event for keep in play.of(e.Keep)]
    assert kept == [each for each in play.out if isinstance(each, (Word, Gap))]


def test_a_word_of_after_the_gap_calls_it_up() -> None:
    play = Play().listening()
    play.at(4000, heard(0, 4000), e.Pause())
    play.at(9000, e.Resume())
    play.at(9900, word("before", 3900), word("after", 9010))
    assert play.transcript == ["before", "(paused 4000-9000)", "after"]


def test_a_gap_whose_words_never_came_is_told_at_the_end() -> None:
    play = Play().listening()
    play.at(4000, heard(0, 4000), e.Pause())
    play.at(9000, e.Resume(), e.Stop(), m.Finished())
    play.at(9000, e.Dead((word("held", 3500),)))
    assert play.transcript == ["held", "(paused 4000-9000)"]
    assert play.said.index(e.HeardOut()) > play.said.index(Gap(LANE, 4000, 9000, "paused"))


def test_gaps_keep_the_order_of_time() -> None:
    play = Play().listening()
    play.at(60_000, heard(0, 60_000), e.Pause())
    play.at(70_000, e.Resume(), Gap(LANE, 20_000, 30_000, "overflow"))
    play.at(80_000, settled(70_500))
    assert play.transcript == ["(overflow 20000-30000)", "(paused 60000-70000)"]


def test_sound_given_up_is_told_once() -> None:
    play = Play().listening()
    play.at(9000, Gap(LANE, 100, 200, "overflow"), Gap(LANE, 300, 400, "overflow"))
    assert play.notices() == ["overflow"]


def test_what_the_capture_lost_is_a_gap() -> None:
    play = Play().listening()
    play.at(3000, heard(0, 2000), settled(2000), e.Sound(LANE, 1, Gap(LANE, 2000, 2800, "device")))
    assert play.transcript == ["(device 2000-2800)"]


# --- sources -----------------------------------------------------------------------------------


def test_between_two_sources_there_is_a_gap_and_the_first_has_no_more_say() -> None:
    play = Play().listening()
    play.at(1000, heard(0, 1000), settled(1000))
    assert play.at(1100, e.SetSource(JABRA)) == [e.Find(LANE, 1, JABRA)]
    assert play.at(1500, e.Found(LANE, 1, HEADSET))[0] == e.Listen(LANE, 2, HEADSET)
    assert e.Choices(HEADSET.name, 480) in play.said
    gap = Gap(LANE, 1000, 5000, "device")
    assert play.at(5500, heard(5000, 6000, capture=2)) == [e.LetGo(LANE, 1), e.Keep(gap), gap]
    play.at(6000, heard(9000, 9500, capture=2), sound("ended"), sound("lost", "gone"))
    assert play.transcript == ["(device 1000-5000)"], "one only"
    assert play.status == Status(Stage.LISTENING, f"Listening to {HEADSET.name}.")


def test_two_sources_without_a_pause_between_them_leave_no_gap() -> None:
    play = Play().listening()
    play.at(1000, heard(0, 1000), settled(1000), e.SetSource(JABRA))
    play.at(1100, e.Found(LANE, 1, HEADSET), heard(1100, 1200, capture=2))
    assert play.transcript == []


def test_the_one_before_is_heard_until_the_next_brings_sound() -> None:
    play = Play().listening()
    play.at(1000, heard(0, 1000), settled(1000), e.SetSource(JABRA))
    play.at(1100, e.Found(LANE, 1, HEADSET))
    assert play.at(1300, heard(1000, 1300)) == [], "opening takes its time; nothing is lost"
    assert play.at(1400, heard(1350, 1450, capture=2)) == [e.LetGo(LANE, 1)]
    assert play.transcript == []


def test_the_one_before_is_let_go_if_the_next_brings_none() -> None:
    play = Play().listening()
    play.at(1000, heard(0, 1000), e.SetSource(JABRA), e.Found(LANE, 1, HEADSET))
    assert play.at(1000 + OPEN_MS, e.Tick()) == []
    assert play.at(1001 + OPEN_MS, e.Tick())[0] == e.LetGo(LANE, 1)
    assert HEADSET.name in play.status.message


def test_of_three_in_a_row_the_one_that_never_brought_sound_is_let_go() -> None:
    play = Play().listening()
    play.at(1000, heard(0, 1000), e.SetSource(JABRA), e.Found(LANE, 1, HEADSET))
    webcam = StillFeed("USB2.0 Camera")
    play.at(1200, e.SetSource(WEBCAM))
    assert play.at(1300, e.Found(LANE, 2, webcam))[:2] == [
        e.LetGo(LANE, 2),
        e.Listen(LANE, 3, webcam),
    ]
    assert play.at(1400, e.Stop())[:2] == [e.LetGo(LANE, 1), e.LetGo(LANE, 3)]


def test_a_source_found_too_late_is_not_listened_to() -> None:
    play = Play().listening()
    play.at(1000, e.SetSource(JABRA), e.SetSource(WEBCAM))
    assert play.at(2000, e.Found(LANE, 1, HEADSET)) == []
    webcam = StillFeed("USB2.0 Camera")
    assert e.Listen(LANE, 2, webcam) in play.at(2100, e.Found(LANE, 2, webcam))


def test_who_has_paused_is_not_heard_because_of_another_source() -> None:
    play = Play().listening()
    play.at(1000, e.Pause(), e.SetSource(JABRA))
    play.at(1100, e.Found(LANE, 1, HEADSET))
    assert len(play.of(e.Listen)) == 1 and play.status.stage is Stage.PAUSED
    assert e.Listen(LANE, 2, HEADSET) in play.at(2000, e.Resume())


def not_found(search: int, why: str, message: str = "It is not there.") -> e.NotFound:
    return e.NotFound(LANE, search, why, UserError(message, "Look."))


def test_a_file_that_cannot_be_heard_is_refused_and_the_source_stays() -> None:
    play = Play().listening()
    play.at(1000, e.SetSource(MediaFile(Path("/no/such.wav"))))
    assert play.at(1100, not_found(1, "refused", "There is no such file.")) == [
        Notice(LANE, "refused", "There is no such file.", "Look.")
    ]
    assert play.status.message == f"Listening to {MICROPHONE.name}."


def test_a_first_source_that_can_never_be_heard_is_a_failure() -> None:
    play = Play(SessionOptions(source=MediaFile(Path("/no/such.wav"))))
    play.at(0, e.Begin())
    assert play.at(100, not_found(1, "refused", "There is no such file.")) == [
        e.EndEngine(),
        Status(Stage.STOPPING, "Finishing the last words …"),
    ]
    play.ended(200)
    assert play.status == Status(Stage.FAILED, "There is no such file.", "Look.")


def test_an_absent_device_is_stood_in_for_until_it_is_back() -> None:
    """U3: told for as long as it lasts, in every status."""
    play = Play(SessionOptions(source=JABRA))
    assert e.Find(LANE, 1, JABRA) in play.at(0, e.Begin(), READY)
    assert play.at(100, not_found(1, "absent"))[0] == e.Find(LANE, 2, Microphone())
    play.at(200, e.Found(LANE, 2, MICROPHONE))
    assert e.Choices(MICROPHONE.name, 480, source_is_away=True) in play.said
    remark = f"Jabra Evolve 65 is not connected. Listening to {MICROPHONE.name} until it is back."
    assert play.status.remark == remark
    play.at(1000, e.Sound(LANE, 1, FLOWING), heard(200, 1000), m.Speech(LANE, True, 900))
    assert (play.status.stage, play.status.remark) == (Stage.SPEECH, remark)

    assert play.at(3200, e.Tick()) == [e.Find(LANE, 3, JABRA)]
    assert play.at(3300, e.Tick(), not_found(3, "absent")) == [], "it goes on listening"
    assert play.at(6300, e.Tick()) == [e.Find(LANE, 4, JABRA)]
    play.at(6400, e.Found(LANE, 4, HEADSET))
    assert play.said[0] == e.Listen(LANE, 2, HEADSET)
    assert play.status.remark == ""
    assert play.of(e.Choices)[-1] == e.Choices(HEADSET.name, 480)
    play.at(7000, e.Sound(LANE, 2, FLOWING))
    assert play.at(20_000, e.Tick()) == [], "and is looked for no more"


def test_without_any_microphone_it_says_so_and_looks_again() -> None:
    """U7: nothing else is captioned unasked."""
    play = Play()
    play.at(0, e.Begin(), READY)
    play.at(100, not_found(1, "none"))
    assert play.status == Status(
        Stage.NO_SOUND, "No microphone.", "Plug one in, or choose what to listen to."
    )
    assert play.at(3100, e.Tick()) == [e.Find(LANE, 2, Microphone())]
    play.at(3200, not_found(2, "none"))
    assert play.status.stage is Stage.NO_SOUND
    assert play.at(6200, e.Tick()) == [e.Find(LANE, 3, Microphone())]
    play.at(6300, e.Found(LANE, 3, MICROPHONE))
    assert play.status == Status(Stage.LISTENING, f"Listening to {MICROPHONE.name}.")


def test_neither_the_device_nor_a_microphone() -> None:
    play = Play(SessionOptions(source=JABRA))
    play.at(0, e.Begin(), READY, not_found(1, "absent"), not_found(2, "none"))
    assert play.status.stage is Stage.NO_SOUND
    assert play.status.message == "Jabra Evolve 65 is not connected, and there is no microphone."
    assert play.at(3000, e.Tick()) == [e.Find(LANE, 3, JABRA)], "the device first"


def test_a_stuck_sound_server_is_asked_again() -> None:
    play = Play()
    play.at(0, e.Begin(), READY, not_found(1, "stuck", "The sound server does not answer."))
    assert play.status.message == "The sound server does not answer."
    assert play.at(3000, e.Tick()) == [e.Find(LANE, 2, Microphone())]


def test_moved_by_the_system_the_truth_is_told_until_it_is_back() -> None:
    """U13, B13."""
    play = Play().listening()
    moved = SoundState("moved", "It is gone; listening to Speakers instead.", "", "Speakers")
    play.at(900, e.Sound(LANE, 1, moved))
    assert play.status == Status(
        Stage.LISTENING,
        "Listening to Speakers.",
        remark="It is gone; listening to Speakers instead.",
    )
    assert play.of(e.Choices)[-1] == e.Choices("Speakers", 480, source_is_away=True)
    play.at(5000, sound("back"))
    assert play.status == Status(Stage.LISTENING, f"Listening to {MICROPHONE.name}.")
    assert play.of(e.Choices)[-1] == e.Choices(MICROPHONE.name, 480)


def test_a_chosen_device_that_was_unplugged_is_listened_to_again_once_it_is_back() -> None:
    """The sound server brings nobody back but to its own default."""
    play = Play(SessionOptions(source=JABRA)).listening(feed=HEADSET)
    play.at(1000, e.Sound(LANE, 1, SoundState("gone", "It is gone.", "", MICROPHONE.name)))
    assert play.status.remark == "It is gone."
    assert play.at(1100, e.Tick()) == [e.Find(LANE, 1, JABRA)]
    assert play.at(1200, e.Tick(), not_found(1, "absent")) == [], "it goes on listening"
    assert play.at(4200, e.Tick()) == [e.Find(LANE, 2, JABRA)]
    play.at(4300, e.Found(LANE, 2, HEADSET))
    assert play.said[0] == e.Listen(LANE, 2, HEADSET)
    assert play.status == Status(Stage.LISTENING, f"Listening to {HEADSET.name}.")
    play.at(4400, e.Sound(LANE, 2, FLOWING))
    assert play.at(20_000, e.Tick()) == [], "and is looked for no more"


@pytest.mark.parametrize(("source", "kind"), [(Microphone(), "gone"), (JABRA, "moved")])
def test_the_systems_default_and_what_the_user_moves_are_the_systems_to_bring_back(
    source: Device | Microphone, kind: str
) -> None:
    play = Play(SessionOptions(source=source)).listening()
    play.at(1000, e.Sound(LANE, 1, SoundState(kind, "It is elsewhere.", "", HEADSET.name)))
    assert play.at(20_000, e.Tick()) == []


def test_a_device_that_is_lost_is_stood_in_for_at_once_and_returned_to() -> None:
    play = Play(SessionOptions(source=JABRA)).listening(feed=HEADSET)
    play.at(1000, sound("lost", "Jabra Evolve 65 Mono is not connected.", "Connect it again."))
    assert play.status.stage is Stage.NO_SOUND
    assert play.at(1100, e.Tick()) == [e.Find(LANE, 1, JABRA)]
    absent = UserError("Jabra Evolve 65 is not connected.")
    assert e.Find(LANE, 2, Microphone()) in play.at(1110, e.NotFound(LANE, 1, "absent", absent))
    play.at(1120, e.Found(LANE, 2, MICROPHONE), e.Sound(LANE, 2, FLOWING))
    assert play.stages[-1] == "listening" and "Jabra" in play.status.remark
    assert play.at(5000, e.Tick())[:1] == [e.Find(LANE, 3, JABRA)]
    assert e.Listen(LANE, 3, HEADSET) in play.at(5100, e.Found(LANE, 3, HEADSET))


def test_what_came_back_by_itself_is_not_opened_again() -> None:
    play = Play(SessionOptions(source=JABRA)).listening(feed=HEADSET)
    play.at(1000, sound("lost", "It is not connected."))
    play.at(1100, e.Tick())
    assert play.at(1200, e.Sound(LANE, 1, FLOWING), e.Found(LANE, 1, HEADSET))[1:] == []
    assert not [each for each in play.out if each == e.Listen(LANE, 2, HEADSET)]


def test_a_server_that_stops_is_told_as_that_and_not_as_no_microphone() -> None:
    play = Play().listening()
    play.at(1000, sound("lost", "The sound server has stopped.", "It is tried again by itself."))
    play.at(1100, e.Tick())
    none = UserError("No microphone was found.")
    play.at(1200, e.NotFound(LANE, 1, "none", none))
    assert play.status.message == "The sound server has stopped."
    assert not play.of(e.LetGo), "its capture tries on"
    assert e.Find(LANE, 2, Microphone()) in play.at(4300, e.Tick())


def test_sound_too_quiet_for_speech_is_remarked_upon_while_it_lasts() -> None:
    play = Play().listening()
    play.at(900, sound("quiet", "The sound is very quiet.", "Turn it up."))
    assert play.status.stage is Stage.LISTENING
    assert play.status.remark == "The sound is very quiet. Turn it up."
    play.at(1900, e.Sound(LANE, 1, FLOWING))
    assert play.status.remark == ""


# --- the engine --------------------------------------------------------------------------------


def test_another_delay_reaches_the_engine_and_the_owner() -> None:
    play = Play().listening()
    assert play.at(500, e.SetDelay(960)) == [
        e.ChangeDelay(LANE, 0, 960),
        e.Choices(MICROPHONE.name, 960),
    ]
    assert play.at(600, e.SetDelay(960)) == []


def test_a_delay_that_the_engine_refuses_is_taken_back_and_captions_go_on() -> None:
    play = Play().listening()
    play.at(500, e.SetDelay(960), e.SetDelay(2400))
    refused = Notice(LANE, "delay-refused", "There is not enough memory for 2400 ms.")
    assert play.at(600, m.DelayRefused(LANE, 0, 2400, 960), refused) == [
        e.Choices(MICROPHONE.name, 960),
        refused,
    ]
    assert play.status.stage is Stage.LISTENING


def test_a_refusal_that_comes_too_late_changes_nothing() -> None:
    play = Play().listening()
    play.at(500, e.SetDelay(2400), e.SetDelay(960))
    assert play.at(600, m.DelayRefused(LANE, 0, 2400, 480)) == []


def test_the_delay_that_acts_is_shown_and_the_one_that_was_chosen_known() -> None:
    play = Play().listening()
    assert play.at(500, Acting(LANE, 0, 960)) == [
        e.Choices(MICROPHONE.name, 960, chosen_delay_ms=480)
    ]
    assert play.at(600, Acting(LANE, 0, 960)) == []
    assert play.at(700, Acting(LANE, 0, 480)) == [e.Choices(MICROPHONE.name, 480)]
    assert play.at(800, Acting(LANE, 1, 2400)) == [], "of the record"


def test_the_same_delay_once_more_is_a_choice_where_another_acts() -> None:
    play = Play().listening()
    play.at(500, Acting(LANE, 0, 960))
    assert play.at(600, e.SetDelay(480)) == [
        e.ChangeDelay(LANE, 0, 480),
        e.Choices(MICROPHONE.name, 480),
    ]


def test_another_worker_finds_out_for_itself_what_it_carries() -> None:
    play = Play().listening()
    longer = Notice(LANE, "longer-delay", "Too slow.")
    play.at(500, Acting(LANE, 0, 960), longer)
    play.at(600, Restarting(1, Sentence("The speech engine crashed; restarting.")))
    assert Notice(LANE, "longer-delay", "") in play.said
    assert play.of(e.Choices)[-1] == e.Choices(MICROPHONE.name, 480)


def test_a_worker_that_dies_is_told_and_loads_again() -> None:
    play = Play().listening()
    play.at(900, Restarting(1, Sentence("The speech engine stopped; restarting.")))
    assert play.said == [
        Notice(LANE, "restarting", "The speech engine stopped; restarting.", "No words are lost."),
        Status(Stage.STARTING, "Starting …"),
    ]
    play.at(2000, m.Loading(0.0, ""), READY, e.Tick({LANE: 4000}))
    assert play.status.stage is Stage.CATCHING_UP, "however little it is behind"


def test_what_the_engine_says_of_itself_is_passed_on() -> None:
    play = Play().listening()
    notice = Notice(LANE, "smaller-model", "tiny.en is used.")
    assert play.at(900, notice) == [notice]


# --- the end -----------------------------------------------------------------------------------


def test_a_stop_hears_out_saves_and_then_is_stopped() -> None:
    play = Play().listening()
    assert play.at(1000, e.Stop()) == [
        e.LetGo(LANE, 1),
        e.Finish(),
        Status(Stage.STOPPING, "Finishing the last words …"),
    ]
    last = word("last", 900)
    play.at(1500, last)
    assert play.at(1600, m.Finished()) == [e.EndEngine()]
    assert play.at(1700, e.Dead()) == [
        e.HeardOut(),
        e.Save(),
        Status(Stage.STOPPING, "Saving the transcript …"),
    ]
    saved = e.Saved(Path("a.srt"))
    assert play.at(1900, e.Kept(saved)) == [saved, Status(Stage.STOPPED, "Stopped.")]
    assert play.at(2000, word("never", 1900), e.Begin(MICROPHONE)) == []


def test_a_stop_waits_only_so_long_and_says_what_was_not_heard() -> None:
    play = Play().listening()
    play.at(1000, e.Stop())
    play.at(1000 + STOP_MS - 1, e.Tick({LANE: 2600}))
    assert not play.of(e.EndEngine)
    play.at(1000 + STOP_MS, e.Tick({LANE: 2600}))
    assert play.said == [play.of(Notice)[0], e.EndEngine()]
    assert play.notices() == ["cut-off"] and "2.6 s" in play.of(Notice)[0].message


def test_what_waits_is_heard_out_while_that_goes_on_but_not_for_ever() -> None:
    """What one says oneself waits while the others come first: it belongs to the transcript."""
    play = Play().listening()
    play.at(1000, e.Stop())
    for ms in range(2000, 1000 + LONGEST_STOP_MS, 3000):
        play.at(ms, settled(ms // 10), word("late", ms // 10), e.Tick({LANE: 9000}))
    assert not play.of(e.EndEngine)
    assert play.at(1000 + LONGEST_STOP_MS, settled(8000), e.Tick({LANE: 9000}))[-1] == e.EndEngine()
    assert play.notices() == ["cut-off"]


def test_a_second_stop_waits_no_longer_whatever_is_heard_meanwhile() -> None:
    play = Play().listening()
    play.at(1000, e.Stop())
    play.at(8000 - STOP_MS, settled(300), e.Stop())
    play.at(7999, settled(400), e.Tick({LANE: 9000}))
    assert not play.of(e.EndEngine)
    play.at(8000, settled(500), e.Tick({LANE: 9000}))
    assert play.of(e.EndEngine)


def test_what_arrived_or_was_held_back_when_time_was_up_is_not_lost() -> None:
    play = Play().listening()
    play.at(1000, e.Stop())
    play.at(1000 + STOP_MS, e.Tick(), word("late", 500), e.Dead((word("held", 700),)))
    assert play.transcript == ["late", "held"]
    assert [keep.event for keep in play.of(e.Keep)] == play.of(Word)
    assert play.at(7000, word("after that", 900)) == [], "the file is being written"


def test_a_file_that_ends_before_the_model_is_loaded_is_heard_all_the_same() -> None:
    play = Play()
    play.at(0, e.Begin(FILE), heard(0, 900), sound("ended"))
    assert play.of(Notice) == [Notice(LANE, "file", FILE.notes[0])]
    play.at(60_000, m.Loading(0.5, "reading"), e.Tick({LANE: 900}))
    assert play.stages[-1] is Stage.STOPPING and not play.of(e.EndEngine)
    play.at(60_100, READY)
    play.at(60_000 + PATIENCE_MS - 1, e.Tick({LANE: 900}))
    assert not play.of(e.EndEngine)
    play.at(60_000 + PATIENCE_MS, e.Tick({LANE: 900}))
    assert play.of(e.EndEngine)


def test_a_file_that_has_ended_is_heard_out_for_as_long_as_that_goes_on() -> None:
    """Unlike one who stops, it keeps nobody waiting."""
    play = Play().listening(feed=FILE)
    play.at(9000, heard(0, 9000), sound("ended"))
    for ms in (15_000, 40_000, 65_000):
        play.at(ms, settled(ms // 10), e.Tick({LANE: 9000 - ms // 10}))
    assert not play.of(e.EndEngine)
    play.at(65_100, e.Stop())
    play.at(65_100 + STOP_MS, settled(7000), e.Tick({LANE: 2000}))
    assert play.of(e.EndEngine) and play.notices()[-1] == "cut-off"


@pytest.mark.parametrize("first", ["the file's end", "the user"])
def test_one_who_will_not_wait_for_the_model_need_not(first: str) -> None:
    play = Play()
    asks = [sound("ended"), e.Stop()]
    play.at(0, e.Begin(FILE), *(asks if first == "the file's end" else reversed(asks)))
    play.at(STOP_MS, e.Tick())
    assert play.of(e.EndEngine)


def test_so_many_seconds_are_enough() -> None:
    play = Play(SessionOptions(seconds=2.5)).listening()
    play.at(2499, e.Tick())
    assert not play.of(e.Finish)
    play.at(2500, e.Tick())
    assert play.of(e.Finish)


def test_an_engine_that_fails_leaves_what_was_said_saved() -> None:
    play = Play().listening()
    play.at(900, word("said", 300), m.Failure("It broke.", "Try again."), m.Failure("Twice."))
    assert play.of(e.EndEngine) == [e.EndEngine()]
    play.at(1000, e.Dead())
    assert e.Save() in play.said
    saved = e.Saved(Path("a.srt"))
    assert play.at(1100, e.Kept(saved)) == [saved, Status(Stage.FAILED, "It broke.", "Try again.")]


def test_what_was_said_in_so_many_seconds_is_heard_however_long_the_model_loads() -> None:
    play = Play(SessionOptions(seconds=2))
    play.at(0, e.Begin(MICROPHONE))
    assert e.Finish() in play.at(2000, heard(0, 2000), e.Tick({LANE: 2000}))
    play.at(2000 + 2 * PATIENCE_MS, e.Tick({LANE: 2000}), READY)
    assert not play.of(e.EndEngine)
    play.at(play.now_ms + 100, e.Stop())  # Ctrl-C: somebody does wait
    assert e.EndEngine() in play.at(play.now_ms + STOP_MS, e.Tick({LANE: 2000}))


def test_an_engine_that_ends_unasked_has_failed() -> None:
    play = Play().listening()
    play.at(900, m.Finished())
    play.ended(1000)
    assert play.status.stage is Stage.FAILED


@pytest.mark.parametrize("said", [True, False])
def test_of_a_file_in_which_nothing_was_heard_it_is_said(said: bool) -> None:
    """B4: an empty file of subtitles explains nothing."""
    play = Play().listening(feed=FILE)
    play.at(900, heard(0, 900), sound("ended"))
    play.at(1000, *([word("said", 300)] if said else []), m.Finished(), e.Dead(), e.Kept())
    nothing = "No speech was found in “talk.flac”."
    assert (nothing in [notice.message for notice in play.of(Notice)]) is not said


def test_a_file_that_breaks_off_is_heard_out_and_told() -> None:
    play = Play().listening(feed=FILE)
    play.at(900, heard(0, 900), sound("lost", "talk.flac cannot be read on.", "Copy it again."))
    assert e.Finish() in play.said and not play.of(e.EndEngine)
    play.at(1000, word("heard", 800), m.Finished(), e.Dead(), e.Kept())
    assert play.transcript == ["heard"]
    assert play.status == Status(Stage.FAILED, "talk.flac cannot be read on.", "Copy it again.")


def test_a_file_that_cannot_be_written_is_told_before_the_end() -> None:
    play = Play().listening()
    problem = Notice(LANE, "not-saved", "The disk is full.")
    play.at(900, e.Stop(), m.Finished(), e.Dead())
    assert play.at(1000, e.Kept(None, problem)) == [problem, Status(Stage.STOPPED, "Stopped.")]


def test_an_abort_ends_everything_at_once() -> None:
    play = Play().listening()
    assert play.at(900, e.Abort()) == [
        e.LetGo(LANE, 1),
        e.EndEngine(),
        e.Abandon(),
        Status(Stage.STOPPED),
    ]
    assert play.at(1000, e.Dead(), word("late", 800)) == []


def test_while_stopping_nothing_else_is_done() -> None:
    play = Play().listening()
    play.at(900, e.SetSource(JABRA), e.Stop())
    for verb in (e.Pause(), e.Resume(), e.SetDelay(80), e.SetSource(Microphone()), e.Stop()):
        assert play.at(1000, verb) == []
    assert play.at(1100, e.Found(LANE, 1, HEADSET), m.Loading(0.2, "")) == []

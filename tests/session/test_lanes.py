"""Two voices as a playbook: one that has no sound never stops the other, and they come and go."""

from __future__ import annotations

from pathlib import Path

from app.audio.capture import SoundState
from app.audio.choice import Application, Device, MediaFile, Meeting, Microphone, SystemSound
from app.core.timeline import Gap
from app.session import events as e
from app.session.state import BEHIND_MS
from app.session.status import SessionOptions, Stage, Status
from app.worker import messages as m
from app.worker.client import Restarting
from model_backends.base import Notice, Sentence, UserError, Word
from tests.session.playbook import (
    FILE,
    FLOWING,
    HEADSET,
    JABRA,
    LANE,
    MICROPHONE,
    READY,
    SPEAKERS,
    THEIRS,
    Play,
    StillFeed,
    heard,
    settled,
)

HDMI = Device("alsa_output.pci-0000_01_00.1.hdmi-stereo", "HDA NVidia Digital Stereo", plays=True)
BOTH = f"{SPEAKERS.name} and {MICROPHONE.name}"


def meeting() -> Play:
    """Both voices are heard."""
    play = Play(SessionOptions(source=Meeting()))
    play.at(0, e.Begin(), READY)
    play.at(100, e.Found(THEIRS, 1, SPEAKERS), e.Found(LANE, 1, MICROPHONE))
    play.at(200, e.Sound(THEIRS, 1, FLOWING), e.Sound(LANE, 1, FLOWING))
    assert play.status == Status(Stage.LISTENING, f"Listening to {BOTH}.")
    return play


def theirs(kind: str, message: str = "", hint: str = "") -> e.Sound:
    return e.Sound(THEIRS, 1, SoundState(kind, message, hint))


def mine(kind: str, message: str = "", hint: str = "") -> e.Sound:
    return e.Sound(LANE, 1, SoundState(kind, message, hint))


def not_found(lane: str, search: int, why: str, message: str = "It is not there.") -> e.NotFound:
    return e.NotFound(lane, search, why, UserError(message, "Look."))


# --- listening to both -------------------------------------------------------------------------


def test_a_meeting_looks_for_both_and_says_so() -> None:
    play = Play(SessionOptions(source=Meeting()))
    play.at(0, e.Begin(), READY)
    assert play.of(e.Find) == [e.Find(THEIRS, 1, SystemSound()), e.Find(LANE, 1, Microphone())]
    play.at(100, e.Found(LANE, 1, MICROPHONE), e.Found(THEIRS, 1, SPEAKERS))
    assert play.of(e.Choices)[-1] == e.Choices(BOTH, 480, voices=(THEIRS, LANE))


def test_two_voices_are_two_lanes() -> None:
    play = meeting()
    play.at(300, m.Speech(THEIRS, True, 250))
    assert play.status.stage is Stage.SPEECH
    said = Word(THEIRS, 0, 0, " Hi", 150, 250), Word(LANE, 0, 1, "Hello", 150, 250)
    play.at(400, *said)
    assert [each.text for each in play.of(Word)] == [" Hi", "Hello"], "each has its own spaces"
    assert [keep.event for keep in play.of(e.Keep)] == [*said]


def test_a_pause_is_one_of_both() -> None:
    play = meeting()
    assert play.at(300, e.Pause())[:2] == [e.LetGo(THEIRS, 1), e.LetGo(LANE, 1)]
    play.at(900, e.Resume())
    gaps = [Gap(THEIRS, 300, 900, "paused"), Gap(LANE, 300, 900, "paused")]
    assert play.of(Gap) == gaps and [keep.event for keep in play.of(e.Keep)] == gaps


def test_a_delay_is_one_of_both_and_refused_by_one_goes_back_for_both() -> None:
    play = meeting()
    told = play.at(300, e.SetDelay(960))
    assert told[:2] == [e.ChangeDelay(THEIRS, 0, 960), e.ChangeDelay(LANE, 0, 960)]
    back = play.at(400, m.DelayRefused(LANE, 0, 960, 480))
    assert back[0] == e.ChangeDelay(THEIRS, 0, 480)
    assert play.of(e.Choices)[-1].delay_ms == 480


# --- one of them has no sound ------------------------------------------------------------------


def test_without_a_microphone_the_others_are_captioned() -> None:
    play = Play(SessionOptions(source=Meeting()))
    play.at(0, e.Begin(), READY)
    play.at(100, e.Found(THEIRS, 1, SPEAKERS), not_found(LANE, 1, "none"))
    play.at(200, theirs("flowing"))
    assert play.status.stage is Stage.LISTENING
    assert play.status.remark == (
        "No microphone. Only this computer’s sound is captioned meanwhile. "
        "Plug one in, or choose what to listen to."
    )
    assert e.Find(LANE, 2, Microphone()) in play.at(3200, e.Tick()), "it is looked for again"
    play.at(3300, e.Found(LANE, 2, MICROPHONE), mine("flowing"))
    assert play.status == Status(Stage.LISTENING, f"Listening to {BOTH}.")


def test_without_the_computers_sound_the_microphone_is_captioned() -> None:
    play = Play(SessionOptions(source=Meeting()))
    play.at(0, e.Begin(), READY)
    play.at(100, not_found(THEIRS, 1, "none", "This computer’s sound cannot be heard."))
    play.at(200, e.Found(LANE, 1, MICROPHONE), mine("flowing"))
    assert play.status.stage is Stage.LISTENING
    assert play.status.remark == (
        "This computer’s sound cannot be heard. Only the microphone is captioned meanwhile. Look."
    )
    assert e.Find(THEIRS, 2, Microphone()) not in play.of(e.Find), "nothing stands in for it"


def test_a_muted_microphone_is_remarked_upon_and_nothing_else_stops() -> None:
    play = meeting()
    play.at(5000, mine("silent", "No sound is arriving.", "Is it muted?"))
    assert play.status.stage is Stage.LISTENING
    assert play.status.remark.startswith("No sound is arriving. Only this computer’s sound")
    play.at(6000, mine("flowing"))
    assert play.status.remark == ""


def test_while_paused_nothing_is_said_of_sound_that_nobody_listens_to() -> None:
    play = meeting()
    play.at(5000, mine("silent", "No sound is arriving.", "Is it muted?"))
    assert play.at(6000, e.Pause())[-1] == Status(Stage.PAUSED, "Paused.")


def test_where_nothing_plays_nothing_is_wrong() -> None:
    play = meeting()
    play.at(5000, theirs("silent", "Nothing is playing."))
    assert play.status == Status(Stage.LISTENING, f"Listening to {BOTH}.")


def test_nothing_plays_and_no_microphone_are_two_sentences() -> None:
    play = meeting()
    play.at(5000, theirs("silent", "Nothing is playing."), mine("lost", "It is gone.", "Plug it."))
    assert (play.status.stage, play.status.message) == (Stage.NO_SOUND, "Nothing is playing.")
    assert play.status.remark.startswith("It is gone. Only this computer’s sound is captioned")


def test_both_without_sound_are_both_told() -> None:
    play = meeting()
    play.at(5000, theirs("stalled", "Speakers stall."), mine("lost", "It is gone.", "Plug it in."))
    assert (play.status.stage, play.status.message) == (Stage.NO_SOUND, "Speakers stall.")
    assert play.status.remark == "It is gone. Plug it in."


def test_the_first_voice_decides_whether_captions_are_in_time() -> None:
    play = meeting()
    assert play.at(5000, e.Tick({THEIRS: 200, LANE: 90_000})) == [], "the worker tells of that"
    play.at(5100, e.Tick({THEIRS: 480 + BEHIND_MS + 1, LANE: 0}))
    assert play.status.stage is Stage.CATCHING_UP


def test_what_one_worker_could_not_do_is_not_said_of_the_next() -> None:
    play = meeting()
    play.at(
        1000, Notice(LANE, "two-voices", "Yours follows later."), Notice("", "smaller-model", "x")
    )
    play.at(2000, Restarting(1, Sentence("The engine stopped.")))
    assert Notice(LANE, "two-voices", "") in play.said
    assert Notice("", "smaller-model", "") not in play.said, "the next begins with it"
    play.at(3000, READY, Restarting(2, Sentence("The engine stopped.")))
    assert Notice(LANE, "two-voices", "") not in play.said


# --- voices come and go ------------------------------------------------------------------------


def test_a_voice_is_added_and_the_other_goes_on() -> None:
    play = Play().listening()
    play.at(1000, heard(0, 1000))
    said = play.at(1100, e.SetSource(Meeting()))
    assert said[:2] == [e.Find(THEIRS, 1, SystemSound()), e.ChangeDelay(THEIRS, 0, 480)]
    play.at(1200, e.Found(THEIRS, 1, SPEAKERS))
    assert e.Listen(THEIRS, 1, SPEAKERS) in play.said
    assert not play.of(e.LetGo) and len(play.of(e.Find)) == 1, "the microphone is not touched"


def test_a_voice_ends_and_the_other_goes_on() -> None:
    play = meeting()
    play.at(1000, e.SetSource(SystemSound()))
    assert e.LetGo(LANE, 1) in play.out and e.LetGo(THEIRS, 1) not in play.out
    play.at(1100, Word(LANE, 0, 0, "late", 400, 600))
    assert play.transcript == ["late"], "what it had said comes all the same"
    assert play.of(e.Choices)[-1].voices == (THEIRS,)


def test_one_voice_is_heard_until_the_other_is_found() -> None:
    play = Play().listening()
    play.at(1000, heard(0, 1000), e.SetSource(SystemSound()))
    assert not play.of(e.LetGo)
    said = play.at(1300, e.Found(THEIRS, 1, SPEAKERS))
    assert said[:2] == [e.Listen(THEIRS, 1, SPEAKERS), e.LetGo(LANE, 1)], "the next begins first"
    assert play.transcript == []


def test_a_voice_that_comes_back_was_not_missed() -> None:
    """Nobody wanted to hear it meanwhile: that is no gap."""
    play = meeting()
    play.at(1000, heard(0, 1000), settled(1000), e.SetSource(SystemSound()))
    play.at(60_000, e.SetSource(Meeting()))
    play.at(60_100, e.Found(LANE, play.of(e.Find)[-1].search, MICROPHONE))
    assert e.Listen(LANE, 2, MICROPHONE) in play.said
    play.at(60_200, heard(60_150, 60_200, capture=2))
    assert play.of(Gap) == []


def test_a_choice_that_is_refused_leaves_all_as_it_was() -> None:
    play = meeting()
    play.at(1000, e.SetSource(SystemSound()))
    play.at(2000, e.SetSource(MediaFile(Path("/no/such.wav"))))
    said = play.at(
        2100, not_found(LANE, play.of(e.Find)[-1].search, "refused", "There is no such file.")
    )
    assert said[0] == Notice(LANE, "refused", "There is no such file.", "Look.")
    assert play.status == Status(Stage.LISTENING, f"Listening to {SPEAKERS.name}.")
    assert e.LetGo(THEIRS, 1) not in play.out


def test_a_file_takes_the_place_of_what_the_computer_plays() -> None:
    play = meeting()
    play.at(1000, e.SetSource(MediaFile(Path("talk.flac"))))
    said = play.at(1100, e.Found(LANE, 2, FILE))
    assert said[:2] == [e.Listen(LANE, 2, FILE), e.LetGo(THEIRS, 1)]
    play.at(1200, heard(1150, 1200, capture=2))
    play.at(9000, e.Sound(LANE, 2, SoundState("ended")))
    assert play.status.stage is Stage.STOPPING


def test_a_voice_that_is_added_in_a_pause_waits_and_has_the_pause() -> None:
    play = Play().listening()
    play.at(1000, e.Pause())
    play.at(
        2000, e.SetSource(Meeting()), e.Found(THEIRS, 1, SPEAKERS), e.Found(LANE, 1, MICROPHONE)
    )
    assert len(play.of(e.Listen)) == 1 and play.status.stage is Stage.PAUSED
    play.at(5000, e.Resume())
    assert play.of(Gap) == [Gap(THEIRS, 1000, 5000, "paused"), Gap(LANE, 1000, 5000, "paused")]
    assert len(play.of(e.Listen)) == 3


def test_a_pause_while_one_is_to_go_lets_it_go() -> None:
    play = Play().listening()
    play.at(1000, e.SetSource(SystemSound()))
    play.at(1100, e.Pause())
    assert play.of(e.LetGo) == [e.LetGo(LANE, 1)]
    play.at(1200, e.Found(THEIRS, 1, SPEAKERS))
    assert len(play.of(e.Listen)) == 1


# --- what stands in for what is not connected --------------------------------------------------


def test_an_absent_output_is_stood_in_for_by_the_computers_sound() -> None:
    play = Play(SessionOptions(source=HDMI))
    play.at(0, e.Begin(), READY)
    assert play.at(100, not_found(THEIRS, 1, "absent"))[0] == e.Find(THEIRS, 2, SystemSound())
    play.at(200, e.Found(THEIRS, 2, SPEAKERS))
    assert play.status.remark == (
        f"{HDMI.name} is not connected. Listening to {SPEAKERS.name} until it is back."
    )


def test_nothing_stands_in_for_one_application() -> None:
    """Whoever wants one alone does not want the others."""
    play = Play(SessionOptions(source=Application("Zoom")))
    play.at(0, e.Begin(), READY)
    play.at(100, not_found(THEIRS, 1, "absent", "Zoom is not playing anything."))
    assert (play.status.stage, play.status.message) == (
        Stage.NO_SOUND,
        "Zoom is not playing anything.",
    )
    assert play.at(3100, e.Tick()) == [e.Find(THEIRS, 2, Application("Zoom"))]


def test_an_absent_headset_is_stood_in_for_in_its_own_lane() -> None:
    play = meeting()
    play.at(1000, e.SetSource(JABRA))
    play.at(1100, not_found(LANE, 2, "absent"))
    assert play.said[0] == e.Find(LANE, 3, Microphone())
    assert e.LetGo(THEIRS, 1) not in play.out, "not before something is found"
    play.at(1200, e.Found(LANE, 3, StillFeed("Webcam")))
    assert e.LetGo(THEIRS, 1) in play.said
    assert len(play.of(e.Listen)) == 2, "the microphone is heard already"
    assert play.status.remark.startswith(f"{JABRA.name} is not connected.")
    play.at(4300, e.Tick(), e.Found(LANE, 4, HEADSET))
    assert play.of(e.Choices)[-1] == e.Choices(HEADSET.name, 480)

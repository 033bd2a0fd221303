"""A session's record: who is asked to hear again, when, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.audio.choice import Meeting
from app.core.chunk import Chunk
from app.core.reheard import Reheard
from app.core.timeline import Gap
from app.session import events as e
from app.session import second_ear
from app.session.second_ear import SecondEar, record_track_ms, record_way
from app.session.status import RecordWay, SessionOptions, Stage
from app.worker import messages as m
from model_backends import describe
from model_backends.base import EngineOptions, Progress, UserError, Word
from tests.session.playbook import LANE, MICROPHONE, READY, SPEAKERS, THEIRS, Play, settled, word

SPEECH = m.Speech(LANE, True, 100)
FIRST = Word(LANE, 0, 0, "", 0, 0)  # nothing to read, and it counts as a caption


def again(*events: Word | Progress | Gap | m.Message) -> list[e.Again]:
    return [e.Again(event) for event in events]


def said(text: str, start_ms: int = 1_000, track: int = 0, lane: str = LANE) -> list[Word]:
    return [
        Word(lane, track, 0, f" {each}", start_ms + n * 300, start_ms + n * 300 + 200)
        for n, each in enumerate(text.split())
    ]


def stretches(outputs: Sequence[e.Output]) -> list[str]:
    found = [output for output in outputs if isinstance(output, Reheard)]
    assert [e.Keep(each) for each in found] == [
        output
        for output in outputs
        if isinstance(output, e.Keep) and isinstance(output.event, Reheard)
    ]
    return ["".join(w.text for w in each.words).strip() for each in found]


@pytest.fixture
def play() -> Play:
    """Somebody speaks, and once there is a caption another worker hears it again."""
    play = Play(way=RecordWay.WORKER).listening()
    play.at(200, SPEECH)
    assert e.HearAgain() in play.at(250, FIRST)
    return play


# --- when ------------------------------------------------------------------------------------


def test_the_second_worker_is_started_once_and_not_before_the_first_caption() -> None:
    play = Play(way=RecordWay.WORKER).listening()
    play.at(200, SPEECH, m.Speech(LANE, False, 900), m.Speech(LANE, True, 1500))
    assert not play.of(e.HearAgain), "the first caption is waited for"
    play.at(1600, *said("One two"))
    assert len(play.of(e.HearAgain)) == 1


@pytest.mark.parametrize("way", [RecordWay.NONE, RecordWay.TRACK])
def test_no_other_worker_is_asked_where_there_is_no_need(way: RecordWay) -> None:
    play = Play(way=way).listening()
    play.at(200, SPEECH, FIRST)
    play.at(1000, e.Stop())
    play.at(2000, m.Finished())
    play.ended(2500)
    assert not play.of(e.HearAgain) and not play.of(e.EndAgain)
    assert play.status.stage is Stage.STOPPED


def test_it_stands_still_while_captions_are_behind(play: Play) -> None:
    play.at(300, e.Tick({LANE: 9_000}), e.Tick({LANE: 9_000}))
    assert play.of(e.HoldAgain) == [e.HoldAgain(True)]
    assert play.status.about_record and not play.status.remark
    play.at(900, e.Tick({LANE: 300}))
    assert play.of(e.HoldAgain) == [e.HoldAgain(True), e.HoldAgain(False)]
    assert not play.status.about_record


# --- what ------------------------------------------------------------------------------------


def test_a_stretch_is_kept_and_told_once_both_hearings_have_come_past_it(play: Play) -> None:
    for each in said("asked not what", 1_000):
        play.at(2_000, each)
    play.at(20_000, settled(20_000))
    assert not stretches(play.out)
    play.at(21_000, *again(*said("ask not what", 1_020)))
    assert stretches(play.at(22_000, *again(Progress(LANE, 0, 20_000, 20_000)))) == ["ask not what"]
    assert play.transcript[1:] == ["asked", "not", "what"]  # what was shown is never taken back


def test_what_the_second_worker_says_of_itself_is_nobodys_concern(play: Play) -> None:
    before = len(play.out)
    play.at(400, *again(m.Loading(0.5, "…"), m.Ready("embedded", "base", "cpu", 900)))
    assert play.out[before:] == []


def test_a_track_of_the_same_engine_is_the_record_and_never_a_caption() -> None:
    play = Play(way=RecordWay.TRACK).listening()
    play.at(2_000, *said("asked not"), *said("ask not", track=1))
    play.at(20_000, settled(20_000), Progress(LANE, 1, 20_000, 20_000))
    assert play.transcript == ["asked", "not"]
    assert stretches(play.out) == ["ask not"]


def test_what_is_left_of_a_track_comes_with_the_end() -> None:
    play = Play(way=RecordWay.TRACK).listening()
    play.at(2_000, *said("asked not"), *said("ask not", track=1), e.Stop())
    assert stretches(play.at(3_000, m.Finished(), e.Dead())) == ["ask not"]
    assert e.Save() in play.said


def test_a_gap_waits_for_the_captions_alone() -> None:
    """The record's track comes seconds later: a pause is told when the captions are out."""
    play = Play(way=RecordWay.TRACK).listening()
    play.at(1_000, Progress(LANE, 1, 500, 0))
    play.at(2_000, word("one", 1_000), e.Pause())
    play.at(5_000, e.Resume(), settled(5_000))
    assert play.transcript == ["one", "(paused 2000-5000)"]


# --- the end ---------------------------------------------------------------------------------


def stopped(play: Play) -> list[e.Output]:
    """Captions are out; the second hearing is not."""
    play.at(2_000, *said("asked not what"), settled(3_000), e.Stop())
    return play.at(3_000, m.Finished(), e.Dead())


def test_at_the_end_the_transcript_is_finished_before_it_is_saved(play: Play) -> None:
    out = stopped(play)
    assert e.HeardOut() in out and e.Save() not in out
    assert play.status.message == "Finishing the transcript …" and play.status.can_hurry
    play.at(5_000, *again(*said("ask not what")))
    assert stretches(play.at(6_000, *again(m.Finished()))) == ["ask not what"]
    assert play.said[-2:] == [e.Save(), play.status]
    play.at(7_000, e.Kept())
    assert play.status.stage is Stage.STOPPED


def test_another_stop_saves_it_as_it_is(play: Play) -> None:
    stopped(play)
    play.at(5_000, *again(*said("ask not")))
    assert e.Save() in play.at(5_100, e.Stop())
    assert e.EndAgain() in play.said
    assert not stretches(play.out)
    assert play.at(5_200, e.Stop(), *again(m.Finished())) == []


@pytest.mark.parametrize("end", [m.Failure("broken"), m.Failure("no memory")])
def test_a_second_hearing_that_fails_costs_nothing(play: Play, end: m.Failure) -> None:
    stopped(play)
    assert e.Save() in play.at(4_000, *again(end))
    play.at(5_000, e.Kept())
    assert play.status.stage is Stage.STOPPED


def test_one_that_is_done_before_the_captions_waits_for_them(play: Play) -> None:
    play.at(2_000, said("asked")[0], e.Stop(), *again(*said("ask not what"), m.Finished()))
    assert not stretches(play.out)
    play.at(3_000, *said("not what", 1_300), m.Finished(), e.Dead())
    assert stretches(play.said) == ["ask not what"]
    assert e.Save() in play.said


def test_a_session_that_fails_is_saved_at_once(play: Play) -> None:
    play.at(2_000, *said("asked not what"))
    play.at(3_000, m.Failure("The engine broke."), e.Dead())
    assert e.Save() in play.said and e.EndAgain() in play.said


def test_an_abort_ends_both(play: Play) -> None:
    out = play.at(2_000, e.Abort())
    assert [e.EndEngine(), e.EndAgain()] == [o for o in out if o in (e.EndEngine(), e.EndAgain())]


def test_what_the_second_hearing_gave_up_stays_as_captioned(play: Play) -> None:
    play.at(2_000, *said("asked not what"), settled(90_000))
    play.at(90_000, *again(Gap(LANE, 0, 60_000, "overflow"), Progress(LANE, 0, 90_000, 90_000)))
    assert not stretches(play.out)
    assert play.status.about_record.startswith("1 min of the transcript")


def test_of_two_voices_the_users_words_are_those_the_captions_let_through() -> None:
    play = Play(SessionOptions(source=Meeting()), RecordWay.WORKER)
    play.at(0, e.Begin(), READY, e.Found(LANE, 1, MICROPHONE), e.Found(THEIRS, 1, SPEAKERS))
    play.at(100, SPEECH, *said("I think so", 10_000), *said("the news", 14_000, lane=THEIRS))
    mine = [*said("I think so", 10_000), *said("the news", 14_000)]
    play.at(200, *again(*mine, *said("the news", 14_000, lane=THEIRS)), e.Stop())
    out = play.at(300, *again(m.Finished()), m.Finished(), e.Dead())
    found = [each for each in out if isinstance(each, Reheard)]
    record = {
        lane: "".join(w.text for each in found if each.lane == lane for w in each.words)
        for lane in (LANE, THEIRS)
    }
    assert record == {LANE: " I think so", THEIRS: " the news"}


# --- where it comes from ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "delay_ms", "hear_again", "way", "track_ms"),
    [
        ("embedded", 1000, True, RecordWay.WORKER, None),
        ("embedded", 1000, False, RecordWay.NONE, None),
        ("voxtral-torch", 480, True, RecordWay.TRACK, 2400),
        ("voxtral-mlx", 960, True, RecordWay.TRACK, 2400),
        ("voxtral-cpu", 480, True, RecordWay.TRACK, 2400),
        ("voxtral-torch", 2400, True, RecordWay.NONE, None),
        ("voxtral-torch", 480, False, RecordWay.NONE, None),
        ("scripted", 480, True, RecordWay.NONE, None),
    ],
)
def test_the_engine_says_where_the_record_comes_from(
    engine: str, delay_ms: int, hear_again: bool, way: RecordWay, track_ms: int | None
) -> None:
    info = describe(engine)
    found = record_way(SessionOptions(hear_again=hear_again), info, delay_ms)
    assert found is way
    assert record_track_ms(found, info, delay_ms) == track_ms


class Ear:
    """A client that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.first: m.Start | None = None

    def made(self, start: m.Start, deliver: object) -> Ear:
        self.first = start
        return self

    def start(self) -> None:
        self.told.append("start")

    def push(self, chunk: Chunk) -> None:
        self.told.append(chunk)

    def pause(self, lane: str) -> None:
        self.told.append(("pause", lane))

    def hold(self, held: bool) -> None:
        self.told.append(("hold", held))

    def finish(self) -> None:
        self.told.append("finish")

    def kill(self) -> None:
        self.told.append("kill")


def ear(way: RecordWay) -> tuple[Ear, SecondEar, list[e.Again]]:
    heard: list[e.Again] = []
    client = Ear()
    engine = EngineOptions("embedded", delay_ms=1000, language="de")
    return client, SecondEar(way, engine, client.made, heard.append), heard


def test_another_worker_hears_as_files_are_heard_and_gives_way() -> None:
    client, second, _ = ear(RecordWay.WORKER)
    chunk = Chunk(LANE, 0, 0, bytes(64))
    second.push(chunk)
    second.start()
    second.hold(True)
    second.pause(LANE)
    second.finish()
    assert client.told == [
        "start",
        ("hold", True),
        chunk,
        ("pause", LANE),
        ("hold", False),
        "finish",
    ]
    assert client.first is not None
    assert client.first.background and not client.first.realtime and client.first.language == "de"


def test_sound_is_handed_on_a_second_at_a_time_and_none_is_lost() -> None:
    client, second, _ = ear(RecordWay.WORKER)
    blocks = [Chunk(LANE, 64 * n, 1024 * n, bytes([n]) * 2048) for n in range(40)]
    behind_a_gap = Chunk(LANE, 9000, 500_000, bytes(2048))
    other = Chunk("them", 0, 0, bytes(2048))
    for chunk in (*blocks, behind_a_gap, other):
        second.push(chunk)
    second.finish()
    told = [each for each in client.told if isinstance(each, Chunk)]
    assert [(each.lane, each.start_ms, each.end_ms) for each in told] == [
        (LANE, 0, 1024), (LANE, 1024, 2048), (LANE, 2048, 2560),
        (LANE, 9000, 9064), ("them", 0, 64),
    ]  # fmt: skip
    assert b"".join(each.pcm for each in told[:3]) == b"".join(each.pcm for each in blocks)
    assert client.told[-1] == "finish"


@pytest.mark.parametrize("way", [RecordWay.NONE, RecordWay.TRACK])
def test_where_there_is_no_other_worker_nothing_is_done(way: RecordWay) -> None:
    client, second, heard = ear(way)
    second.push(Chunk(LANE, 0, 0, bytes(64)))
    second.start()
    second.finish()
    second.kill()
    assert client.first is None and not client.told and not heard


def test_without_memory_for_it_the_captions_are_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_ear, "_LEAST_MEMORY", 1 << 60)
    client, second, heard = ear(RecordWay.WORKER)
    second.start()
    assert client.told == []
    assert isinstance(heard[0].event, m.Failure)


def test_a_source_that_fails_is_no_reason_to_wait(play: Play) -> None:
    play.state._ending.fault = UserError("gone")
    assert e.Save() in stopped(play)

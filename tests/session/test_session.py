"""A session with its threads: with a fake engine and capture, and whole, with the scripted one."""

from __future__ import annotations

import json
import queue
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pysubs2
import pytest

from app import paths
from app.audio.capture import Capture, Feed, Level, SoundState
from app.audio.choice import MediaFile, Meeting, SystemSound
from app.core.chunk import Chunk
from app.core.export import FORMATS
from app.core.timeline import Gap
from app.core.voices import ME, THEM
from app.session.files import FileProblem
from app.session.journal_records import read
from app.session.preparing import NoRoomError, Preparation
from app.session.session import (
    Choices,
    HeardOut,
    Saved,
    Session,
    SessionEvent,
    SessionOptions,
    Stage,
    Status,
)
from app.session.sources import Found, SourceChoice, look_for
from app.session.state import BEHIND_MS
from app.worker import messages as m
from app.worker.client import EngineClient
from model_backends.base import EngineError, EngineOptions, Notice, Progress, UserError, Word
from tests.session.fakes import FakeCapture, FakeClient, OnTime, text_of
from tests.session.playbook import HEADSET, JABRA, MICROPHONE, READY, SPEAKERS, StillFeed, word
from tests.support.likeness import assert_like
from tests.worker.helpers import SCRIPT, TEXT, script_file


@pytest.fixture
def options(tmp_path: Path, sample: Path) -> SessionOptions:
    return SessionOptions(
        engine=EngineOptions("scripted", model=str(script_file(tmp_path))),
        source=MediaFile(sample),
        srt=tmp_path / "captions.srt",
    )


def run(
    session: Session, each: Callable[[SessionEvent], None] = lambda e: None
) -> list[SessionEvent]:
    """Pump until it is over; everything it said."""
    events: list[SessionEvent] = []
    deadline = time.monotonic() + 240
    while not session.over:
        assert time.monotonic() < deadline, f"not over: {session.status}, {events[-3:]}"
        for event in session.wait(0.2):
            events.append(event)
            each(event)
    return events + session.pump()


@dataclass
class Rig:
    """A session whose engine, capture and sources say what the test says."""

    session: Session
    client: FakeClient
    captures: list[FakeCapture]
    searches: list[tuple[SourceChoice | None, Callable[[Found], None]]]

    def until(self, wanted: object) -> list[SessionEvent]:
        """Pump until the session has said this: an event, a kind of event or a stage."""
        events: list[SessionEvent] = []
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            events += self.session.wait(0.1)
            for event in events:
                stage = event.stage if isinstance(event, Status) else None
                if wanted in (event, type(event), stage):
                    return events
        raise AssertionError(f"never {wanted}: {events}")

    def capture(self, number: int) -> FakeCapture:
        """The n-th, once it has been started."""
        deadline = time.monotonic() + 60
        while len(self.captures) < number or self.captures[number - 1].state == "made":
            assert time.monotonic() < deadline, "no such capture"
            time.sleep(0.01)
        return self.captures[number - 1]


@pytest.fixture
def rigged() -> Iterator[Callable[..., Rig]]:
    made: list[Session] = []

    def make(options: SessionOptions | None = None, feed: Feed | None = MICROPHONE) -> Rig:
        captures: list[FakeCapture] = []
        searches: list[tuple[SourceChoice | None, Callable[[Found], None]]] = []

        def make_capture(*given: object) -> FakeCapture:
            captures.append(FakeCapture(*given))  # type: ignore[arg-type]
            return captures[-1]

        session = Session(
            options or SessionOptions(EngineOptions("scripted")),
            feed=feed,
            make_client=FakeClient,
            make_capture=make_capture,
            search=lambda source, answer: searches.append((source, answer)),
        )
        made.append(session)
        client = session._client
        assert isinstance(client, FakeClient)
        return Rig(session, client, captures, searches)

    yield make
    for session in made:
        session.abort()


def test_the_fake_client_has_no_verb_that_a_client_lacks() -> None:
    assert_like(FakeClient, EngineClient, own={"say", "wait_for", "first", "told", "held"})


def test_the_fake_capture_has_no_verb_that_a_capture_lacks() -> None:
    assert_like(FakeCapture, Capture, own={"say", "state"})


def test_the_still_feed_has_no_verb_that_a_feed_lacks() -> None:
    assert_like(StillFeed, Feed)


def wait_for_journal(text: str) -> None:
    """Until the one journal holds these words."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        files = list(paths.journal_dir().glob("*"))  # none while the folder is not there
        if files and text_of(read(files[0]).words) == text:
            return
        time.sleep(0.02)
    raise AssertionError(f"never on disk: {text}")


@pytest.mark.parametrize("wanted", [True, False])
def test_quiet_speech_is_boosted_if_that_is_wanted(
    wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: queue.Queue[bool] = queue.Queue()

    class Boosting(FakeCapture):
        def __init__(self, *given: object, boost: bool = False) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            made.put(boost)

    monkeypatch.setattr("app.session.session.Capture", Boosting)
    options = SessionOptions(EngineOptions("scripted"), boost_quiet_speech=wanted)
    session = Session(options, feed=MICROPHONE, make_client=FakeClient)
    session.start()
    assert made.get(timeout=60) is wanted
    session.abort()


# --- its threads -------------------------------------------------------------------------------


def test_every_verb_reaches_what_it_is_for(rigged: Callable[..., Rig]) -> None:
    rig = rigged()
    session, client = rig.session, rig.client
    session.start()
    chunk = Chunk(ME, 0, 0, bytes(3200))
    first = rig.capture(1)
    first.say(chunk, Level(0.25))
    client.wait_for("push", chunk)
    client.say(READY)
    rig.until(Stage.LISTENING)
    assert session.level == 0.25 and session.sound_began is not None
    session.set_delay(960)
    client.wait_for("set_delay", ME, 0, 960)
    assert (client.first.engine, client.first.delays_ms) == ("scripted", (240,))
    session.pause()
    rig.until(Stage.PAUSED)
    assert first.state == "closed"
    client.wait_for("pause", ME)
    session.resume()
    rig.until(Stage.LISTENING)
    assert rig.capture(2).state == "started"
    session.set_source(JABRA)
    while not rig.searches:
        session.wait(0.1)
    source, answer = rig.searches[0]
    assert source == JABRA
    answer(HEADSET)
    rig.until(Choices(HEADSET.name, 960))
    assert session.source_name == rig.capture(3).name == HEADSET.name
    session.stop()
    client.wait_for("finish")
    client.say(word("last", 10), m.Finished())
    events = rig.until(Stage.STOPPED)
    client.wait_for("kill")
    assert text_of(events) == " last"


def test_two_voices_go_to_the_engine_each_in_its_lane(rigged: Callable[..., Rig]) -> None:
    rig = rigged(SessionOptions(EngineOptions("scripted"), Meeting()), feed=None)
    session, client = rig.session, rig.client
    session.start()
    while len(rig.searches) < 2:
        session.wait(0.1)
    for (_, answer), feed in zip(rig.searches, (SPEAKERS, MICROPHONE), strict=True):
        answer(feed)
    for number, lane in enumerate((THEM, ME), 1):
        chunk = Chunk(lane, 0, 0, bytes(3200))
        rig.capture(number).say(chunk)
        client.wait_for("push", chunk)
    client.wait_for("lag", THEM)
    client.wait_for("lag", ME)
    session.pump()
    assert session.voices == (THEM, ME)
    session.set_source(SystemSound())
    client.wait_for("pause", ME)
    assert [capture.state for capture in rig.captures] == ["started", "closed"]


def test_what_an_earlier_capture_still_hears_is_dropped_once_the_next_sounds(
    rigged: Callable[..., Rig],
) -> None:
    """Two at once would be heard as one voice that stammers."""
    rig = rigged()
    rig.session.start()
    before, late, after = (Chunk(ME, ms, 16 * ms, bytes(3200)) for ms in (0, 150, 100))
    rig.capture(1).say(before)
    rig.session.set_source(JABRA)
    while not rig.searches:
        rig.session.wait(0.1)
    rig.searches[0][1](HEADSET)
    second = rig.capture(2)
    assert rig.captures[0].state == "started", "it is heard until the next brings sound"
    second.say(after)
    rig.captures[0].say(late)
    deadline = time.monotonic() + 60
    while rig.captures[0].state != "closed":
        assert time.monotonic() < deadline
        rig.session.wait(0.1)
    pushed = [told for told in rig.client.told if told[0] in ("push", "pause")]
    assert pushed == [("push", before), ("pause", ME), ("push", after)]


def test_a_delay_that_is_not_offered_is_refused_at_once(rigged: Callable[..., Rig]) -> None:
    with pytest.raises(EngineError, match="no delay of 81 ms"):
        rigged().session.set_delay(81)


def test_what_is_said_comes_once_in_order_and_wakes_the_owner(rigged: Callable[..., Rig]) -> None:
    rig = rigged()
    woken = threading.Event()
    rig.session._wake = woken.set
    rig.session.start()
    said = [word(str(n), 100 * n) for n in range(50)]
    rig.client.say(READY, *said)
    assert woken.wait(60)
    events = rig.until(said[-1])
    assert [event for event in events if isinstance(event, Word)] == said
    assert rig.session.timeline.words() == said


def test_nobody_is_woken_for_progress_which_comes_with_what_is_shown(
    rigged: Callable[..., Rig],
) -> None:
    """Thirty reports a second wake a window for nothing; those of a minute are not kept back."""
    rig = rigged()
    rig.session.start()
    rig.client.say(READY)
    rig.capture(1).say(SoundState("flowing"), Chunk(ME, 0, 0, bytes(3200)))
    rig.until(Stage.LISTENING)
    while rig.session.wait(0.3):
        pass
    woken: list[int] = []
    rig.session._wake = lambda: woken.append(rig.session._outbox.qsize())
    reports = [Progress(ME, 0, 32 * number, 0) for number in range(50)]
    last = word("word", 2000)
    rig.client.say(*reports, last)
    deadline = time.monotonic() + 60
    while not woken:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert woken[0] > len(reports), "the first time with the word, and all before it"
    assert [event for event in rig.session.pump() if isinstance(event, Progress)] == reports
    woken.clear()
    rig.client.say(*reports, *reports)
    while not woken:
        assert time.monotonic() < deadline, "they are not kept back for ever"
        time.sleep(0.01)


def test_the_end_of_what_was_heard_is_told_when_a_capture_is_let_go(
    rigged: Callable[..., Rig],
) -> None:
    rig = rigged()
    rig.session.start()
    rig.capture(1).say(*(Chunk(ME, ms, 16 * ms, bytes(1024)) for ms in (0, 32, 64)))
    rig.session.pause()
    rig.until(Stage.PAUSED)
    deadline = time.monotonic() + 60
    lane = rig.session._state._lanes[ME]
    while lane.sound_until_ms != 96:
        assert time.monotonic() < deadline, lane.sound_until_ms
        time.sleep(0.01)


def test_words_reach_the_disk_although_nobody_pumps(rigged: Callable[..., Rig]) -> None:
    """R4: the owner may hang in its terminal or window."""
    rig = rigged()
    rig.session.start()
    rig.client.say(READY, word("kept", 100))
    wait_for_journal(" kept")


def test_saving_keeps_nobody_waiting(
    rigged: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours of words take seconds to become subtitles."""
    may_write = threading.Event()
    writer: list[str] = []

    def slow(*given: object) -> str:
        writer.append(threading.current_thread().name)
        assert may_write.wait(120)
        return "1\n"

    monkeypatch.setitem(FORMATS, "srt", replace(FORMATS["srt"], write=slow))
    rig = rigged()
    rig.session.start()
    rig.client.say(READY, word("one", 100))
    rig.until(Word)
    rig.session.stop()
    rig.client.wait_for("finish")
    rig.client.say(m.Finished())
    assert HeardOut() in rig.until(Status(Stage.STOPPING, "Saving the transcript …"))
    rig.session.set_delay(480)  # what is asked meanwhile does not wait, either
    assert not rig.session.over
    may_write.set()
    events = rig.until(Stage.STOPPED)
    assert [type(event) for event in events] == [Saved, Status], "saved before it is over"
    assert writer == ["record"]


def test_looking_for_a_source_keeps_nobody_waiting(rigged: Callable[..., Rig]) -> None:
    rig = rigged(feed=None)
    rig.session.start()
    rig.client.say(READY, word("meanwhile", 100))
    rig.until(Word)
    (_, answer) = rig.searches[0]
    answer(MICROPHONE)
    assert rig.capture(1).name == MICROPHONE.name


def test_the_real_search_answers_elsewhere(sample: Path) -> None:
    came: list[tuple[Found, str]] = []
    done = threading.Event()

    def answer(found: Found) -> None:
        came.append((found, threading.current_thread().name))
        done.set()

    look_for(MediaFile(sample), answer)
    assert done.wait(60)
    (found, thread) = came[0]
    assert not isinstance(found, UserError) and found.name == "jfk.flac"
    assert thread != threading.current_thread().name


def test_a_fault_inside_is_told_and_the_words_stay_in_the_journal(
    rigged: Callable[..., Rig], caplog: pytest.LogCaptureFixture
) -> None:
    rig = rigged()
    rig.session.start()
    rig.client.say(READY, word("kept", 100))
    rig.until(Word)
    rig.client.say(m.Loading("far", ""))  # type: ignore[arg-type]
    failed = rig.until(Stage.FAILED)[-1]
    assert rig.session.over
    assert isinstance(failed, Status) and "inside Voxline" in failed.message
    assert rig.captures[0].state == "closed"
    assert "session" in caplog.text
    wait_for_journal(" kept")


def test_a_source_that_cannot_be_closed_does_not_keep_a_fault_untold(
    rigged: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = rigged()
    rig.session.start()
    rig.client.say(READY, word("kept", 100))
    rig.until(Word)

    def broken() -> None:
        raise OSError("of a library")

    monkeypatch.setattr(rig.captures[0], "close", broken)
    rig.client.say(m.Loading("far", ""))  # type: ignore[arg-type]
    rig.until(Stage.FAILED)
    assert rig.session.over
    wait_for_journal(" kept")


def test_a_data_folder_that_cannot_be_written_does_not_refuse_captions(
    rigged: Callable[..., Rig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R11: nothing is journaled, which is told; captions go on and are saved at the end."""

    (tmp_path / "a file, no folder").touch()
    monkeypatch.setenv("VOXLINE_DATA", str(tmp_path / "a file, no folder" / "data"))
    rig = rigged()
    rig.session.start()
    (notice,) = [e for e in rig.until(Notice) if isinstance(e, Notice)]
    assert notice.code == "journal"
    rig.client.say(READY, word("said", 100))
    rig.session.stop()
    rig.client.wait_for("finish")
    rig.client.say(m.Finished())
    events = rig.until(Stage.STOPPED)
    (saved,) = [event for event in events if isinstance(event, Saved)]
    assert "said" in saved.path.read_text()


def test_an_abort_ends_the_worker_before_it_returns(rigged: Callable[..., Rig]) -> None:
    rig = rigged()
    rig.session.start()
    rig.capture(1)
    rig.session.abort()
    assert ("kill",) in rig.client.told
    rig.until(Stage.STOPPED)


def whole(options: SessionOptions, predecessor: Session | Preparation | None = None) -> Session:
    """Of a file whose time is the session's."""
    assert isinstance(options.source, MediaFile)
    feed = OnTime(options.source.path)
    feed.session = Session(options, feed=feed, predecessor=predecessor)
    return feed.session


# --- whole: a file at its own pace, the scripted engine in its process, the files -----------------


def test_a_file_is_captioned_live_and_saved(options: SessionOptions) -> None:
    session = whole(options)
    session.start()
    events = run(session)
    assert session.status.stage is Stage.STOPPED
    assert text_of(events) == TEXT
    assert session.timeline.text() == TEXT.strip()
    assert [e.path for e in events if isinstance(e, Saved)] == [options.srt]
    subtitles = pysubs2.load(str(options.srt))
    assert " ".join(line.plaintext.replace("\n", " ") for line in subtitles) == TEXT.strip()
    stages = list(dict.fromkeys(e.stage for e in events if isinstance(e, Status)))
    assert {Stage.SPEECH, Stage.CATCHING_UP} & set(stages)  # the latter on a busy computer
    meanwhile = {Stage.NO_SOUND, Stage.LISTENING, Stage.SPEECH, Stage.CATCHING_UP}
    assert [stage for stage in stages if stage not in meanwhile] == [
        Stage.STARTING,
        Stage.STOPPING,
        Stage.STOPPED,
    ]
    assert not list(paths.journal_dir().iterdir()), "a saved session leaves no journal"


def test_pausing_and_another_delay_while_someone_speaks(options: SessionOptions) -> None:
    session = whole(options)
    session.start()
    seen: list[Word] = []

    def act(event: SessionEvent) -> None:
        if isinstance(event, Status) and event.stage is Stage.PAUSED:
            session.resume()
        if not isinstance(event, Word):
            return
        seen.append(event)
        if len(seen) == 5:
            session.pause()
        elif event.text == " word20":
            session.set_delay(80)

    events = run(session, act)
    assert session.status.stage is Stage.STOPPED
    (gap,) = [e for e in events if isinstance(e, Gap)]
    assert gap.reason == "paused" and session.timeline.gaps == [gap]
    before = [e for e in events[: events.index(gap)] if isinstance(e, Word)]
    assert before and all(word.start_ms < gap.end_ms for word in before)
    assert text_of(events).endswith(" word38 word39"), "and it was heard to its end"


def test_stopping_early_saves_what_was_said(options: SessionOptions) -> None:
    session = whole(options)
    session.start()

    def stop_after_three(event: SessionEvent) -> None:
        if isinstance(event, Word) and event.text == " word2":
            session.ask_to_stop()

    events = run(session, stop_after_three)
    saved = pysubs2.load(str(options.srt))
    assert text_of(events).startswith(" word0 word1 word2")
    assert " ".join(line.plaintext.replace("\n", " ") for line in saved) == text_of(events).strip()


def test_words_are_on_disk_within_a_second_and_for_the_owner_only(options: SessionOptions) -> None:
    session = whole(options)
    session.start()

    def look(event: SessionEvent) -> None:
        if isinstance(event, Word) and event.text == " word12":
            session.abort()

    wait_for_journal(text_of(run(session, look)))
    (file,) = paths.journal_dir().iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_folder_that_goes_away_loses_nothing(options: SessionOptions, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    session = whole(replace(options, srt=folder / "x.srt"))
    folder.rmdir()  # what was writable at the start is gone at the end
    session.start()
    events = run(session)
    notices = [e for e in events if isinstance(e, Notice) and e.code == "not-saved"]
    assert notices and str(folder) in notices[0].message
    (saved,) = [e for e in events if isinstance(e, Saved)]
    assert saved.path.parent == paths.transcripts_dir()
    subtitles = pysubs2.load(str(saved.path))
    assert " ".join(line.plaintext.replace("\n", " ") for line in subtitles) == TEXT.strip()
    assert session.save_failed


def test_where_nothing_can_be_written_the_journal_stays(
    options: SessionOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "a file, no folder"
    blocked.touch()
    monkeypatch.setenv("VOXLINE_TRANSCRIPTS", str(blocked))
    monkeypatch.setenv("HOME", str(blocked))
    monkeypatch.setattr("tempfile.tempdir", str(blocked))
    session = whole(replace(options, srt=None))
    session.start()
    events = run(session)
    assert not [e for e in events if isinstance(e, Saved)]
    assert [e for e in events if isinstance(e, Notice) and e.code == "not-saved"]
    wait_for_journal(TEXT)


@pytest.mark.parametrize(
    "wrong",
    [
        EngineOptions("nonsense"),
        EngineOptions("scripted", delay_ms=77),
        EngineOptions("scripted", language="xx"),
        EngineOptions("scripted", precision="int3"),
    ],
)
def test_a_wrong_engine_is_refused_before_anything_starts(
    options: SessionOptions, wrong: EngineOptions
) -> None:
    with pytest.raises(EngineError):
        Session(replace(options, engine=wrong))


def test_a_place_that_is_not_there_is_refused_before_anything_starts(
    options: SessionOptions,
) -> None:
    with pytest.raises(FileProblem):
        Session(replace(options, srt=Path("/nowhere/x.srt")))


def test_a_source_that_holds_no_sound_fails_with_its_sentence(
    options: SessionOptions, tmp_path: Path
) -> None:
    wrong = tmp_path / "speech.wav"
    wrong.write_text("This is not sound.\n" * 100)
    session = Session(replace(options, source=MediaFile(wrong)))
    session.start()
    run(session)
    assert session.status.stage is Stage.FAILED
    assert "speech.wav" in session.status.message and session.status.hint


def test_an_engine_that_cannot_load_fails_with_its_own_sentence(options: SessionOptions) -> None:
    session = whole(replace(options, engine=EngineOptions("scripted", model="/nowhere.json")))
    session.start()
    run(session)
    assert session.status.stage is Stage.FAILED
    assert "not a script" in session.status.message


def test_an_engine_slower_than_speech_is_told_and_skips_nothing(
    options: SessionOptions, tmp_path: Path
) -> None:
    slow = tmp_path / "slow.json"
    slow.write_text(json.dumps({"script": SCRIPT, "slowness": 1.7}))
    session = whole(replace(options, engine=EngineOptions("scripted", model=str(slow))))
    session.start()
    lags: list[int] = []

    def look(event: SessionEvent) -> None:
        if isinstance(event, Status) and event.stage is Stage.CATCHING_UP:
            lags.append(event.lag_ms)

    events = run(session, look)
    assert lags and max(lags) > BEHIND_MS
    said = text_of(events)
    assert TEXT.startswith(said), "what came is complete as far as it goes"
    late = [e for e in events if isinstance(e, Notice) and e.code == "cut-off"]
    assert late or said == TEXT, "and if stopping could not wait for the rest, that is told"


def test_an_engine_that_was_loaded_ahead_is_the_next_sessions(options: SessionOptions) -> None:
    outcomes: queue.SimpleQueue[UserError | None] = queue.SimpleQueue()
    ahead = Preparation(options.engine, outcomes.put)
    ahead.start()
    assert outcomes.get(timeout=60) is None
    pid = ahead.client.worker_pid
    session = whole(replace(options, srt=None), predecessor=ahead)
    ahead.hand_over()
    session.start()
    pids: set[int | None] = set()

    def look(event: SessionEvent) -> None:
        pids.add(session.worker_pid)
        if isinstance(event, Word):
            session.ask_to_stop()

    run(session, look)
    assert session.status.stage is Stage.STOPPED
    assert pids - {None} == {pid}, "loaded once"
    assert session.timeline.words()


def test_one_that_cannot_be_loaded_ahead_says_why(options: SessionOptions, tmp_path: Path) -> None:
    outcomes: queue.SimpleQueue[UserError | None] = queue.SimpleQueue()
    wanted = replace(options.engine, model=str(tmp_path / "no such script.txt"))
    ahead = Preparation(wanted, outcomes.put)
    ahead.start()
    problem = outcomes.get(timeout=60)
    assert problem is not None
    assert "no such script.txt" in problem.message
    ahead.close()


def test_what_memory_does_not_hold_beside_another_is_not_loaded(options: SessionOptions) -> None:
    outcomes: queue.SimpleQueue[UserError | None] = queue.SimpleQueue()
    ahead = Preparation(options.engine, outcomes.put, has_room=lambda wanted: False)
    ahead.start()
    assert isinstance(outcomes.get(timeout=60), NoRoomError)
    assert ahead.client.worker_pid is None
    ahead.close()


def test_memory_that_cannot_be_judged_is_tried(options: SessionOptions) -> None:
    def judge(wanted: EngineOptions) -> bool:
        raise OSError("no such driver")

    outcomes: queue.SimpleQueue[UserError | None] = queue.SimpleQueue()
    ahead = Preparation(options.engine, outcomes.put, has_room=judge)
    ahead.start()
    assert outcomes.get(timeout=60) is None
    ahead.close()


def test_a_session_knows_what_its_worker_would_do_for(
    options: SessionOptions, tmp_path: Path
) -> None:
    session = whole(options)
    same = options.engine
    assert session.has_loaded(replace(same, names="Ana", delay_ms=2400))
    assert not session.has_loaded(replace(same, model=str(tmp_path / "another script.txt")))
    assert not session.has_loaded(EngineOptions("embedded"))
    with pytest.raises(EngineError):
        session.has_loaded(EngineOptions("nonsense"))


def test_the_next_session_takes_over_the_worker_and_listens_meanwhile(
    options: SessionOptions,
) -> None:
    """U2: what is said while the first one ends is heard by the second."""
    first = whole(replace(options, srt=None))
    first.start()
    while first.worker_pid is None or not first.timeline.words():
        first.wait(0.1)
    pid = first.worker_pid
    second = whole(replace(options, srt=None), predecessor=first)
    second.start()
    first.stop()
    before = run(first)
    pids: set[int | None] = set()

    def look(event: SessionEvent) -> None:
        pids.add(second.worker_pid)
        if isinstance(event, Word):
            second.ask_to_stop()

    heard = run(second, look)
    assert HeardOut() in before and first.status.stage is Stage.STOPPED
    assert pids - {None} == {pid}, "loaded once"
    words = [event for event in heard if isinstance(event, Word)]
    assert words and words[0].text == " word0", "it has listened from its own beginning"
    assert second.status.stage is Stage.STOPPED

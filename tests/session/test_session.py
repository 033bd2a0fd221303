"""A whole session without a sound card: a file at its own pace, the scripted engine, the files."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pysubs2
import pytest

from app import paths
from app.audio.capture import SoundState
from app.core.chunk import Chunk
from app.core.timeline import Gap
from app.session import journal
from app.session import session as session_module
from app.session.files import FileProblem
from app.session.session import (
    BEHIND_MS,
    LANE,
    Saved,
    Session,
    SessionEvent,
    SessionOptions,
    Stage,
    Status,
)
from app.worker import messages as m
from model_backends.base import EngineError, Notice, UserError, Word
from tests.worker.helpers import SCRIPT, TEXT, script_file


@pytest.fixture
def options(tmp_path: Path, sample: Path) -> SessionOptions:
    return SessionOptions(
        engine="scripted",
        model=str(script_file(tmp_path)),
        source=str(sample),
        srt=tmp_path / "captions.srt",
    )


def run(session: Session, each: Callable[[SessionEvent], None] = lambda e: None) -> list:
    """Pump until it is over, at most a minute; everything it said."""
    events: list[SessionEvent] = []
    deadline = time.monotonic() + 60
    while not session.over:
        assert time.monotonic() < deadline, f"not over: {session.status}, {events[-3:]}"
        for event in session.wait(0.2):
            events.append(event)
            each(event)
    return events + session.pump()


def text_of(events: list[SessionEvent]) -> str:
    return "".join(e.text for e in events if isinstance(e, Word))


def test_a_file_is_captioned_live_and_saved(options: SessionOptions) -> None:
    session = Session(options)
    session.start()
    events = run(session)
    assert session.status.stage is Stage.STOPPED
    assert text_of(events) == TEXT
    assert session.timeline.text() == TEXT.strip()
    assert [e.path for e in events if isinstance(e, Saved)] == [options.srt]
    subtitles = pysubs2.load(str(options.srt))
    assert " ".join(line.plaintext.replace("\n", " ") for line in subtitles) == TEXT.strip()
    stages = [e.stage for e in events if isinstance(e, Status)]
    assert [stage for stage in dict.fromkeys(stages) if stage is not Stage.LISTENING] == [
        Stage.STARTING,
        Stage.SPEECH,
        Stage.STOPPING,
        Stage.STOPPED,
    ]
    assert not list(paths.journal_dir().iterdir()), "a saved session leaves no journal"


def test_pausing_marks_a_gap_and_time_runs_on(options: SessionOptions) -> None:
    session = Session(options)
    session.start()
    seen: list[Word] = []

    def pause_after_five(event: SessionEvent) -> None:
        if isinstance(event, Word):
            seen.append(event)
            if len(seen) == 5:
                session.pause()
                assert session.status.stage is Stage.PAUSED
                session.resume()

    events = run(session, pause_after_five)
    assert session.status.stage is Stage.STOPPED
    gaps = [e for e in events if isinstance(e, Gap)]
    assert [gap.reason for gap in gaps] == ["paused"]
    assert gaps[0].start_ms >= seen[4].end_ms
    assert session.timeline.gaps == gaps


def test_a_delay_can_be_changed_while_someone_speaks(options: SessionOptions) -> None:
    session = Session(options)
    session.start()

    def change(event: SessionEvent) -> None:
        if isinstance(event, Word) and event.text == " word5":
            session.set_delay(2400)
        if isinstance(event, Word) and event.text == " word20":
            session.set_delay(80)

    assert text_of(run(session, change)) == TEXT
    with pytest.raises(EngineError, match="no delay of 81 ms"):
        session.set_delay(81)


def test_stopping_early_saves_what_was_said(options: SessionOptions) -> None:
    session = Session(options)
    session.start()

    def stop_after_three(event: SessionEvent) -> None:
        if isinstance(event, Word) and event.text == " word2":
            session.ask_to_stop()

    events = run(session, stop_after_three)
    saved = pysubs2.load(str(options.srt))
    assert text_of(events).startswith(" word0 word1 word2")
    assert " ".join(line.plaintext.replace("\n", " ") for line in saved) == text_of(events).strip()


def test_a_file_that_ends_before_the_model_is_loaded_is_heard_all_the_same(
    options: SessionOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "STOP_S", 0.0)  # the wait after Ready is over at once
    session = Session(options)
    session._take(session_module._Sound(0, SoundState("ended")))
    session._take(m.Loading(0.5, "reading"))
    session.pump()
    assert session.status.stage is Stage.STOPPING
    session._take(m.Ready("scripted", "script", "cpu", 9000))
    session.pump()
    assert session.status.stage is Stage.STOPPED


def test_one_who_will_not_wait_for_the_model_need_not(
    options: SessionOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "STOP_S", 0.0)
    ended = session_module._Sound(0, SoundState("ended"))
    first, second = Session(options), Session(options)
    first._take(ended)
    first.stop()
    second.stop()
    second._take(ended)
    for session in (first, second):
        session.pump()
        assert session.status.stage is Stage.STOPPED


def test_between_two_sources_there_is_a_gap_and_the_first_has_no_more_say(
    options: SessionOptions,
) -> None:
    session = Session(options)
    session._listen()
    first = session._captures
    session._from_capture(first, Chunk(LANE, 0, 0, bytes(32_000)))
    session.set_source(str(options.source))
    session._from_capture(first + 1, Chunk(LANE, 5000, 80_000, bytes(32_000)))
    session._from_capture(first + 1, Chunk(LANE, 9000, 96_000, bytes(32_000)))
    session._take(session_module._Sound(first, SoundState("ended")))
    events = session.pump()
    assert [e for e in events if isinstance(e, Gap)] == [Gap(LANE, 1000, 5000, "device")]
    assert not session.stop_asked and session.status.stage is not Stage.STOPPING
    session.abort()


def test_words_held_back_in_a_replay_are_not_lost_when_time_is_up(
    options: SessionOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(options)
    late, held = (Word(LANE, 0, 0, text, 0, 200) for text in (" late", " held"))
    monkeypatch.setattr(session._client, "take_held", lambda: [held])
    session._inbox.put(late)
    session._end()
    assert text_of(session.pump()) == " late held"
    assert session.timeline.text() == "late held"


def test_words_are_on_disk_within_a_second_and_for_the_owner_only(options: SessionOptions) -> None:
    session = Session(options)
    session.start()

    def look(event: SessionEvent) -> None:
        if isinstance(event, Word) and event.text == " word12":
            session.abort()

    said = text_of(run(session, look))
    (file,) = paths.journal_dir().iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    on_disk = ""
    deadline = time.monotonic() + 10
    while on_disk != said and time.monotonic() < deadline:
        on_disk = "".join(word.text for word in journal.read(file).words)
    assert on_disk == said


def test_a_folder_that_goes_away_loses_nothing(options: SessionOptions, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    session = Session(SessionOptions(**{**_fields(options), "srt": folder / "x.srt"}))
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
    session = Session(SessionOptions(**{**_fields(options), "srt": None}))
    session.start()
    events = run(session)
    assert not [e for e in events if isinstance(e, Saved)]
    assert [e for e in events if isinstance(e, Notice) and e.code == "not-saved"]
    (file,) = paths.journal_dir().iterdir()
    assert "".join(word.text for word in journal.read(file).words) == TEXT


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"engine": "nonsense"}, EngineError),
        ({"delay_ms": 77}, EngineError),
        ({"language": "xx"}, EngineError),
        ({"srt": Path("/nowhere/x.srt")}, FileProblem),
        ({"source": "/nowhere/x.flac"}, UserError),
    ],
)
def test_a_wrong_choice_is_refused_before_anything_starts(
    options: SessionOptions, changes: dict[str, object], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        Session(SessionOptions(**{**_fields(options), **changes}))


def test_a_text_file_named_wav_is_refused_with_a_sentence(
    options: SessionOptions, tmp_path: Path
) -> None:
    wrong = tmp_path / "speech.wav"
    wrong.write_text("This is not sound.\n" * 100)
    with pytest.raises(UserError, match=r"speech\.wav"):
        Session(SessionOptions(**{**_fields(options), "source": str(wrong)}))


def test_an_engine_that_cannot_load_fails_with_its_own_sentence(options: SessionOptions) -> None:
    session = Session(SessionOptions(**{**_fields(options), "model": "/nowhere.json"}))
    session.start()
    run(session)
    assert session.status.stage is Stage.FAILED
    assert "not a script" in session.status.message


def test_an_engine_slower_than_speech_is_told_and_skips_nothing(
    options: SessionOptions, tmp_path: Path
) -> None:
    slow = tmp_path / "slow.json"
    slow.write_text(json.dumps({"script": SCRIPT, "slowness": 1.7}))
    session = Session(SessionOptions(**{**_fields(options), "model": str(slow)}))
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


def _fields(options: SessionOptions) -> dict[str, object]:
    return {name: getattr(options, name) for name in options.__slots__}

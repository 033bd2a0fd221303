"""The file a session leaves: in the format that its name promises."""

from __future__ import annotations

import json
import queue
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app import paths
from app.core.reheard import Reheard
from app.core.timeline import Gap
from app.session.events import Kept
from app.session.library import Library
from app.session.record import Record
from app.session.status import SessionOptions
from model_backends.base import Notice, Word


def _json_words(text: str) -> list[tuple[str, str]]:
    return [(word["lane"], word["text"].strip()) for word in json.loads(text)["words"]]


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("talk.srt", lambda text: text.startswith("1\n00:00:01,000 --> ") and "Others: Hi" in text),
        ("talk.no one knows", lambda text: text.startswith("1\n00:00:01,000 --> ")),
        ("talk", lambda text: text.startswith("1\n00:00:01,000 --> ")),
        ("talk.vtt", lambda text: text.startswith("WEBVTT\n") and "<v Others>Hi" in text),
        ("talk.TXT", lambda text: text.startswith("Others: Hi\n") and "-->" not in text),
        ("talk.json", lambda text: _json_words(text) == [("them", "Hi"), ("me", "Hello")]),
    ],
)
def test_a_transcript_is_what_its_name_says(
    tmp_path: Path, name: str, holds: Callable[[str], bool]
) -> None:
    answers: queue.Queue[Notice | Kept] = queue.Queue()
    options = SessionOptions(srt=tmp_path / name)
    record = Record({"engine": "scripted"}, options, answers.put)
    record.add(Word("them", 0, 0, " Hi", 1000, 1400, "en"))
    record.add(Word("me", 0, 0, " Hello", 4000, 4400, "en"))
    record.add(Gap("me", 5000, 6000, "paused"))
    record.save()
    kept = answers.get(timeout=60)
    assert isinstance(kept, Kept) and kept.problem is None
    assert kept.saved is not None and kept.saved.path == tmp_path / name
    text = (tmp_path / name).read_text("utf-8")
    assert holds(text), text


def record_of(options: SessionOptions, tell: Callable[[Notice | Kept], None]) -> Record:
    """A session of one word and a pause."""
    record = Record({"engine": "scripted", "names": {"me": "Ann"}}, options, tell)
    record.add(Word("me", 0, 0, " Hello", 4000, 4400, "en"))
    record.add(Gap("me", 5000, 6000, "paused"))
    return record


@pytest.mark.parametrize("named", [False, True])
def test_a_session_is_in_the_library_when_it_is_over(tmp_path: Path, named: bool) -> None:
    answers: queue.Queue[Notice | Kept] = queue.Queue()
    options = SessionOptions(srt=tmp_path / "talk.srt" if named else None)
    record_of(options, answers.put).save()
    kept = answers.get(timeout=60)
    assert isinstance(kept, Kept) and kept.saved is not None
    (entry,) = Library().sessions()
    stored = Library().read(entry.id)
    assert [word.text for word in stored.words] == [" Hello"]
    assert (entry.duration_ms, entry.origin, stored.gaps[0].reason) == (6000, "live", "paused")
    assert stored.names["me"] == "Ann" and stored.facts["engine"] == "scripted"
    Library().clear()
    assert kept.saved.path.exists() == named  # what the user has named is the user's


def test_the_library_has_the_record_and_what_was_shown() -> None:
    answers: queue.Queue[Notice | Kept] = queue.Queue()
    record = record_of(SessionOptions(), answers.put)
    better = Word("me", 0, 0, " Yellow", 4050, 4350, "en")
    record.add(Reheard("me", 3900, 4500, (better,)))
    record.save()
    answers.get(timeout=60)
    (entry,) = Library().sessions()
    stored = Library().read(entry.id)
    assert [word.text for word in stored.words] == [" Yellow"]
    assert stored.shown is not None and [word.text for word in stored.shown] == [" Hello"]


def test_without_a_library_the_subtitles_are_written_and_the_reason_told() -> None:
    paths.make_private(paths.data_dir())
    paths.library_dir().touch()
    answers: queue.Queue[Notice | Kept] = queue.Queue()
    record_of(SessionOptions(), answers.put).save()
    told = answers.get(timeout=60)
    assert isinstance(told, Notice) and told.code == "library" and told.hint
    kept = answers.get(timeout=60)
    assert isinstance(kept, Kept) and kept.problem is None
    assert kept.saved is not None and "Hello" in kept.saved.path.read_text("utf-8")
    assert not list(paths.journal_dir().iterdir())


def test_a_session_in_which_nothing_was_said_is_not_in_the_library() -> None:
    answers: queue.Queue[Notice | Kept] = queue.Queue()
    record = Record({"engine": "scripted"}, SessionOptions(), answers.put)
    record.save()
    assert answers.get(timeout=60) == Kept()
    assert Library().sessions() == []


def test_captions_as_shown_that_cannot_be_written_keep_nothing_from_its_place(
    tmp_path: Path,
) -> None:
    answers: queue.Queue[Notice | Kept] = queue.Queue()
    options = SessionOptions(srt=tmp_path / "talk.srt", as_shown=tmp_path / "gone" / "shown.txt")
    record_of(options, answers.put).save()
    kept = answers.get(timeout=60)
    assert isinstance(kept, Kept) and kept.problem is not None
    assert "shown.txt" in kept.problem.message
    assert kept.saved is not None and kept.saved.path == tmp_path / "talk.srt"
    assert "Hello" in (tmp_path / "talk.srt").read_text("utf-8")


def test_subtitles_find_a_place_where_there_is_no_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.setattr(paths, "transcripts_dir", lambda: tmp_path / "file" / "Voxline")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    (tmp_path / "file").touch()
    answers: queue.Queue[Notice | Kept] = queue.Queue()
    record_of(SessionOptions(srt=tmp_path / "gone" / "talk.srt"), answers.put).save()
    kept = answers.get(timeout=60)
    assert isinstance(kept, Kept) and kept.problem is not None
    assert kept.saved is not None and kept.saved.path.parent == tmp_path / "temporary"

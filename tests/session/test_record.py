"""The file a session leaves: in the format that its name promises."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.timeline import Gap
from app.session.events import Kept
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
    kept = answers.get(timeout=20)
    assert isinstance(kept, Kept) and kept.problem is None
    assert kept.saved is not None and kept.saved.path == tmp_path / name
    text = (tmp_path / name).read_text("utf-8")
    assert holds(text), text

"""A better model is offered where one decode of Whisper says that this computer carries it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.models import better
from model_backends import speeds

GB = 1_000_000_000


def test_nothing_is_known_before_somebody_has_spoken(tmp_path: Path) -> None:
    assert better.offer(tmp_path, 8 * GB, ["en"]) is None
    (tmp_path / "speeds.json").write_text('{"whisper base, ms a decode": "fast"}')
    assert better.offer(tmp_path, 8 * GB, ["en"]) is None
    (tmp_path / "speeds.json").write_text("[1, 2]")
    assert better.offer(tmp_path, 8 * GB, ["en"]) is None


@pytest.mark.parametrize(
    ("decode_ms", "free", "languages", "delay"),
    [
        (200, 8 * GB, {"en", "de"}, 560),
        (150, 8 * GB, set(), 320),
        (200, 3 * GB, {"en"}, None),
        (300, 8 * GB, {"en"}, None),
        (200, 8 * GB, {"en", "cy"}, None),
    ],
)
def test_by_speed_memory_and_language(
    tmp_path: Path, decode_ms: float, free: int, languages: set[str], delay: int | None
) -> None:
    speeds.note(tmp_path, speeds.WHISPER_DECODE_MS, decode_ms)
    found = better.offer(tmp_path, free, languages)
    assert (found.delay_ms if found else None) == delay


def test_in_plain_words(tmp_path: Path) -> None:
    speeds.note(tmp_path, speeds.WHISPER_DECODE_MS, 204)
    found = better.offer(tmp_path, 8 * GB, ())
    assert found is not None
    assert found.sentence == (
        "Better captions on this computer: 28 languages, 496 MB, about 40 % of one core."
    )


def test_a_folder_that_cannot_be_written_hinders_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    speeds.note(tmp_path / "file", "a", 1.0)
    speeds.note(None, "a", 1.0)
    speeds.note(tmp_path, "a", 1.23456)
    speeds.note(tmp_path, "b", 2.0)
    assert (speeds.read(tmp_path, "a"), speeds.read(tmp_path, "b")) == (1.2346, 2.0)

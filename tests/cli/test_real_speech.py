"""The command on real speech, with the real engine: the words a listener hears, at their times."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import main
from app.measure.evaluation import normalizer, word_errors

pytestmark = pytest.mark.weights

JFK = (
    "And so my fellow Americans, ask not what your country can do for you, "
    "ask what you can do for your country."
)


@pytest.fixture(autouse=True)
def use_weights(weights: Path) -> None:
    """Every test here hears with the real weights."""


def test_the_sample_is_transcribed_as_it_was_spoken(
    sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transcribe", str(sample), "--format", "json", "--output", "-"]) == 0
    value = json.loads(capsys.readouterr().out)
    found = word_errors(JFK, value["text"], normalizer("en"))
    assert found.rate is not None
    assert found.rate <= 0.1
    assert (value["engine"], value["model"], value["language"]) == ("embedded", "base", "en")
    assert "".join(word["text"] for word in value["words"]).strip() == value["text"]
    starts = [word["start_ms"] for word in value["words"]]
    assert starts == sorted(starts)
    assert starts[0] >= 0
    assert value["words"][-1]["end_ms"] <= value["duration_ms"]


def test_installed_weights_are_the_published_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"engine": "embedded", "model": "base", "ok": True, "problems": []} in rows
    assert all(row["ok"] for row in rows)

"""Whole files through gate, worker and engine: Voxtral says what its reference says.

The tiny model on its own digit clips, at the usual and the longest delay; `reference.json` is what
another implementation wrote. Clips of up to six seconds, single digits of 0.3 s among them: what
is longer differs in nothing that gate and worker do.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app import paths
from app.session.transcription import Transcriber
from app.worker import messages as m
from tests.support.matrix import cases

pytest.importorskip("torch", reason="PyTorch is not installed")

TINY = paths.resource("tiny-voxtral")
REFERENCE = json.loads((TINY / "reference.json").read_text("utf-8"))
CLIPS = [item for item in REFERENCE["items"] if item["seconds"] < 6]


@pytest.mark.parametrize("delay", cases(REFERENCE["delays"], always=(6, 30)))
def test_a_file_says_what_the_reference_says(delay: int, tmp_path: Path) -> None:
    start = m.Start(
        m.PROTOCOL_VERSION,
        "voxtral-torch",
        str(tmp_path),
        model=str(TINY),
        delays_ms=(delay * 80,),
        realtime=False,
    )
    said: dict[str, list[str]] = {}
    told: list[str] = []
    with Transcriber(start, told.append) as transcriber:
        for clip in CLIPS:
            words = transcriber.transcribe(TINY / clip["file"]).words
            said[clip["file"]] = "".join(word.text for word in words).split()
    assert said == {c["file"]: c["delays"][str(delay)]["text"].split() for c in CLIPS}
    assert len(said) >= 8 and not told

"""Voxtral in the real app: digits in a virtual microphone → app → subtitle file.

The tiny trained model hears spoken digits and nothing else. The truth is what was spoken; how many
errors are the model's own is known from the reference implementation's transcript of the clip.
The least and the longest delay are heard here; each one of them is held to its ids elsewhere.
"""

from __future__ import annotations

import importlib.util
import json
import signal
from pathlib import Path
from typing import Any

import pysubs2
import pytest

from app import paths
from app.measure.evaluation import Errors, normalizer, word_errors
from app.session.library import Library
from tests.support.listening import Listening, saved_path
from tests.support.matrix import cases
from tests.support.pulse import PulseServer

pytestmark = pytest.mark.audio

MODEL = paths.resource("tiny-voxtral")
CLIP = "clips/join_03.flac"
DELAYS_MS = (80, 160, 240, 480, 960, 2400)


def reference() -> dict[str, Any]:
    items = json.loads((MODEL / "reference.json").read_text("utf-8"))["items"]
    (item,) = [item for item in items if item["file"] == CLIP]
    return dict(item)


def errors(said: str) -> Errors:
    return word_errors(reference()["text"], said, normalizer("en", "digits"))


def listen(pulse: PulseServer, engine: str, delay_ms: int, srt: Path) -> Listening:
    """The clip, played once into the microphone and captioned; stopped as a user stops it."""
    need = {"voxtral-torch": "torch", "voxtral-mlx": "mlx"}[engine]
    if importlib.util.find_spec(need) is None:
        pytest.skip(f"{need} is not installed; `./test` installs it")
    options = ["--engine", engine, "--model", str(MODEL), "--delay-ms", str(delay_ms)]
    listening = Listening(*options, "--srt", str(srt))
    listening.until_ready()
    pulse.play(MODEL / CLIP, wait=False)
    listening.until_quiet()
    listening.process.send_signal(signal.SIGINT)
    assert saved_path(listening.end()) == srt
    assert listening.process.returncode == 0
    return listening


@pytest.mark.parametrize("delay_ms", cases(DELAYS_MS, always=(80, 2400)))
def test_digits_reach_the_subtitle_file(pulse: PulseServer, tmp_path: Path, delay_ms: int) -> None:
    srt = tmp_path / "digits.srt"
    listening = listen(pulse, "voxtral-torch", delay_ms, srt)
    subtitles = " ".join(line.plaintext for line in pysubs2.load(str(srt)))
    own = errors(reference()["delays"][str(delay_ms // 80)]["text"])
    (kept,) = Library().sessions()
    words = Library().read(kept.id).words
    assert subtitles.split() == "".join(word.text for word in words).split()
    # what is saved may have been heard with more patience, and be other words
    for heard in (errors(subtitles), errors(listening.text)):
        assert heard.rate is not None and own.rate is not None
        # one word of eight more than the reference: the sound card begins at another sample
        assert heard.rate <= own.rate + 1 / heard.words


def test_the_mlx_engine_hears_the_same_through_the_same_app(
    pulse: PulseServer, tmp_path: Path
) -> None:
    listening = listen(pulse, "voxtral-mlx", 480, tmp_path / "digits.srt")
    heard = errors(listening.text)
    assert heard.rate is not None
    assert heard.rate <= 1 / heard.words

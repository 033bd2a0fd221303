"""The main job, as a user runs it: speech in a virtual microphone, words in the terminal.

The real command in a process of its own, with the real engine: stopped, killed, cut off.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import psutil
import pysubs2
import pytest

from app import paths
from app.measure.evaluation import normalizer, word_errors
from app.session import journal
from app.session.journal_records import Contents, read
from app.session.library import Library
from app.worker.link import child_env
from model_backends.base import Word
from tests.support.listening import Listening, saved_path
from tests.support.pulse import PulseServer

T = TypeVar("T")

pytestmark = [pytest.mark.audio, pytest.mark.weights, pytest.mark.usefixtures("weights")]

JFK = (
    "And so my fellow Americans, ask not what your country can do for you, "
    "ask what you can do for your country."
)
CEILING = 0.15  # of 22 words: three wrong; live decoding varies a little with the machine's load


@pytest.fixture
def listening(
    request: pytest.FixtureRequest, pulse: PulseServer, sample: Path
) -> Iterator[Listening]:
    """Captioning the virtual microphone, into which the sample has begun to play.

    What is heard a second time is heard by whoever has nothing else to do: on a busy computer that
    is waited for where a test is about it, and nowhere else.
    """
    options = getattr(request, "param", ["--no-record"])
    listening = Listening("--source", "microphone", *options)
    listening.until_ready()
    pulse.play(sample, wait=False)
    yield listening
    listening.process.kill()
    listening.end()


def wer(text: str) -> float:
    rate = word_errors(JFK, text, normalizer("en")).rate
    assert rate is not None
    return rate


def hear_out(listening: Listening) -> None:
    """Until the sample has been played: its last words have come and it is silent again.

    By its progress: a stage may have been told before the last word."""
    listening.until_quiet(complete=lambda text: text.lower().count("country") >= 2)


def until_on_disk(count: int) -> None:
    """So many words are in the journal of the session that runs."""
    ends = time.monotonic() + 60
    while len(shown(read(only(journal.running(paths.journal_dir())).path))) < count:
        assert time.monotonic() < ends
        time.sleep(0.05)


def is_recorded(pulse: PulseServer) -> bool:
    """Whether we record anything: ours is the only output in floating point."""
    return "float32le" in pulse.pactl("list", "short", "source-outputs")


def shown(contents: Contents) -> list[Word]:
    """The captions of a journal, in whose place the record may hold better words."""
    return contents.words if contents.shown is None else contents.shown


def only(found: Sequence[T]) -> T:
    (one,) = found
    return one


with_record = pytest.mark.parametrize("listening", [[]], indirect=True, ids=["with record"])


@with_record
@pytest.mark.timeout(1200)  # the second hearing takes only what others leave of the computer
def test_speech_becomes_words_and_a_subtitle_file(listening: Listening) -> None:
    hear_out(listening)
    listening.process.send_signal(signal.SIGINT)
    told = listening.end()
    assert listening.process.returncode == 0
    assert wer(listening.text) <= CEILING
    subtitles = " ".join(line.plaintext for line in pysubs2.load(str(saved_path(told))))
    assert wer(subtitles) <= CEILING, "what is saved was heard once more, and may differ"
    (kept,) = Library().sessions()
    words = Library().read(kept.id).words
    assert subtitles.split() == "".join(word.text for word in words).split()
    starts = [int(str(word["start_ms"])) for word in listening.said]
    assert starts == sorted(starts)
    assert 7_000 < starts[-1] - starts[0] < 14_000, "times are those of the speech"
    assert not journal.unfinished(paths.journal_dir())


def test_a_worker_killed_in_mid_speech_costs_no_word(listening: Listening) -> None:
    listening.words(6)
    worker, before = listening.worker(), len(listening.events)
    worker.kill()
    hear_out(listening)
    assert listening.worker().pid != worker.pid
    listening.process.send_signal(signal.SIGTERM)
    told = listening.end()
    assert "No words are lost" in told
    assert wer(listening.text) <= CEILING
    stages = {e["stage"] for e in listening.events[before:] if e["type"] == "status"}
    # a fast computer has caught up before anybody sees it; a slow one is silent by the time it
    # knows of the death, says "no sound", and is behind once the next worker is there
    assert {"starting", "catching up"} & stages


@with_record
def test_a_killed_app_leaves_its_words_and_no_worker(listening: Listening) -> None:
    listening.words(8)
    worker = listening.worker()
    until_on_disk(8)  # while it runs, and long before it ends
    listening.process.kill()
    listening.end()
    (lost,) = journal.unfinished(paths.journal_dir())
    words = shown(read(lost.path))
    kept = "".join(word.text for word in words).strip()
    assert kept.startswith(listening.text[: len(kept)])
    assert len(words) >= 8
    psutil.wait_procs([worker], timeout=60)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE

    told = Listening("--seconds", "0.5").end()
    assert "was cut off" in told, "the next start mentions it and does not wait for an answer"
    (srt,) = paths.transcripts_dir().glob(f"*{lost.started:%H.%M.%S}.srt")
    assert any(entry.origin == "recovered" for entry in Library().sessions())
    assert wer(" ".join(line.plaintext for line in pysubs2.load(str(srt)))) < 1
    assert not journal.unfinished(paths.journal_dir())


def test_a_second_interrupt_exits_at_once(listening: Listening) -> None:
    listening.words(2)
    until_on_disk(2)
    listening.worker().suspend()  # the flush cannot end
    listening.process.send_signal(signal.SIGINT)
    listening.until_stage("stopping")
    listening.process.send_signal(signal.SIGINT)
    listening.end()
    assert listening.process.returncode == 128 + signal.SIGINT
    assert journal.unfinished(paths.journal_dir())


def test_a_stuck_engine_does_not_keep_the_app_from_saving(listening: Listening) -> None:
    listening.words(5)
    said = listening.text
    listening.worker().suspend()
    listening.process.send_signal(signal.SIGINT)
    told = listening.end()
    assert "not heard out" in told
    assert saved_path(told).read_text().count("-->") >= 1
    assert listening.text.startswith(said)


def test_a_pause_of_the_sound_server_is_a_gap_not_an_end(
    listening: Listening, pulse: PulseServer, sample: Path
) -> None:
    listening.words(3)
    pulse.kill()
    listening.until_stage("no sound")
    pulse.start()
    gap = listening.next("gap")
    assert gap is not None and gap["reason"] == "device"
    pulse.play(sample, wait=False)
    after = listening.next("word")
    assert after is not None
    assert int(str(after["start_ms"])) >= int(str(gap["end_ms"])) - 50


def test_with_nothing_to_hear_the_sample_is_captioned(pulse: PulseServer) -> None:
    """No microphone, and of outputs only the one that a server makes up where there is none."""
    pulse.pactl("load-module", "module-always-sink")
    pulse.unplug()
    pulse.pactl("unload-module", "module-null-sink")
    listening = Listening("--no-record")
    told = listening.end()
    assert listening.process.returncode == 0
    assert "No microphone" in told
    assert wer(listening.text) <= CEILING
    assert saved_path(told).exists()


def test_where_nobody_has_chosen_what_the_computer_plays_is_heard_too(
    pulse: PulseServer, sample: Path
) -> None:
    listening = Listening("--no-record")
    try:
        listening.until_ready()
        pulse.play(sample, wait=False, sink=pulse.system_sink)
        hear_out(listening)
        listening.process.send_signal(signal.SIGINT)
        listening.end()
        assert {word["lane"] for word in listening.said} == {"them"}
        assert wer(listening.text) <= CEILING
    finally:
        listening.process.kill()


def test_one_program_of_two_is_captioned_alone(pulse: PulseServer, sample: Path) -> None:
    """The other one plays the same speech, much later and louder: it would be heard twice."""
    other = ("--client-name=Music & more (7.1)", "--volume=65536")
    zoom = ("--client-name=Zoom: Room (1/2)", "--volume=40000")
    listening = Listening("--source", "app:Zoom: Room (1/2)", "--no-record")
    try:
        listening.until_ready()
        pulse.play_once(lambda: is_recorded(pulse), sample, sink=pulse.system_sink, options=zoom)
        listening.words(4)
        pulse.play(sample, wait=False, sink=pulse.system_sink, options=other)
        hear_out(listening)
        listening.process.send_signal(signal.SIGINT)
        assert "plays nothing now" in listening.end()
        assert wer(listening.text) <= CEILING
    finally:
        listening.process.kill()


def test_the_folder_of_the_command_cannot_shadow_the_app(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('not ours')")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "app", "--version"],
        cwd=tmp_path,
        env=child_env(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert os.sep not in done.stdout

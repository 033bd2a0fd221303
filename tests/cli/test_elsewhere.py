"""`voxline listen` with the captions page and feeds: the real command; Zoom is stood in for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pysubs2
import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from app.worker.link import child_env
from tests.share.stand_ins import fake_zoom


def command(sample: Path, *arguments: str) -> list[str]:
    listen = [sys.executable, "-P", "-m", "app", "listen", "--engine", "scripted"]
    return [*listen, "--source", str(sample), *arguments]


def run(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        env=child_env() | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def saved(path: Path) -> str:
    """All that was said, from the finished subtitles."""
    return " ".join(event.plaintext.replace("\n", " ") for event in pysubs2.load(str(path)))


def test_what_is_said_goes_to_zoom_and_into_a_growing_file(tmp_path: Path, sample: Path) -> None:
    follow, srt = tmp_path / "talk.txt", tmp_path / "talk.srt"
    with fake_zoom() as zoom:
        elsewhere = ["--zoom", "--follow", str(follow), "--srt", str(srt)]
        done = run(command(sample, *elsewhere), VOXLINE_ZOOM_URL=zoom.url)
        assert done.returncode == 0, done.stderr
        assert "word by word." in zoom.shown
        assert zoom.shown.split() == saved(srt).split()
        assert zoom.url not in done.stdout + done.stderr
    assert follow.read_text().split() == saved(srt).split()
    assert "Zoom: connected." in done.stderr


def test_the_page_shows_what_is_saved(tmp_path: Path, sample: Path) -> None:
    srt, shown = tmp_path / "talk.srt", ""
    process = subprocess.Popen(
        command(sample, "--page", "--page-port", "0", "--srt", str(srt)),
        env=child_env(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process, process.stderr:
        address = ""
        while not (found := re.search(r"http://(\S+?)/#key=(\S+)", address)):
            address = process.stderr.readline()
            assert address, process.wait()
        given = [Subprotocol("realtime"), Subprotocol(f"voxline-key.{found[2]}")]
        with connect(f"ws://{found[1]}/captions", subprotocols=given) as screen:
            screen.send("{}")
            for text in screen:  # until the page goes with the session
                item = json.loads(text)
                shown += item["text"] if item["kind"] == "word" else ""
        process.stderr.read()
    assert process.returncode == 0
    assert "word by word." in shown
    assert shown.split() == saved(srt).split()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--zoom"], "VOXLINE_ZOOM_URL"),
        (["--follow", "talk.json"], "cannot grow|can grow"),
        (["--follow", "/nowhere/at/all/talk.srt"], "talk.srt|nowhere"),
        (["--obs", "Captions", "--obs-address", "localhost"], "no address of OBS"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_heard(
    sample: Path, arguments: list[str], told: str
) -> None:
    done = run(command(sample, *arguments))
    assert done.returncode == 2
    assert re.search(told, done.stderr)
    assert "Traceback" not in done.stderr

"""The stand-ins for sound card and screen do what tests of the app rely on."""

from __future__ import annotations

import os
import subprocess
import wave
from pathlib import Path

import pytest

from app import paths
from tests.support.pulse import PulseServer
from tests.support.screen import Screen


def tone(path: Path, milliseconds: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(b"\x00\x20\x00\xe0" * (24 * milliseconds))
    return path


def test_no_folder_of_the_app_lies_outside_the_tests_home(user_folders: Path) -> None:
    folders = (
        *(paths.data_dir(), paths.config_dir(), paths.transcripts_dir(), paths.models_dir()),
        *(paths.journal_dir(), paths.log_dir(), Path.home()),
    )
    assert all(folder.is_relative_to(user_folders) for folder in folders)


@pytest.mark.audio
@pytest.mark.parametrize(
    ("sink", "source"),
    [
        (PulseServer.sink, PulseServer.source),
        (PulseServer.system_sink, PulseServer.system_source),
    ],
)
def test_what_is_played_into_a_sink_is_heard_from_its_source(
    pulse: PulseServer, tmp_path: Path, sink: str, source: str
) -> None:
    command = ["parec", "-d", source, "--latency-msec=20", "--raw"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=pulse.env) as recorder:
        assert recorder.stdout is not None
        recorder.stdout.read(1)  # it runs
        player = pulse.play(tone(tmp_path / "tone.wav", 1000), wait=False, sink=sink)
        heard = any(any(recorder.stdout.read(9600)) for _ in range(1000))  # in a minute
        player.wait()
        recorder.terminate()
    assert heard


@pytest.mark.audio
def test_a_killed_sound_server_can_be_started_again(pulse: PulseServer) -> None:
    first = pulse.pid
    pulse.kill()
    pulse.start()
    assert pulse.pid != first
    assert pulse.source in pulse.pactl("list", "short", "sources")


@pytest.mark.audio
def test_an_unplugged_microphone_is_gone_from_the_list(pulse: PulseServer) -> None:
    pulse.unplug()
    names = [line.split()[1] for line in pulse.pactl("list", "short", "sources").splitlines()]
    assert pulse.source not in names


@pytest.mark.screen
def test_two_screens_are_two_displays_with_a_window_manager(screen: Screen, tmp_path: Path) -> None:
    other = Screen(tmp_path)
    assert other.env["DISPLAY"] != screen.env["DISPLAY"]
    assert "DISPLAY" not in os.environ or os.environ["DISPLAY"] != screen.env["DISPLAY"]
    assert screen.xdotool("getdisplaygeometry") == "1280 800"
    other.close()


@pytest.mark.screen
def test_a_screenshot_is_a_picture_of_the_whole_screen(screen: Screen, tmp_path: Path) -> None:
    shot = screen.screenshot(tmp_path / "shot.png")
    command = ["identify", "-format", "%w %h", str(shot)]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "1280 800"

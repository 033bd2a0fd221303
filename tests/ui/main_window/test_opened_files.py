"""Files that somebody opens with Voxline: one after another, told, stopped, not written over."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app import paths
from app.session.library import Library
from app.ui.main_window import opened_files
from app.ui.main_window.opened_files import Opened, OpenedFiles, Result, StoppedError
from app.ui.widgets.banner import BannerStack
from model_backends.base import EngineError, EngineOptions


class Desk:
    """Opened files whose recognition the test lets go on, file by file."""

    def __init__(self) -> None:
        self.banners = BannerStack()
        self.begun: list[str] = []
        self.go_on = threading.Semaphore(0)
        self.error: Exception | None = None
        self.saved: list[Path] = []
        self.files = OpenedFiles(
            lambda: EngineOptions(engine="scripted"), self.banners, transcribe=self._transcribe
        )
        self.files.saved.connect(self.saved.append)

    @property
    def told(self) -> list[str]:
        return [banner.text for banner in self.banners.banners]

    def _transcribe(self, opened: Opened, options: EngineOptions) -> Result:
        self.begun.append(opened.path.name)
        self.go_on.acquire()
        if opened.unwanted.is_set():
            raise StoppedError
        if self.error:
            raise self.error
        return Result(opened.path.with_suffix(".srt"), ())


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    made = Desk()
    qtbot.addWidget(made.banners)
    made.banners.show()
    return made


def test_one_after_another_and_each_is_told(desk: Desk, qtbot: QtBot) -> None:
    desk.files.add([Path("/media/Zoë/a talk.mp4"), Path("/media/b.ogg")])
    qtbot.waitUntil(lambda: desk.begun == ["a talk.mp4"])
    assert desk.told == ["Transcribing a talk.mp4 …"]
    assert desk.banners.banners[0].hint == "1 more after it."
    desk.go_on.release()
    qtbot.waitUntil(lambda: desk.begun == ["a talk.mp4", "b.ogg"])
    desk.go_on.release()
    qtbot.waitUntil(lambda: len(desk.saved) == 2)
    assert desk.saved == [Path("/media/Zoë/a talk.srt"), Path("/media/b.srt")]
    assert desk.told == []


def test_stop_leaves_all_that_is_not_done(desk: Desk, qtbot: QtBot) -> None:
    desk.files.add([Path("/a.wav"), Path("/b.wav")])
    qtbot.waitUntil(lambda: desk.begun == ["a.wav"])
    desk.files.stop()
    desk.go_on.release()
    qtbot.waitUntil(lambda: desk.told == ["Stopped: nothing was written for a.wav."])
    assert desk.begun == ["a.wav"]
    assert desk.saved == []


def test_a_file_that_cannot_be_heard_is_told_and_the_next_is_taken(
    desk: Desk, qtbot: QtBot
) -> None:
    desk.error = EngineError("There is no sound in a.pdf.", "Choose another file.")
    desk.files.add([Path("/a.pdf"), Path("/b.wav")])
    qtbot.waitUntil(lambda: desk.begun == ["a.pdf"])
    desk.go_on.release()
    qtbot.waitUntil(lambda: desk.begun == ["a.pdf", "b.wav"])
    assert "There is no sound in a.pdf." in desk.told
    desk.error = None
    desk.go_on.release()
    qtbot.waitUntil(lambda: desk.saved == [Path("/b.srt")])


def test_subtitles_lie_beside_the_sound_and_a_second_time_in_our_folder(
    tmp_path: Path, sample: Path
) -> None:
    sound = tmp_path / "a recording.flac"
    sound.write_bytes(sample.read_bytes())
    options = EngineOptions(engine="scripted", delay_ms=123, language="xx")
    first = opened_files.to_subtitles(Opened(sound), options)
    assert first.path == tmp_path / "a recording.srt"
    text = first.path.read_text("utf-8")
    assert "-->" in text
    second = opened_files.to_subtitles(Opened(sound), options)
    assert second.path == paths.transcripts_dir() / "a recording.srt"
    assert first.path.read_text("utf-8") == text


@pytest.mark.parametrize("keeps", [True, False])
def test_what_was_said_in_it_is_in_the_library_if_that_is_wished(
    tmp_path: Path, sample: Path, keeps: bool
) -> None:
    sound = tmp_path / "talk.flac"
    sound.write_bytes(sample.read_bytes())
    opened_files.to_subtitles(Opened(sound, keeps), EngineOptions(engine="scripted"))
    kept = [(entry.file, entry.origin) for entry in Library().sessions()]
    assert kept == ([(str(sound), "file")] if keeps else [])


def test_what_nobody_wants_any_more_is_not_written(tmp_path: Path, sample: Path) -> None:
    sound = tmp_path / "talk.flac"
    sound.write_bytes(sample.read_bytes())
    opened = Opened(sound)
    opened.unwanted.set()
    with pytest.raises(StoppedError):
        opened_files.to_subtitles(opened, EngineOptions(engine="scripted"))
    assert not (tmp_path / "talk.srt").exists()

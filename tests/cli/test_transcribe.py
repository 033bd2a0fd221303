"""`voxline transcribe` through the real worker, with an engine that speaks a script."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.cli.transcribe import Job, plan
from app.session import transcription
from app.session.files import FileProblem
from model_backends import scripted
from tests.cli.sounds import tone, write_media, write_tracks, write_wav

# within the first two utterances of the sample, as a listener would hear them
SCRIPT = [[" My", 900, 1190], [" fellow", 1190, 1530], [" Americans.", 1530, 2200]]
TEXT = "My fellow Americans."


@pytest.fixture
def talk(tmp_path: Path, sample: Path) -> Path:
    """A copy of the sample that the user owns."""
    return Path(shutil.copy(sample, tmp_path / "talk.flac"))


@pytest.fixture
def engine(tmp_path: Path) -> list[str]:
    """Options for the scripted engine with SCRIPT."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps(SCRIPT))
    return ["--engine", "scripted", "--model", str(script)]


def transcribe(*args: object) -> int:
    return main(["transcribe", *map(str, args)])


# --- results ---------------------------------------------------------------------------------


def test_json_holds_exactly_what_is_promised(
    talk: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert transcribe(talk, *engine, "--format", "json", "--output", "-") == 0
    value = json.loads(capsys.readouterr().out)
    assert value == {
        "file": str(talk),
        "duration_ms": 11_000,
        "engine": "scripted",
        "model": "script.json",
        "delay_ms": max(scripted.INFO.delays_ms),  # nobody waits, so the most accurate
        "language": value["language"],  # found in the text: "en", or null if too little was said
        "text": TEXT,
        "words": [{"text": t, "start_ms": s, "end_ms": e} for t, s, e in SCRIPT],
    }
    assert value["language"] in ("en", None)
    assert "".join(word["text"] for word in value["words"]).strip() == value["text"]


def test_json_on_standard_output_is_one_line_a_file(
    talk: Path, engine: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = write_wav(tmp_path / "silence.wav", tone(1.0) * 0)
    assert transcribe(talk, silence, talk, *engine, "--format", "json", "--output", "-") == 0
    values = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [value["text"] for value in values] == [TEXT, "", TEXT]
    assert [value["file"] for value in values] == [str(talk), str(silence), str(talk)]
    assert values[1]["language"] is None
    assert values[1]["words"] == []


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("srt", f"1\n00:00:00,900 --> 00:00:02,200\n{TEXT}\n"),
        ("vtt", f"WEBVTT\n\n00:00:00.900 --> 00:00:02.200\n{TEXT}\n"),
        ("txt", f"{TEXT}\n"),
    ],
)
def test_other_formats_go_beside_the_input(
    talk: Path, engine: list[str], form: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert transcribe(talk, *engine, "--format", form) == 0
    target = talk.with_suffix(f".{form}")
    assert target.read_text("utf-8") == text
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"Saved: {target}\n"


def test_a_folder_for_the_results_is_made(talk: Path, engine: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "new" / "results"
    assert transcribe(talk, *engine, "--output", folder) == 0
    assert [path.name for path in folder.iterdir()] == ["talk.srt"]


def test_the_sound_of_a_video_and_of_many_channels(
    engine: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_media(tmp_path / "a.mp4", tone(2.0, 48_000), video=True)
    assert transcribe(video, *engine, "--format", "json", "--output", "-") == 0
    assert json.loads(capsys.readouterr().out)["duration_ms"] == pytest.approx(2000, abs=50)


def test_a_file_without_speech_is_told_and_why(
    engine: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = write_wav(tmp_path / "silence.wav", tone(1.0) * 0)
    assert transcribe(silence, *engine) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "No speech was found in “silence.wav”."
    assert told[1].startswith("There is only silence in “silence.wav”")
    assert told[2].startswith("Saved: ")


def test_a_track_is_chosen_and_one_that_is_not_there_fails_alone(
    talk: Path, engine: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracks = {"ger": tone(1.0, 48_000), "eng": tone(2.0, 48_000)}
    film = write_tracks(tmp_path / "film.mkv", tracks)
    options = [*engine, "--format", "json", "--output", "-", "--track"]
    assert transcribe(film, *options, "en") == 0
    assert json.loads(capsys.readouterr().out)["duration_ms"] == pytest.approx(2000, abs=30)
    assert transcribe(film, talk, *options, "2") == 1
    assert "“talk.flac” has no audio track “2”. It has: 1." in capsys.readouterr().err


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_what_is_piped_in_has_its_result_in_the_folder_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    jobs, refused = plan([Path(name)], "srt", None, False)
    assert (jobs, refused) == ([Job(Path(name), Path("stdin.srt"))], 0)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("My.Show.H.264-GRP", "My.Show.H.264-GRP"),
        ("talk.v1.2.mp3", "talk.v1.2"),
        ("rev 2.0", "rev 2.0"),
        ("a.m4a", "a"),
    ],
)
def test_only_the_ending_of_a_name_is_replaced(tmp_path: Path, name: str, stem: str) -> None:
    (tmp_path / name).touch()
    jobs, _ = plan([tmp_path / name], "srt", None, False)
    assert jobs[0].target == tmp_path / f"{stem}.srt"


# --- one bad file among good ones ------------------------------------------------------------


def test_a_file_that_fails_does_not_stop_the_others(
    talk: Path, engine: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.wav").write_text("no sound\n" * 20)
    missing = tmp_path / "missing.mp3"
    assert transcribe(missing, tmp_path / "text.wav", talk, *engine) == 1
    assert talk.with_suffix(".srt").exists()
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert said[0].startswith(f"There is no file “{missing}”.")
    assert said[1].startswith("“text.wav” is not audio or video")
    assert sorted(path.name for path in tmp_path.glob("*.srt")) == ["talk.srt"]


def test_what_was_wrong_with_a_file_that_was_heard_is_told(
    engine: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = tone(1.0)
    samples[10] = float("nan")
    assert transcribe(write_wav(tmp_path / "a.wav", samples), *engine) == 0
    assert "1 samples of “a.wav” are not numbers" in capsys.readouterr().err


def test_a_link_to_itself_does_not_stop_the_others(
    talk: Path, engine: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = tmp_path / "loop.flac"
    loop.symlink_to(loop)
    assert transcribe(talk, loop, *engine) == 1
    assert talk.with_suffix(".srt").exists()
    assert "“" + str(loop) in capsys.readouterr().err


def test_an_engine_that_cannot_be_loaded_is_told_once(
    talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.json").write_text("{")
    other = shutil.copy(talk, tmp_path / "other.flac")
    options = ["--engine", "scripted", "--model", tmp_path / "bad.json"]
    assert transcribe(talk, other, *options) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "bad.json is not a script." in said
    assert not list(tmp_path.glob("*.srt"))


def test_ctrl_c_leaves_no_half_written_result(
    talk: Path,
    engine: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(transcription.Transcriber, "transcribe", interrupted)
    before = sorted(talk.parent.iterdir())
    assert transcribe(talk, *engine) == 130
    assert sorted(talk.parent.iterdir()) == before
    assert "nothing was written" in capsys.readouterr().err


# --- nothing is overwritten --------------------------------------------------------------------


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test if anything is decoded."""

    def refuse(*_: Any) -> None:
        raise AssertionError("decoded before the targets were checked")

    monkeypatch.setattr(transcription.Transcriber, "transcribe", refuse)


@pytest.mark.usefixtures("no_engine")
def test_an_existing_file_is_refused_before_anything_is_decoded(
    talk: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    talk.with_suffix(".srt").write_text("mine")
    assert transcribe(talk, *engine) == 1
    assert talk.with_suffix(".srt").read_text() == "mine"
    assert "is already there" in capsys.readouterr().err


def test_force_overwrites(talk: Path, engine: list[str]) -> None:
    talk.with_suffix(".srt").write_text("old")
    assert transcribe(talk, *engine, "--force") == 0
    assert TEXT in talk.with_suffix(".srt").read_text("utf-8")


@pytest.mark.parametrize("force", [False, True])
def test_two_inputs_of_one_stem_do_not_share_a_result(
    tmp_path: Path, force: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.mp3", "a.wav"):
        (tmp_path / name).touch()
    jobs, refused = plan([tmp_path / "a.mp3", tmp_path / "a.wav"], "srt", None, force)
    assert jobs == [Job(tmp_path / "a.mp3", tmp_path / "a.srt")]
    assert refused == 1
    said = capsys.readouterr().err
    assert f"{tmp_path / 'a.wav'} is left out" in said
    assert "is the result of" in said


def test_inputs_of_one_stem_from_two_folders_collide_in_a_third(tmp_path: Path) -> None:
    sources = [tmp_path / folder / "a.mp3" for folder in ("one", "two")]
    for source in sources:
        source.parent.mkdir()
        source.touch()
    _, refused = plan(sources, "vtt", str(tmp_path / "out"), False)
    assert refused == 1
    jobs, refused = plan(sources, "vtt", None, False)
    assert (len(jobs), refused) == (2, 0)


def test_an_input_is_never_a_target_even_with_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("mine")
    jobs, refused = plan([tmp_path / "a.txt"], "txt", None, force=True)
    assert (jobs, refused) == ([], 1)
    assert "is an input itself" in capsys.readouterr().err


def test_standard_output_has_no_targets_to_check(tmp_path: Path) -> None:
    sources = [tmp_path / "a.mp3", tmp_path / "a.wav"]
    assert plan(sources, "json", "-", False) == ([Job(path, None) for path in sources], 0)


@pytest.mark.usefixtures("no_engine")
def test_a_results_folder_that_is_a_file(
    talk: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert transcribe(talk, *engine, "--output", talk) == 2
    assert transcribe(talk, *engine, "--output", "talk.srt") == 2
    assert capsys.readouterr().err.count("is not a folder") == 2


def test_a_results_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileProblem, match="cannot be made"):
        plan([tmp_path / "a.mp3"], "srt", str(tmp_path / "file" / "below"), False)


@pytest.mark.usefixtures("no_engine")
def test_a_link_to_itself_costs_itself_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop, good = tmp_path / "loop.flac", tmp_path / "good.flac"
    loop.symlink_to(loop)
    good.touch()
    assert plan([good, loop], "srt", None, False)[0][0] == Job(good, tmp_path / "good.srt")


def test_a_name_without_a_suffix_keeps_its_dots(tmp_path: Path) -> None:
    source = tmp_path / "My.Show.H.264-GRP"
    source.touch()
    assert plan([source], "srt", None, False) == (
        [Job(source, tmp_path / "My.Show.H.264-GRP.srt")],
        0,
    )


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
@pytest.mark.usefixtures("no_engine")
def test_a_folder_one_may_not_write_to(
    talk: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    talk.parent.chmod(0o500)
    try:
        assert transcribe(talk, *engine) == 1
    finally:
        talk.parent.chmod(0o700)
    assert "you may not write there" in capsys.readouterr().err

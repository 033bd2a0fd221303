"""Whatever the shell has made of the streams, and wherever home is: a sentence and a status."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import streams, tell

posix = pytest.mark.skipif(os.name != "posix", reason="of shells")


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line in which `voxline` is the command."""
    line = line.replace("voxline", f"{sys.executable} -m app")
    return subprocess.run(
        ["sh", "-c", line],
        capture_output=True, text=True, env=os.environ | environment, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip


@posix
@pytest.mark.parametrize("closed", ["2>&-", "<&-", "2>&- <&-"])
def test_closed_streams_change_no_status(closed: str) -> None:
    assert shell(f"voxline models list {closed}").returncode == 0
    assert shell(f"voxline transcribe nothing.wav {closed}").returncode == 1


_CLOSED = (
    "Standard output cannot be written: it is closed. Send it to a file or to another program.\n"
)


@posix
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "command",
    ["models list", "models list --json", "doctor --json", "engines --json", "--version", "--help"],
)
def test_a_result_for_a_closed_standard_output_is_lost_and_that_is_said(
    command: str, unbuffered: str
) -> None:
    done = shell(f"voxline {command} >&-", PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (1, _CLOSED)


@posix
def test_nothing_is_said_of_a_closed_standard_output_that_got_nothing(user_folders: Path) -> None:
    done = shell("voxline sessions list >&-")
    assert (done.returncode, done.stderr) == (0, "No session has been kept yet.\n")


@posix
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_command_that_failed_may_have_lost_its_result_besides(
    unbuffered: str, user_folders: Path
) -> None:
    done = shell("voxline control status --json >&-", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 1
    assert done.stderr.endswith(_CLOSED)


@posix
@pytest.mark.parametrize("pipe", ["", " | true"])
def test_a_reader_that_has_left_makes_no_success_of_a_failure(pipe: str, tmp_path: Path) -> None:
    status = tmp_path / "status"
    shell(f"(voxline control status --json; echo $? > {status}){pipe}", PYTHONUNBUFFERED="")
    assert status.read_text() == "1\n"


@posix
def test_subtitles_for_a_closed_standard_output_are_told_to_be_lost(sample: Path) -> None:
    done = shell(f"voxline transcribe --engine scripted --output - {sample} >&-")
    assert done.returncode == 1
    assert done.stderr.endswith(_CLOSED)


@posix
def test_captions_for_a_closed_standard_output_are_told_to_be_unseen(sample: Path) -> None:
    done = shell(f"voxline listen --engine scripted --source {sample} >&-")
    assert done.returncode == 1
    assert "it is closed. Captions go on unseen, and are saved at the end.\n" in done.stderr


@posix
def test_what_is_opened_next_does_not_take_a_closed_streams_place(tmp_path: Path) -> None:
    """Else a file that is written gets what was meant for the screen."""
    program = (
        "import sys; from app.cli import streams; streams.prepare(); "
        "f = open(sys.argv[1], 'w'); print(f.fileno() > 2, file=f)"
    )
    target = tmp_path / "numbers"
    line = f'{sys.executable} -c "{program}" {target} <&- >&- 2>&-'
    subprocess.run(["sh", "-c", line], check=True, cwd=Path(__file__).parents[2])
    assert target.read_text() == "True\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["models list", "doctor --json", "--version", "--help"])
def test_a_full_disk_behind_standard_output_is_a_sentence(command: str, unbuffered: str) -> None:
    done = shell(f"voxline {command} > /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (
        1,
        "Standard output cannot be written: the disk is full. "
        "Free some space, or send it elsewhere.\n",
    )


def test_another_full_disk_is_not_taken_for_standard_outputs() -> None:
    program = (
        "import sys; from app.cli import guarded, streams; streams.prepare()\n"
        "def command(): raise OSError(28, 'No space left on device')\n"
        "sys.exit(guarded(command))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 1
    assert "Standard output" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_messages_that_cannot_be_written_change_no_status() -> None:
    done = shell("voxline models list 2> /dev/full")
    assert done.returncode == 0
    assert "base" in done.stdout


@posix
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("doctor", 0), ("doctor --json", 0), ("engines", 0), ("models list", 0), ("models path", 0),
        ("sources", 0), ("transcribe nothing.wav", 1),
    ],
)  # fmt: skip
def test_a_home_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, command: str, status: int
) -> None:
    """A file is where the home should be: not even root can make folders in it."""
    home = tmp_path / "home"
    home.touch()
    variables = [name for name in os.environ if name.startswith(("VOXLINE_", "XDG_"))]
    done = shell(f"unset {' '.join(variables)}; HOME={home} voxline {command}")
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "Something went wrong" not in done.stderr


@posix
def test_doctor_says_what_cannot_be_written_and_what_moves_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    where = str(tmp_path / "file" / "below")
    done = shell("voxline doctor --json", VOXLINE_DATA=where, VOXLINE_MODELS="")
    folders = {folder["name"]: folder for folder in json.loads(done.stdout)["folders"]}
    assert folders["data"]["path"] == where
    assert folders["journal"]["problem"] == "there is something else in its place"
    assert not (tmp_path / "file").is_dir()


@posix
def test_asking_makes_no_folder(user_folders: Path) -> None:
    for command in ("doctor", "engines", "models list", "models path", "transcribe nothing.wav"):
        shell(f"voxline {command}")
    made = {path.name for path in user_folders.iterdir()}
    assert made.isdisjoint({"data", "config", "models", "transcripts"})


@posix
def test_a_bug_without_a_log_is_a_sentence_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    program = "import sys; from app.cli import guarded; sys.exit(guarded(lambda: 1 // 0))"
    variables = {name: str(tmp_path / "home") for name in ("HOME", "XDG_STATE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, env=os.environ | variables, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no log could be written" in done.stderr
    assert "line 1" in done.stderr


def test_a_name_gives_the_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    tell("Saved: a\x1b]0;owned\x07.srt", "b\x9b2J")
    assert capsys.readouterr().err == "Saved: a␛]0;owned␇.srt b�2J\n"
    streams.tell_above_bar("a\x1b[2J")
    assert capsys.readouterr().err == "a␛[2J\n"


@posix
@pytest.mark.parametrize("command", ["listen \x1b[2J", "transcribe \x1b[2J.wav", "models \x1b[2J"])
def test_nor_does_what_was_typed(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", *command.split(" ")],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode != 0
    assert "\x1b" not in done.stderr


@posix
def test_logs_are_for_their_owners_eyes(user_folders: Path) -> None:
    program = "import sys; from app.cli import guarded; guarded(lambda: 1 // 0)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
    (log,) = user_folders.rglob("voxline.log")
    assert log.stat().st_mode & 0o077 == 0
    assert log.parent.stat().st_mode & 0o077 == 0


def test_a_tilde_in_a_variable_is_the_users_home(
    user_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app import paths

    for name, find in {
        "VOXLINE_DATA": paths.data_dir, "VOXLINE_CONFIG": paths.config_dir,
        "VOXLINE_MODELS": paths.models_dir, "VOXLINE_TRANSCRIPTS": paths.transcripts_dir,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, "~/subs")
        assert find() == user_folders / "subs"
    assert shutil.which("sh") is None or not (Path.cwd() / "~").exists()

"""The grammar of the command line: what it takes, what it refuses, and in how many words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from app.cli import main
from app.cli.arguments import build_parser

COMMANDS = (
    "listen", "transcribe", "sessions", "engines", "sources", "models", "doctor", "serve",
    "evaluate", "bench",
)  # fmt: skip


def test_plain_voxline_has_no_command() -> None:
    assert build_parser().parse_args([]).command is None


def test_listens_options_and_their_defaults() -> None:
    args = vars(build_parser().parse_args(["listen"]))
    assert args == {
        "command": "listen", "source": None, "engine": "embedded", "model": None,
        "delay_ms": None, "language": None, "hotwords": None, "words": None, "device": None,
        "precision": None, "seconds": None,
        "srt": None, "force": False, "json": False, "no_names": False, "as_shown": None,
        "no_record": False,
        "url": None, "dialect": None, "ca_file": None, "agree": False,
        "page": False, "page_network": False, "page_port": None,
        "follow": None, "zoom": False, "obs": None, "obs_address": None,
    }  # fmt: skip


def test_everything_listen_takes() -> None:
    line = "--source Mic --engine voxtral --model base --delay-ms 480 --language de --device cpu"
    line += " --seconds 2.5 --srt out.srt --force --json --no-names --no-record --as-shown as.txt"
    args = build_parser().parse_args(["listen", *line.split()])
    assert (args.source, args.engine, args.delay_ms, args.seconds) == ("Mic", "voxtral", 480, 2.5)
    assert (args.srt, args.force, args.json, args.no_names) == (Path("out.srt"), True, True, True)
    assert (args.no_record, args.as_shown) == (True, Path("as.txt"))


def test_transcribe_takes_many_files_and_a_dash() -> None:
    args = build_parser().parse_args(
        ["transcribe", "a.mp3", "b.wav", "--format", "json", "--output", "-"]
    )
    assert args.files == [Path("a.mp3"), Path("b.wav")]
    assert (args.format, args.output, args.force) == ("json", "-", False)


def test_evaluate_takes_several_delays_each_once() -> None:
    args = build_parser().parse_args(["evaluate", "m.jsonl", "--delay-ms", "960, 480,960"])
    assert args.delay_ms == (960, 480)


@pytest.mark.parametrize("empty", ["", " "])
@pytest.mark.parametrize(
    "line",
    [
        "listen --obs", "listen --obs OBS --obs-address", "listen --follow", "listen --source",
        "listen --device", "listen --model", "listen --language", "listen --url", "listen --srt",
        "transcribe a.wav --output", "transcribe a.wav --track", "serve --host", "bench --subset",
    ],
)  # fmt: skip
def test_an_option_that_is_given_nothing_is_refused(
    line: str, empty: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([*line.split(), empty])
    option = line.split()[-1]
    assert end.value.code == 2
    assert f"Argument {option}: the value is empty" in capsys.readouterr().err


def test_a_session_s_name_may_be_taken_away() -> None:
    assert build_parser().parse_args(["sessions", "rename", "1", ""]).title == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"voxline {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("nonsense", "invalid choice: 'nonsense'"),
        ("--nonsense", "Unrecognized arguments: --nonsense"),
        ("transcribe", "required: FILE"),
        ("transcribe a.wav --format docx", "invalid choice: 'docx'"),
        ("listen --delay-ms soon", "“soon” is not a whole number above 0"),
        ("listen --delay-ms 0", "“0” is not a whole number above 0"),
        ("listen --delay-ms -480", "“-480” is not a whole number above 0"),
        ("listen --seconds ever", "“ever” is not a number of seconds above 0"),
        ("listen --seconds nan", "“nan” is not a number of seconds above 0"),
        ("listen --seconds inf", "“inf” is not a number of seconds above 0"),
        ("listen talk.wav", "Unrecognized arguments: talk.wav"),
        ("listen --sour Mic", "Unrecognized arguments: --sour Mic"),
        ("models burn", "invalid choice: 'burn'"),
        ("evaluate", "required: MANIFEST.jsonl"),
        ("evaluate m.jsonl --delay-ms 480,", "“” is not a whole number above 0"),
        (f"transcribe a.wav --delay-ms {'9' * 5000}", "999… is too large a number"),
        (f"sessions delete {'9' * 20}", "999… is too large a number"),
        (f"sessions show 1 --from 1:{'9' * 20}", "999… is too large a number"),
        ("bench --engine voxtral-cpu --threads 0", "“0” is not a whole number above 0"),
        (f"serve --port {'9' * 5000}", "999… is too large a number"),
    ],
)
def test_wrong_usage_costs_one_sentence(
    line: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(line.split())
    said = capsys.readouterr()
    assert end.value.code == 2
    assert said.out == ""
    assert sentence in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("transcribe a.wav --engine siri", "There is no engine called “siri”. Choose one of:"),
        ("transcribe a.wav --delay-ms 123", "has no delay of 123 ms. It offers"),
        ("transcribe a.wav --language xx", "does not know the language “xx”. It takes:"),
        ("listen --model tiny.en --language de", "“de” with the model “tiny.en”."),
        ("transcribe a.wav --model huge", "has no model “huge”. It takes: base"),
        ("transcribe a.wav --engine scripted --language de", "finds the language itself"),
        ("evaluate m.jsonl --delay-ms 1000,999", "has no delay of 999 ms"),
        ("models convert a b --engine cpu --bits 8", "have 4 bits"),
        ("bench --engine voxtral-cpu --threads 1,65", "--threads takes numbers up to 64."),
        ("bench --engine voxtral-cpu --context 8193", "--context takes numbers up to 8192."),
        ("sessions export 1 --from 1:00 --until 60", "--until must be later than --from."),
        ("sessions show 1 --from 5 --until 2", "--until must be later than --from."),
        ("{listen} --page-port 8000", "--page-port goes with --page."),
        ("{listen} --obs-address ws://127.0.0.1:1", "--obs-address goes with --obs."),
        ("{listen} --srt a.srt --as-shown ./a.srt", "--srt and --as-shown name one file: a.srt."),
        ("{listen} --srt a.srt --follow b.srt --as-shown b.srt", "--as-shown and --follow name"),
    ],
)
def test_what_an_engine_does_not_take_is_refused_with_what_it_offers(
    line: str, sentence: str, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listen = f"listen --engine scripted --source {sample}"
    assert main(line.format(listen=listen).split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert sentence in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_load_nothing_heavy(option: str) -> None:
    program = (
        "import sys\nfrom app.cli import main\n"
        f"try: main([{option!r}])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'av', 'soxr', 'PySide6', 'torch', 'tqdm'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[-1] == "[]"
    assert (lines[0] == f"voxline {__version__}") == (option == "--version")


def test_serves_options_and_their_defaults() -> None:
    args = vars(build_parser().parse_args(["serve"]))
    own = {name: args[name] for name in ("host", "port", "streams", "json")}
    assert own == {"host": "127.0.0.1", "port": 8421, "streams": None, "json": False}


@pytest.mark.parametrize("port", ["-1", "65536", "1.5", "http", "٣"])
def test_what_is_no_port_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        build_parser().parse_args(["serve", "--port", port])
    assert stopped.value.code == 2
    assert "is not a port" in capsys.readouterr().err

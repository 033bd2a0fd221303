"""`engines`, `sources`, `models` and `doctor`: for people, and as JSON."""

from __future__ import annotations

import json
import os
import platform
import threading
from pathlib import Path
from typing import Any

import pytest

import app.cli.sources
from app import __version__, paths
from app.audio import sources
from app.audio.devices.base import SourceInfo, lacking
from app.cli import doctor, engines, main
from app.cli.table import table
from app.session import journal
from model_backends.base import Availability
from model_backends.embedded import store

Said = pytest.CaptureFixture[str]


def as_json(capsys: Said, *line: str) -> Any:
    assert main([*line, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


# --- engines -----------------------------------------------------------------------------------


def test_engines_tells_each_engine_and_model(capsys: Said) -> None:
    rows = as_json(capsys, "engines")
    assert {row["engine"] for row in rows} == {
        "embedded",
        "ggml",
        "voxtral-torch",
        "voxtral-mlx",
        "voxtral-cpu",
        "remote",
    }
    embedded = [row for row in rows if row["engine"] == "embedded"]
    assert [row["model"] for row in embedded] == ["base", "tiny.en"]
    assert [row["default"] for row in embedded] == [True, False]
    assert embedded[0]["default_delay_ms"] in embedded[0]["delays_ms"]
    assert all(row["available"] or row["reason"] for row in rows)


def test_what_would_help_stands_below_what_is_missing() -> None:
    rows = [
        Availability("a", "one", True, "Found."),
        Availability("b", "two", False, "Its weights are missing.", "Download them."),
    ]
    assert engines.as_text(rows).splitlines() == [
        "a  one  available      Found.",
        "b  two  not available  Its weights are missing.",
        "    Download them.",
    ]


def test_an_engine_left_out_of_an_installation_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise ImportError("No module named 'x'")

    monkeypatch.setattr(engines, "availability", missing)
    assert {row.available for row in engines.all_rows()} == {False}
    assert "not part of this installation" in engines.all_rows()[0].reason


# --- sources -----------------------------------------------------------------------------------


def test_sources_gives_the_names_people_know(monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    lacks = lacking("system", "This computer’s sound", "No sound server is running.")
    zoom = SourceInfo("app:Zoom (1/2)", "Zoom (1/2)", "application")
    found = [SourceInfo("alsa.1", "Desk microphone", "microphone", True), lacks, zoom]
    monkeypatch.setattr(app.cli.sources, "list_sources", lambda: found)
    listed = as_json(capsys, "sources")
    assert listed[0] == {
        "id": "alsa.1",
        "name": "Desk microphone",
        "kind": "microphone",
        "default": True,
        "why_not": "",
    }
    assert [each["why_not"] for each in listed] == ["", "No sound server is running.", ""]
    assert main(["sources"]) == 0
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    rows = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert rows[0] == ["Automatic: the microphone and this computer’s sound", "meeting"]
    assert ["Desk microphone", "default", "alsa.1"] in rows
    assert ["This computer’s sound", "No sound server is running."] in rows
    assert ["Zoom (1/2)", "app:Zoom (1/2)"] in rows


def test_no_sources_is_told_and_no_error(monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    monkeypatch.setattr(app.cli.sources, "list_sources", list)
    assert as_json(capsys, "sources") == []
    assert main(["sources"]) == 0
    assert capsys.readouterr().err.startswith("Nothing to listen to was found.")


# --- models ------------------------------------------------------------------------------------


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no weight package were installed."""
    monkeypatch.setattr(store, "_package_folders", lambda model: [])


GGML = ("nemotron", "nemotron-en", "moonshine", "voxtral-gguf", "canary", "parakeet")


@pytest.mark.usefixtures("no_weights")
def test_models_that_are_not_here(capsys: Said) -> None:
    rows = as_json(capsys, "models", "list")
    assert [(row["model"], row["state"], row["path"]) for row in rows] == [
        ("base", "missing", None),
        ("tiny.en", "missing", None),
        ("voxtral", "missing", None),
        ("voxtral-4bit", "missing", None),
        *((name, "missing", None) for name in GGML),
    ]
    assert as_json(capsys, "models", "verify") == []


def test_models_path_is_the_folder_that_can_be_moved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Said
) -> None:
    monkeypatch.setenv("VOXLINE_MODELS", str(tmp_path / "elsewhere"))
    assert main(["models", "path"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'elsewhere'}\n"


@pytest.mark.usefixtures("no_weights")
def test_verify_finds_a_wrong_file(capsys: Said) -> None:
    folder = store.folder("tiny.en", paths.models_dir())
    folder.mkdir(parents=True)
    for name in store.MODELS["tiny.en"].sha256:
        (folder / name).write_text("not it")
    states = {row["model"]: row["state"] for row in as_json(capsys, "models", "list")}
    assert (states["base"], states["tiny.en"]) == ("missing", "installed")
    assert main(["models", "verify"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("tiny.en: ")
    assert "model.bin is not the published file" in said.out
    assert "fetched again" in said.err


# --- doctor ------------------------------------------------------------------------------------


def test_doctor_tells_everything_in_one_object(capsys: Said) -> None:
    report = as_json(capsys, "doctor")
    assert report["voxline"] == __version__
    assert report["sessions"] == []
    assert {row["engine"] for row in report["engines"]} >= {"embedded"}
    folders = {folder["name"]: folder for folder in report["folders"]}
    assert folders["models"]["path"] == str(paths.models_dir())
    assert not any(folder["problem"] for folder in folders.values())
    assert set(report["sound"]) == {"portaudio", "problem", "server", "doors", "sources"}


def test_doctor_tells_why_a_way_to_sound_leads_nowhere(
    monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.setattr(sources, "DESKTOP", "macos")
    monkeypatch.setattr(platform, "mac_ver", lambda: ("13.6", ("", "", ""), "arm64"))
    told = {door["name"]: door["why_not"] for door in as_json(capsys, "doctor")["sound"]["doors"]}
    assert (
        told["Core Audio tap"]
        == "macOS lets apps hear this computer’s sound since 14.4; this is 13.6."
    )
    assert main(["doctor"]) == 0
    assert "no: macOS lets apps hear this computer’s sound since 14.4" in capsys.readouterr().out


def test_doctor_does_not_wait_for_a_sound_server_that_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """pulsectl waits for the whole of a time limit before it looks whether it was refused."""
    asked: list[object] = []

    class Refusing:
        def __init__(self, name: str, connect: bool) -> None: ...
        def __enter__(self) -> Refusing:
            return self

        def __exit__(self, *error: object) -> None: ...
        def connect(
            self, autospawn: bool = False, wait: bool = False, timeout: object = None
        ) -> None:
            asked.append(timeout)
            raise pulsectl.PulseError("Connection refused")

    pulsectl = pytest.importorskip("pulsectl", reason="only Linux has PulseAudio")
    monkeypatch.setattr(pulsectl, "Pulse", Refusing)
    assert doctor._sound_server() is None
    assert asked == [None]


def test_doctor_of_a_frozen_sound_server_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = threading.Event()

    def ask() -> str:
        frozen.wait(60)
        return "never"

    monkeypatch.setattr(doctor, "_ask_sound_server", ask)
    monkeypatch.setattr(doctor, "WITHIN_S", 0.01)
    assert doctor._sound_server() is None
    frozen.set()


def test_doctor_names_the_sessions_that_run(capsys: Said) -> None:
    running = journal.Journal(journal.new_path(), {"engine": "scripted"}, print)
    running.worker_started(4321)
    running.close(ended=False)  # flushed, and the process that wrote it, this one, lives on
    assert as_json(capsys, "doctor")["sessions"] == [{"pid": os.getpid(), "worker_pid": 4321}]
    assert main(["doctor"]) == 0
    assert f"process {os.getpid()}, worker 4321" in capsys.readouterr().out


def test_doctor_for_people_is_a_page(capsys: Said) -> None:
    assert main(["doctor"]) == 0
    page = capsys.readouterr().out
    assert page.startswith(f"Voxline       {__version__}\n")
    assert str(paths.data_dir()) in page


def test_columns_are_as_wide_as_they_look() -> None:
    assert table([["日本", "1"], ["abc", "20"]], right=(1,)) == "日本   1\nabc   20\n"

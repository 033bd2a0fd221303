"""A server on the command line: named, agreed to, and its key stored where nobody else looks."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from app import settings as settings_file
from app.cli import main
from app.cli.arguments import build_parser
from app.cli.usage import chosen_engine
from app.cli.usage_error import UsageError
from app.measure.stand_in import StandIn
from app.measure.stand_in_model import SENTENCE
from app.session.start import start_message
from model_backends.base import EngineOptions
from model_backends.remote.keys import VARIABLE

KEY = "sk-very-secret"
Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the tests' computer. The worker's process has the same."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv(VARIABLE, raising=False)


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self) -> bool:
        return True


def types(monkeypatch: pytest.MonkeyPatch, text: str) -> Terminal:
    """Returns what is shown."""
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(text))
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


def options(*line: str) -> EngineOptions:
    return chosen_engine(build_parser().parse_args(["listen", "--engine", "remote", *line])).options


# --- consent ---------------------------------------------------------------------------------


def test_without_consent_nothing_is_sent(capsys: Said, sample: Path) -> None:
    with StandIn() as server:
        status = main(["transcribe", str(sample), "--engine", "remote", "--url", server.url])
        assert status == 2
        assert server.headers == []
    told = capsys.readouterr().err
    assert f"127.0.0.1:{server.port}" in told
    assert "--agree" in told


def test_the_question_names_the_server_and_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = types(monkeypatch, "y\n")
    chosen = options("--url", "wss://captions.example.org")
    assert chosen.server.agreed == ("captions.example.org",)
    assert "is sent to captions.example.org" in shown.getvalue()
    assert settings_file.load()[0].agreed_servers == {"captions.example.org": True}
    types(monkeypatch, "")
    again = options("--url", "wss://captions.example.org/v1")
    assert again.server.agreed == ("captions.example.org",)
    with pytest.raises(UsageError, match="Nothing was sent to elsewhere"):
        options("--url", "wss://elsewhere.example.org")


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_who_does_not_say_yes_does_not_agree(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    types(monkeypatch, answer)
    with pytest.raises(UsageError, match="Nothing was sent"):
        options("--url", "wss://captions.example.org")
    assert settings_file.load()[0].agreed_servers == {}


def test_agreeing_by_option_holds_for_once() -> None:
    assert options("--url", "ws://a:1", "--agree").server.agreed == ("a:1",)
    with pytest.raises(UsageError):
        options("--url", "ws://a:1")


# --- which server ----------------------------------------------------------------------------


def test_the_preferences_servers_are_taken_unless_others_are_named() -> None:
    kept = settings_file.Settings(server_urls="ws://a:1 ws://b:2", agreed_servers={"a:1": True})
    settings_file.save(kept)
    assert options("--agree").server.urls == ("ws://a:1", "ws://b:2")
    assert options("--url", "ws://a:1").server.urls == ("ws://a:1",)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["--engine", "remote"], "needs the address"),
        (["--engine", "remote", "--url", "captions"], "not the address"),
        (["--engine", "remote", "--url", "ws://a", "--dialect", "dutch"], "dutch"),
        (["--url", "ws://a:1"], "on this computer"),
        (["--engine", "remote", "--url", "ws://a", "--delay-ms", "960"], "server decides"),
        (["--engine", "remote", "--url", "ws://a", "--language", "de"], "finds the language"),
        (["--engine", "remote", "--url", "ws://sk-1@a"], "holds a key"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_asked(line: list[str], says: str) -> None:
    with pytest.raises(UsageError) as refusal:
        chosen_engine(build_parser().parse_args(["listen", "--agree", *line]))
    assert says in f"{refusal.value.message} {refusal.value.hint}"


def test_a_dialect_brings_its_own_choices() -> None:
    line = ("--url", "wss://api.mistral.ai", "--agree", "--language", "de", "--delay-ms", "960")
    chosen = options(*line)
    assert (chosen.language, chosen.delay_ms) == ("de", 960)
    assert chosen.server.dialect == "mistral"


# --- the key ---------------------------------------------------------------------------------


def test_a_key_is_stored_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, user_folders: Path
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{KEY}\n"))
    assert main(["key", "set", "wss://captions.example.org"]) == 0
    assert main(["key", "status", "captions.example.org"]) == 0
    told = capsys.readouterr().out
    assert told.count(str(user_folders / "config" / "keys.json")) == 2
    assert KEY not in told
    assert main(["key", "delete", "captions.example.org"]) == 0
    assert main(["key", "delete", "captions.example.org"]) == 1


def test_the_worker_is_not_sent_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    start = start_message(options("--url", "ws://a:1", "--agree"))
    assert start.extra["server"]["urls"] == ["ws://a:1"]
    assert KEY not in repr(start)


def test_a_file_is_heard_at_a_server_and_the_key_is_written_nowhere(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, sample: Path, user_folders: Path
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    with StandIn(key=KEY) as server:
        line: list[Any] = ["transcribe", sample, "--engine", "remote", "--url", server.url]
        line += ["--agree", "--output", "-", "--format", "txt"]
        status = main([str(part) for part in line])
    told = capsys.readouterr()
    assert status == 0, told.err
    text = " ".join(told.out.split())
    assert text.startswith(SENTENCE.strip())
    files = [path for path in user_folders.rglob("*") if path.is_file()]
    assert not [path for path in files if KEY in path.read_text("utf-8", "replace")]
    assert any("Bearer" in each.get("Authorization", "") for each in server.headers)

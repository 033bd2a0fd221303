"""`voxline pack install`, `status`, `verify` and `remove`, against the stand-in index."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import app.cli.pack
from app.cli import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, main
from app.models.machine import Machine
from app.packs import install, kept, pins
from app.worker import packs
from tests.models.test_places import GAMER, LAPTOP
from tests.packs.conftest import OLD_PINS, PINS, index, tried
from tests.support.package_index import Index

__all__ = ["index", "tried"]

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _offered(monkeypatch: pytest.MonkeyPatch, capsys: Said) -> Iterator[None]:
    """This Voxline pins the stand-in's pack, on a computer without a graphics card."""
    known(monkeypatch, PINS)
    on(monkeypatch, LAPTOP)
    yield


def known(monkeypatch: pytest.MonkeyPatch, pinned: pins.Pins) -> None:
    for module in (install, kept):
        monkeypatch.setattr(module, "pins", lambda: pinned)


def on(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    monkeypatch.setattr(app.cli.pack, "this_machine", lambda: machine)


def states(capsys: Said) -> dict[str, tuple[str, bool]]:
    capsys.readouterr()
    assert main(["pack", "status", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    return {row["kind"]: (row["state"], row["suits"]) for row in rows}


def test_it_is_introduced_agreed_to_installed_and_removed(
    index: Index, tried: list[Path], capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["pack", "install", "--cpu"]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "PyTorch for the processor: " in said
    assert f"From {index.url}, https://download.pytorch.org/whl/cpu." in said
    assert "its licence is in the pack" in said
    assert "It runs on this computer’s Python" in said
    assert said.endswith("Nobody is here to be asked. --yes agrees.\n")
    assert not index.asked, "nothing is asked of anybody before"
    assert main(["pack", "install", "--cpu", "--yes"]) == 0
    assert "is installed: " in capsys.readouterr().err
    assert states(capsys)["cpu"] == ("ready", False)
    assert main(["pack", "verify"]) == 0
    assert "as it was unpacked" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["pack", "remove"]) == EXIT_USAGE
    assert main(["pack", "remove", "--yes"]) == 0
    assert "free again" in capsys.readouterr().err
    assert main(["pack", "remove", "--yes"]) == EXIT_FAILED
    assert "No pack is installed." in capsys.readouterr().err


def test_what_suits_is_installed_where_nothing_is_named(
    index: Index, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["pack", "install", "--yes"]) == EXIT_FAILED
    said = capsys.readouterr().err
    assert "no suitable graphics card" in said
    assert "--cpu, --cuda or --mlx" in said
    on(monkeypatch, GAMER)
    assert states(capsys)["cuda"] == ("missing", True)
    assert main(["pack", "install", "--yes"]) == EXIT_FAILED, "the stand-in pins none for cards"
    assert "no pack “PyTorch for NVIDIA graphics cards”" in capsys.readouterr().err
    assert not index.asked


def test_another_pin_is_offered_and_damage_is_told(
    index: Index, tried: list[Path], capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, OLD_PINS)
    assert main(["pack", "install", "--cpu", "--yes"]) == 0
    known(monkeypatch, PINS)
    assert states(capsys)["cpu"][0] == "outdated"
    assert main(["pack", "status"]) == 0
    assert "a newer one: voxline pack install --cpu" in capsys.readouterr().out
    (pack,) = kept.installed()
    (pack.folder / "env/bin/python").unlink()
    assert states(capsys)["cpu"][0] == "broken"
    next(pack.folder.rglob("typing_extensions.py")).unlink()
    assert main(["pack", "verify"]) == EXIT_FAILED
    said = capsys.readouterr()
    assert "typing_extensions.py is missing." in said.out
    assert "Install it again: voxline pack install" in said.err


def test_stopped_in_the_middle_it_says_how_to_go_on(
    index: Index, capsys: Said, monkeypatch: pytest.MonkeyPatch, tried: list[Path]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(install._Installation, "_unpack", interrupted)
    assert main(["pack", "install", "--cpu", "--yes"]) == EXIT_INTERRUPTED
    assert "It goes on with: voxline pack install --cpu" in capsys.readouterr().err
    assert list(packs.look(packs.folder())) == []
    assert install.begun(install.plan("cpu", known=PINS)) > 0


def test_a_folder_of_wheels_is_named(
    index: Index, tried: list[Path], capsys: Said, tmp_path: Path
) -> None:
    command = ["pack", "install", "--cpu", "--yes", "--from", str(tmp_path)]
    assert main(command) == EXIT_FAILED
    assert f"From {tmp_path}." in capsys.readouterr().err
    for name, content in index.files.items():
        (tmp_path / name).write_bytes(content)
    assert main(command) == 0
    assert not index.asked

"""`voxline models download`, `verify`, `remove` and `licence`, against the stand-in hub."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

import app.cli.models
from app import paths
from app.cli import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, main, models_download
from app.models import catalogue, places, receipts
from app.models.download import Progress
from tests.models.conftest import CONTENT, MODEL, UNKNOWN, hub
from tests.models.test_places import put
from tests.support.hub import Fault, Hub

__all__ = ["hub"]

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _offered(monkeypatch: pytest.MonkeyPatch, capsys: Said) -> Iterator[None]:
    """Voxline offers the stand-in's model and no other."""
    for module in (catalogue, app.cli.models):
        monkeypatch.setattr(module, "catalogue", lambda: (MODEL,))
    yield


def state() -> str:
    return app.cli.models.model_rows()[0].state


def test_a_download_is_introduced_agreed_to_and_used(
    hub: Hub, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["models", "download", "tiny"]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert f"Tiny, by Nobody: 300 kB, from {hub.url}/mistralai/Tiny-2602." in said
    assert "Licence: MIT. Its text: voxline models licence tiny" in said
    assert "Not for this computer" in said or "PyTorch" in said
    assert said.endswith("Nobody is here to be asked. --yes agrees.\n")
    assert not hub.requests, "nothing is asked of anybody before"
    assert main(["models", "download", "tiny", "--yes"]) == 0
    assert "Tiny is here: " in capsys.readouterr().err
    assert state() == "installed"
    hub.requests.clear()
    assert main(["models", "download", "tiny", "--yes"]) == 0
    assert "Tiny is here already: " in capsys.readouterr().err
    assert not hub.requests
    assert main(["models", "verify"]) == 0
    assert capsys.readouterr().out == "tiny: as published.\n"


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("\n", 1), ("", 1)])
def test_whoever_sits_there_is_asked(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal(answer))
    if status:
        with pytest.raises(SystemExit) as left:
            main(["models", "download", "tiny"])
        assert left.value.code == status
    else:
        assert main(["models", "download", "tiny"]) == 0
    assert bool(hub.requests) == (status == 0)


def test_a_failure_is_told_and_the_next_one_goes_on(hub: Hub, capsys: Said) -> None:
    hub.next("cdn", Fault(cut_after=150_000), Fault(status=404))
    assert main(["models", "download", "tiny", "--yes"]) == EXIT_FAILED
    assert "does not have this file any more" in capsys.readouterr().err
    assert state() == "begun"
    assert main(["models", "download", "tiny", "--yes"]) == 0
    assert "150 kB of it are here already." in capsys.readouterr().err


def test_control_c_keeps_what_has_come(
    hub: Hub, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(model: object, folder: object, show: object, stop: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(models_download, "download", interrupted)
    assert main(["models", "download", "tiny", "--yes"]) == EXIT_INTERRUPTED
    assert "It goes on with: voxline models download tiny" in capsys.readouterr().err


def test_waiting_is_told(hub: Hub, capsys: Said) -> None:
    hub.next("cdn", Fault(status=429, headers={"Retry-After": "0"}))
    assert main(["models", "download", "tiny", "--yes"]) == 0
    assert "asks for patience: too many downloads at once. Another try in 0 s." in (
        capsys.readouterr().err
    )


def test_hashes_that_are_the_hubs_are_told(
    hub: Hub, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "catalogue", lambda: (UNKNOWN,))
    assert main(["models", "download", "tiny", "--yes"]) == 0
    assert "knows no sha256 of: params.json," in capsys.readouterr().err


def test_what_is_here_is_checked_and_used_as_it_is(hub: Hub, capsys: Said) -> None:
    folder = put(paths.models_dir() / "by hand")
    assert state() == "unchecked"
    assert main(["models", "download", "tiny", "--yes"]) == 0
    assert f"Tiny is here already: {folder}" in capsys.readouterr().err
    assert receipts.is_checked(folder, paths.models_dir())
    assert not hub.requests
    assert state() == "installed"


def test_what_is_here_and_wrong_is_told_and_got_anew(hub: Hub, capsys: Said) -> None:
    folder = put(paths.models_dir() / MODEL.folder)
    (folder / "weights.bin").write_bytes(bytes(len(CONTENT["weights.bin"])))
    assert main(["models", "verify", "--json"]) == EXIT_FAILED
    said = capsys.readouterr()
    (row,) = json.loads(said.out)
    assert (row["model"], row["ok"]) == ("tiny", False)
    assert "voxline models download NAME" in said.err
    assert main(["models", "download", "tiny", "--yes"]) == 0
    assert "weights.bin is not the published file" in capsys.readouterr().err
    assert len(hub.asked("hub")) == 1, "the other files are right"
    assert state() == "installed"


def test_remove(hub: Hub, capsys: Said) -> None:
    assert main(["models", "remove", "tiny"]) == EXIT_FAILED
    assert "There is nothing to remove." in capsys.readouterr().err
    folder = put(paths.models_dir() / MODEL.folder)
    assert main(["models", "remove", "tiny"]) == EXIT_USAGE
    assert folder.is_dir()
    assert main(["models", "remove", "tiny", "--yes"]) == 0
    assert capsys.readouterr().err.endswith("Tiny was removed: 300 kB.\n")
    assert places.find(MODEL, paths.models_dir()) is None


def test_licence_is_printed(capsys: Said) -> None:
    assert main(["models", "licence", "tiny"]) == 0
    assert capsys.readouterr().out.startswith("MIT License\n")


def test_progress_is_a_share() -> None:
    assert (Progress(5, 0).fraction, Progress(5, 10).fraction, Progress(11, 10).fraction) == (
        0.0,
        0.5,
        1.0,
    )

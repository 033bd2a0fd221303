"""Nothing is loaded that nobody has checked, unless the user has named it and is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app import paths
from app.cli.usage import chosen_engine
from app.cli.usage_error import UsageError
from app.models import receipts, trust
from app.session.start import start_message, startable
from model_backends.base import EngineError, EngineOptions

TINY = paths.resource("tiny-voxtral")
WITHOUT = EngineOptions("voxtral-torch", delay_ms=480)


@pytest.fixture
def models_dir(user_folders: Path) -> Path:
    """Two checkpoints that somebody has put into the models folder."""
    folder = paths.models_dir()
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        for path in TINY.iterdir():
            if path.suffix in (".json", ".safetensors"):
                shutil.copy(path, folder / name)
    return folder


def test_a_model_that_nobody_has_checked_is_not_loaded(models_dir: Path) -> None:
    with pytest.raises(EngineError, match="a has not been checked yet") as error:
        start_message(WITHOUT)
    assert "voxline models verify" in error.value.hint
    fitting, notice = startable(WITHOUT)
    assert (fitting.engine, fitting.model) == ("embedded", None)
    assert notice is not None
    assert (notice.code, notice.hint.endswith("captions meanwhile.")) == ("unchecked", True)


def test_the_one_that_was_checked_is(models_dir: Path) -> None:
    receipts.write_made_here(models_dir / "b", models_dir)
    assert start_message(WITHOUT).model == str(models_dir / "b")
    receipts.write_made_here(models_dir / "a", models_dir)
    assert start_message(WITHOUT).model is None, "the engine's own choice"
    assert startable(WITHOUT) == (WITHOUT, None)
    (models_dir / "a" / "tekken.json").write_text("{}")
    (models_dir / "b" / "tekken.json").write_text("{}")
    with pytest.raises(EngineError):
        start_message(WITHOUT)


@pytest.mark.parametrize("named", ["a", "path"])
def test_one_that_is_named_is_loaded_and_told(
    models_dir: Path, capsys: pytest.CaptureFixture[str], named: str
) -> None:
    from app.cli.arguments import build_parser

    model = "a" if named == "a" else str(models_dir / "a")
    line = ["listen", "--engine", "voxtral-torch"]
    assert start_message(EngineOptions("voxtral-torch", model, delay_ms=480)).model == model
    assert (
        chosen_engine(build_parser().parse_args([*line, "--model", model])).options.model == model
    )
    assert "because you named them: " + str(models_dir / "a") in capsys.readouterr().err
    receipts.write_made_here(models_dir / "a", models_dir)
    chosen_engine(build_parser().parse_args([*line, "--model", model]))
    assert capsys.readouterr().err == ""
    (models_dir / "a" / "tekken.json").write_text("{}")
    with pytest.raises(UsageError, match="has not been checked"):
        chosen_engine(build_parser().parse_args(line))


def test_what_is_not_here_or_not_ours_to_judge(user_folders: Path) -> None:
    """The engine says what it lacks; the embedded one checks its own weights; a server's are
    its own business."""
    nowhere = paths.models_dir()
    for engine in ("voxtral-torch", "voxtral-mlx", "voxtral-cpu", "embedded", "remote"):
        assert trust.chosen(engine, None, nowhere) is None
        assert trust.remark(engine, "nothing", nowhere) is None
    assert trust.chosen("embedded", "base", nowhere) == "base"

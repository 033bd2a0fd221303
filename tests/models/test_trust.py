"""Nothing is loaded that nobody has checked, unless the user has named it and is told."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app import paths
from app.cli.models_download import _how_to_use
from app.cli.usage import chosen_engine
from app.cli.usage_error import UsageError
from app.models import places, receipts, trust
from app.models.catalogue import model_named
from app.models.receipts import Receipt
from app.session.start import known, start_message, startable
from app.settings import Settings
from app.ui.state.models import ModelState
from model_backends.base import EngineError, EngineOptions
from tests.model_backends.ggml import counting
from tests.model_backends.ggml.conftest import needed

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


def test_of_a_model_that_is_one_file_the_receipt_must_name_it(user_folders: Path) -> None:
    """And none of another family stands for it: its delays are others."""
    needed()
    folder = paths.models_dir() / "nemotron-3.5-asr-streaming-0.6b"
    other = paths.models_dir() / "moonshine-streaming-small"
    for each in (folder, other):
        each.mkdir(parents=True)
        counting.write(each / "model.gguf")
    receipts.write_made_here(other, paths.models_dir())
    usual = EngineOptions("ggml", delay_ms=560)
    with pytest.raises(EngineError, match="has not been checked yet"):
        start_message(usual)
    fitting, notice = startable(usual)
    assert fitting.engine == "embedded" and notice is not None and notice.code == "unchecked"
    receipts.write_made_here(folder, paths.models_dir())
    assert start_message(usual).model is None
    assert trust.remark("ggml", str(folder), paths.models_dir()) is None
    beside = folder.parent / "beside.gguf"
    counting.write(beside)
    assert "does not know these weights" in str(trust.remark("ggml", str(beside), folder.parent))
    another = folder / "another.gguf"  # in a folder that was checked before it came
    counting.write(another)
    assert trust.remark("ggml", str(folder / "model.gguf"), folder.parent) is None
    assert "does not know these weights" in str(trust.remark("ggml", str(another), folder.parent))


def test_the_usual_one_file_model_is_taken_from_the_cache_that_others_share(
    user_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed()
    usual = model_named("nemotron")
    snapshots = tmp_path / f"models--{usual.repository.replace('/', '--')}" / "snapshots"
    file = snapshots / usual.revision / usual.files[0].name
    file.parent.mkdir(parents=True)
    counting.write(file)
    counting.write(file.with_name("another-size.gguf"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    size = replace(usual, files=(replace(usual.files[0], bytes=file.stat().st_size),))
    monkeypatch.setattr("app.models.catalogue.catalogue", lambda: (size,))
    nowhere = paths.models_dir()
    assert trust.chosen("ggml", None, nowhere) is None, "nobody has checked it"
    sums = {file.name: size.files[0].sha256}
    receipts.write(file.parent, nowhere, Receipt(usual.name, usual.revision, sums))
    assert trust.chosen("ggml", None, nowhere) == str(file)
    place = places.find(size, nowhere)
    assert place is not None and place.name_for_engine(size, nowhere) == str(file)
    state = ModelState(size, place)
    for named in (str(file), str(file.parent)):
        assert state.is_chosen(Settings(engine="ggml", model=named))
    assert not state.is_chosen(Settings(engine="ggml", model=""))
    assert str(file) in _how_to_use(size, place)


def test_a_language_that_the_model_does_not_know_leaves_whisper_on(user_folders: Path) -> None:
    wanted = EngineOptions("ggml", model="nemotron-speech-streaming-en-0.6b", language="de")
    options, notice = known(wanted)
    assert (options.engine, options.language) == ("embedded", "de")
    assert notice is not None and "does not know the language “de”" in notice.message
    assert known(replace(wanted, language="en"))[0].engine == "ggml"

"""The catalogue is whole, safe, and says the same as what the engines know."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import paths
from app.models.catalogue import CatalogueError, catalogue, for_captions, model_named, read
from model_backends import ENGINES
from model_backends.base import UserError
from model_backends.embedded import store
from model_backends.embedded.info import LANGUAGES
from model_backends.ggml.published import PUBLISHED
from model_backends.voxtral.info import DEFAULT_MODEL

TEXT = paths.resource("models.toml").read_text("utf-8")


def test_every_model_is_one_that_this_voxline_can_run() -> None:
    assert len(catalogue()) >= 4
    for model in catalogue():
        assert set(model.engines) <= set(ENGINES)
        assert model.words.endswith("."), "a sentence"
        assert len(model.licence_text) > 500
        names_nobody = ("Apache-2.0", "CC-BY-4.0")
        assert model.author.split(";")[0] in model.licence_text or model.licence in names_nobody


def test_every_hash_size_and_revision_is_known() -> None:
    for model in catalogue():
        assert model.revision
        assert all(file.sha256 and file.bytes for file in model.files), model.name


def test_the_embedded_engine_knows_the_same_files() -> None:
    ours = [model for model in catalogue() if model.is_embedded]
    assert {model.name for model in ours} == set(store.MODELS)
    for model in ours:
        known = store.MODELS[model.name]
        assert {file.name: file.sha256 for file in model.files} == dict(known.sha256)
        assert model.repository == known.repository
        assert round(model.bytes / 1e6) == known.megabytes
        assert model.folder == store.folder(model.name, paths.models_dir()).name
    assert model_named("base").language_count == len(LANGUAGES)


def test_voxtral_lies_where_its_engines_look_first() -> None:
    model = model_named("voxtral")
    assert model.folder == DEFAULT_MODEL
    assert len(model.languages) == 13
    assert round(model.bytes / 1e9, 1) == 8.9


def test_the_ggml_engine_knows_the_same_models() -> None:
    """Before any is here: where it lies, in which languages, and whether it streams."""
    ours = [model for model in catalogue() if "ggml" in model.engines]
    assert [model.folder for model in ours] == list(PUBLISHED)
    for model in ours:
        family = PUBLISHED[model.folder]
        assert model.files_only == (not family.streams)
        assert "oice loads it once" in model.words or model.files_only, "two lanes are two loads"
        assert set(family.languages) in (set(), set(model.languages))
        assert [Path(file.name).suffix for file in model.files] == [".gguf"]
    offered = [model.name for model in for_captions()]
    assert "nemotron" in offered and "canary" not in offered


def test_a_model_that_is_not_offered() -> None:
    with pytest.raises(UserError, match="offers no model “whisper”") as error:
        model_named("whisper")
    assert "voxtral" in error.value.hint


@pytest.mark.parametrize(
    ("was", "then"),
    [
        ('name = "config.json", bytes = 2309', 'name = "../config.json", bytes = 2309'),
        ('name = "config.json", bytes = 2309', 'name = "/etc/passwd", bytes = 2309'),
        ('name = "config.json", bytes = 2309', 'name = "C:config.json", bytes = 2309'),
        ('name = "config.json", bytes = 2309', 'name = "config.json", bytes = -1'),
        ('folder = "whisper-base"', 'folder = ".."'),
        ('folder = "whisper-base"', 'folder = "whisper-tiny.en"'),
        ('name = "tiny.en"', 'name = "base"'),
        ('revision = "ebe41f70', 'revision = "EBE41F70'),
        ('sha256 = "56a6d8', 'sha256 = "6a6d8'),
        ('repository = "Systran/faster-whisper-base"', 'repository = "https://example.org"'),
        ('engines = ["embedded"]', "engines = []"),
        ("needs = {}", 'needs = { luck = "1" }'),
        ('licence = "MIT"\n', ""),
        ("[[model]]", "[[model"),
    ],
)
def test_what_is_unsafe_or_not_whole_is_no_catalogue(was: str, then: str) -> None:
    assert was in TEXT
    with pytest.raises(CatalogueError):
        read(TEXT.replace(was, then, 1))


def test_a_hash_that_is_not_known_may_be_left_open() -> None:
    open_one = TEXT.replace(
        'sha256 = "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"', 'sha256 = ""'
    )
    assert read(open_one)[0].files[0].sha256 == ""

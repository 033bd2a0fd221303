"""What is found of a model on this computer, what is trusted of it, and what is deleted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.models import machine, places, receipts
from app.models.catalogue import File, Model, model_named
from app.models.machine import Fit, Machine
from app.models.receipts import Receipt
from model_backends import elsewhere
from model_backends.base import UserError
from model_backends.embedded import store
from tests.models.conftest import CONTENT, MODEL, sha256

GB = 10**9


def put(folder: Path, model: Model = MODEL) -> Path:
    """A model's files, as somebody's hand or another program would put them."""
    for name, content in CONTENT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def check(folder: Path, models_dir: Path) -> None:
    sums = {name: sha256(content) for name, content in CONTENT.items()}
    receipts.write(folder, models_dir, Receipt(MODEL.name, MODEL.revision, sums))


def cached(monkeypatch: pytest.MonkeyPatch, cache: Path, revision: str = MODEL.revision) -> Path:
    """As huggingface_hub lays it out: a snapshot of links to blobs."""
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    base = cache / "models--mistralai--Tiny-2602"
    snapshot = base / "snapshots" / revision
    for number, (name, content) in enumerate(CONTENT.items()):
        blob = base / "blobs" / str(number)
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(blob)
    return snapshot


def test_a_folder_under_any_name_is_found_and_one_that_was_hashed_is_preferred(
    tmp_path: Path,
) -> None:
    assert places.find(MODEL, tmp_path / "nowhere") is None
    by_hand = put(tmp_path / "voxtral-download")
    assert places.find(MODEL, tmp_path) == places.Place(by_hand, "ours", checked=False)
    check(by_hand, tmp_path)
    put(tmp_path / MODEL.folder)
    assert places.find(MODEL, tmp_path) == places.Place(by_hand, "ours", checked=True)
    (by_hand / "weights.bin").write_bytes(b"cut short")
    assert places.find(MODEL, tmp_path) == places.Place(tmp_path / MODEL.folder, "ours", False)


@pytest.mark.parametrize("variable", ["HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", ""])
def test_the_hubs_own_cache_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, user_folders: Path
) -> None:
    cache = {
        "HF_HUB_CACHE": tmp_path / "x", "HF_HOME": tmp_path / "x" / "hub",
        "XDG_CACHE_HOME": tmp_path / "x" / "huggingface" / "hub",
        "": user_folders / ".cache" / "huggingface" / "hub",
    }[variable]  # fmt: skip
    snapshot = cached(monkeypatch, cache)
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "x"))
    models_dir = tmp_path / "models"
    assert places.find(MODEL, models_dir) == places.Place(snapshot, "cache", checked=False)
    check(snapshot, models_dir)
    assert places.find(MODEL, models_dir) == places.Place(snapshot, "cache", checked=True)
    assert not list(cache.rglob("*.json.*")), "nothing is written there"
    with pytest.raises(UserError) as error:
        places.remove(MODEL, models_dir)
    assert str(snapshot) in error.value.hint
    assert places.holds(snapshot, MODEL)


def test_another_revision_in_the_cache_is_found_but_not_taken_for_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(monkeypatch, tmp_path / "x", "f" * 40)
    right = cached(monkeypatch, tmp_path / "x")
    found = places.find(MODEL, tmp_path / "models")
    assert found is not None and found.folder == right


def test_a_gguf_model_is_named_by_its_file_where_others_may_lie_beside_it(tmp_path: Path) -> None:
    """Who gets a whole repository into the hub's cache has every size of a model in one folder."""
    model = replace(MODEL, engines=("ggml",), files=(File("x-Q4.gguf", 0, ""),))

    def name(folder: Path, of: Model = model) -> str:
        return places.Place(folder, "ours", checked=True).name_for_engine(of, tmp_path)

    assert name(tmp_path / model.folder) == model.folder
    snapshot = tmp_path / "hub" / "snapshots" / "1"
    assert name(snapshot) == str(snapshot / "x-Q4.gguf")
    assert name(tmp_path / "by hand") == str(tmp_path / "by hand" / "x-Q4.gguf")
    assert name(snapshot, MODEL) == str(snapshot)
    assert name(tmp_path / "by hand", MODEL) == "by hand"


def test_a_receipt_ends_with_any_change(tmp_path: Path) -> None:
    folder = put(tmp_path / "a")
    check(folder, tmp_path)
    link = tmp_path / "b"
    link.symlink_to(folder)
    assert receipts.is_checked(link, tmp_path), "by whatever way one comes to it"
    for damage in ("{}", "[", '{"files": {"x": 1}, "model": "", "revision": ""}', "\0"):
        (note,) = (tmp_path / ".checked").iterdir()
        whole = note.read_text()
        note.write_text(damage)
        assert damage == "{}" or not receipts.is_checked(folder, tmp_path)
        note.write_text(whole)
    (folder / "params.json").write_bytes(b'{"dim": 8}')  # the same, written anew
    assert not receipts.is_checked(folder, tmp_path)
    check(folder, tmp_path)
    receipts.forget(folder, tmp_path)
    assert not receipts.is_checked(folder, tmp_path)


def test_what_was_made_here_is_known(tmp_path: Path) -> None:
    folder = put(tmp_path / "packed")
    receipts.write_made_here(folder, tmp_path)
    assert receipts.is_checked(folder, tmp_path)
    (folder / "weights.bin").unlink()
    assert not receipts.is_checked(folder, tmp_path)


def test_remove_deletes_the_model_and_what_a_download_left(tmp_path: Path) -> None:
    folder = put(tmp_path / MODEL.folder)
    check(folder, tmp_path)
    left = places.download_folder(MODEL, tmp_path)
    left.mkdir(parents=True)
    (left / "weights.bin.partial").write_bytes(b"half")
    other = put(tmp_path / ".removed-0123")
    places.clear_away(tmp_path)
    assert not other.exists()
    assert places.remove(MODEL, tmp_path) == MODEL.bytes + 4
    assert not folder.exists() and not left.exists()
    assert not list((tmp_path / ".checked").iterdir())
    with pytest.raises(UserError, match="not on this computer"):
        places.remove(MODEL, tmp_path)


def test_remove_takes_a_link_and_not_what_it_leads_to(tmp_path: Path) -> None:
    theirs = put(tmp_path / "disk" / "weights")
    models_dir = tmp_path / "models"
    models_dir.mkdir()
    (models_dir / MODEL.folder).symlink_to(theirs)
    places.remove(MODEL, models_dir)
    assert places.holds(theirs, MODEL)
    assert places.find(MODEL, models_dir) is None


def test_remove_never_takes_the_models_folder_itself(tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / "another model").mkdir()
    with pytest.raises(UserError, match="lies in the models folder itself"):
        places.remove(MODEL, tmp_path)
    assert places.holds(tmp_path, MODEL)


def test_what_came_with_the_app_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = tmp_path / "app" / "whisper-base"
    bundled.mkdir(parents=True)
    for name in store.MODELS["base"].sha256:
        (bundled / name).write_text("it")
    monkeypatch.setattr(store, "_BUNDLED", tmp_path / "app")
    base = model_named("base")
    found = places.find(base, tmp_path / "models")
    assert found is not None
    assert (found.folder, found.kind) == (bundled, "app")
    assert places.size_here(base, found) == 4 * len("it")
    assert places.size_here(base, None) == base.bytes
    of_others = places.Place(bundled, "ours", checked=True)
    assert places.size_here(MODEL, of_others) == MODEL.bytes
    with pytest.raises(UserError, match="cannot be removed"):
        places.remove(base, tmp_path / "models")


# --- this computer -------------------------------------------------------------------------------

LAPTOP = Machine(apple=False, memory_bytes=16 * 2**30)
GAMER = Machine(False, 32 * 2**30, "NVIDIA GeForce RTX 4070", round(11.2 * GB))
OLD_CARD = Machine(False, 32 * 2**30, "NVIDIA GeForce GTX 1050 (2 GB) & Co", round(1.9 * GB))
MAC_8 = Machine(True, 8 * 2**30)
MAC_16 = Machine(True, 16 * 2**30)


@pytest.mark.parametrize(
    ("name", "computer", "engine", "why"),
    [
        ("base", LAPTOP, "embedded", ""),
        ("tiny.en", MAC_8, "embedded", ""),
        ("voxtral", LAPTOP, "", "no suitable graphics card was found"),
        ("voxtral", GAMER, "voxtral-torch", ""),
        ("voxtral", OLD_CARD, "", "GTX 1050 (2 GB) & Co has 1.9 GB free, and 5.1 GB are needed"),
        ("voxtral", MAC_16, "voxtral-mlx", ""),
        ("voxtral", MAC_8, "", "it has 8 GB of memory, and 16 GB are needed"),
        ("voxtral-4bit", MAC_8, "voxtral-mlx", ""),
        ("voxtral-4bit", GAMER, "", "made for Macs with Apple silicon"),
    ],
)
def test_what_suits_which_computer(
    monkeypatch: pytest.MonkeyPatch, name: str, computer: Machine, engine: str, why: str
) -> None:
    monkeypatch.setattr(elsewhere, "package", lambda package, engine: Path(package))
    found = machine.fit(model_named(name), computer)
    assert (found.engine, found.lacks) == (engine, "")
    assert why in found.why
    assert found.why.startswith("Not for this computer: ") == (not engine)
    assert found.runs == bool(engine)


def test_a_package_that_is_missing_is_said_before_nine_gigabytes_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(elsewhere, "package", lambda package, engine: None)
    found = machine.fit(model_named("voxtral"), GAMER)
    assert not found.runs
    assert found.lacks.startswith("This computer could run it, but PyTorch is not installed. ")
    assert "pip install" in found.lacks
    assert machine.fit(model_named("base"), GAMER) == Fit("embedded")


def test_needs_are_said_in_words() -> None:
    words = {name: machine.needs_in_words(model_named(name).needs) for name in ("voxtral", "base")}
    assert words == {
        "voxtral": "Needs a graphics card with 6 GB, or a Mac with Apple silicon and 16 GB",
        "base": "",
    }
    only_mac = machine.needs_in_words(model_named("voxtral-4bit").needs)
    assert only_mac == "Needs a Mac with Apple silicon and 8 GB"
    assert machine.needs_in_words(replace(model_named("voxtral").needs, mac_gb=0)).endswith("6 GB")


def test_this_computer_can_be_asked() -> None:
    assert machine.this_machine().memory_bytes > GB

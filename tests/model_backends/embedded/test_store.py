"""Where weights come from, and that the wrong ones are refused; with files of a few bytes."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from model_backends.base import EngineError
from model_backends.embedded import store

FILES = {"config.json": b"{}", "model.bin": bytes(range(256)) * 8, "tokenizer.json": b"[]"}
MODEL = store.Model(
    repository="somebody/small",
    packages=(store.Package("voice_part_one", "data"), store.Package("voice_part_two", "data")),
    sha256={name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()},
    megabytes=1,
)


def silent(fraction: float, text: str) -> None:
    """Progress nobody watches."""


@pytest.fixture(autouse=True)
def small_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a model of three tiny files exists, and no hub answers."""
    monkeypatch.setattr(store, "MODELS", {"small": MODEL})
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(store, "_HUB_WAITS_S", (0.0,))


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two installed packages that carry the files, the large one in two parts."""
    site = tmp_path / "site"
    one, two = site / "voice_part_one", site / "voice_part_two"
    for package in (one, two):
        (package / "data").mkdir(parents=True)
        (package / "__init__.py").write_text("raise SystemExit('a data package was run')")
    for name in ("config.json", "tokenizer.json"):
        (one / "data" / name).write_bytes(FILES[name])
    (one / "data" / "model.bin.part1").write_bytes(FILES["model.bin"][:1000])
    (two / "data" / "model.bin.part2").write_bytes(FILES["model.bin"][1000:])
    monkeypatch.syspath_prepend(str(site))
    return site


def put(folder: Path) -> Path:
    """The right files, in the model folder."""
    kept = store.folder("small", folder)
    kept.mkdir(parents=True)
    for name, data in FILES.items():
        (kept / name).write_bytes(data)
    return kept


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def test_files_already_there_are_used(tmp_path: Path) -> None:
    kept = put(tmp_path)
    assert store.ensure("small", tmp_path, silent) == kept
    assert [found.model for found in store.installed(tmp_path)] == ["small"]


def test_parts_from_packages_are_joined_and_never_run(tmp_path: Path, packages: Path) -> None:
    found = store.find("small", tmp_path)
    assert found is not None
    assert not found.installed
    path = store.ensure("small", tmp_path / "models", silent)
    assert contents(path) == FILES
    assert "voice_part_one" not in sys.modules
    assert [p.name for p in (tmp_path / "models").iterdir()] == [path.name], "scratch left behind"


def test_a_missing_part_is_named(tmp_path: Path, packages: Path) -> None:
    (packages / "voice_part_two" / "data" / "model.bin.part2").unlink()
    assert store.find("small", tmp_path) is None
    with pytest.raises(EngineError, match=r"lacks model\.bin") as failure:
        store.ensure("small", tmp_path, silent)
    assert "model hub" in failure.value.message
    assert failure.value.hint


def test_files_of_a_package_that_were_tampered_with_are_refused(
    tmp_path: Path, packages: Path
) -> None:
    (packages / "voice_part_one" / "data" / "config.json").write_bytes(b"{ }")
    with pytest.raises(EngineError, match=r"config\.json is not the published file"):
        store.ensure("small", tmp_path / "models", silent)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_corrupt_file_is_replaced_from_a_package(tmp_path: Path, packages: Path) -> None:
    kept = put(tmp_path)
    (kept / "model.bin").write_bytes(b"half of it")
    assert contents(store.ensure("small", tmp_path, silent)) == FILES


def test_a_corrupt_file_with_no_source_left_is_refused(tmp_path: Path) -> None:
    (put(tmp_path) / "model.bin").write_bytes(b"half of it")
    with pytest.raises(EngineError, match=r"model\.bin is not the published file"):
        store.ensure("small", tmp_path, silent)


def test_a_checked_file_is_not_hashed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path)
    store.ensure("small", tmp_path, silent)
    hashed: list[Path] = []

    def sha256(path: Path) -> str:
        hashed.append(path)
        return ""

    monkeypatch.setattr(store, "_sha256", sha256)
    store.ensure("small", tmp_path, silent)
    assert hashed == []


def test_a_file_changed_since_is_hashed_again(tmp_path: Path) -> None:
    kept = put(tmp_path)
    store.ensure("small", tmp_path, silent)
    (kept / "config.json").write_bytes(b"[]")  # the same size
    os.utime(kept / "config.json", ns=(1, 1))
    with pytest.raises(EngineError, match=r"config\.json"):
        store.ensure("small", tmp_path, silent)


def test_verify_hashes_everything_and_names_what_is_wrong(tmp_path: Path) -> None:
    kept = put(tmp_path)
    assert store.verify("small", tmp_path) == []
    stamp = (kept / "model.bin").stat()
    (kept / "model.bin").write_bytes(bytes(len(FILES["model.bin"])))
    os.utime(kept / "model.bin", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # looks unchanged
    (kept / "config.json").unlink()
    problems = store.verify("small", tmp_path)
    assert len(problems) == 2
    assert "config.json is missing." in problems


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, packages: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(EngineError, match="could not be stored"):
        store.ensure("small", blocked / "models", silent)


def test_right_weights_are_right_where_that_cannot_be_noted(tmp_path: Path) -> None:
    kept = put(tmp_path)
    (kept / "checked.json").mkdir()
    assert store.verify("small", tmp_path) == []
    assert store.ensure("small", tmp_path, silent) == kept
    (kept / "config.json").unlink()
    assert store.verify("small", tmp_path) == ["config.json is missing."]


# --- the hub ---------------------------------------------------------------------------------


class Hub(ThreadingHTTPServer):
    """A model hub of one repository, on this computer."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files = files
        self.served: list[str] = []  # files whose contents were asked for


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        data = self._head()
        if data is not None:
            self.server.served.append(Path(self.path).name)
            self.wfile.write(data)

    def _head(self) -> bytes | None:
        prefix = f"/{MODEL.repository}/resolve/main/"
        data = self.server.files.get(self.path.removeprefix(prefix))
        if data is None:
            self.send_error(404)
            return None
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()
        return data

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    server = Hub(dict(FILES))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_hub_is_asked_last_and_its_files_are_checked(tmp_path: Path, hub: Hub) -> None:
    said: list[str] = []
    path = store.ensure("small", tmp_path, lambda fraction, text: said.append(text))
    assert contents(path) == FILES
    assert any("Downloading" in text for text in said)
    assert sorted(p.name for p in path.iterdir()) == sorted([*FILES, "checked.json"])


def test_a_wrong_file_from_the_hub_is_refused(tmp_path: Path, hub: Hub) -> None:
    hub.files["model.bin"] = b"something else"
    with pytest.raises(EngineError, match=r"What came is not the published model\.bin"):
        store.ensure("small", tmp_path, silent)
    assert store.find("small", tmp_path) is None


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path, hub: Hub) -> None:
    last = hub.files.pop("tokenizer.json")
    with pytest.raises(EngineError, match="does not have this file any more"):
        store.ensure("small", tmp_path, silent)
    hub.files["tokenizer.json"] = last
    hub.served.clear()
    assert contents(store.ensure("small", tmp_path, silent)) == FILES
    assert hub.served == ["tokenizer.json"]
    assert [p.name for p in tmp_path.iterdir()] == [store.folder("small", tmp_path).name]


def test_a_package_spares_the_download(tmp_path: Path, packages: Path, hub: Hub) -> None:
    hub.files.clear()
    assert contents(store.ensure("small", tmp_path, silent)) == FILES


def test_the_hub_stands_in_for_a_broken_package(tmp_path: Path, packages: Path, hub: Hub) -> None:
    (packages / "voice_part_one" / "data" / "model.bin.part1").write_bytes(b"?")
    assert contents(store.ensure("small", tmp_path, silent)) == FILES


# --- what came with an installed app ---------------------------------------------------------


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files beside the engine, as an installer puts them there."""
    ours = tmp_path / "usr" / "lib" / "bundled"
    (ours / "whisper-small").mkdir(parents=True)
    for name, data in FILES.items():
        (ours / "whisper-small" / name).write_bytes(data)
    monkeypatch.setattr(store, "_BUNDLED", ours)
    return ours / "whisper-small"


def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are hashed from now on."""
    names: list[str] = []
    real = store._sha256

    def noted(path: Path) -> str:
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(store, "_sha256", noted)
    return names


def test_weights_that_came_with_the_app_are_used_where_they_are(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "home" / "models"
    found = store.find("small", models)
    assert found is not None
    assert found.bundled
    names = hashed(monkeypatch)
    assert store.ensure("small", models, silent) == bundled
    assert sorted(names) == sorted(FILES)  # verified at the first start …
    assert store.ensure("small", models, silent) == bundled
    assert sorted(names) == sorted(FILES)  # … and only then
    assert not store.folder("small", models).exists()


def test_an_upgrade_s_weights_are_verified_again(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.ensure("small", tmp_path / "models", silent)
    os.utime(bundled / "model.bin", (1, 1))
    names = hashed(monkeypatch)
    store.ensure("small", tmp_path / "models", silent)
    assert "model.bin" in names


def test_damaged_weights_of_the_app_are_told_and_others_are_looked_for(
    bundled: Path, tmp_path: Path, packages: Path
) -> None:
    (bundled / "model.bin").write_bytes(b"damaged")
    models = tmp_path / "models"
    assert store.verify("small", models) == [
        "model.bin is not the published file (its sha256 differs)."
    ]
    assert store.ensure("small", models, silent) == store.folder("small", models)


def test_a_home_that_cannot_be_written_does_not_keep_the_app_s_weights_away(
    bundled: Path, tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("a file")
    assert store.ensure("small", tmp_path / "home" / "models", silent) == bundled

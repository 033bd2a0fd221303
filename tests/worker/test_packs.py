"""Acceleration packs: found, used by an installed app, and told when they are broken or old."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import frozen, paths
from app.session.start import start_message, startable
from app.worker import link, packs
from app.worker import messages as m
from app.worker.client import EngineClient
from model_backends import availability, elsewhere
from model_backends.base import EngineError, EngineOptions

ENGINE = "voxtral-torch"


def make_pack(name: str = "torch 2.13 (ROCm)", **changed: object) -> Path:
    """A whole pack in the user's data folder, whose Python is a link to this one."""
    folder = packs.folder() / name
    python = folder / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    site = folder / "env" / "lib" / "python3.12" / "site-packages"
    for package in ("torch", "safetensors"):
        (site / package).mkdir(parents=True)
    manifest = {"pack": 1, "protocol": m.PROTOCOL_VERSION, "engines": [ENGINE]}
    write(folder, {**manifest, "python": "env/bin/python", **changed})
    return folder


def write(folder: Path, manifest: object) -> None:
    (folder / packs.MANIFEST).write_text(json.dumps(manifest), "utf-8")


def reason_of(folder: Path) -> str:
    """Why the only pack is of no use."""
    (found,) = packs.look(folder)
    assert isinstance(found, packs.Broken)
    return found.reason


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As in an installed app, whose bundle is in this folder, without PyTorch of its own."""
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(bundle), raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    elsewhere.forget()
    return bundle


def test_a_pack_starts_the_worker_of_its_engine_alone(installed: Path) -> None:
    pack = make_pack()
    python = str(pack / "env" / "bin" / "python")
    assert packs.interpreter(ENGINE) == python
    assert packs.interpreter("embedded") is None
    start = m.Start(m.PROTOCOL_VERSION, ENGINE, str(paths.models_dir()))
    client = EngineClient(start, lambda event: None)
    assert client._command == [python, "-P", "-m", "app.worker.process"]
    base = EngineClient(m.Start(m.PROTOCOL_VERSION, "embedded", ""), lambda event: None)
    assert base._command == [sys.executable, "--worker"]


def test_a_checkout_that_has_pytorch_uses_no_pack() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed; `./test` installs it")
    make_pack()
    assert packs.interpreter(ENGINE) is None
    assert packs.trouble(ENGINE) is None


def test_a_checkout_without_pytorch_uses_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    pack = make_pack()
    assert packs.interpreter(ENGINE) == str(pack / "env/bin/python")


def test_one_that_is_not_there_yet_or_no_longer_is_no_pack(installed: Path) -> None:
    make_pack().rename(packs.folder() / ".new")
    assert packs.interpreter(ENGINE) is None
    assert list(packs.look(packs.folder())) == []


def test_the_newest_is_taken(installed: Path) -> None:
    newer = make_pack("a newer one")
    older = make_pack("1 older one")
    os.utime(older / packs.MANIFEST, (1, 1))
    assert packs.interpreter(ENGINE) == str(newer / "env/bin/python")


def test_a_whole_python_of_windows_has_its_packages_beside_it(tmp_path: Path) -> None:
    site = tmp_path / "env" / "Lib" / "site-packages"
    site.mkdir(parents=True)
    assert packs.site_packages(tmp_path / "env" / "python.exe") == site


def test_a_pack_of_another_version_is_told_and_the_base_goes_on(installed: Path) -> None:
    make_pack(protocol=1)
    assert packs.interpreter(ENGINE) is None
    options, notice = startable(EngineOptions(engine=ENGINE, delay_ms=480, precision="int4"))
    assert options.engine == "embedded"
    assert options.delay_ms is None
    assert options.precision is None
    assert notice is not None
    assert "made for another version" in notice.message
    assert f"protocol 1, this Voxline {m.PROTOCOL_VERSION}" in notice.message
    assert "The embedded engine captions meanwhile." in notice.hint


def test_who_asks_for_just_that_engine_is_told_why_not(installed: Path) -> None:
    make_pack(protocol=1)
    with pytest.raises(EngineError, match="made for another version") as caught:
        start_message(EngineOptions(engine=ENGINE, model=str(installed)))
    assert "voxline pack install" in caught.value.hint


def test_a_good_pack_beside_a_broken_one_is_taken(installed: Path) -> None:
    make_pack("a broken one", protocol=1)
    good = make_pack("the good one")
    assert packs.interpreter(ENGINE) == str(good / "env" / "bin" / "python")
    assert startable(EngineOptions(engine=ENGINE)) == (EngineOptions(engine=ENGINE), None)


@pytest.mark.parametrize(
    "manifest",
    [[], "torch", {"pack": 1}, {"engines": ["embedded"]}, {"engines": [[]]}, {"engines": []}],
)
def test_nonsense_for_a_manifest_is_told(manifest: object) -> None:
    write(make_pack(), manifest)
    assert reason_of(packs.folder()) == "The acceleration pack “torch 2.13 (ROCm)” cannot be read."


def test_bytes_that_are_no_text_are_told() -> None:
    (make_pack() / packs.MANIFEST).write_bytes(b"\xff\xfe{")
    assert "cannot be read" in reason_of(packs.folder())


@pytest.mark.parametrize("python", ["/usr/bin/python3", "../../python", "", None, 3])
def test_a_python_outside_the_pack_is_refused(python: object) -> None:
    make_pack(python=python)
    assert "names no Python of its own" in reason_of(packs.folder())


def test_an_environment_whose_python_is_gone_is_told() -> None:
    python = make_pack() / "env" / "bin" / "python"
    python.unlink()
    python.symlink_to("/usr/lib/python3.7/gone")
    assert "is gone" in reason_of(packs.folder())


def test_a_pack_without_its_packages_is_told() -> None:
    (make_pack() / "env/lib/python3.12/site-packages/safetensors").rmdir()
    assert "lacks safetensors" in reason_of(packs.folder())


def test_the_engine_is_on_offer_when_a_pack_has_it(installed: Path, tmp_path: Path) -> None:
    assert "PyTorch is not installed" in availability(ENGINE, tmp_path)[0].reason
    assert "acceleration pack" in availability(ENGINE, tmp_path)[0].hint
    make_pack()
    packs.announce()
    assert "weights are not on this computer" in availability(ENGINE, tmp_path)[0].reason


def test_what_is_wrong_with_a_pack_is_why_the_engine_is_not_on_offer(
    installed: Path, tmp_path: Path
) -> None:
    make_pack(protocol=1)
    packs.announce()
    row = availability(ENGINE, tmp_path)[0]
    assert not row.available
    assert "made for another version" in row.reason


def test_another_interpreter_finds_our_modules_and_none_of_the_bundle(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", str(installed))
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/opt/gpu/lib")
    monkeypatch.setenv("_PYI_APPLICATION_HOME_DIR", str(installed))
    monkeypatch.setenv("PYTHONPATH", "/home/somebody/modules")
    monkeypatch.setenv("PYTHONHOME", "/usr")
    monkeypatch.setenv("QT_PLUGIN_PATH", f"{installed}/PySide6/Qt/plugins")
    env = link.child_env()
    assert env["LD_LIBRARY_PATH"] == "/opt/gpu/lib"
    assert env["PYTHONPATH"] == str(frozen.worker_sources())
    assert not {"_PYI_APPLICATION_HOME_DIR", "PYTHONHOME", "QT_PLUGIN_PATH"} & env.keys()


def test_the_sources_for_a_pack_are_enough_for_a_worker(tmp_path: Path) -> None:
    """The worker says Hello with nothing of ours but `app` without its windows, and
    `model_backends`."""
    root = Path(__file__).parents[2]
    (tmp_path / "app").mkdir()
    for path in (root / "app").iterdir():
        if path.name not in ("ui", "measure", "__pycache__"):
            (tmp_path / "app" / path.name).symlink_to(path)
    (tmp_path / "model_backends").symlink_to(root / "model_backends")
    env = link.child_env() | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        link.worker_command(sys.executable), env=env, input=b"", capture_output=True, cwd=tmp_path
    )
    assert b"Hello" in done.stdout, done.stderr.decode()

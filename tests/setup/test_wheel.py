"""`pip install .` brings the app, its resources and its commands, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.setup.conftest import CHECKOUT

pytest.importorskip("hatchling", reason="hatchling is not installed; `./test` installs it")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
    (path,) = folder.glob("voxline-*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_every_bundled_resource_is_inside(wheel: zipfile.ZipFile) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "resources"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert any(name.endswith(".onnx") for name in tracked)
    left_out = (
        "resources/tiny-voxtral/", "resources/screenshots/", "resources/benchmarks/",
        "resources/team",  # a page and files for whoever sets up servers
    )  # fmt: skip
    carried = [
        name for name in tracked if not name.startswith(left_out) and not name.endswith(".po")
    ]  # of a catalogue what it was compiled to
    bundled = {name for name in wheel.namelist() if name.startswith("app/_resources/")}
    notices = {"app/_resources/THIRD_PARTY.md"}  # shown by Help, About
    wanted = {f"app/_{name}" for name in carried} | notices
    assert bundled == wanted, "all but the tests' and the README's"


def test_only_the_app_and_its_engines_are_inside(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"app", "model_backends"}


def test_both_commands_lead_to_functions_that_exist(wheel: zipfile.ZipFile) -> None:
    points = ConfigParser()
    points.read_string(_text(wheel, "entry_points.txt"))
    for group, name in (("console_scripts", "voxline"), ("gui_scripts", "voxline-gui")):
        module, _, function = points[group][name].partition(":")
        code = f"import {module} as m; assert callable(m.{function})"
        subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=True)


def test_torch_and_mlx_are_extras(wheel: zipfile.ZipFile) -> None:
    needs = [
        line.removeprefix("Requires-Dist: ")
        for line in _text(wheel, "METADATA").splitlines()
        if line.startswith("Requires-Dist: ")
    ]
    heavy = [need for need in needs if need.startswith(("torch", "mlx"))]
    assert heavy
    assert all("extra ==" in need for need in heavy)
    assert all("sys_platform" in need for need in heavy if need.startswith("mlx"))


def test_the_licences_are_inside(wheel: zipfile.ZipFile) -> None:
    names = {Path(name).name for name in wheel.namelist() if ".dist-info/licenses" in name}
    assert {"LICENSE", "THIRD_PARTY.md"} <= names


def _text(wheel: zipfile.ZipFile, name: str) -> str:
    (path,) = [one for one in wheel.namelist() if one.endswith(f".dist-info/{name}")]
    return wheel.read(path).decode()

"""`./run` and `./test` find a Python, hand on what they are given, and run every check."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import bootstrap
import checks
import pytest

from tests.setup.conftest import CHECKOUT, Programs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the launchers of POSIX systems")

PRINT_ARGUMENTS = '[ "$3" = -c ] && exit 0; shift 3; printf "<%s>" "$@"'

PROGRAM = checks.FROZEN.get(sys.platform, "voxline/voxline")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "check out"
    (root / "packaging").mkdir(parents=True)
    for name in ("run", "test", "packaging/launch.sh"):
        shutil.copy(CHECKOUT / name, root / name)
    return root


@pytest.fixture
def bare_path(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """A machine with no Python and no apt."""
    for name in ("bash", "dirname", "readlink"):
        found = shutil.which(name)
        assert found
        (programs.folder / name).symlink_to(found)
    programs.add("id", "echo 1000")
    monkeypatch.setenv("PATH", str(programs.folder))
    return programs


def launch(
    checkout: Path, *arguments: str, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = [str(checkout / arguments[0]), *arguments[1:]]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


@pytest.mark.parametrize("name", ["run", "test"])
def test_arguments_arrive_unchanged(
    checkout: Path, programs: Programs, tmp_path: Path, name: str
) -> None:
    programs.add("python", PRINT_ARGUMENTS, checkout / ".venv" / "bin" / "python")
    done = launch(checkout, name, "a b", "", "*", "--x='1'", cwd=tmp_path)
    assert done.stdout == f"<{checkout}/packaging/bootstrap.py><{name}><a b><><*><--x='1'>"


def test_a_link_to_run_finds_its_checkout(
    checkout: Path, programs: Programs, tmp_path: Path
) -> None:
    programs.add("python", PRINT_ARGUMENTS, checkout / ".venv" / "bin" / "python")
    (tmp_path / "voxline").symlink_to(checkout / "run")
    done = launch(tmp_path, "voxline", "--version")
    assert done.stdout == f"<{checkout}/packaging/bootstrap.py><run><--version>"


def test_an_environment_whose_python_is_broken_is_left_to_the_systems(
    checkout: Path, programs: Programs
) -> None:
    programs.add("broken", "exit 127", checkout / ".venv" / "bin" / "python")
    programs.add("python3", PRINT_ARGUMENTS)
    assert launch(checkout, "run").stdout.endswith("<run>")


def test_a_python_that_is_too_old_is_passed_over(checkout: Path, bare_path: Programs) -> None:
    bare_path.add("python3", "exit 1")
    bare_path.add("python3.12", PRINT_ARGUMENTS)
    assert launch(checkout, "run").stdout.endswith("<run>")


def test_without_a_python_one_sentence_says_what_to_do(checkout: Path, bare_path: Programs) -> None:
    done = launch(checkout, "run")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Python 3.11 or newer" in done.stderr
    assert "sudo apt-get install python3 python3-venv" in done.stderr


def test_all_checks_run_pytest_last_and_any_failure_counts(
    programs: Programs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = programs.add("python", '[ "$2" = mypy ] && exit 3; exit 0')
    assert checks.run(tmp_path, python, ["-k", "x"]) == 3
    assert [call.split()[2] for call in programs.calls] == ["ruff", "ruff", "mypy", "pytest"]
    assert programs.calls[-1] == "python -m pytest -k x"
    assert "failed so far: mypy" in capsys.readouterr().err


def test_fast_keeps_to_the_core() -> None:
    assert checks.commands(["--fast", "-x"])[-1] == ["pytest", "tests/core", "-x"]


def test_all_tests_run_side_by_side_and_single_ones_alone() -> None:
    assert checks.commands([])[-1][:2] == ["pytest", "-n"]
    assert checks.commands(["tests/ui", "-k", "x"])[-1] == ["pytest", "tests/ui", "-k", "x"]


def test_ci_runs_exactly_the_test_command(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(CHECKOUT / ".ci" / "run", tmp_path / ".ci" / "run")
    fake = tmp_path / "test"
    fake.write_text('#!/bin/bash\necho "test $#"; exit 7\n')
    fake.chmod(0o755)
    done = subprocess.run(["bash", ".ci/run"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("test 0\n", 7)


@pytest.mark.parametrize("name", ["run", "test", ".ci/run", "packaging/launch.sh"])
def test_launchers_may_be_executed(name: str) -> None:
    assert os.access(CHECKOUT / name, os.X_OK)


def test_installers_are_built_and_checked_only_when_asked_for(
    programs: Programs, tmp_path: Path
) -> None:
    python = programs.add("python")
    assert checks.package(tmp_path, python) == 0
    build, proofs, smoke = programs.calls
    assert build == f"python {tmp_path}/packaging/build.py all"
    assert proofs == f"python {tmp_path}/packaging/proofs.py"
    assert smoke.startswith(f"python {tmp_path}/packaging/smoke.py {tmp_path}/build/frozen/")
    assert not any("build.py" in " ".join(command) for command in checks.commands([]))


def test_an_app_that_could_not_be_built_is_not_checked(programs: Programs, tmp_path: Path) -> None:
    python = programs.add("python", "exit 3")
    frozen_before = tmp_path / "build" / "frozen" / PROGRAM
    frozen_before.parent.mkdir(parents=True)
    frozen_before.touch()
    assert checks.package(tmp_path, python) == 3
    assert len(programs.calls) == 1


def test_an_installer_that_failed_does_not_keep_the_app_from_being_checked(
    programs: Programs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen = tmp_path / "build" / "frozen" / PROGRAM
    frozen.parent.mkdir(parents=True)
    python = programs.add("python", f'touch "{frozen}"; case "$1" in *build.py) exit 4 ;; esac')
    assert checks.package(tmp_path, python) == 4
    assert [call.split()[1].rpartition("/")[2] for call in programs.calls] == [
        "build.py", "proofs.py", "smoke.py",
    ]  # fmt: skip
    assert "failed: build.py" in capsys.readouterr().err


def test_installers_get_an_environment_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Path] = []

    def package(root: Path, python: Path) -> int:
        used.append(python)
        return 0

    monkeypatch.setattr(bootstrap, "settled", lambda steps, stamps, forgiving: True)
    monkeypatch.setattr(checks, "package", package)
    assert bootstrap.main(["test", "--packaging"]) == 0
    assert used[0].is_relative_to(CHECKOUT / "build" / "packaging-environment")

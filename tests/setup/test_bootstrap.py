"""Set-up does each step once, again when it was cut off or changed, and one start at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bootstrap
import pytest
from bootstrap import Stamps, Step
from environment import Environment, SetupError

from tests.setup.conftest import CHECKOUT


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    made = Environment(tmp_path)
    made.folder.mkdir()
    return made


@pytest.fixture
def stamps(environment: Environment) -> Stamps:
    return Stamps(environment.folder / "stamps")


def step(
    log: list[str], name: str, key: str = "1", result: bool = True, optional: bool = False
) -> Step:
    def do() -> bool:
        log.append(name)
        return result

    return Step(name, key, do, optional)


def failing(name: str) -> Step:
    def do() -> bool:
        raise SetupError("No.")

    return Step(name, "1", do)


def test_each_step_is_done_once(environment: Environment, stamps: Stamps) -> None:
    log: list[str] = []
    steps = [step(log, "app"), step(log, "test")]
    bootstrap.set_up(steps, stamps, environment)
    bootstrap.set_up(steps, stamps, environment)
    assert log == ["app", "test"]
    assert bootstrap.settled(steps, stamps, forgiving=False)


def test_a_changed_step_is_done_again(environment: Environment, stamps: Stamps) -> None:
    log: list[str] = []
    bootstrap.set_up([step(log, "app", "1"), step(log, "test")], stamps, environment)
    changed = [step(log, "app", "2"), step(log, "test")]
    assert not bootstrap.settled(changed, stamps, forgiving=True)
    bootstrap.set_up(changed, stamps, environment)
    assert log == ["app", "test", "app"]


def test_set_up_goes_on_where_it_was_cut_off(environment: Environment, stamps: Stamps) -> None:
    log: list[str] = []
    with pytest.raises(SetupError):
        bootstrap.set_up([step(log, "app"), failing("test"), step(log, "mlx")], stamps, environment)
    bootstrap.set_up([step(log, "app"), step(log, "test"), step(log, "mlx")], stamps, environment)
    assert log == ["app", "test", "mlx"]


def test_the_environment_is_looked_at_whenever_something_is_done(
    environment: Environment, stamps: Stamps
) -> None:
    log: list[str] = []
    steps = [step(log, bootstrap.FIRST), step(log, "app")]
    bootstrap.set_up(steps, stamps, environment)
    bootstrap.set_up(steps, stamps, environment)
    assert log == [bootstrap.FIRST, "app", bootstrap.FIRST]


def test_an_optional_step_that_failed_lately_does_not_hold_up_the_app(
    environment: Environment, stamps: Stamps
) -> None:
    steps = [step([], "weights", result=False, optional=True)]
    bootstrap.set_up(steps, stamps, environment)
    assert bootstrap.settled(steps, stamps, forgiving=True)
    assert not bootstrap.settled(steps, stamps, forgiving=False)


def test_an_optional_step_that_failed_long_ago_is_tried_again(
    environment: Environment, stamps: Stamps
) -> None:
    steps = [step([], "weights", result=False, optional=True)]
    bootstrap.set_up(steps, stamps, environment)
    os.utime(environment.folder / "stamps" / "weights.failed", (0, 0))
    assert not bootstrap.settled(steps, stamps, forgiving=True)


def test_success_wipes_out_the_failure(environment: Environment, stamps: Stamps) -> None:
    bootstrap.set_up([step([], "weights", result=False, optional=True)], stamps, environment)
    done = [step([], "weights", optional=True)]
    bootstrap.set_up(done, stamps, environment)
    assert bootstrap.settled(done, stamps, forgiving=False)
    assert not stamps.failed_lately(done[0])


@pytest.mark.parametrize("command", ["run", "test"])
def test_a_step_follows_its_requirement_file(command: str, tmp_path: Path) -> None:
    requirements = tmp_path / "packaging" / "requirements"
    requirements.mkdir(parents=True)
    for name in ("app", "weights", "test", "mlx", "peers"):
        (requirements / f"{name}.txt").write_text("a==1\n")

    def keys() -> dict[str, str]:
        return {one.name: one.key for one in bootstrap.steps_for(command, Environment(tmp_path))}

    before = keys()
    (requirements / "weights.txt").write_text("a==2\n")
    after = keys()
    assert {name for name in before if before[name] != after[name]} == {"weights"}


def test_the_app_needs_neither_torch_nor_the_tests_packages() -> None:
    def names(command: str) -> set[str]:
        return {one.name for one in bootstrap.steps_for(command, Environment(CHECKOUT))}

    assert names("run") == {bootstrap.FIRST, "system", "app", "weights", "native"}
    assert {"torch", "mlx", "test", "app", "weights", "peers"} <= names("test")


def test_arguments_reach_the_app_as_they_are() -> None:
    environment = Environment(CHECKOUT)
    command = bootstrap.app_command(environment, ["transcribe", "a b.wav", ""])
    assert command[1:] == ["-m", "app", "transcribe", "a b.wav", ""]
    assert Path(command[0]) == environment.python


def test_a_second_start_waits_for_the_first(tmp_path: Path) -> None:
    code = "import bootstrap, pathlib, sys\nwith bootstrap.locked(pathlib.Path(sys.argv[1])): pass"
    lock = tmp_path / "lock"
    with bootstrap.locked(lock):
        second = subprocess.Popen(
            [sys.executable, "-c", code, str(lock)],
            cwd=CHECKOUT / "packaging",
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr is not None
        assert "waiting" in second.stderr.readline()
        assert second.poll() is None
    assert second.communicate()[1] == ""
    assert second.returncode == 0


def test_a_new_environment_is_sound_and_survives_a_move(tmp_path: Path) -> None:
    before = Environment(tmp_path / "before")
    before.root.mkdir()
    before.prepare()
    assert before.is_sound()
    (before.packages / "app.txt").write_text("installed")

    before.root.rename(tmp_path / "after")
    after = Environment(tmp_path / "after")
    after.prepare()
    assert (after.packages / "app.txt").exists()
    pip = subprocess.run([after.scripts / "pip", "--version"], capture_output=True, text=True)
    assert str(after.folder) in pip.stdout
    where = subprocess.run(
        [after.python, "-c", "import sys; print(sys.path)"], capture_output=True, text=True
    )
    assert str(after.root) in where.stdout


def _no_python(environment: Environment) -> None:
    environment.python.unlink()


def _no_pip(environment: Environment) -> None:
    (environment.packages / "pip" / "__main__.py").unlink()


def _not_runnable(environment: Environment) -> None:
    environment.python.unlink()
    environment.python.write_text("no program")


@pytest.mark.parametrize("harm", [_no_python, _no_pip, _not_runnable])
def test_a_broken_environment_is_not_sound(
    harm: Callable[[Environment], None], tmp_path: Path
) -> None:
    environment = Environment(tmp_path)
    command = [sys.executable, "-m", "venv", "--without-pip", str(environment.folder)]
    subprocess.run(command, check=True)
    stand_in = environment.packages / "pip"
    stand_in.mkdir()
    (stand_in / "__main__.py").touch()
    assert environment.is_sound()
    harm(environment)
    assert not environment.is_sound()

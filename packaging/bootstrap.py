"""Sets Voxline up in its checkout and starts it, or its tests: what `./run` and `./test` call.

    python packaging/bootstrap.py run  [ARGUMENTS OF voxline]
    python packaging/bootstrap.py test [--fast] [ARGUMENTS OF pytest]
    python packaging/bootstrap.py test --packaging

Everything goes into `.venv`. Each step leaves a stamp there that says what it was made from, so
that a later start redoes only what has changed or was cut off; with all stamps in place a start
costs some tens of milliseconds. Only the standard library is used, and old Pythons must be able
to read this file as far as the sentence that tells them so.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Voxline needs Python 3.11 or newer; this is Python %d.%d. "
        "Install a newer one and run this command again." % sys.version_info[:2]
    )

import hashlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

import checks
import pip_install
import system_packages
from environment import Environment, SetupError
from tell import say

ROOT = Path(__file__).resolve().parents[1]
TORCH = "torch==2.13.0"  # the one place that says which
RETRY_AFTER_S = 3600  # the app does not try at every start what failed at the last
FIRST = "environment"  # looked at, not remembered, whenever anything has to be done


@dataclass(frozen=True)
class Step:
    """One thing to set up. `key` is another when it must be done again."""

    name: str
    key: str
    do: Callable[[], bool]  # whether it is done; raises SetupError if that stops everything
    optional: bool = False  # the app can do without, for a while; `do` has told the user


class Stamps:
    """What has been done in an environment, one small file a step, gone with the environment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exist(self) -> bool:
        return self._folder.is_dir()

    def is_done(self, step: Step) -> bool:
        return _read(self._folder / step.name) == step.key

    def failed_lately(self, step: Step) -> bool:
        """Whether just this was tried in vain a short while ago."""
        mark = self._folder / f"{step.name}.failed"
        return _read(mark) == step.key and time.time() - mark.stat().st_mtime < RETRY_AFTER_S

    def set(self, step: Step, done: bool) -> None:
        """Marks a step as done or failed: after it has ended, whole or not at all."""
        self._folder.mkdir(exist_ok=True)
        failed = self._folder / f"{step.name}.failed"
        failed.unlink(missing_ok=True)
        target = self._folder / step.name if done else failed
        fresh = self._folder / f"{step.name}.new"
        fresh.write_text(step.key, encoding="utf-8")
        fresh.replace(target)


def steps_for(command: str, environment: Environment) -> list[Step]:
    """What `run` or `test` needs, in order."""
    steps = [
        Step(
            FIRST, digest(sys.version_info[:2], environment.folder), lambda: _prepare(environment)
        ),
        _system_step(testing=command == "test"),
        _hashed_step("app", environment),
        _tolerant_step("weights", environment),
        _native_step(environment),
    ]
    if command == "test":
        steps += [
            _hashed_step("test", environment),
            Step("torch", digest(TORCH), lambda: _pip(environment, TORCH)),
            _hashed_step("mlx", environment),
            _tolerant_step("peers", environment),
        ]
    return steps


def _prepare(environment: Environment) -> bool:
    environment.prepare()
    return True


def _system_step(testing: bool) -> Step:
    names = system_packages.wanted(testing)
    name = "system-test" if testing else "system"
    return Step(name, digest(*names), lambda: system_packages.provide(names), optional=True)


def _native_step(environment: Environment) -> Step:
    """The processor engine's library. Without a C compiler Voxtral runs in PyTorch there."""
    engine = environment.root / "model_backends" / "voxtral" / "cpu"
    sources = sorted((engine / "build.py", *(engine / "native").glob("*.[ch]")))

    def build() -> bool:
        command = [str(environment.python), "-m", "model_backends.voxtral.cpu.build"]
        done = subprocess.run(command, cwd=environment.root, stdout=subprocess.DEVNULL)
        return done.returncode == 0

    key = digest(*(path.read_bytes() for path in sources if path.is_file()))
    return Step("native", key, build, optional=True)


def _hashed_step(name: str, environment: Environment) -> Step:
    path = _requirements(environment, name)
    arguments = (*pip_install.HASHED, "-r", str(path))
    return Step(name, digest(path.read_bytes()), lambda: _pip(environment, *arguments))


def _tolerant_step(name: str, environment: Environment) -> Step:
    """Packages that one can do without, each installed alone and without what it asks for."""
    path = _requirements(environment, name)

    def install() -> bool:
        return pip_install.each_tolerantly(environment.python, path)

    return Step(name, digest(path.read_bytes()), install, optional=True)


def _requirements(environment: Environment, name: str) -> Path:
    return environment.root / "packaging" / "requirements" / f"{name}.txt"


def _pip(environment: Environment, *arguments: str) -> bool:
    problem = pip_install.install(environment.python, arguments)
    if problem:
        raise SetupError(problem)
    return True


def settled(steps: Sequence[Step], stamps: Stamps, forgiving: bool) -> bool:
    """Whether there is nothing to do. `forgiving` lets an optional step rest that failed lately."""
    return all(
        stamps.is_done(step) or (forgiving and step.optional and stamps.failed_lately(step))
        for step in steps
    )


def set_up(steps: Sequence[Step], stamps: Stamps, environment: Environment) -> None:
    """Does what is not done, one process at a time. Raises SetupError."""
    with locked(environment.root / ".venv.lock"):
        if not stamps.exist():
            say(f"setting Voxline up in {environment.folder}; this takes minutes, once")
        for step in steps:
            if step.name != FIRST and stamps.is_done(step):
                continue
            began_s = time.monotonic()
            say(f"{step.name} …")
            done = step.do()
            stamps.set(step, done)
            say(
                f"{step.name}: {'done' if done else 'incomplete'}, "
                f"{time.monotonic() - began_s:.0f} s"
            )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One set-up at a time in a checkout. The system lets go when its process ends, however."""
    with path.open("w") as file:
        if not _lock(file, wait=False):
            say("another start is setting Voxline up; waiting for it")
            _lock(file, wait=True)
        yield


def _lock(file: IO[str], wait: bool) -> bool:
    if sys.platform == "win32":
        import msvcrt

        while True:
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
                return True
            except OSError:  # LK_LOCK gives up after ten seconds
                if not wait:
                    return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def become(command: Sequence[str], variables: Mapping[str, str]) -> NoReturn:
    """Goes on as another program, in the same folder and on the same streams."""
    if sys.platform == "win32":
        sys.exit(_wait_for(command, variables))
    os.execve(command[0], list(command), dict(variables))


def _wait_for(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Windows has no exec: this process waits, deaf to Ctrl-C, which the other gets too."""
    with subprocess.Popen(command, env=dict(variables)) as program:
        while True:
            try:
                return program.wait()
            except KeyboardInterrupt:
                continue


def app_command(environment: Environment, arguments: Sequence[str]) -> list[str]:
    return [str(environment.python), "-m", "app", *arguments]


def app_variables() -> dict[str, str]:
    """The current folder is the user's: no module is looked for there, in no child either."""
    return os.environ | {"PYTHONSAFEPATH": "1"}


def digest(*parts: object) -> str:
    """A name for a state of things; bytes count by their content."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None


def main(arguments: Sequence[str]) -> int:
    """Sets up what is missing, then becomes the app or runs the checks."""
    command, *rest = arguments
    if command == "test" and rest == [checks.PACKAGING]:
        return _package(Environment(ROOT, ROOT / "build" / "packaging-environment"))
    environment = Environment(ROOT)
    stamps = Stamps(environment.folder / "stamps")
    steps = steps_for(command, environment)
    # Only from inside is it known that the environment's Python runs.
    if not (environment.is_ours and settled(steps, stamps, forgiving=command == "run")):
        if environment.is_ours:
            _go_on_outside(arguments)
        set_up(steps, stamps, environment)
    if command == "test":
        return checks.run(environment.root, environment.python, rest)
    become(app_command(environment, rest), app_variables())


def _package(environment: Environment) -> int:
    """Installers are made in an environment of their own: the frozen app must hold nothing that
    only the tests have."""
    environment.folder.parent.mkdir(exist_ok=True)
    stamps = Stamps(environment.folder / "stamps")
    key = digest(sys.version_info[:2], environment.folder)
    steps = [
        Step(FIRST, key, lambda: _prepare(environment)),
        _hashed_step("app", environment),
        _tolerant_step("weights", environment),
        _hashed_step("packaging", environment),
    ]
    if not settled(steps, stamps, forgiving=False):
        set_up(steps, stamps, environment)
    return checks.package(environment.root, environment.python)


def _go_on_outside(arguments: Sequence[str]) -> NoReturn:
    """An environment that may have to be replaced is left to the Python it was made from."""
    base = getattr(sys, "_base_executable", sys.executable)
    become([base, "-E", "-s", str(Path(__file__).resolve()), *arguments], os.environ)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        say("interrupted; the same command goes on from here")
        sys.exit(130)
    except OSError as error:
        say(f"{error}. Is there space, and may you write to {ROOT}?")
        sys.exit(1)

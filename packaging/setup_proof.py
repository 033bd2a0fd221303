"""The setup for Windows, run under Wine with programs that stand in for the app: what it leaves.

    python packaging/setup_proof.py

Installs an older version, the present one over it while the older runs, the same once more while
that runs, then removes it. Programs of NSIS's own making stand in for the app: they run until they
are told to end, which holds their files as the app would. Knows nothing of the app itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import icons
from for_windows import nsis_command
from freeze import SCRATCH
from product import COMMAND, NAME, WINDOW, Product, product
from tell import say

TOOLS = {"makensis": "nsis", "wine": "wine", "wineserver": "wine"}
OLDER = "0.0.9"
_PATIENCE_S = 1800  # only for what hangs: a busy computer takes minutes for a start of Wine
_UNINSTALL = rf"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\{NAME}"
_RUN = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"
# it says by a file that it runs, until there is a file called "end" beside it
_STAND_IN = """Target amd64-unicode
Name stand-in
OutFile "{target}"
SilentInstall silent
RequestExecutionLevel user
Section
  FileOpen $0 "$EXEDIR\\${{NAME}}.runs" w
  FileClose $0
  again:
  Sleep 100
  IfFileExists "$EXEDIR\\end" 0 again
SectionEnd
"""


class SetupError(Exception):
    """The setup did not do what it is for."""


def missing_tools() -> list[str]:
    """The Debian packages that would have to be installed first."""
    return sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})


def check(what: Product) -> None:
    """Raises SetupError."""
    if not (SCRATCH / "icons" / "voxline.ico").is_file():
        icons.write_all(SCRATCH / "icons")
    with tempfile.TemporaryDirectory(prefix="voxline-wine-") as folder:
        setups = {
            version: _setup(Path(folder) / version, replace(what, version=version))
            for version in (OLDER, what.version)
        }
        with wine(Path(folder) / "prefix") as computer:
            try:
                _live(computer, setups[OLDER], setups[what.version], what.version)
            except subprocess.TimeoutExpired as late:
                raise SetupError(f"{late.cmd} hangs") from late


def _setup(folder: Path, what: Product) -> Path:
    """A setup of that version with stand-ins inside."""
    payload = folder / "pay load"
    (payload / "_internal").mkdir(parents=True)
    (payload / "_internal" / "version.txt").write_text(what.version, "ascii")
    for name in (COMMAND, WINDOW):
        script = folder / f"{name}.nsi"
        script.write_text(_STAND_IN.format(target=payload / f"{name}.exe"), "ascii")
        _made(["makensis", "-V1", f"-DNAME={name}", str(script)])
    target = folder / f"{NAME}-{what.version}-setup.exe"
    _made(nsis_command("makensis", payload, what, target))
    return target


def _made(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SetupError(f"makensis failed: {done.stdout[-1000:]}{done.stderr[-1000:]}")


def _live(computer: Wine, older: Path, present: Path, version: str) -> None:
    """The life of an installation, from the first setup to the last trace."""
    before = computer.files()
    _expect(computer.run(older, "/S") == 0, f"{OLDER} could not be installed")
    _expect(computer.version() == OLDER, "the list of programs does not have the older version")
    settings = computer.local / NAME / "settings.toml"
    settings.parent.mkdir()
    settings.write_text("mine", "ascii")
    computer.registry("add", _RUN, "/v", NAME, "/d", "as the older version wrote it", "/f")

    running = computer.start(OLDER, WINDOW)
    _expect(computer.run(present, "/S") == 0, "no upgrade while the older version runs")
    _expect(running.poll() is None, "the upgrade has ended the older version")
    _expect(computer.app(OLDER).is_dir(), "the files of a version that runs were taken away")
    _expect(computer.version() == version, "the list of programs does not have the new version")
    autostart = computer.registry("query", _RUN, "/v", NAME)
    _expect(f"app-{version}" in autostart, "the autostart does not follow")

    worker = computer.start(version, COMMAND)
    _expect(computer.run(present, "/S") == 2, "a version that runs was overwritten")
    _expect((computer.app(version) / "_internal/version.txt").is_file(), "… and has lost files")
    computer.end(OLDER, running)
    computer.end(version, worker)
    _expect(computer.run(present, "/S") == 0, "the same version cannot be installed again")
    _expect(not computer.app(OLDER).exists(), "the older version's files have stayed")

    _expect(computer.run(computer.programs / "uninstall.exe", "/S") == 0, "it cannot be removed")
    computer.wait_for(lambda: not computer.programs.exists(), "its folder has stayed")
    _expect(computer.version() == "", "it has stayed in the list of programs")
    left = sorted(str(path) for path in computer.files() - before)
    _expect(left == [str(settings.relative_to(computer.home))], f"it has left {left}")


def _expect(true: bool, otherwise: str) -> None:
    if not true:
        raise SetupError(otherwise)


class Wine:
    """A Windows computer with one user."""

    def __init__(self, prefix: Path) -> None:
        self._env = os.environ | {"WINEPREFIX": str(prefix), "WINEDEBUG": "-all"}
        self._env.pop("DISPLAY", None)
        # neither a browser nor a .NET is asked for, nor entries in this desktop's menu
        self._env["WINEDLLOVERRIDES"] = "mscoree,mshtml,winemenubuilder.exe="
        self._wine("wineboot", "--init")
        self.local = next((prefix / "drive_c/users").glob("*/AppData/Local"))
        self.home = self.local.parents[1]
        self.programs = self.local / "Programs" / NAME

    def app(self, version: str) -> Path:
        return self.programs / f"app-{version}"

    def run(self, program: Path, *arguments: str) -> int:
        """Its exit status."""
        return self._wine(str(program), *arguments).returncode

    def start(self, version: str, name: str) -> subprocess.Popen[bytes]:
        """An installed program; it runs when this returns."""
        program = self.app(version) / f"{name}.exe"
        started = subprocess.Popen(["wine", str(program)], env=self._env, stderr=subprocess.DEVNULL)
        self.wait_for(program.with_suffix(".runs").exists, f"{name} does not start")
        return started

    def end(self, version: str, started: subprocess.Popen[bytes]) -> None:
        (self.app(version) / "end").touch()
        started.wait(_PATIENCE_S)

    def version(self) -> str:
        """What the list of installed programs says; "" if it is not there."""
        answer = self.registry("query", _UNINSTALL, "/v", "DisplayVersion").split()
        return answer[-1] if "DisplayVersion" in answer else ""

    def registry(self, *arguments: str) -> str:
        return self._wine("reg", *arguments).stdout

    def files(self) -> set[Path]:
        """All that lies in the user's folder, but for what Windows puts there itself."""
        found = (path for path in self.home.rglob("*") if path.is_file())
        return {path.relative_to(self.home) for path in found if "Temp" not in path.parts}

    def wait_for(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Raises SetupError if it does not come true."""
        end = time.monotonic() + _PATIENCE_S
        while not condition():
            _expect(time.monotonic() < end, otherwise)
            time.sleep(0.2)

    def _wine(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["wine", *command],
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
        )

    def close(self) -> None:
        """End all that runs there."""
        subprocess.run(["wineserver", "--kill"], env=self._env, stderr=subprocess.DEVNULL)


@contextmanager
def wine(prefix: Path) -> Iterator[Wine]:
    """A new computer, switched off at the end."""
    computer = Wine(prefix)
    try:
        yield computer
    finally:
        computer.close()


def main() -> int:
    """1 if the setup does not do what it is for, or cannot be tried here."""
    if missing := missing_tools():
        say(f"the setup cannot be tried here: apt install {' '.join(missing)}")
        return 1
    try:
        check(product())
    except SetupError as error:
        say(f"The setup is not fit to be released: {error}")
        return 1
    say("The setup installs, upgrades beside a version that runs, and leaves only the user's own.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

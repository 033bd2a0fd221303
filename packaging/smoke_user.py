"""Somebody with an empty home who starts the app, and how what it says is judged.

The home has spaces and other letters in its name. Knows the command's arguments, not what it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

WORDS = ("ask not what your country can do for you", "what you can do for your country")
SAID = (
    "and so my fellow americans ask not what your country can do for you "
    "ask what you can do for your country"
)
_MOST = 0.75  # of them
_PATIENCE_S = 900


class SmokeError(Exception):
    """The app did not do what it is for."""


class User:
    """One computer's user, with nothing of Voxline's yet."""

    def __init__(self, program: Path, home: Path) -> None:
        self._program, self.home = program, home

    def run(self, *arguments: str, typed: str = "", network: bool = False, **more: str) -> str:
        """What the app prints. `typed`: on standard input; `more`: environment variables.

        Without `network` it has none where the system can take it away. Raises SmokeError if the
        app fails.
        """
        try:
            done = subprocess.run(
                [*([] if network else without_network()), str(self._program), *arguments],
                env=self._environment() | more,
                cwd=self.home,
                input=typed,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_PATIENCE_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SmokeError(f"{' '.join(arguments)}: {error}") from error
        if done.returncode != 0:
            raise SmokeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def start(
        self, *arguments: str, stderr: int = subprocess.DEVNULL, network: bool = True
    ) -> subprocess.Popen[str]:
        """The app going on beside this program; its output is a pipe. Raises SmokeError."""
        try:
            return subprocess.Popen(
                [*([] if network else without_network()), str(self._program), *arguments],
                env=self._environment(),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise SmokeError(f"{' '.join(arguments)}: {error}") from error

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VOXLINE_"))}
        home = str(self.home)
        kept |= {"HOME": home, "USERPROFILE": home, "LOCALAPPDATA": home, "APPDATA": home}
        if sys.platform == "darwin":  # a home without a keychain is asked about in a window
            kept["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
        return {k: v for k, v in kept.items() if not k.startswith("XDG_")}


def without_network() -> list[str]:
    """What to put before a command so that it has none; nothing where that cannot be had."""
    unshare = shutil.which("unshare") if hasattr(os, "geteuid") and os.geteuid() == 0 else None
    return [unshare, "--net"] if unshare else []


def check_words(subtitles: str) -> None:
    """Raises SmokeError unless the wanted words are there, whatever the case and the lines."""
    heard = _plain(subtitles)
    if missing := [words for words in WORDS if words not in heard]:
        raise SmokeError(f"it heard “{heard}”, without “{missing[0]}”")


def check_live_words(text: str) -> None:
    """Raises SmokeError unless most words are there: which, depends on how busy the machine is.

    A smaller model may have helped out, which hears “asked not” and “so am I”.
    """
    heard, said = Counter(_plain(text).split()), Counter(SAID.split())
    if (heard & said).total() < _MOST * said.total():
        raise SmokeError(f"of “{SAID}” it heard “{_plain(text)}”")


def _plain(subtitles: str) -> str:
    """Words in small letters, without numbers and times."""
    lines = [line for line in subtitles.splitlines() if "-->" not in line and not line.isdigit()]
    return re.sub(r"[^a-z]+", " ", " ".join(lines).lower()).strip()


def same(found: object, expected: object, what: str) -> None:
    """Raises SmokeError unless they are equal."""
    if found != expected:
        raise SmokeError(f"{what} is “{found}”, not “{expected}”")

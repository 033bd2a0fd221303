"""Asks a frozen app to do what it is for, and checks the words: what a release must pass.

    python packaging/smoke.py PATH/TO/voxline

It gets an empty home of its own with spaces and other letters in its name, and no network where
the system can take it away. Exit status 1, and what went wrong, if any of it does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from product import ROOT, version
from tell import say

SAMPLE = ROOT / "resources" / "sample" / "jfk.flac"
WORDS = ("ask not what your country can do for you", "what you can do for your country")
# live, where a smaller model helps out on a busy machine: it hears “asked not”
LIVE_WORDS = ("my fellow americans", "what your country can do for you")
_PATIENCE_S = 300


class SmokeError(Exception):
    """The app did not do what it is for."""


def main(arguments: list[str]) -> int:
    """Check the executable that is named."""
    if len(arguments) != 1:
        say(f"usage: {__doc__ or ''}".splitlines()[0])
        return 2
    try:
        check(Path(arguments[0]).absolute())
    except SmokeError as error:
        say(f"The app is not fit to be released: {error}")
        return 1
    say("The app captions.")
    return 0


def check(program: Path) -> None:
    """Raises SmokeError."""
    with tempfile.TemporaryDirectory(prefix="Zoë’s new computer ") as home:
        user = User(program, Path(home))
        _same(user.run("--version"), f"voxline {version()}", "its version")
        _check_engines(user)
        talk = Path(home) / "a talk – first part.flac"
        shutil.copy(SAMPLE, talk)
        user.run("transcribe", str(talk))
        check_words(talk.with_suffix(".srt").read_text("utf-8"))
        subtitles = Path(home) / "live.srt"
        user.run("listen", "--source", str(talk), "--srt", str(subtitles))
        check_words(subtitles.read_text("utf-8"), LIVE_WORDS)


class User:
    """Somebody with an empty home who starts the app."""

    def __init__(self, program: Path, home: Path) -> None:
        self._program, self._home = program, home

    def run(self, *arguments: str) -> str:
        """What the app prints. Raises SmokeError if it fails."""
        command = [*without_network(), str(self._program), *arguments]
        try:
            done = subprocess.run(
                command,
                env=self._environment(),
                cwd=self._home,
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

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VOXLINE_"))}
        home = str(self._home)
        return kept | {"HOME": home, "USERPROFILE": home, "LOCALAPPDATA": home, "APPDATA": home}


def without_network() -> list[str]:
    """What to put before a command so that it has none; nothing where that cannot be had."""
    unshare = shutil.which("unshare") if hasattr(os, "geteuid") and os.geteuid() == 0 else None
    return [unshare, "--net"] if unshare else []


def check_words(subtitles: str, wanted: tuple[str, ...] = WORDS) -> None:
    """Raises SmokeError unless the wanted words are there, whatever the case and the lines."""
    lines = [line for line in subtitles.splitlines() if "-->" not in line and not line.isdigit()]
    said = re.sub(r"[^a-z]+", " ", " ".join(lines).lower())
    if missing := [words for words in wanted if words not in said]:
        raise SmokeError(f"it heard “{said.strip()}”, without “{missing[0]}”")


def _check_engines(user: User) -> None:
    rows = json.loads(user.run("engines", "--json"))
    ready = {(row["engine"], row["model"]) for row in rows if row["available"]}
    if ("embedded", "base") not in ready:
        raise SmokeError(f"the embedded engine is not ready; ready are {sorted(ready)}")


def _same(found: str, expected: str, what: str) -> None:
    if found != expected:
        raise SmokeError(f"{what} is “{found}”, not “{expected}”")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

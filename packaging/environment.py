"""The virtual environment in the checkout: whether it is sound, and how it is made.

What is installed into it is not its business.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import system_packages


class SetupError(Exception):
    """Set-up cannot go on; the message is for the user and says what to do."""


class Environment:
    """`.venv` in the folder `root`, or another folder, for the Python that runs this."""

    def __init__(self, root: Path, folder: Path | None = None) -> None:
        windows = sys.platform == "win32"
        self.root = root
        self.folder = folder or root / ".venv"
        self.scripts = self.folder / ("Scripts" if windows else "bin")
        self.python = self.scripts / ("python.exe" if windows else "python")
        library = "Lib" if windows else "lib/python{}.{}".format(*sys.version_info[:2])
        self.packages = self.folder / library / "site-packages"

    @property
    def is_ours(self) -> bool:
        """Whether this very process runs in it."""
        return Path(sys.executable) == self.python

    def prepare(self) -> None:
        """Keeps a sound environment, even one that has moved; else builds it anew.

        Raises SetupError.
        """
        if self.is_sound():
            self._mend_scripts()
        else:
            self._build()
        # `python -m app` works from any folder, and so does the worker.
        (self.packages / "voxline.pth").write_text(f"{self.root}\n", encoding="utf-8")

    def is_sound(self) -> bool:
        """Its Python runs, is of this version, knows where it is, and has a whole pip."""
        code = "import sys; print(*sys.version_info[:2], sys.prefix)"
        place = self._answer("-c", code)
        expected = "{} {} {}".format(*sys.version_info[:2], self.folder)
        return place == expected and self._answer("-m", "pip", "--version") is not None

    def _answer(self, *arguments: str) -> str | None:
        command = [str(self.python), "-I", *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    def _build(self) -> None:
        if not system_packages.provide_venv():
            raise SetupError("Without it no virtual environment can be made.")
        command = [sys.executable, "-m", "venv", "--clear", str(self.folder)]
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            raise SetupError(
                f"The virtual environment could not be made in {self.folder}. "
                "Is there space, and may you write there?"
            )

    def _mend_scripts(self) -> None:
        """Commands in an environment that was moved name the Python of the old place."""
        here = b"#!" + os.fsencode(self.scripts) + b"/"
        for script in self.scripts.iterdir():
            if not script.is_file() or script.is_symlink():
                continue
            text = script.read_bytes()
            mended = re.sub(rb"\A#!.*/\.venv/bin/(?=python[\d.]*\n)", here, text)
            if mended != text:
                script.write_bytes(mended)

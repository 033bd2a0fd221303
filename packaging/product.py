"""What is built, by name: the one place that every installer takes names, version and texts from.

The version is that of `app/__init__.py`, the rest of `pyproject.toml` or a constant here. Where
the project lives on the web is known only to who publishes it: `VOXLINE_HOME_PAGE`, which the
release workflow sets to the repository. Imports nothing of the app.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = "Voxline"
COMMAND = "voxline"
WINDOW = "voxline-gui"
APP_ID = "org.voxline.Voxline"
MAINTAINER = "Voxline maintainers <maintainers@voxline.invalid>"
# The embedded engine's, carried inside in eight bits. tiny.en (29 MB of a download) helps out in
# English where base is too slow, with no network.
WEIGHTS = ("base", "tiny.en")
DEFAULT_EPOCH = 1_767_225_600  # 2026-01-01: where no commit's time is known
_OWNER = re.compile(r"https://[^/]+/[^/]+/[^/]+")


@dataclass(frozen=True)
class Product:
    """What one build makes."""

    version: str
    summary: str
    licence: str
    home_page: str  # without a slash at the end; "" if nobody said
    epoch: int  # seconds: the time that every file in an installer has

    @property
    def releases(self) -> str:
        """The page with newer versions; "" if it is not known."""
        return f"{self.home_page}/releases" if _OWNER.fullmatch(self.home_page) else ""


def product() -> Product:
    """Read from the checkout and the environment."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return Product(
        version=version(),
        summary=project["description"],
        licence=project["license"],
        home_page=os.environ.get("VOXLINE_HOME_PAGE", "").rstrip("/"),
        epoch=int(os.environ.get("SOURCE_DATE_EPOCH") or _commit_time()),
    )


def version() -> str:
    text = (ROOT / "app" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise ValueError("app/__init__.py has no __version__")
    return found[1]


def _commit_time() -> int:
    command = ["git", "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return int(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return DEFAULT_EPOCH

"""Set-up is a folder of scripts, no package: its modules are found as the scripts find them."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
sys.path.append(str(CHECKOUT / "packaging"))


class Programs:
    """A folder of small shell scripts that stand in for programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "calls"

    def add(self, name: str, script: str = "", path: Path | None = None) -> Path:
        """A program that notes its arguments in `calls`, then runs `script`."""
        program = path or self.folder / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f'#!/bin/bash\nprintf "%s\\n" "{name} $*" >> {self.log}\n{script}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Stand-ins come first on the PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return Programs(folder)

"""`python -m tests.ui.photographs FOLDER`: the pictures, contact sheets, and what is wrong.

Exits with 1 if anything was found wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.screen import Screen, missing_tools

CHECKOUT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Setting:
    """A screen: pixels, how many of them make one of Qt's, and who manages its windows."""

    width: int
    height: int
    scale: int = 1
    manager: str = "openbox"
    composited: bool = True

    @property
    def name(self) -> str:
        size = f"{self.width}x{self.height}" + (f"@{self.scale}" if self.scale > 1 else "")
        if self.manager != "openbox":
            return f"{size}-{self.manager}"
        return size if self.composited else f"{size}-bare"


SETTINGS = {
    each.name: each
    for each in (
        Setting(1024, 600),
        Setting(1280, 800),
        Setting(1920, 1200, scale=2),
        Setting(1280, 800, manager="metacity", composited=False),  # it is a compositor itself
        Setting(1280, 800, composited=False),
    )
}
_PART = ("captions", "menu: more", "main: first", "preferences: captions", "dialog: about")
_EVERYWHERE = ("",)


def photograph(
    folder: Path,
    setting: Setting,
    looks: Sequence[str],
    scripts: Sequence[str],
    states: Sequence[str] = _EVERYWHERE,
    languages: Sequence[str] = ("en",),
) -> list[dict[str, Any]]:
    """Take the pictures of one screen into `folder`; what was found, a dict for each.

    `found.jsonl` there keeps it, a line for each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        screen = Screen(
            Path(home), setting.width, setting.height, setting.manager, setting.composited
        )
        try:
            done = subprocess.run(
                [
                    sys.executable, "-m", "tests.ui.photographs.studio", str(folder),
                    *(json.dumps(list(some)) for some in (looks, scripts, states, languages)),
                ],
                cwd=CHECKOUT, env=_environment(screen, setting, Path(home)),
                stdout=subprocess.PIPE, text=True, check=True,
            )  # fmt: skip
        finally:
            screen.close()
    (folder / "found.jsonl").write_text(done.stdout, encoding="utf-8")
    return [json.loads(line) for line in done.stdout.splitlines()]


def _environment(screen: Screen, setting: Setting, home: Path) -> dict[str, str]:
    """Folders of its own, which are also what dialogs show."""
    own = {
        "HOME": home, "VOXLINE_DATA": home / "data", "VOXLINE_CONFIG": home / "config",
        "VOXLINE_TRANSCRIPTS": home / "transcripts", "VOXLINE_MODELS": home / "models",
    }  # fmt: skip
    scale = {"QT_SCALE_FACTOR": str(setting.scale)} if setting.scale > 1 else {}
    return screen.env | {name: str(path) for name, path in own.items()} | scale


def sheets_of(taken: Sequence[dict[str, Any]], folder: Path, setting: Setting, zoom: float) -> None:
    """Sheets for each look, script and language; half as large for a screen of twice the pixels."""
    from PySide6.QtCore import QRect
    from PySide6.QtGui import QGuiApplication

    from tests.ui.photographs.sheets import Shot, lay_out

    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = QGuiApplication.instance() or QGuiApplication([])
    kinds = ("look", "script", "language")
    for kind in dict.fromkeys(tuple(each[name] for name in kinds) for each in taken):
        shots = [
            Shot(
                each["state"] + ("   ✗" if each["faults"] else ""),
                Path(each["file"]),
                QRect(*each["part"]),
            )
            for each in taken
            if tuple(each[name] for name in kinds) == kind
        ]
        lay_out(shots, folder, "-".join((setting.name, *kind)), zoom / setting.scale)
    assert app


def main() -> int:
    given = _arguments()
    if missing_tools():
        sys.stderr.write(f"Missing: {', '.join(missing_tools())}\n")
        return 2
    wrong = 0
    for name in given.size:
        setting = SETTINGS[name]
        states = given.state
        if not states:
            ordinary = setting.manager == "openbox" and setting.composited
            states = _EVERYWHERE if ordinary else _PART
        taken = photograph(
            given.folder / name, setting, given.look, given.script, states, given.language
        )
        sheets_of(taken, given.folder, setting, given.zoom)
        for each in taken:
            for fault in each["faults"]:
                wrong += 1
                print(f"{name} {each['look']} {each['language']} {each['state']}: {fault}")  # noqa: T201
        print(f"{name}: {len(taken)} pictures")  # noqa: T201
    print(f"{wrong} faults")  # noqa: T201
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.ui.photographs")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", nargs="*", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--look", nargs="*", default=["light", "dark", "high"])
    parser.add_argument("--script", nargs="*", default=["ar", "hi", "ja"])
    parser.add_argument("--language", nargs="*", default=["en"], help="of the windows")
    parser.add_argument("--state", nargs="*", help="beginnings of names; all without it")
    parser.add_argument("--zoom", type=float, default=1.0, help="of the pictures on the sheets")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""What dmgbuild draws: the app beside the Applications folder. `-D app=PATH` names the app."""

from pathlib import Path
from typing import Any

_app = Path(globals()["defines"]["app"])  # dmgbuild puts it there
format = "UDZO"
files: list[Any] = [str(_app)]
symlinks = {"Applications": "/Applications"}
icon_locations = {_app.name: (140, 120), "Applications": (500, 120)}
window_rect = ((200, 120), (640, 280))
icon_size = 128

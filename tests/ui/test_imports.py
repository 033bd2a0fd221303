"""The app's process loads no engine, and Qt's bindings keep Python's counts."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject

HEAVY = ("torch", "mlx", "ctranslate2", "faster_whisper", "transformers", "onnxruntime")
SERVERS = ("websockets", "segno", "keyring")  # until a page or a server is asked for
LIST_HEAVY = f"""
import sys
loaded = sorted({{name.split(".")[0] for name in sys.modules}} & set({HEAVY + SERVERS!r}))
sys.exit("loaded: " + ", ".join(loaded) if loaded else 0)
"""


@pytest.mark.parametrize(
    "use",
    [
        "import app, app.__main__, app.main",
        "import app.ui.main_window.window, app.ui.preferences.window",
        "import app.ui.overlay.window, app.ui.desktop.tray",
        "import app.ui.state.feeds, app.ui.feeds.dialog, app.ui.feeds.telling",
        "import app.ui.state.bridge, app.ui.state.captioning",
        "import app.ui.main_window.recovery, app.session.session",
        "import app.ui.first_run.window",
        # which engines there are is asked in this process, too
        "from pathlib import Path; from app.ui.state import engines; engines.list_engines(Path())",
    ],
)
def test_the_windows_load_no_engine(use: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{use}\n{LIST_HEAVY}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_windows_are_shown_before_decoders_are_loaded() -> None:
    """Half of the time to start; what is heard needs them a moment later."""
    shown_first = (
        "import app.main, app.ui.main_window.window, app.ui.main_window.opened_files",
        "import app.ui.first_run.opening",
        "import app.ui.desktop.hotkeys, app.ui.desktop.tray, app.ui.desktop.verbs",
        "import app.ui.desktop.leaving, app.ui.state.captioning, app.ui.main_window.recovery",
        "import sys; sys.exit(str({'av', 'numpy'} & set(sys.modules) or 0))",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(shown_first)], capture_output=True, text=True
    )
    assert done.stderr == "0\n"


SHOWN = """
import gc, linecache, os, sys
from app import cli, native

def shown():  # asked for when it was, before anything else is imported
    import PySide6.QtWidgets
    ours = [name for name in sys.modules if name.split(".")[0] in ("app", "model_backends")]
    seen = {
        "ours": len(ours),
        "of Qt": sorted(name for name in sys.modules if name.startswith("PySide6.Qt")),
        "read again": [name for name in linecache.cache if "overlay" in name],
        "sought garbage": collected() - before,
        "too early": sorted({"concurrent.futures", "psutil"} & sys.modules.keys()),
        "of servers": [name for name in sys.modules if "model_backends.remote" in name],
        "lists of styles": "QStyle" in vars(PySide6.QtWidgets),
    }
    print(seen)
    sys.stdout.flush()
    os._exit(0)

def prepare():
    sys.modules["app.main"]._ms_since_start = shown

def collected():
    return sum(generation["collections"] for generation in gc.get_stats())

native.prepare_environment = prepare
before = collected()
cli.open_window()
"""


def test_little_is_imported_before_the_captions_are_shown_and_each_source_read_once(
    tmp_path: Path,
) -> None:
    folders = {name: str(tmp_path) for name in ("HOME", "VOXLINE_DATA", "VOXLINE_CONFIG")}
    done = subprocess.run(
        [sys.executable, "-c", SHOWN],
        env=os.environ | folders | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
    )
    seen = ast.literal_eval(done.stdout)
    assert seen.pop("ours") <= 106
    assert seen.pop("sought garbage") <= 2, "until Qt is there"
    assert seen == {
        "of Qt": [f"PySide6.Qt{name}" for name in ("Core", "Gui", "Network", "Widgets")],
        "read again": [],
        "too early": [],
        "of servers": [],
        "lists of styles": False,
    }


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is not counted from Python 3.12 on")
def test_the_bindings_do_not_use_up_none() -> None:
    """PySide6 6.12.0 took one reference to None in every call: fatal after some minutes."""
    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(1000):
        thing.setObjectName("x")
    assert sys.getrefcount(None) - before > -100, "this PySide6 crashes on Python 3.11"

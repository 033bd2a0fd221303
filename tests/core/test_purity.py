"""The core loads nothing heavy: no Qt, no tensor library, no sound."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_HEAVY = ("PySide6", "torch", "mlx", "sounddevice", "ctranslate2", "onnxruntime", "av")


def test_the_core_and_the_journal_load_no_heavy_library() -> None:
    modules = [f"app.core.{path.stem}" for path in (_ROOT / "app/core").glob("[!_]*.py")]
    names = ", ".join(["sys", "json", "app.session.journal", *modules])
    code = f"import {names}; print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=_ROOT, capture_output=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert len(modules) >= 6
    assert loaded.isdisjoint(_HEAVY)

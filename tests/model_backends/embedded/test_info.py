"""What is known about the engine before it is loaded, and that knowing it costs nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from model_backends.embedded import info, store

HEAVY = ("ctranslate2", "faster_whisper", "torch", "tokenizers", "huggingface_hub")


def test_describing_the_engine_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pathlib import Path; from model_backends.embedded import info;"
        "info.availability(Path('nowhere'));"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_delay_has_a_hangover_and_the_default_is_one_of_them() -> None:
    assert info.INFO.default_delay_ms in info.INFO.delays_ms
    assert sorted(info.INFO.delays_ms) == list(info.INFO.delays_ms)
    assert set(info.INFO.hangover_ms) == set(info.INFO.delays_ms)


def test_missing_weights_are_said_with_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_places", lambda module: [])
    rows = info.availability(tmp_path)
    assert [row.model for row in rows] == ["base", "tiny.en"]
    assert not any(row.available for row in rows)
    assert all("MB" in row.hint for row in rows)


def test_weights_in_the_folder_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_places", lambda module: [])
    kept = store.folder("tiny.en", tmp_path)
    kept.mkdir()
    for name in store.MODELS["tiny.en"].sha256:
        (kept / name).write_bytes(b"")
    assert {row.model: row.available for row in info.availability(tmp_path)} == {
        "base": False,
        "tiny.en": True,
    }

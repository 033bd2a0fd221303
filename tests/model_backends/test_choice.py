"""Engines by name: what is not there is told in the words of whoever knows."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from model_backends import ENGINES, describe, load, resolve
from model_backends.base import EngineError, LoadOptions


@pytest.mark.parametrize(
    ("engine", "library"), [("voxtral-torch", "torch"), ("voxtral-mlx", "mlx")]
)
def test_without_its_library_an_engine_says_what_to_install(
    engine: str, library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heavy = f"{library}.load"
    monkeypatch.delitem(sys.modules, f"model_backends.voxtral.{heavy}", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None)
    real = importlib.import_module

    def missing(name: str, *rest: str) -> object:
        if name.endswith(heavy):
            raise ModuleNotFoundError(f"No module named '{library}'")
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(EngineError) as refused:
        load(engine, LoadOptions(None, None, tmp_path), lambda fraction, text: None)
    assert "pip install" in refused.value.hint or "Apple" in refused.value.message
    assert "No module named" not in refused.value.message


def test_every_engine_describes_itself_without_being_loaded(tmp_path: Path) -> None:
    for name in ENGINES:
        info = describe(name)
        assert info.name == name
        assert info.default_delay_ms in info.delays_ms
        assert set(info.hangover_ms) == set(info.delays_ms)
    assert resolve("voxtral", tmp_path) in ENGINES
    with pytest.raises(EngineError, match="no engine called"):
        describe("nonsense")

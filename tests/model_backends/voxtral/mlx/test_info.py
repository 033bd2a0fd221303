"""What is said about the MLX engine without MLX: this chip, these weights, or why not."""

from __future__ import annotations

import importlib.util
import platform
import subprocess
import sys
from pathlib import Path

import pytest

import model_backends
from model_backends.base import EngineError
from model_backends.voxtral.mlx import chip as mlx_chip
from model_backends.voxtral.mlx import info as mlx_info
from model_backends.voxtral.mlx.chip import Chip
from model_backends.voxtral.spec import PUBLISHED
from model_backends.voxtral.torch import info as torch_info
from tests.model_backends.voxtral.transcribing import TINY


def mac(name: str, gigabytes: int) -> Chip:
    return Chip(f"Apple {name}", gigabytes * 2**30, True)


def on(monkeypatch: pytest.MonkeyPatch, system: str, machine: str, mlx: bool) -> None:
    """Another computer, as far as this module looks."""
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    found = importlib.util.find_spec("json") if mlx else None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    mlx_info.chip.cache_clear()


@pytest.mark.parametrize(
    ("chip", "bits", "dtype"),
    [
        (mac("M1", 8), 4, "fp16"),
        (mac("M1", 16), 4, "fp16"),
        (mac("M2", 16), 4, "fp16"),
        (mac("M2 Pro", 16), 8, "fp16"),
        (mac("M4", 16), 6, "bf16"),
        (mac("M4 Max", 48), 16, "bf16"),
        (mac("M3 Ultra", 96), 16, "bf16"),
        (mac("M9 Hyper", 64), 4, "bf16"),  # unknown: assumed slow
        (mac("M9 Pro", 48), 8, "bf16"),  # newer than this table: like the slowest of its kind
        (mac("M9 Max", 48), 16, "bf16"),
    ],
)
def test_bits_follow_from_bandwidth_and_memory(chip: Chip, bits: int, dtype: str) -> None:
    assert mlx_chip.recommended_bits(PUBLISHED, chip) == bits
    assert chip.half_precision == dtype


def test_more_bits_never_cost_less() -> None:
    for tracks in (1, 2):
        needed = [mlx_chip.memory_needed(PUBLISHED, bits, tracks) for bits in (4, 6, 8, 16)]
        assert needed == sorted(needed)
    assert not mlx_chip.fits(PUBLISHED, 16, mac("M1", 8))
    assert mlx_chip.fits(PUBLISHED, 4, mac("M1", 8))


def test_on_a_mac_it_is_preferred_and_says_in_how_many_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on(monkeypatch, "Darwin", "arm64", mlx=True)
    monkeypatch.setattr(mlx_info, "chip", lambda: mac("M4", 16))
    (row,) = mlx_info.availability(TINY.parent)
    assert row.available
    assert row.details["preferred"] is True
    assert row.details["bits"] == row.details["recommended_bits"]
    assert "Apple M4 with 17.2 GB" in row.reason
    assert model_backends.resolve("voxtral", TINY.parent) == "voxtral-mlx"


def test_on_a_mac_without_weights_it_is_still_the_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on(monkeypatch, "Darwin", "arm64", mlx=True)
    monkeypatch.setattr(mlx_info, "chip", lambda: mac("M1", 8))
    (row,) = mlx_info.availability(tmp_path)
    assert (row.available, row.details["preferred"]) == (False, True)
    assert "4 bits recommended" in row.reason
    assert row.details["recommended_bits"] == 4
    assert "voxline models download voxtral-4bit" in row.hint
    with pytest.raises(EngineError, match="not on this computer"):
        mlx_info.find_model(None, tmp_path)


def test_elsewhere_it_is_not_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, "Linux", "x86_64", mlx=True)
    monkeypatch.setattr(mlx_info, "chip", lambda: Chip("Some CPU", 64 * 2**30, False))
    (row,) = mlx_info.availability(TINY.parent)
    assert row.available
    assert not row.details["preferred"]
    assert "processor" in row.reason


@pytest.mark.parametrize(
    ("system", "machine", "translated", "reason"),
    [
        ("Darwin", "arm64", "0", "MLX is not installed."),
        ("Darwin", "x86_64", "0", "Intel processor"),
        ("Darwin", "x86_64", "1", "runs translated"),
        ("Linux", "x86_64", "0", "made for Macs"),
        ("Windows", "AMD64", "0", "made for Macs"),
    ],
)
def test_why_not(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, translated: str, reason: str
) -> None:
    on(monkeypatch, system, machine, mlx=False)
    monkeypatch.setattr(mlx_info, "_sysctl", lambda name: translated)
    (row,) = mlx_info.availability(TINY.parent)
    assert not row.available
    assert reason in row.reason
    assert row.hint


def test_a_model_too_large_for_the_memory_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on(monkeypatch, "Darwin", "arm64", mlx=True)
    monkeypatch.setattr(mlx_info, "chip", lambda: Chip("Apple M1", 10**8, True))
    (row,) = mlx_info.availability(TINY.parent)
    assert not row.available
    assert "this needs 0.4 GB" in row.reason


def test_both_engines_offer_the_same() -> None:
    ours, theirs = mlx_info.INFO, torch_info.INFO
    assert (ours.name, theirs.name) == ("voxtral-mlx", "voxtral-torch")
    for field in ("delays_ms", "default_delay_ms", "languages", "hangover_ms", "max_tracks"):
        assert getattr(ours, field) == getattr(theirs, field)


def test_looking_imports_no_tensor_library() -> None:
    code = (
        "import sys; from pathlib import Path; import model_backends as m;"
        f"m.availability('voxtral-mlx', Path({str(TINY.parent)!r}));"
        "print([n for n in ('mlx.core', 'torch') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""Whether two models fit into memory at once, by what engines say of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.models import room
from model_backends.base import Availability, EngineOptions

GB = 10**9
NEEDED = {"bf16": 10 * GB, "int8": 6 * GB, "int4": 4 * GB}
FOLDER = "/home/ana/Modelle (neu)/Voxtral-Mini-4B-Realtime-2602"


def rows(**details: Any) -> list[Availability]:
    mine = {"path": FOLDER, "needed_bytes": NEEDED, **details}
    other = {"path": "/elsewhere", "needed_bytes": {"int4": 1}}
    return [
        Availability("voxtral-torch", "tiny", True, details=other),
        Availability("voxtral-torch", "Voxtral-Mini-4B-Realtime-2602", True, details=mine),
    ]


@pytest.mark.parametrize(
    ("details", "options", "free_gb", "total_gb", "fits"),
    [
        ({"device": "cuda", "precision": "int4"}, {}, 11, 0, True),
        ({"device": "cuda", "precision": "int4"}, {}, 8, 0, False),  # it would take 16 bits alone
        ({"device": "cuda"}, {"precision": "int4"}, 8, 0, True),
        ({"device": "cpu", "precision": "int4"}, {}, 4.6, 8, True),
        ({"device": "cpu", "precision": "int4"}, {}, 4.4, 8, False),  # something must be spare
        ({"device": "cpu", "precision": "int8"}, {"model": FOLDER}, 4.6, 8, False),
        ({"device": "gpu", "bits": 8, "needed_bytes": {"8": 6 * GB}}, {}, 5, 16, False),
        ({"device": "cpu", "precision": None}, {}, 2, 3, True),  # never: it says so itself
        ({"device": "cpu", "precision": "int4"}, {"device": "cuda"}, 8, 0, False),
        ({"device": "cuda"}, {"model": "not known here"}, 0, 0, True),
        ({"needed_bytes": None}, {}, 0, 8, True),
    ],
)
def test_two_models_at_once(
    details: dict[str, Any],
    options: dict[str, Any],
    free_gb: float,
    total_gb: float,
    fits: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "availability", lambda engine, folder: rows(**details))
    asked: list[str] = []

    def memory(device: str) -> tuple[int, int]:
        asked.append(device)
        return int(free_gb * GB), int(total_gb * GB)

    wanted = EngineOptions("voxtral-torch", **options)
    assert room.is_there(wanted, Path("models"), memory) is fits
    assert set(asked) <= {options.get("device") or details.get("device", "cpu")}


def test_a_model_in_one_file_takes_at_least_what_that_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "nemotron.gguf"
    with file.open("wb") as made:
        made.truncate(2 * GB)  # a hole: nothing is written
    row = Availability("ggml", "nemotron", True, details={"path": str(file)})
    monkeypatch.setattr(room, "availability", lambda engine, folder: [row])
    wanted = EngineOptions("ggml", model="nemotron")
    assert room.is_there(wanted, tmp_path, lambda device: (3 * GB, 8 * GB))
    assert not room.is_there(wanted, tmp_path, lambda device: (2 * GB, 8 * GB))


def test_this_computers_memory_is_known() -> None:
    free, total = room.free_and_total("cpu")
    assert 0 < free <= total

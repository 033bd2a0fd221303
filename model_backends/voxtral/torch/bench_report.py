"""What the PyTorch engine's benchmark has measured: a table in Markdown, or JSON for programs.

Measures nothing itself.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from model_backends.voxtral.spec import ModelSpec


@dataclass
class Row:
    """One line of the table."""

    what: str
    figure: str
    note: str = ""


@dataclass(frozen=True)
class Report:
    """The rows, and with what they were measured."""

    size: str
    spec: ModelSpec
    device: torch.device
    command: str
    rows: Sequence[Row]

    def as_markdown(self) -> str:
        """With the machine and the command."""
        spec = self.spec
        lines = [
            f"## {self.size} size on {self._machine}",
            "",
            f"`{self.command}`",
            "",
            f"{time.strftime('%Y-%m-%d')}; torch {torch.__version__}, "
            f"{torch.get_num_threads()} thread(s); {spec.parameters / 1e6:.0f} M parameters, "
            f"encoder {spec.encoder.layers} x {spec.encoder.width}, "
            f"decoder {spec.decoder.layers} x {spec.decoder.width}, vocabulary {spec.vocab}; "
            "weights from seed 0, rounded to bfloat16 as published ones are.",
            "",
            "| what | figure | |",
            "| --- | --- | --- |",
            *(f"| {row.what} | {row.figure} | {row.note} |" for row in self.rows),
            "",
        ]
        return "\n".join(lines)

    def as_json(self) -> str:
        """The same on one line."""
        facts = {
            "size": self.size,
            "machine": self._machine,
            "command": self.command,
            "date": time.strftime("%Y-%m-%d"),
            "torch": str(torch.__version__),
            "threads": torch.get_num_threads(),
            "parameters": self.spec.parameters,
            "rows": [asdict(row) for row in self.rows],
        }
        return json.dumps(facts, ensure_ascii=False) + "\n"

    @property
    def _machine(self) -> str:
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"{platform.processor() or platform.machine()} ({self.device.type})"

"""Speech for the gate, a script for the scripted engine, and a client that collects events."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from app import paths
from app.audio.files import int16_bytes, open_sound
from app.core.chunk import Chunk
from app.worker import messages as m
from app.worker.client import ClientEvent, EngineClient
from app.worker.restarts import Backoff
from app.worker.watchdog import Patience
from model_backends.base import Word

# eight words a second, over the 10.5 s that the sample's speaker speaks
SCRIPT = [(f" word{i}", 400 + 250 * i, 620 + 250 * i) for i in range(40)]
TEXT = "".join(text for text, _, _ in SCRIPT)


def script_file(folder: Path) -> Path:
    path = folder / "script.json"
    path.write_text(json.dumps(SCRIPT))
    return path


def sample_chunks(lane: str = "me", block_ms: int = 100) -> list[Chunk]:
    """The bundled sample as the capture would deliver it."""
    chunks, index = [], 0
    with open_sound(paths.resource("sample/jfk.flac")) as sound:
        for block in sound.blocks(block_ms):
            chunks.append(Chunk(lane, index // 16, index, int16_bytes(block)))
            index += len(block)
    return chunks


def start_message(folder: Path, **changes: object) -> m.Start:
    values: dict[str, object] = {
        "version": m.PROTOCOL_VERSION,
        "engine": "scripted",
        "models_dir": str(folder),
        "model": str(script_file(folder)),
        "delays_ms": (240,),
    }
    return m.Start(**(values | changes))  # type: ignore[arg-type]


class Collector:
    """Receives a client's events; `wait_for` blocks until one of them satisfies a condition."""

    def __init__(
        self,
        start: m.Start,
        *,
        interpreter: str | None = None,
        predecessor: EngineClient | None = None,
        alone: bool = False,
        patience: Patience | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.events: list[ClientEvent] = []
        self._changed = threading.Condition()
        self.client = EngineClient(
            start,
            self._take,
            interpreter=interpreter,
            predecessor=predecessor,
            alone=alone,
            patience=patience,
            backoff=backoff,
        )

    def _take(self, event: ClientEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, kind: type, count: int = 1, timeout: float = 60.0) -> list[ClientEvent]:
        """The first `count` events of a kind; fails the test if they do not come."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.of(kind)) >= count, timeout)
        assert arrived, f"no {kind.__name__} within {timeout} s; events: {self.events[-5:]}"
        return self.of(kind)[:count]

    def of(self, kind: type) -> list[ClientEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def words(self) -> list[Word]:
        return [event for event in self.events if isinstance(event, Word)]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Word))

"""A `voxline serve` of a test, clients for it, and words that count up so that none can be lost.

The scripted engine says a numbered word every quarter of a second of a lane's time.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app import paths
from app.audio.files import int16_bytes, open_sound
from app.worker.link import child_env

RATE_16 = {"type": "audio/pcm", "rate": 16_000}
COMMIT = {"type": "input_audio_buffer.commit"}
PREFIX = "conversation.item.input_audio_transcription"
_MINUTES = 10


def counting_script(folder: Path) -> Path:
    """Word n is said from n quarters of a second on, in every lane."""
    path = folder / "counting.json"
    words = [(f" w{n}", 250 * n, 250 * n + 200) for n in range(4 * 60 * _MINUTES)]
    path.write_text(json.dumps(words))
    return path


def speech(seconds: float) -> bytes:
    """int16 at 16 kHz: the bundled sample, over and over, without its pauses at the ends."""
    with open_sound(paths.resource("sample/jfk.flac")) as sound:
        pcm = np.concatenate(list(sound.blocks()))[8_000:-16_000]
    samples = round(seconds * 16_000)
    return int16_bytes(np.resize(pcm, samples))


class NotServedError(Exception):
    """It ended before it served: what it told, its exit status."""


class Served:
    """The process, its address and its key."""

    def __init__(self, *options: str, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "app", "serve", "--json", "--port", "0", *options],
            env=child_env() | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise NotServedError(self.process.communicate()[1], self.process.returncode)
        first = json.loads(line)
        assert first.keys() == {"url", "key"}
        self.url, self.key = first["url"], first["key"]
        self.port = int(self.url.split(":")[2].split("/")[0])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def worker(self) -> psutil.Process:
        """The process with the engine."""
        return psutil.Process(self.process.pid).children()[0]

    @contextmanager
    def client(self, **options: Any) -> Iterator[Client]:
        with connect(
            f"{self.url}?intent=transcription",
            additional_headers=self.headers,
            open_timeout=60,
            max_size=None,
            max_queue=None,  # or an unread event would hide the end of the connection
            **options,
        ) as connection:
            yield Client(connection)

    def stop(self) -> int:
        """End it as a service manager does; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            for pipe in (self.process.stdout, self.process.stderr):
                if pipe is not None:
                    pipe.close()


@contextmanager
def served(*options: str) -> Iterator[Served]:
    server = Served(*options)
    try:
        yield server
    finally:
        server.stop()


class Client:
    """A client that keeps every event."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.events: list[dict[str, Any]] = []

    def send(self, event: dict[str, Any]) -> None:
        self.connection.send(json.dumps(event))

    def begin(self, by_hand: bool = True) -> None:
        """A session at 16 kHz; acknowledged."""
        fields: dict[str, Any] = {"format": RATE_16}
        if by_hand:
            fields["turn_detection"] = None
        session = {"type": "transcription", "audio": {"input": fields}}
        self.send({"type": "session.update", "session": session})
        self.until("session.updated")

    def say(self, pcm: bytes, part: int = 6_400) -> None:
        for at in range(0, len(pcm), part):
            encoded = base64.b64encode(pcm[at : at + part]).decode()
            self.send({"type": "input_audio_buffer.append", "audio": encoded})

    def until(self, kind: str, timeout: float = 60.0) -> dict[str, Any]:
        """Read until an event of this kind."""
        while True:
            event: dict[str, Any] = json.loads(self.connection.recv(timeout))
            self.events.append(event)
            if event["type"] == kind:
                return event
            assert event["type"] != "error", event

    def turn(self, pcm: bytes) -> str:
        """Say this and hear what it was."""
        sender = threading.Thread(target=self._say_and_commit, args=(pcm,))
        sender.start()
        transcript = str(self.until(f"{PREFIX}.completed")["transcript"])
        sender.join()
        return transcript

    def _say_and_commit(self, pcm: bytes) -> None:
        self.say(pcm)
        self.send(COMMIT)

    def close_code(self, timeout: float = 60.0) -> int | None:
        """Read to the end; how the server closed."""
        try:
            while True:
                self.events.append(json.loads(self.connection.recv(timeout)))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


def numbers(transcript: str) -> list[int]:
    return [int(each[1:]) for each in transcript.split()]


def unbroken(found: list[int]) -> bool:
    """Every number once, in order, from the first to the last."""
    return found == list(range(found[0], found[0] + len(found)))


def open_files(process: psutil.Process) -> int:
    return int(process.num_fds()) if os.name == "posix" else int(process.num_handles())

"""How many streams `voxline serve` hears on this computer, and how late their words are.

    python -m app.measure.serve MANIFEST.jsonl --subset long --seconds 90 --streams 1,2,3

For each number: so many clients speak to the real process at the pace of speech, over the
loopback, each another part of the clips. A word's latency is the moment its delta came less the
moment it was said, which the manifest's segments know; the load is that of both processes. An
engine that changes its model meanwhile, since it cannot keep up, is told. Timings belong here and
in no test.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.audio.files import int16_bytes, open_sound
from app.core.encoding import json_text
from app.measure.evaluation import Clip, latencies_ms, percentile, read_manifest
from app.worker.link import child_env
from model_backends.base import Word

_BLOCK_MS = 80
_PREFIX = "conversation.item.input_audio_transcription"


@dataclass(slots=True)
class Speaker:
    """One client; times in ms after its first sample was sent."""

    clip: Clip
    pcm: bytes
    words: list[Word] = field(default_factory=list)
    came_ms: list[int] = field(default_factory=list)
    ended_ms: int = 0  # when the last word was out, after the last sample was sent
    trouble: str = ""

    def run(self, url: str, key: str, delay_s: float) -> None:
        time.sleep(delay_s)
        headers = {"Authorization": f"Bearer {key}"}
        with connect(url, additional_headers=headers, open_timeout=60) as connection:
            _begin(connection)
            began = time.monotonic()
            sender = threading.Thread(target=self._speak, args=(connection, began))
            sender.start()
            self._listen(connection, began)
            sender.join()

    def _speak(self, connection: ClientConnection, began: float) -> None:
        block = 32 * _BLOCK_MS
        try:
            for at in range(0, len(self.pcm), block):
                encoded = base64.b64encode(self.pcm[at : at + block]).decode()
                time.sleep(max(0.0, began + (at + block) / 32_000 - time.monotonic()))
                connection.send(json.dumps({"type": "input_audio_buffer.append", "audio": encoded}))
            connection.send(json.dumps({"type": "input_audio_buffer.commit"}))
        except ConnectionClosed:
            pass  # it could not keep up, and has told so to who listens

    def _listen(self, connection: ClientConnection, began: float) -> None:
        for text in connection:
            event, now_ms = json.loads(text), round((time.monotonic() - began) * 1000)
            if event["type"] == f"{_PREFIX}.delta":
                self.words.append(Word("", 0, 0, event["delta"], now_ms, now_ms))
                self.came_ms.append(now_ms)
            elif event["type"] == f"{_PREFIX}.completed":
                self.ended_ms = now_ms - len(self.pcm) // 32
                return
            elif event["type"] in ("error", "voxline.notice"):
                self.trouble = event.get("message") or event["error"]["message"]
                if event["type"] == "error":
                    return

    @property
    def latencies_ms(self) -> list[int]:
        return latencies_ms(self.clip, len(self.pcm) // 32, self.words, self.came_ms)


def _begin(connection: ClientConnection) -> None:
    audio = {"input": {"format": {"type": "audio/pcm", "rate": 16_000}, "turn_detection": None}}
    session = {"type": "transcription", "audio": audio}
    connection.send(json.dumps({"type": "session.update", "session": session}))
    while json.loads(connection.recv())["type"] != "session.updated":
        pass


def speakers(clips: Sequence[Clip], count: int, seconds: float) -> list[Speaker]:
    """Each begins at another segment, so that no two say the same at the same time."""
    found = []
    for number in range(count):
        clip = clips[number % len(clips)]
        with open_sound(clip.path) as sound:
            pcm = np.concatenate(list(sound.blocks()))
        later = number // len(clips) * len(clip.segments) // -(-count // len(clips))
        begin_ms = clip.segments[later].start_ms if clip.segments else 0
        end_ms = begin_ms + round(seconds * 1000)
        inside = [s for s in clip.segments if s.start_ms >= begin_ms and s.end_ms < end_ms - 500]
        end_ms = inside[-1].end_ms + 300 if inside else end_ms
        moved = tuple(type(s)(s.start_ms - begin_ms, s.end_ms - begin_ms, s.text) for s in inside)
        cut = Clip(clip.path, clip.text, clip.language, clip.subset, moved)
        found.append(Speaker(cut, int16_bytes(pcm[begin_ms * 16 : end_ms * 16])))
    return found


def measured(clips: Sequence[Clip], count: int, seconds: float, options: list[str]) -> Any:
    """One row: so many at once."""
    command = [sys.executable, "-P", "-m", "app", "serve", "--json", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--streams", str(count), *options],
        env=child_env(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        door = json.loads(process.stdout.readline())
        all_of_it = [psutil.Process(process.pid), *psutil.Process(process.pid).children(True)]
        before_s, began = sum(map(cpu_s, all_of_it)), time.monotonic()
        group = speakers(clips, count, seconds)
        threads = [
            threading.Thread(target=each.run, args=(door["url"], door["key"], 0.7 * number))
            for number, each in enumerate(group)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        load = (sum(map(cpu_s, all_of_it)) - before_s) / (time.monotonic() - began)
    finally:
        process.terminate()
        process.wait(30)
    late = [latency for each in group for latency in each.latencies_ms]
    return {
        "streams": count,
        "words_timed": len(late),
        "latency_p50_ms": percentile(late, 50),
        "latency_p95_ms": percentile(late, 95),
        "end_after_ms": max(each.ended_ms for each in group),
        "load_of_a_core": round(load, 2),
        "trouble": sorted({each.trouble for each in group if each.trouble}),
    }


def cpu_s(process: psutil.Process) -> float:
    """What it has used of the processor."""
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--subset")
    parser.add_argument("--seconds", type=float, default=60.0, help="of speech, each")
    parser.add_argument("--streams", default="1,2", help="numbers of clients, with commas")
    args, options = parser.parse_known_args()
    clips = read_manifest(args.manifest, args.subset)
    for count in map(int, args.streams.split(",")):
        print(json_text(measured(clips, count, args.seconds, options)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Captions of one's own while others attack `voxline serve` on the same computer.

    python -m app.measure.hostile MANIFEST.jsonl --subset long --seconds 60

A file is captioned with `voxline listen`, in real time, with the embedded engine and without a
second hearing, while a `voxline serve` of the same engine runs beside it: twice in peace, then
under every attack of `attacks`, again and again, all at once. A row for each: how late words came,
and how many differ from those of the first row. The second row tells how much two runs in peace
differ: live guesses depend on the moment at which a decode finds the sound. The attackers use this
computer's processor, too, which those of another computer would not; they run at low priority.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from app.audio.files import open_sound
from app.core.encoding import json_text
from app.measure.attacks import Target
from app.measure.evaluation import percentile, read_manifest
from app.measure.live_kills import listen
from app.measure.serve import cpu_s
from app.measure.server_kills import differences
from app.worker.link import child_env
from model_backends.base import SAMPLE_RATE, Pcm

_DELAY_MS = 1000


def main() -> int:
    """Print three rows."""
    args = _arguments()
    pcm = _speech(args)
    with _served(args.model) as (target, server):
        first = _row("in peace", pcm, args.model, server)
        _print(first, first)
        _print(_row("in peace again", pcm, args.model, server), first)
        with _attacked(target) as counts:
            attacked = _row("under attack", pcm, args.model, server)
        _print(attacked | {"attacks": counts}, first)
    return 0


def _row(name: str, pcm: Pcm, model: str, server: list[psutil.Process]) -> dict[str, Any]:
    """`server`: whose load of a core is told."""
    late_ms: list[int] = []
    before_s, began = sum(map(cpu_s, server)), time.monotonic()
    words, _ = listen(pcm, (), model, _DELAY_MS, late_ms, ["--no-record"])
    return {
        "captions": name,
        "texts": [word.text.strip() for word in words],
        "p50_ms": percentile(late_ms, 50),
        "p95_ms": percentile(late_ms, 95),
        "server_load": round((sum(map(cpu_s, server)) - before_s) / (time.monotonic() - began), 2),
    }


def _print(row: dict[str, Any], first: dict[str, Any]) -> None:
    lost, other = differences(first["texts"], row["texts"])
    shown = {key: value for key, value in row.items() if key != "texts"}
    shown |= {"words": len(row["texts"]), "lost": len(lost), "other": len(other)}
    print(json_text(shown), flush=True)


@contextmanager
def _served(model: str) -> Iterator[tuple[Target, list[psutil.Process]]]:
    """The endpoint, and its processes."""
    command = [sys.executable, "-P", "-m", "app", "serve", "--json", "--port", "0"]
    command += ["--engine", "embedded", "--model", model]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=child_env(), text=True)
    try:
        assert process.stdout is not None
        door = json.loads(process.stdout.readline())
        found = psutil.Process(process.pid)
        target = Target(int(door["url"].split(":")[2].split("/")[0]), door["key"])
        yield target, [found, *found.children(recursive=True)]
        if process.poll() is not None:
            raise AssertionError("the server has ended")
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _attacked(target: Target) -> Iterator[dict[str, int]]:
    """By a process of its own; its counts are there at the end."""
    counts: dict[str, int] = {}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "app.measure.attacks"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_env(),
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps([target.port, target.key]) + "\n")
    process.stdin.flush()
    try:
        yield counts
    finally:
        told, _ = process.communicate("", timeout=120)
    counts |= json.loads(told)
    if process.returncode:
        raise AssertionError("somebody was let in")


def _speech(args: argparse.Namespace) -> Pcm:
    parts = []
    for clip in read_manifest(args.manifest, args.subset):
        with open_sound(clip.path) as sound:
            parts.append(np.concatenate(list(sound.blocks())).astype(np.float32))
    return np.concatenate(parts)[: round(args.seconds * SAMPLE_RATE)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--subset")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--model", default="tiny.en")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

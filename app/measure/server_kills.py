"""What a killed server costs: words lost or doubled, with servers that are processes of their own.

    python -m app.measure.server_kills --kills 100 --servers 1 --seed 1

Stand-in servers (`stand_in`) are killed in the middle of speech, with SIGKILL, and started again;
the remote engine captions sound that tells them what is said when, over true sockets. What comes
out is compared with what was said. `--speed` says how much faster than life.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from app.measure.ports import answers, free_port, wait_for
from app.measure.position import sound
from app.measure.stand_in_model import Line
from app.worker.link import child_env
from model_backends.base import Event, LoadOptions, StreamOptions, Word
from model_backends.remote import engine as remote
from model_backends.remote.addresses import read

_FRAME = 512
_UTTERANCE_S, _PAUSE_S = 25.0, 2.0
_COMMON = (
    "no yes and the a to I see go there their house is was very really captions seventeen when "
    "nobody would ever have known it extraordinarily well under all circumstances"
)
_VOCABULARY = _COMMON.split()
_AMPLE = 6  # times as much sound as the kills would take, if servers were back at once


@dataclass(slots=True)
class Servers:
    """Processes on ports of their own; a context manager. Without a `script` they say the same
    sentence at every loud sound."""

    script: Path | None
    count: int
    ports: list[int] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    killed: int = 0

    def __enter__(self) -> Servers:
        self.ports = [free_port() for _ in range(self.count)]
        self.processes = [self._start(port) for port in self.ports]
        for port in self.ports:
            wait_for(port)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    @property
    def urls(self) -> list[str]:
        return [f"ws://127.0.0.1:{port}" for port in self.ports]

    def kill(self, index: int) -> None:
        """SIGKILL, and another in its place, which takes as long as it takes."""
        self.processes[index].kill()
        self.processes[index].wait()
        self.processes[index] = self._start(self.ports[index])
        self.killed += 1

    def up(self, index: int) -> bool:
        return answers(self.ports[index])

    def _start(self, port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "app.measure.stand_in", "--port", str(port)]
        if self.script is not None:
            command += ["--script", str(self.script)]
        return subprocess.Popen(command, env=child_env(), stdout=subprocess.DEVNULL)


def main() -> int:
    """Run; exit status 1 if a word was lost or doubled."""
    args = _arguments()
    chance = random.Random(args.seed)
    length_s = args.kills * args.gap_s * args.speed * _AMPLE + _UTTERANCE_S
    lines = said(length_s, chance)
    with tempfile.TemporaryDirectory() as name:
        script = Path(name) / "script.json"
        script.write_text(json.dumps(lines), "utf-8")
        with Servers(script, args.servers) as servers:
            begun = time.monotonic()
            words, until_ms = _caption(servers, args, length_s, chance)
            took_s = time.monotonic() - begun
    lines = [line for line in lines if line[2] <= until_ms]
    lost, doubled = differences([text for text, *_ in lines], [word.text for word in words])
    print(
        f"kills {servers.killed}  servers {args.servers}  words {len(lines)}  "
        f"lost {len(lost)}  doubled or wrong {len(doubled)}  "
        f"speech {until_ms / 1000:.0f} s in {took_s:.0f} s"
    )
    for what, found in (("lost", lost), ("doubled", doubled)):
        if found:
            print(what, found[:20])
    return int(bool(lost or doubled))


def said(length_s: float, chance: random.Random) -> list[Line]:
    """What is said: common words with repetitions, about 3 a second, pauses between utterances."""
    lines: list[Line] = []
    at_ms = 400
    while at_ms < (length_s - 3) * 1000:
        length_ms = chance.randint(120, 450)
        into_s = (at_ms + length_ms) / 1000 % (_UTTERANCE_S + _PAUSE_S)
        if into_s < 0.6 or into_s > _UTTERANCE_S - 0.2:  # nobody speaks where the gate is shut
            at_ms += 100
            continue
        lines.append((" " + chance.choice(_VOCABULARY), at_ms, at_ms + length_ms))
        at_ms += length_ms + chance.choice([0, 0, 20, 60, 400])
    return lines


def differences(said: Sequence[str], heard: Sequence[str]) -> tuple[list[str], list[str]]:
    """Words of `said` that were not heard, and words heard that were not said (or twice)."""
    lost: list[str] = []
    doubled: list[str] = []
    matcher = SequenceMatcher(None, said, heard, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            lost += said[a:b]
            doubled += heard[c:d]
    return lost, doubled


def _caption(
    servers: Servers, args: argparse.Namespace, length_s: float, chance: random.Random
) -> tuple[list[Word], int]:
    """The words, and the session's time at which all the kills were done."""
    engine = engine_for(servers.urls)
    events: list[Event] = []
    at_s = 0.0
    next_kill_s = args.gap_s
    begun = time.monotonic()
    for stream, frame, at_s in _sound(engine, length_s):
        if frame is None:
            stream.finish()
            while not stream.done:
                events += engine.advance()
            if servers.killed >= args.kills:
                break
            continue
        stream.push(sound(frame, _FRAME), 0.9)
        while time.monotonic() - begun < at_s / args.speed:
            events += engine.advance()
            time.sleep(0.001)
        events += engine.advance()
        if servers.killed < args.kills and time.monotonic() - begun > next_kill_s:
            _kill_one(servers, engine)
            next_kill_s = time.monotonic() - begun + args.gap_s * chance.uniform(0.7, 1.3)
    engine.close()
    return [event for event in events if isinstance(event, Word)], round(at_s * 1000)


def _kill_one(servers: Servers, engine: remote.RemoteEngine) -> None:
    """The one that hears us, if it does, so that every kill hits."""
    used = [each.address.url for each in engine.servers.all if each.streams and each.proven]
    for index, url in enumerate(servers.urls):
        if any(each.startswith(url) for each in used) and servers.up(index):
            servers.kill(index)
            return


def _sound(
    engine: remote.RemoteEngine, length_s: float
) -> Iterator[tuple[remote.RemoteStream, int | None, float]]:
    """Stream, number of the frame's first sample (None: it ends), seconds since the beginning."""
    sample, utterance = 0, 0
    while sample / 16_000 < length_s:
        stream = engine.open(StreamOptions("me", utterance, (480,), sample // 16))
        for _ in range(int(_UTTERANCE_S * 16_000) // _FRAME):
            yield stream, sample, sample / 16_000
            sample += _FRAME
        yield stream, None, sample / 16_000
        until = (utterance + 1) * (_UTTERANCE_S + _PAUSE_S)
        sample = round(until * 16_000) // _FRAME * _FRAME
        utterance += 1


def engine_for(urls: Sequence[str]) -> remote.RemoteEngine:
    """The remote engine, connected to these servers; a key is in the environment, if any."""
    agreed = [read(url).host for url in urls]
    asked = {"urls": list(urls), "agreed": agreed, "key_file": "no-keys.json"}
    options = LoadOptions(None, None, Path(), extra={"server": asked})
    return remote.load(options, lambda fraction, text: None)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=20, metavar="N")
    parser.add_argument("--servers", type=int, default=1, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", type=float, default=4.0, help="so much faster than life")
    parser.add_argument("--gap-s", type=float, default=3.0, help="from one kill to the next")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

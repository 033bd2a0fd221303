"""Many listeners, two servers behind HAProxy, and what it costs them when a server is killed.

    python -m app.measure.team_kills
    python -m app.measure.team_kills --python VENV/bin/python --checkpoint FOLDER --pace 0.25

With `--python` the servers are genuine (vLLM for processors, see `genuine`), else stand-ins. Each
client is a remote engine of its own, and speaks bursts of noise at which either kind of server
says one sentence of nine words, so that what must come out is known to the word. While all of them
speak, one server is killed with SIGKILL and started again; when it is back and everybody has been
heard for a while, the other one is. `--pace` slows the sound down where the processor cannot carry
so many streams: the proof is about words, not about speed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from app.measure.balancer import Balancer
from app.measure.genuine import Genuine
from app.measure.server_kills import Servers, differences, engine_for
from app.measure.stand_in_model import SENTENCE
from model_backends.base import SAMPLE_RATE, Event, Notice, Pcm, StreamOptions, Word
from model_backends.remote.engine import RemoteEngine, RemoteStream
from model_backends.remote.keys import VARIABLE

_FRAME = 512
_LOUD = int(0.64 * SAMPLE_RATE)  # shorter than the sentence takes, which so comes once
_CYCLE = int(3.2 * SAMPLE_RATE)  # from one burst to the next
_LENGTH = 4096  # of the genuine servers' model: 327 s at one stretch
_KEY = "team-kills"
_SENTENCES = 2  # of everybody, before and after each kill
_PATIENCE_S = 900.0
_WORDS = SENTENCE.split()


class Pair(Protocol):
    """Two servers. `kill` starts another in the place of the one that it kills."""

    @property
    def ports(self) -> Sequence[int]: ...

    def kill(self, index: int) -> None: ...


@dataclass(slots=True)
class Genuines:
    """A pair of genuine servers."""

    servers: list[Genuine]

    @property
    def ports(self) -> Sequence[int]:
        return [server.port for server in self.servers]

    def kill(self, index: int) -> None:
        self.servers[index].kill()
        self.servers[index].start()


@dataclass(slots=True)
class Talker:
    """One client: what it has said, and what it was told."""

    engine: RemoteEngine
    offset: int  # samples; so that not all speak at the same moment
    noise: Pcm
    sample: int = 0
    words: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    last_s: float = 0.0  # when its last word came
    stream: RemoteStream = field(init=False)

    def __post_init__(self) -> None:
        self.stream = self.engine.open(StreamOptions("me", 0, (480,), 0))

    @property
    def bursts(self) -> int:
        """How many have been said whole."""
        return max(0, (self.sample - self.offset - _LOUD) // _CYCLE + 1)

    @property
    def in_sentence(self) -> bool:
        """Some of a sentence has come, and not all."""
        return len(self.words) % len(_WORDS) != 0

    def speak(self, until: int) -> None:
        """Up to this sample."""
        while self.sample + _FRAME <= until:
            self.stream.push(self._sound(), 0.9)
            self.sample += _FRAME

    def end_cycle(self) -> None:
        """Up to the end of the pause after the burst."""
        self.speak(self.offset + (self.bursts + 1) * _CYCLE)
        self.stream.finish()

    def hear(self) -> None:
        for event in self.engine.advance():
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Word):
            self.words.append(event.text.strip())
            self.last_s = time.monotonic()
        elif isinstance(event, Notice) and event.message:
            self.notices.append(str(event.message))

    def _sound(self) -> Pcm:
        at = np.arange(self.sample, self.sample + _FRAME) - self.offset
        loud = (at >= 0) & (at % _CYCLE < _LOUD)
        return np.where(loud, self.noise[at % _CYCLE], np.float32(0.0)).astype(np.float32)


@dataclass(slots=True)
class Kill:
    """One, and what followed."""

    server: int
    streams: list[int]  # of each server, just before
    in_sentence: int  # clients
    back_s: list[float] = field(default_factory=list)  # until each client's next word


class Talk:
    """All clients, at the pace of their sound."""

    def __init__(self, url: str, clients: int, pace: float) -> None:
        noise = np.random.default_rng(1).uniform(-0.5, 0.5, _CYCLE).astype(np.float32)
        spread = _CYCLE // clients
        self.talkers = [
            Talker(engine_for([url]), number * spread, noise) for number in range(clients)
        ]
        self._pace = pace
        self._begun = time.monotonic()

    def until(self, condition: Callable[[], bool]) -> None:
        """Speak and listen until then. Raises TimeoutError after a quarter of an hour."""
        end = time.monotonic() + _PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"nothing comes: {[len(t.words) for t in self.talkers]} words")
            self._turn()

    def heard_more(self) -> Callable[[], bool]:
        """Whether everybody has been told some sentences more than now."""
        more = _SENTENCES * len(_WORDS)
        wanted = [len(talker.words) + more for talker in self.talkers]
        return lambda: all(
            len(talker.words) >= least for talker, least in zip(self.talkers, wanted, strict=True)
        )

    def finish(self) -> None:
        """The last sentence of each, to its last word."""
        for talker in self.talkers:
            talker.end_cycle()
        self._pace = 0.0
        self.until(lambda: all(talker.stream.done for talker in self.talkers))

    def close(self) -> None:
        for talker in self.talkers:
            talker.engine.close()

    def _turn(self) -> None:
        due = int((time.monotonic() - self._begun) * self._pace * SAMPLE_RATE)
        for talker in self.talkers:
            talker.speak(due)
            talker.hear()
        time.sleep(0.002)


def kill(talk: Talk, pair: Pair, balancer: Balancer, index: int) -> Kill:
    """One server, in the middle of somebody's sentence; until everybody has been heard again."""
    talk.until(lambda: any(talker.in_sentence for talker in talk.talkers))
    found = Kill(index, balancer.streams, sum(t.in_sentence for t in talk.talkers))
    killed_s = time.monotonic()
    counts = [len(talker.words) for talker in talk.talkers]
    more = talk.heard_more()
    pair.kill(index)
    back: dict[int, float] = {}

    def note() -> bool:
        for number, talker in enumerate(talk.talkers):
            if len(talker.words) > counts[number]:
                back.setdefault(number, talker.last_s - killed_s)
        return more()

    talk.until(note)
    found.back_s = list(back.values())
    return found


def run(pair: Pair, balancer: Balancer, talk: Talk) -> list[Kill]:
    """One server killed, then, when it is back, the other."""
    talk.until(talk.heard_more())
    kills = [kill(talk, pair, balancer, 0)]
    _say(f"server 0 killed: {_told(kills[-1])}")
    talk.until(lambda: all(balancer.up))
    _say(f"server 0 is back; streams {balancer.streams}")
    talk.until(talk.heard_more())
    kills.append(kill(talk, pair, balancer, 1))
    _say(f"server 1 killed: {_told(kills[-1])}")
    talk.finish()
    return kills


def main() -> int:
    """Run; exit status 1 if a word was lost or doubled."""
    args = _arguments()
    os.environ[VARIABLE] = _KEY
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    with _pair(args) as pair, Balancer(pair.ports, args.clients) as balancer:
        talk = Talk(balancer.url, args.clients, args.pace)
        try:
            run(pair, balancer, talk)
        finally:
            talk.close()
    lost = doubled = said = 0
    for talker in talk.talkers:
        wanted = _WORDS * talker.bursts
        missing, wrong = differences(wanted, talker.words)
        said, lost, doubled = said + len(wanted), lost + len(missing), doubled + len(wrong)
    print(f"clients {args.clients}  kills 2  words {said}  lost {lost}  doubled or wrong {doubled}")
    print("told:", *sorted({notice for t in talk.talkers for notice in t.notices}), sep="\n  ")
    return int(bool(lost or doubled))


@contextmanager
def _pair(args: argparse.Namespace) -> Iterator[Pair]:
    if args.python is None:
        with Servers(None, 2) as stand_ins:
            yield stand_ins
        return
    found = Genuines([_genuine(args), _genuine(args)])
    try:
        for server in found.servers:
            server.wait()
        yield found
    finally:
        for server in found.servers:
            server.close()


def _genuine(args: argparse.Namespace) -> Genuine:
    log = args.log.open("ab") if args.log else None
    return Genuine(
        args.python,
        args.checkpoint,
        length=_LENGTH,
        streams=args.clients,
        key=_KEY,
        threads=1,
        log=log,
    )


def _told(found: Kill) -> str:
    return (
        f"streams {found.streams}, {found.in_sentence} in mid-sentence, "
        f"next word after {min(found.back_s):.1f} to {max(found.back_s):.1f} s"
    )


def _say(line: str) -> None:
    print(line, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--python", help="an interpreter with vLLM; without: stand-ins")
    parser.add_argument("--checkpoint", type=Path, help="the tiny checkpoint")
    parser.add_argument("--log", type=Path, help="where genuine servers print")
    parser.add_argument("--clients", type=int, default=8, metavar="N")
    parser.add_argument("--pace", type=float, default=1.0, help="of the sound; 1: as in life")
    args = parser.parse_args()
    if args.python and args.checkpoint is None:
        parser.error("--python needs --checkpoint")
    return args


if __name__ == "__main__":
    sys.exit(main())

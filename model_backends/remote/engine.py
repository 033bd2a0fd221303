"""The engine that is elsewhere: satisfies `base.Engine`; obeys what `voice` decides.

Each lane has a stream of its own at a server. Threads of the connections put what happens into a
queue; the worker's thread takes it out in `advance()`, which waits a few milliseconds where an
answer is due. Nothing is sent to a server that the user has not agreed to.
"""

from __future__ import annotations

import itertools
import queue
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from model_backends.base import (
    EngineError,
    EngineInfo,
    Event,
    LoadOptions,
    Pcm,
    Report,
    Sentence,
    StreamOptions,
)
from model_backends.remote import addresses, probe, wire
from model_backends.remote.addresses import MISTRAL, OPENAI, Address
from model_backends.remote.commands import Connect, Drop, Send
from model_backends.remote.connection import Connection, Happening, Opened, Received
from model_backends.remote.dialects.base import Dialect, Wishes
from model_backends.remote.dialects.mistral import Mistral
from model_backends.remote.dialects.openai import Openai
from model_backends.remote.dialects.vllm import Vllm
from model_backends.remote.info import INFO
from model_backends.remote.kept import BLOCK_MS
from model_backends.remote.keys import KeyStore
from model_backends.remote.servers import Lost, Server, Servers
from model_backends.remote.voice import Voice
from model_backends.remote.wire import Credentials

_WAIT_S = 0.005  # in one `advance()`, for an answer that is due
_STUCK_S = 5.0  # sound that the network does not take is too late to be captions
_ALONE_S, _AMONG_S = 8.0, 1.5  # to open a connection: with others at hand, not for long
_PATIENCE_S = 10.0  # for a first connection
_TRY_S = 0.05
_MOST_NEWS = 1000  # taken in at once: who floods us does not keep the worker from its work
_LEAST_STEPS = 25  # of a server's model, two seconds: less is too short to hear a word in
_DIALECTS: Mapping[str, Callable[[Wishes], Dialect]] = {MISTRAL: Mistral, OPENAI: Openai}

Dial: TypeAlias = Callable[[Server, Callable[[Happening], None]], Connection]


def load(options: LoadOptions, report: Report) -> RemoteEngine:
    """Find out what the servers serve, and connect to one. Raises EngineError."""
    asked: Mapping[str, Any] = options.extra.get("server", {})
    urls = tuple(asked.get("urls", ()))
    dialect = addresses.dialect_of(urls, asked.get("dialect")) if urls else ""
    info = INFO.dialects.get(dialect, INFO)
    model = options.model or info.default_model or None
    found = [addresses.read(url, dialect, model) for url in urls]
    _check_agreed(found, asked.get("agreed", ()))
    if dialect == OPENAI and options.model is None and not _hosted(found):
        model = None  # of a server of one's own
    keys = KeyStore(Path(str(asked.get("key_file", "keys.json"))))
    has = {
        each.host: wire.credentials(each, keys.find(each.host).key, asked.get("ca_file"))
        for each in found
    }
    servers = Servers(found, random.Random())
    report(0.2, "server")
    _ask_all(servers, has, model)
    hotwords = tuple(str(word) for word in options.extra.get("hotwords", ()))
    wishes = Wishes(model, info.default_delay_ms, options.language, hotwords)
    engine = RemoteEngine(info, servers, wishes, _dialer(servers, has))
    try:
        engine.connect(report, {host: bool(each.key) for host, each in has.items()})
    except BaseException:
        engine.close()
        raise
    return engine


def _hosted(found: Sequence[Address]) -> bool:
    return any(each.host == "api.openai.com" for each in found)


def _check_agreed(found: Sequence[Address], agreed: Sequence[str]) -> None:
    """The last door before the network: who asked the user is elsewhere."""
    if not found:
        raise EngineError(
            Sentence("No server has been named."),
            Sentence("Name it with --url wss://…, or in the preferences."),
        )
    missing = [each.host for each in found if each.host not in agreed]
    if missing:
        raise EngineError(
            Sentence(
                "You have not agreed that sound is sent to {hosts}.", hosts=", ".join(missing)
            ),
            Sentence("Agree in the preferences, under “Speech model”, or with --agree."),
        )


def _ask_all(servers: Servers, has: Mapping[str, Credentials], model: str | None) -> None:
    """Ask every server of one's own, at the same time, what it serves."""
    asking = [s for s in servers.all if s.address.dialect != MISTRAL]
    asking = [s for s in asking if not _hosted([s.address])]

    def ask(server: Server) -> None:
        _learn(server, probe.ask(server.address, has[server.address.host], model), model)

    threads = [threading.Thread(target=ask, args=(each,), daemon=True) for each in asking]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _learn(server: Server, found: probe.Found, model: str | None) -> None:
    server.model = model or (found.models[0] if found.models else None)
    server.capacity_steps = found.capacity_steps
    server.busy = found.busy or 0
    if found.lost is not None and found.lost.kind in ("refused", "distrusted"):
        server.lost = found.lost
    elif found.capacity_steps is not None and found.capacity_steps < _LEAST_STEPS:
        seconds = f"{found.capacity_steps * BLOCK_MS / 1000:.1f}"
        server.lost = Lost("fatal", Sentence("it hears {n} s at a time at most", n=seconds))
    elif model and found.models and model not in found.models:
        names = wire.clause(", ".join(found.models))
        told = Sentence("it does not serve “{model}”, but {names}", model=model, names=names)
        server.lost = Lost("fatal", told)


def _dialer(servers: Servers, has: Mapping[str, Credentials]) -> Dial:
    timeout_s = _ALONE_S if len(servers.all) == 1 else _AMONG_S

    def dial(server: Server, tell: Callable[[Happening], None]) -> Connection:
        return Connection(server.address, has[server.address.host], tell, timeout_s)

    return dial


def _dialect(server: Server, wishes: Wishes) -> Dialect:
    make = _DIALECTS.get(server.address.dialect, Vllm)
    if wishes.model is None:
        wishes = Wishes(server.model, wishes.delay_ms, wishes.language, wishes.hotwords)
    return make(wishes)


class RemoteEngine:
    """Satisfies `base.Engine`."""

    def __init__(
        self,
        info: EngineInfo,
        servers: Servers,
        wishes: Wishes,
        dial: Dial,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.info = info
        self.model = wishes.model or ""
        self.device = servers.all[0].address.host
        self.servers = servers
        self._wishes = wishes
        self._dial = dial
        self._clock = clock
        self._numbers = itertools.count()
        self._voices: list[Voice] = []
        self.links: dict[int, tuple[Voice, Connection]] = {}
        self._news: queue.SimpleQueue[tuple[int, Happening]] = queue.SimpleQueue()
        self._events: list[Event] = []

    def connect(self, report: Report, keys: Mapping[str, bool]) -> None:
        """Have a connection before the first word. `keys`: which servers a key is known of.

        Waits for as long as a server is full; raises EngineError if none can be had.
        """
        voice = self._voice("")
        voice.prepare()
        deadline, told = self._clock() + _PATIENCE_S, ""
        while not voice.ready:
            self._turn(_TRY_S)
            lost = next((s.lost for s in self.servers.all if s.lost is not None), None)
            full = any(s.lost is not None and s.lost.kind == "full" for s in self.servers.all)
            if full:
                deadline = self._clock() + _PATIENCE_S
            elif self.servers.hopeless or self._clock() > deadline:
                self._raise(lost or Lost("slow"), keys)
            if lost is not None and (text := lost.kind) != told:
                told = text
                report(0.5, "server")
        server = voice.server
        assert server is not None
        self.model, self.device = server.model or self.model, server.address.host
        report(1.0, "server")

    def open(self, options: StreamOptions) -> RemoteStream:
        """See `base.Engine.open`."""
        self.info.check_language(options.language)
        if len(options.delays_ms) != 1:
            raise EngineError(
                Sentence("{label} serves one delay at a time.", label=self.info.label)
            )
        self.info.check_delay(options.delays_ms[0])
        voice = self._voice(options.lane)
        voice.open(options)
        return RemoteStream(voice, self.info)

    def advance(self) -> list[Event]:
        """See `base.Engine.advance`."""
        self._turn(_WAIT_S if any(voice.waiting for voice in self._voices) else 0.0)
        if self.servers.hopeless and any(voice.busy for voice in self._voices):
            self._raise(self.servers.all[0].lost or Lost("slow"), {})
        events, self._events = self._events, []
        return events

    @property
    def idle(self) -> bool:
        return self._news.empty() and not any(voice.waiting for voice in self._voices)

    def close(self) -> None:
        """See `base.Engine.close`."""
        for voice in self._voices:
            voice.hang_up()
        self._obey_all()

    # --- inside ----------------------------------------------------------------------------

    def _voice(self, lane: str) -> Voice:
        """A lane's own stream: the one it had, else one that nobody has yet, else another."""
        free = [voice for voice in self._voices if not voice.busy and voice.lane in ("", lane)]
        if free:
            return max(free, key=lambda voice: voice.lane == lane)
        self._voices.append(Voice(self.servers, _dialect, self._wishes, self._numbers))
        return self._voices[-1]

    def _turn(self, wait_s: float) -> None:
        """Send what has come, take in what has happened, waiting a little if it is nothing."""
        self._tick()
        self._take_news(wait_s)
        self._tick()

    def _tick(self) -> None:
        now = self._clock()
        for number, (_, connection) in list(self.links.items()):
            if connection.stuck_s(now) > _STUCK_S:
                connection.drop()
                self._happened(number, Lost("slow"), now)
        for voice in self._voices:
            voice.tick(now)
        self._obey_all()

    def _take_news(self, wait_s: float) -> None:
        for _ in range(_MOST_NEWS):
            try:
                news = self._news.get(timeout=wait_s) if wait_s else self._news.get_nowait()
            except queue.Empty:
                return
            self._happened(*news, self._clock())
            wait_s = 0.0

    def _happened(self, number: int, happening: Happening, now: float) -> None:
        if number not in self.links:
            return
        voice, _ = self.links[number]
        if isinstance(happening, Opened):
            voice.opened(number, now)
        elif isinstance(happening, Received):
            voice.received(number, happening.frame, now)
        else:
            del self.links[number]
            voice.lost(number, happening, now)

    def _obey_all(self) -> None:
        for voice in self._voices:
            commands, events = voice.take()
            self._events += events
            for command in commands:
                self._obey(voice, command)

    def _obey(self, voice: Voice, command: Connect | Send | Drop) -> None:
        if isinstance(command, Connect):
            number = command.link
            connection = self._dial(
                command.server, lambda happening: self._news.put((number, happening))
            )
            self.links[number] = voice, connection
        elif command.link in self.links:
            _, connection = self.links[command.link]
            if isinstance(command, Send):
                connection.send(command.frames)
            else:
                del self.links[command.link]
                connection.drop()

    def _raise(self, lost: Lost, keys: Mapping[str, bool]) -> None:
        server = next((s for s in self.servers.all if s.lost is lost), self.servers.all[0])
        raise wire.why_not(server.address, lost, keys.get(server.address.host, True))


class RemoteStream:
    """Satisfies `base.Stream`: one utterance of a voice."""

    def __init__(self, voice: Voice, info: EngineInfo) -> None:
        self._voice = voice
        self._info = info
        self._open = True
        self._number = voice.opened_count

    def push(self, pcm: Pcm, speech: float) -> None:
        """See `base.Stream.push`."""
        if not self.done:
            self._voice.push(pcm, speech)

    def set_delay(self, track: int, ms: int) -> None:
        """See `base.Stream.set_delay`: a server is told with the next utterance."""
        self._info.check_delay(ms)

    def finish(self) -> None:
        """See `base.Stream.finish`."""
        if not self.done:
            self._voice.finish()

    def close(self) -> None:
        """See `base.Stream.close`."""
        if not self.done:
            self._voice.close()
        self._open = False

    @property
    def done(self) -> bool:
        """Every word is out. The voice may hear another utterance by then."""
        return not (self._open and self._voice.hears(self._number))

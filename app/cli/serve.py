"""`voxline serve`: this computer's engine for other programs, at a local address, with a key."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from app.cli.streams import tell
from app.cli.usage import chosen_engine
from app.cli.usage_error import UsageError
from app.share.endpoint import PATH, Endpoint
from app.share.hub import Hub
from app.share.key import kept_key, key_file
from app.share.realtime.speaker import Serving
from app.worker import packs
from model_backends.base import EngineInfo, Sentence, UserError

DRAIN_S = 15.0
_PER_CORE = 1  # streams of the embedded engine; `python -m app.measure.serve` measures them
_VOICES = 2  # what the other engines keep memory for


def run(args: argparse.Namespace) -> int:
    """Serve until the user stops it, or there is no engine any more."""
    choice = chosen_engine(args)
    _check_host(args.host)
    broken = packs.trouble(choice.options.engine)
    if broken is not None:
        raise UsageError(broken.reason, broken.hint)
    start = choice.start(choice.delays_ms[0], realtime=True)
    hub = Hub(start, args.streams or _most(choice.info))
    name = f"{choice.info.name}/{args.model or choice.info.default_model}"
    serving = Serving(choice.info, name, args.model, choice.options.language)
    endpoint = Endpoint(hub, serving, kept_key(), args.host, args.port)
    hub.tell = tell
    with _stop_on_signals() as stopped:
        hub.start()
        return _serve(hub, endpoint, args, stopped)


def _serve(hub: Hub, endpoint: Endpoint, args: argparse.Namespace, stopped: threading.Event) -> int:
    try:
        while not (hub.ready.is_set() or hub.over.is_set() or stopped.is_set()):
            stopped.wait(0.1)
        if hub.ready.is_set():
            endpoint.start()
            _announce(endpoint, hub, args)
        while not (hub.over.is_set() or stopped.is_set()):
            stopped.wait(0.2)
        return _end(hub, endpoint)
    finally:
        hub.close()


def _end(hub: Hub, endpoint: Endpoint) -> int:
    """Let those who speak finish; or tell them why they cannot."""
    if hub.failure is not None:
        error = UserError(hub.failure.message, hub.failure.hint)
        endpoint.lose_engine(error)
        raise error
    if not endpoint.drain(DRAIN_S):
        tell(Sentence("Some did not come to an end within {seconds:.0f} s.", seconds=DRAIN_S))
    return 0


def _announce(endpoint: Endpoint, hub: Hub, args: argparse.Namespace) -> None:
    address = f"[{args.host}]" if ":" in args.host else args.host
    url = f"ws://{address}:{endpoint.port}{PATH}"
    if args.json:
        _print({"url": url, "key": kept_key()})
        _print({"event": "ready", "model": hub.model, "streams": hub.most})
        return
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()
    tell(
        Sentence(
            "Programs speak to it there, {most} at once, with the key in {path}. Ctrl-C stops.",
            most=hub.most,
            path=key_file(),
        )
    )
    tell(Sentence("Open, speak, read: {page}", page=_page(address, endpoint.port)))
    if not ipaddress.ip_address(args.host).is_loopback:
        tell(
            Sentence(
                "Other computers reach it, too, and what they send is not encrypted: only in a "
                "network that you trust."
            )
        )


def _page(address: str, port: int) -> str:
    """A page for this computer's browser; the key stands where no server is told of it."""
    return f"http://{address}:{port}/speak#key={kept_key()}"


def _print(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _check_host(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise UsageError(
            Sentence("“{host}” is no address.", host=host),
            Sentence("Name one of this computer's, such as 127.0.0.1."),
        ) from None


def _most(info: EngineInfo) -> int:
    """Streams at once: never fewer than two."""
    if info.name != "embedded":
        return _VOICES
    return max(2, _PER_CORE * (os.cpu_count() or 1))


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """The first Ctrl-C (or SIGTERM) lets those who speak finish, the second exits at once."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if stopped.is_set():
            os._exit(128 + number)
        stopped.set()

    numbers = [n for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
    before = {n: signal.signal(getattr(signal, n), stop) for n in numbers}
    try:
        yield stopped
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)

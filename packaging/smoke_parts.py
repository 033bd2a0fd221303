"""What a frozen app needs more than its engine for: library, keys, server, pages, QR code.

Each has parts that nothing but a whole run loads: SQLite's extension, the keyring's backends, the
WebSocket library's modules, the pages' files. Called by `smoke.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smoke_user import SmokeError, User, check_live_words, same, without_network
from tell import say

_SERVER, _KEY = "wss://captions.example.org", "a-key-of-nobody"
_CORNER = "█ ▄▄▄▄▄ █"  # of a QR code
_PATIENCE_S = 60
_HANGS_S = 900  # a busy computer may let the app wait for long


def check_library(user: User) -> None:
    """The session that was listened to before is kept, found, printed and deleted."""
    found = json.loads(user.run("sessions", "search", "fellow", "--json"))
    same(len(found), 1, "the number of sessions with “fellow”")
    number = str(found[0]["number"])
    check_live_words(user.run("sessions", "show", number))
    user.run("sessions", "delete", number)
    same(json.loads(user.run("sessions", "list", "--json")), [], "what is left in the library")


def check_keys(user: User) -> None:
    """A key is kept, wherever this computer keeps such, and deleted."""
    user.run("key", "set", _SERVER, typed=f"{_KEY}\n")
    told = user.run("key", "status", _SERVER)
    if told.startswith("No key"):
        raise SmokeError(f"a key was stored, and then: {told}")
    say(f"key: {told}")
    user.run("key", "delete", _SERVER)
    same(user.run("key", "status", _SERVER)[:6], "No key", "what is told of a deleted key")


def check_server(user: User, talk: Path) -> None:
    """`voxline serve` captions for another program, here the app itself, and has its page."""
    with _ended(user.start("serve", "--json", "--port", "0")) as server:
        served = json.loads(_first_line(server))
        page = served["url"].replace("ws://", "http://").rpartition("/v1/")[0]
        for name in ("/speak", "/speak.js", "/recorder.js"):
            _fetch(page + name)
        words = user.run(
            *("transcribe", str(talk), "--output", "-", "--engine", "remote"),
            *("--dialect", "openai", "--url", served["url"], "--agree"),
            network=True,
            VOXLINE_REMOTE_KEY=served["key"],
        )
    check_live_words(words)


def check_page(user: User, talk: Path) -> None:
    """The captions page, and all that it is made of."""
    listen = ("listen", "--source", str(talk), "--no-record", "--page", "--page-port", "0")
    with _ended(user.start(*listen, stderr=subprocess.STDOUT)) as listening:
        address = _told(listening, "Captions page: ").partition("#")[0]
        for name in ("", "page.css", "page.js", "icon.svg"):
            _fetch(address + name)


def check_qr_code(user: User, talk: Path) -> None:
    """Drawn where a terminal reads along. Only where a network can be taken away: the page that it
    leads to would be open to the network."""
    if sys.platform == "win32" or not without_network():
        return
    terminal, theirs = os.openpty()
    listen = ("listen", "--source", str(talk), "--no-record", "--page-network", "--page-port", "0")
    with _ended(user.start(*listen, stderr=theirs, network=False)):
        os.close(theirs)
        drawn = _until(terminal, _CORNER)
        os.close(terminal)
    if _CORNER not in drawn:
        raise SmokeError(f"no QR code was drawn: {drawn[-500:]}")


def _fetch(address: str) -> None:
    """Raises SmokeError unless there is something at an address of this computer."""
    try:
        with urllib.request.urlopen(address, timeout=_HANGS_S) as answer:
            if not answer.read():
                raise SmokeError(f"{address} is empty")
    except OSError as error:
        raise SmokeError(f"{address}: {error}") from error


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """The app for as long as the block lasts."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline() or _gone(process)


def _told(process: subprocess.Popen[str], start: str) -> str:
    """The rest of the line that begins so."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line.removeprefix(start).strip()
    return _gone(process)


def _gone(process: subprocess.Popen[str]) -> str:
    raise SmokeError(f"{process.args!r} ended with {process.wait(_PATIENCE_S)} and said nothing")


def _until(terminal: int, wanted: str) -> str:
    """What is written to a terminal, until this is there or nobody writes any more."""
    text = b""
    while wanted.encode() not in text:
        try:
            more = os.read(terminal, 65_536)
        except OSError:  # Linux: everybody has closed it
            break
        if not more:
            break
        text += more
    return text.decode("utf-8", "replace")

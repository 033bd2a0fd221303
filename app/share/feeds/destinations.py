"""Where a feed leads: the host as people and consent name it, and what the user agrees to. Pure.

Nothing that was said goes to another computer before the user agreed, in words that name it. A
secret never stands in what is told of an address.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from model_backends.base import Sentence
from model_backends.remote.addresses import is_this_computer

_OPEN = Sentence("Nothing is encrypted on the way: whoever is in between can read it, too.")
_TLS = Sentence("On the way it is encrypted.")
_SECURE = ("wss", "https")


@dataclass(frozen=True, slots=True)
class Destination:
    """Another program. `host`: "192.168.1.20:4455", "wmcc.zoom.us"."""

    host: str
    here: bool  # on this computer: nothing goes over a wire
    secure: bool  # by TLS


def destination(url: str, schemes: Collection[str]) -> Destination | None:
    """Where this address leads; None for one that is none, or that holds a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    name = parts.hostname or ""
    if parts.scheme not in schemes or not name or "@" in parts.netloc or port == 0:
        return None
    if not url.isprintable() or any(char.isspace() for char in url):
        return None
    shown, secure = f"[{name}]" if ":" in name else name, parts.scheme in _SECURE
    if port is None and not secure:
        port = 80  # said, so that who agreed to the same host by TLS is asked again
    host = shown if port is None else f"{shown}:{port}"
    return Destination(host, is_this_computer(name), secure)


def consent(to: Destination, readers: Sentence | None = None) -> Sentence:
    """What happens if the user agrees. `readers`: who reads it there, besides whoever runs it."""
    return Sentence(
        "What the captions show, what you say and what this computer plays, is sent to {host} as "
        "text while somebody speaks and this is switched on. {way} Whoever runs {host} can read "
        "and keep it.{readers}",
        host=to.host,
        way=_TLS if to.secure else _OPEN,
        readers=f" {readers}" if readers else "",
    )


def without_secrets(url: str) -> str:
    """An address as it may be told: without what stands before its host."""
    before, at, after = url.rpartition("@")
    return f"{before.partition('://')[0]}://{after}" if at and "://" in before else after

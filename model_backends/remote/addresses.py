"""Where a server is: its address as it is connected to, and as people and consent name it.

A key never stands in an address, where logs and other users of the computer would see it. Pure;
knows nothing about sockets.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from model_backends.base import EngineError, Sentence

VLLM, MISTRAL, OPENAI = "vllm", "mistral", "openai"
DIALECTS = (VLLM, MISTRAL, OPENAI)
_SECURE = {"ws": False, "wss": True, "http": False, "https": True}
_PORTS = {True: 443, False: 80}
_PATHS = {
    VLLM: "/v1/realtime",
    MISTRAL: "/v1/audio/transcriptions/realtime",
    OPENAI: "/v1/realtime",
}
_HOSTS = {"api.mistral.ai": MISTRAL, "api.openai.com": OPENAI}
_SECRETS = ("key", "token", "secret", "password", "authorization")
_EXAMPLE = Sentence("It looks like wss://captions.example.org or ws://127.0.0.1:8000.")


@dataclass(frozen=True, slots=True)
class Address:
    """One server. `host` is what the user agrees to, and what its key is kept under."""

    url: str  # ws:// or wss://, whole
    dialect: str  # one of DIALECTS
    host: str  # "captions.example.org", "10.0.0.7:8000", "[::1]:8000", "captions.example.org:80"
    secure: bool  # by TLS

    @property
    def loopback(self) -> bool:
        """Whether it is this computer: nothing goes over a wire."""
        return is_this_computer(urlsplit(self.url).hostname or "")

    def beside(self, path: str) -> str:
        """An http(s) address of the same server: beside `/realtime`, or below its root for a
        path that begins with “/”."""
        parts = urlsplit(self.url)
        if not path.startswith("/"):
            path = parts.path.rpartition("/realtime")[0].rstrip("/") + "/" + path
        return urlunsplit(("https" if self.secure else "http", parts.netloc, path, "", ""))


def read(url: str, dialect: str | None = None, model: str | None = None) -> Address:
    """The address of a server, completed with its dialect's path. Raises EngineError."""
    parts = _parts(url.strip())
    told = dialect or _told_by(parts)
    if told not in DIALECTS:
        raise EngineError(
            Sentence("There is no dialect “{name}”.", name=told),
            Sentence("Choose one of: {names}.", names=", ".join(DIALECTS)),
        )
    secure = _SECURE[parts.scheme]
    path = parts.path if parts.path.strip("/") else _PATHS[told]
    if path.rstrip("/").endswith("/v1"):  # as a base URL is written, whatever it lies below
        path = path.rstrip("/").removesuffix("/v1") + _PATHS[told]
    whole = ("wss" if secure else "ws", parts.netloc, path, _query(parts, told, model), "")
    return Address(urlunsplit(whole), told, _host(parts, secure), secure)


def is_this_computer(name: str) -> bool:
    """Whether a host's name or address is that of this computer itself."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def hosts(urls: tuple[str, ...]) -> tuple[str, ...]:
    """The servers that these addresses are of, each once. Raises EngineError."""
    return tuple(dict.fromkeys(read(url).host for url in urls))


def dialect_of(urls: tuple[str, ...], dialect: str | None) -> str:
    """The dialect that is spoken with these servers: the one named, or told by the first
    address. Raises EngineError."""
    return read(urls[0], dialect).dialect


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        good = parts.scheme in _SECURE and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or any(char.isspace() or not char.isprintable() for char in url):
        shown = _without_secrets(url)
        raise EngineError(Sentence("“{url}” is not the address of a server.", url=shown), _EXAMPLE)
    named = [name.lower() for part in (parts.query, parts.fragment)
             for name, _ in parse_qsl(part, keep_blank_values=True)]  # fmt: skip
    if "@" in parts.netloc or any(secret in name for name in named for secret in _SECRETS):
        raise EngineError(
            Sentence("The address of {host} holds a key.", host=parts.hostname),
            Sentence(
                "Others could read it there. Leave it out, and store it with `voxline key set URL`."
            ),
        )
    return parts


def _without_secrets(url: str) -> str:
    """What was meant as an address, as it may be told: a key may stand before its host or after
    its path."""
    return re.split(r"[?#]", url.rpartition("@")[2], maxsplit=1)[0]


def _told_by(parts: SplitResult) -> str:
    if (parts.hostname or "") in _HOSTS:
        return _HOSTS[parts.hostname or ""]
    if "intent=transcription" in parts.query:
        return OPENAI
    return MISTRAL if parts.path.startswith(_PATHS[MISTRAL]) else VLLM


def _query(parts: SplitResult, dialect: str, model: str | None) -> str:
    values = parse_qsl(parts.query, keep_blank_values=True)
    names = [name for name, _ in values]
    if dialect == OPENAI and "intent" not in names:
        values.append(("intent", "transcription"))
    if dialect == MISTRAL and "model" not in names and model:
        values.append(("model", model))
    return urlencode(values, quote_via=quote)


def _host(parts: SplitResult, secure: bool) -> str:
    """Only TLS's port goes without saying: who agreed to a server that is spoken to in secret has
    not agreed to the same without, nor is the key for one the key for the other."""
    name = parts.hostname or ""
    name = f"[{name}]" if ":" in name else name
    port = parts.port or _PORTS[secure]
    return name if secure and port == _PORTS[secure] else f"{name}:{port}"

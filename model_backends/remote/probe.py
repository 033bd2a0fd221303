"""Asks a server what it serves, how long a session may be and how busy it is: two GETs, no sound.

Follows no redirect: the user agreed to this server, and the key is for it alone.
"""

from __future__ import annotations

import re
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from model_backends.remote.addresses import Address
from model_backends.remote.dialects.base import read_json
from model_backends.remote.servers import Lost
from model_backends.remote.wire import Credentials, answered, unreachable

_TIMEOUT_S = 3.0  # without a byte
PATIENCE_S = 7.0  # in all
_MOST_BYTES = 1 << 20
_BUSY = re.compile(r"^vllm:(websocket_connections_active|num_requests_running)\S* (\S+)", re.M)


@dataclass(frozen=True, slots=True)
class Found:
    """What a server told. None: it does not say."""

    models: tuple[str, ...] = ()
    capacity_steps: int | None = None
    busy: int | None = None
    lost: Lost | None = None  # why it told nothing


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None  # urllib then raises HTTPError


def ask(address: Address, has: Credentials, model: str | None) -> Found:
    """Never raises, and never takes longer than a user waits, however slowly a server drips its
    answer or a name is looked up: what was not told by then is left out."""
    found: list[Found] = []
    thread = threading.Thread(
        target=lambda: found.append(_ask(address, has, model)), daemon=True, name="asking"
    )
    thread.start()
    thread.join(PATIENCE_S)
    return found[0] if found else Found(lost=Lost("slow"))


def _ask(address: Address, has: Credentials, model: str | None) -> Found:
    try:
        listed = read_json(_get(address.beside("models"), address, has))
        rows = [row for row in listed["data"] if isinstance(row, dict) and row.get("id")]
    except urllib.error.HTTPError as error:
        with error:
            return Found(lost=answered(error.code, dict(error.headers)))
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None)
        return Found(lost=unreachable(reason if isinstance(reason, Exception) else error))
    except (ValueError, LookupError, TypeError):
        return Found()
    names = tuple(str(row["id"]) for row in rows)
    ours = next((row for row in rows if row["id"] == model), rows[0] if rows else {})
    return Found(names, _capacity(ours.get("max_model_len")), _busy(address, has))


def _capacity(length: Any) -> int | None:
    """80 ms steps of sound that fit: what is left of the model's length after the padding."""
    return length - 32 if type(length) is int and length > 32 else None


def _busy(address: Address, has: Credentials) -> int | None:
    try:
        text = _get(address.beside("/metrics"), address, has)
        counts = [round(float(value)) for _, value in _BUSY.findall(text)]
    except urllib.error.HTTPError as error:
        error.close()
        return None
    except (OSError, HTTPException, ValueError, OverflowError):
        return None
    return max(counts, default=None)


def _get(url: str, address: Address, has: Credentials) -> str:
    handlers: list[Any] = [_NoRedirect]
    if has.trust is not None:
        handlers.append(urllib.request.HTTPSHandler(context=has.trust))
    if address.loopback:
        handlers.append(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers=has.headers)
    with urllib.request.build_opener(*handlers).open(request, timeout=_TIMEOUT_S) as answer:
        return str(answer.read(_MOST_BYTES).decode("utf-8", "replace"))

"""What both ways to a server share: trust, the key, and what its HTTP answers mean."""

from __future__ import annotations

import math
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from model_backends.base import EngineError, Sentence
from model_backends.remote.addresses import Address
from model_backends.remote.servers import Lost

_FULL = (429, 503)
_REFUSED = (401, 403)
_LONGEST = 300  # characters of a server's own words: the user reads them


@dataclass(frozen=True)
class Credentials:
    """Of one server. The key is kept out of whatever prints this."""

    key: str | None
    trust: ssl.SSLContext | None  # None: nothing is encrypted

    def __repr__(self) -> str:
        return f"Credentials(key={'***' if self.key else None})"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


def trust(ca_file: str | None) -> ssl.SSLContext:
    """Certificates are verified against the system's authorities, and the user's own.

    Raises EngineError for a file that holds none.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError, ValueError) as error:
            reason = getattr(error, "strerror", None) or Sentence("it holds no certificate")
            raise EngineError(
                Sentence("The certificates in {path} cannot be used: {reason}.", path=ca_file,
                         reason=reason),
                Sentence("Name a PEM file with the certificate of the authority."),
            ) from error  # fmt: skip
    return context


def credentials(address: Address, key: str | None, ca_file: str | None) -> Credentials:
    """What a connection to this server needs. Raises EngineError for a bad `ca_file`."""
    return Credentials(key, trust(ca_file) if address.secure else None)


def answered(status: int, headers: Mapping[str, str]) -> Lost:
    """What an HTTP answer means that is not the one hoped for."""
    if status in _REFUSED:
        return Lost("refused")
    if status in _FULL:
        return Lost("full", retry_after_s=_seconds(headers.get("Retry-After", "")))
    if status >= 500:
        return Lost("closed", f"HTTP {status}")
    if 300 <= status < 400:
        return Lost(
            "nowhere", Sentence("it wants to send us elsewhere (HTTP {status})", status=status)
        )
    return Lost(
        "nowhere", Sentence("it has no realtime transcription there (HTTP {status})", status=status)
    )


def unreachable(error: Exception) -> Lost:
    """What it means that no connection came about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Lost("distrusted", error.verify_message or str(error))
    if isinstance(error, ssl.SSLError):
        return Lost(
            "nowhere", Sentence("it does not speak TLS ({why})", why=error.reason or str(error))
        )
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Lost("absent", str(reason))


def clause(message: str) -> str:
    """What stands within a sentence of ours; our own words have no full stop anyway."""
    if isinstance(message, Sentence):
        return message
    return message.rstrip(".") if len(message) <= _LONGEST else message[:_LONGEST] + "…"


def why_not(address: Address, lost: Lost, had_key: bool) -> EngineError:
    """The user's sentence for a server that will not do."""
    host, message = address.host, lost.message or Sentence("it does not answer")
    if lost.kind == "refused":
        template = "{host} refused the key." if had_key else "{host} wants a key."
        return EngineError(
            Sentence(template, host=host),
            Sentence("Store it with `voxline key set {host}`, or in the preferences.", host=host),
        )
    if lost.kind == "distrusted":
        return EngineError(
            Sentence("The certificate of {host} is not trusted: {reason}.", host=host,
                     reason=message),
            Sentence("Nothing was sent. If the server is yours, --ca-file names its authority."),
        )  # fmt: skip
    if lost.kind in ("fatal", "nowhere"):
        return EngineError(
            Sentence("{host} cannot caption: {reason}.", host=host, reason=clause(message)),
            Sentence("Check the address, --dialect and --model."),
        )
    if lost.kind == "full":
        return EngineError(Sentence("{host} is full.", host=host), Sentence("Try again later."))
    return EngineError(
        Sentence("{host} cannot be reached: {reason}.", host=host, reason=clause(message)),
        Sentence("Check the address, and whether the server runs."),
    )


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None

"""What the user agrees to before sound leaves the computer, in words that name the server. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from model_backends.base import Sentence
from model_backends.remote.addresses import VLLM, Address

_OPEN = Sentence("Nothing is encrypted on the way: whoever is in between can listen, too.")
_TLS = Sentence("On the way it is encrypted.")
_NAMES = Sentence(" So are your names and words.")
_HERE = Sentence("That is a program on this computer, which may pass it on.")


def asked(address: Address) -> Sentence:
    """What happens if the user agrees, with this server."""
    way = _HERE if address.loopback else _TLS if address.secure else _OPEN
    return Sentence(
        "What Voxline hears, your microphone and what this computer plays, is sent to {host} "
        "whenever somebody speaks.{words} {way} Whoever runs {host} can hear and keep it.",
        host=address.host,
        words="" if address.dialect == VLLM else _NAMES,
        way=way,
    )


def open_ones(servers: Sequence[Address], agreed: Collection[str]) -> list[Address]:
    """The servers that the user has not agreed to yet, each once."""
    missing = {each.host: each for each in servers if each.host not in agreed}
    return list(missing.values())

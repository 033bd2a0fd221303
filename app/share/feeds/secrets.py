"""What a feed must know and nobody else may: OBS's password, Zoom's caption URL.

Kept where the keys of servers are: in the system's keyring, or where there is none in a file that
only its owner can read. Never in settings, arguments, logs or reports. To ask may take a moment:
not to be done in the thread of a window.
"""

from __future__ import annotations

from app import paths
from model_backends.base import Sentence, UserError, joined
from model_backends.remote.keys import KeyStore

ZOOM = Sentence("Zoom’s caption URL")


def obs(host: str) -> str:
    """The name of the password of the OBS at this host."""
    return f"OBS at {host}"


def find(name: str) -> str:
    """The secret; "" if there is none. Never raises."""
    return _store().find(name).key or ""


def keep(name: str, secret: str) -> str:
    """Where it is now, in a sentence. Raises UserError if it can be kept nowhere, or is none."""
    if not secret.strip() or not secret.isprintable():
        raise UserError(Sentence("There is nothing to keep."), Sentence("Type it, or paste it."))
    store = _store()
    if store.keep(name, secret.strip()) == "keyring":
        kept = Sentence("It is kept in the system’s keyring.")
    else:
        kept = Sentence(
            "There is no keyring on this computer that could be used: it is kept in {path}, which "
            "only you may read.",
            path=str(paths.key_file()),
        )
    return joined(kept, store.remark or "")


def forget(name: str) -> bool:
    """Delete it; whether there was one. Raises UserError."""
    return _store().forget(name)


def _store() -> KeyStore:
    return KeyStore(paths.key_file(), variable="")

"""`voxline key`: stores the key of a server, where only its owner can read it.

The key is typed unseen or comes on standard input; it is never an argument, which other users of
the computer could read.
"""

from __future__ import annotations

import argparse
import getpass
import sys

from app import paths
from app.cli.usage_error import UsageError
from app.core.script import harmless
from app.language import say
from model_backends.base import EngineError, Sentence, UserError, joined
from model_backends.remote import addresses
from model_backends.remote.keys import VARIABLE, KeyStore

_MOST_CHARACTERS = 10_000


def run(args: argparse.Namespace) -> int:
    """Do it and tell what came of it. Raises UserError."""
    keys = KeyStore(paths.key_file())
    try:
        host = addresses.read(_with_scheme(args.url)).host
    except EngineError as error:
        raise UsageError(error.message, error.hint) from error
    if args.action == "set":
        _say(keys.store(host, _typed(host)))
    elif args.action == "status":
        _say(_where(keys, host))
    elif keys.forget(host):
        _say(joined(Sentence("The key of {host} is deleted.", host=host), keys.remark or ""))
    else:
        raise UserError(Sentence("No key of {host} was stored.", host=host))
    return 0


def _with_scheme(url: str) -> str:
    """A server may be named as Voxline names it: without `wss://`."""
    return url if "://" in url else f"wss://{url}"


def _typed(host: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.read(_MOST_CHARACTERS)
    return getpass.getpass(say(Sentence("Key of {host} (not shown): ", host=host)))


def _where(keys: KeyStore, host: str) -> Sentence:
    place = keys.find(host).place
    templates = {
        "keyring": "The key of {host} is in the system’s keyring.",
        "variable": "The key of {host} is the one in {variable}.",
        "file": "The key of {host} is in {path}, which only you may read.",
        "": "No key of {host} is stored.",
    }
    return Sentence(templates[place], host=host, variable=VARIABLE, path=str(paths.key_file()))


def _say(sentence: str) -> None:
    sys.stdout.write(f"{harmless(say(sentence))}\n")

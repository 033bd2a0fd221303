"""Servers on the command line: which are meant, and whether the user agrees that they hear."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from app import settings as settings_file
from app.cli.streams import tell
from app.cli.tongue import is_yes, yes_or_no
from model_backends.base import EngineError, EngineInfo, Sentence, ServerOptions
from model_backends.remote import addresses, consent
from model_backends.remote.addresses import Address


def named(args: argparse.Namespace, info: EngineInfo) -> ServerOptions:
    """The servers of the options, else those of the preferences. Raises EngineError for options
    that mean nothing to this engine."""
    chosen = [args.url, args.dialect, args.ca_file]
    if not info.takes_server:
        if any(chosen):
            raise EngineError(
                Sentence("{label} hears on this computer, not at a server.", label=info.label),
                Sentence("Add --engine remote, or leave out --url, --dialect and --ca-file."),
            )
        return ServerOptions()
    kept = settings_file.load()[0].server_options
    return replace(
        kept,
        urls=tuple(args.url or kept.urls),
        dialect=args.dialect or (None if args.url else kept.dialect),
        ca_file=args.ca_file or kept.ca_file,
    )


def agreed(server: ServerOptions, agree: bool) -> ServerOptions:
    """The same, with what the user has agreed to now: asked in the terminal, and remembered.

    Raises EngineError if the user does not agree, or cannot be asked.
    """
    found = [addresses.read(url, server.dialect) for url in server.urls]
    missing = consent.open_ones(found, server.agreed)
    if not missing:
        return server
    if not agree:
        for each in missing:
            _ask(each)
        _remember(missing)
    return replace(server, agreed=(*server.agreed, *(each.host for each in missing)))


def _ask(address: Address) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise EngineError(
            Sentence(
                "Nothing is sent to {host} before you agree. {what}",
                host=address.host,
                what=consent.asked(address),
            ),
            Sentence("Start it in a terminal to be asked, or add --agree."),
        )
    tell(consent.asked(address))
    sys.stderr.write(yes_or_no(Sentence("Do you agree?")))
    sys.stderr.flush()
    if not is_yes(sys.stdin.readline()):
        raise EngineError(Sentence("Nothing was sent to {host}.", host=address.host))


def _remember(servers: list[Address]) -> None:
    """By server, so that each is asked about once; the preferences show and revoke it."""
    settings, _ = settings_file.load()
    known = {**settings.agreed_servers, **{each.host: True for each in servers}}
    problem = settings_file.save(replace(settings, agreed_servers=known))
    if problem is not None:
        tell(problem)

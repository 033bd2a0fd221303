"""The error of a command used wrongly: apart, since telling it must load nothing."""

from __future__ import annotations

from model_backends.base import Sentence, UserError


class UsageError(UserError):
    """The command line asks for something that is not on offer; exit status 2."""


def needs(option: str, other: str) -> Sentence:
    """An option that does nothing alone is a slip, not a wish."""
    return Sentence("{option} goes with {other}.", option=option, other=other)

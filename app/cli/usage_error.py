"""The error of a command used wrongly: apart, since telling it must load nothing."""

from __future__ import annotations

from model_backends.base import UserError


class UsageError(UserError):
    """The command line asks for something that is not on offer; exit status 2."""

"""argparse as all our command lines use it, and the short grammar of `voxline-gui`.

The window waits for this file: it knows nothing of the commands.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from app import __version__

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


class Parser(argparse.ArgumentParser):
    """argparse, except that a mistake costs the reader one sentence instead of a usage block."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["allow_abbrev"] = False  # an abbreviation that works today may be ambiguous later
        super().__init__(*args, **kwargs)

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """No option of ours has a meaning for an empty text: it is what a script's variable held
        that was never set."""
        if action.option_strings and not all(text.strip() for text in arg_strings):
            raise argparse.ArgumentError(action, "the value is empty")
        return super()._get_values(action, arg_strings)

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """argparse passes over help that could not be written; here it is a result like others."""
        if message and file is not None and file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)

    def error(self, message: str) -> NoReturn:
        from app.core.script import harmless

        sentence = harmless(message[:1].upper() + message[1:].rstrip("."))
        self.exit(2, f"{self.prog}: {sentence}. See {self.prog} --help.\n")


def build_window_parser() -> Parser:
    """The grammar of `voxline-gui`."""
    parser = Parser(prog="voxline-gui", description="Live captions on top of every window.")
    parser.add_argument("--version", action="version", version=f"voxline {__version__}")
    parser.add_argument("--new-session", action="store_true", help="begin a new session")
    parser.add_argument("--show-captions", action="store_true", help="show the captions")
    parser.add_argument(
        "files", metavar="FILE", nargs="*", type=Path, help="audio or video to transcribe"
    )
    return parser

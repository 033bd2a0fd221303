"""What may be typed as the value of an option: each function reads a text, or tells what is wrong.

They raise argparse's ArgumentTypeError with the sentence. Knows nothing of commands and options.
"""

from __future__ import annotations

import argparse
from collections.abc import Container, Iterator


def positive_int(text: str) -> int:
    """A whole number above 0."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"“{text}” is not a whole number above 0")
    return int(text)


def port_number(text: str) -> int:
    """A port of this computer; 0: any that is free."""
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"“{text}” is not a port from 0 to 65535")
    return int(text)


def delay_list(text: str) -> tuple[int, ...]:
    """Delays separated by commas, each once, in the order given."""
    return tuple(dict.fromkeys(positive_int(part.strip()) for part in text.split(",")))


def seconds(text: str) -> float:
    """A duration above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of seconds above 0")
    return value


def clock_ms(text: str) -> int:
    """A time of a session in milliseconds: "1:02:03", "62:03" or seconds."""
    parts = text.split(":")
    if not (len(parts) <= 3 and all(part.isascii() and part.isdigit() for part in parts)):
        raise argparse.ArgumentTypeError(f"“{text}” is not a time like 1:02:03")
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return seconds * 1000


class Formats(Container[str]):
    """The names of the formats there are, looked up only when one is asked for or listed: the
    table imports all that writes them.
    """

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __iter__(self) -> Iterator[str]:
        from app.core.export import FORMATS

        return iter(FORMATS)

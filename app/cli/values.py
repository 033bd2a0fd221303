"""What may be typed as the value of an option: each function reads a text, or tells what is wrong.

They raise argparse's ArgumentTypeError with the sentence. Knows nothing of commands and options.
"""

from __future__ import annotations

import argparse
from collections.abc import Container, Iterator

_DIGITS = 15


def _number(text: str) -> int | None:
    """A whole number, 0 included; None if it is none."""
    if not (text.isascii() and text.isdigit()):
        return None
    if len(text) > _DIGITS:  # neither the library of sessions nor a clock could take it
        raise argparse.ArgumentTypeError(f"{text[:_DIGITS]}… is too large a number")
    return int(text)


def positive_int(text: str) -> int:
    """A whole number above 0."""
    if not (number := _number(text)):
        raise argparse.ArgumentTypeError(f"“{text}” is not a whole number above 0")
    return number


def port_number(text: str) -> int:
    """A port of this computer; 0: any that is free."""
    number = _number(text)
    if number is None or number > 65_535:
        raise argparse.ArgumentTypeError(f"“{text}” is not a port from 0 to 65535")
    return number


def delay_list(text: str) -> tuple[int, ...]:
    """Delays, or other numbers, separated by commas, each once, in the order given."""
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
    parts = [_number(part) for part in text.split(":")]
    seconds = 0
    for part in parts:
        if part is None or len(parts) > 3:
            raise argparse.ArgumentTypeError(f"“{text}” is not a time like 1:02:03")
        seconds = seconds * 60 + part
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

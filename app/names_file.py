"""Lists of names and words as files: those that a user wrote, exported or took from a spreadsheet.

What a list may look like is `core.names`' to say.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path

from app.core.encoding import text_of
from app.core.names import MOST_CHARACTERS, Name, names_in
from app.core.names import text_of as table_of
from model_backends import on_disk
from model_backends.base import Sentence, UserError


def text_in(path: Path, hint: str) -> str:
    """The text of a file with a list of words, whatever its encoding.

    Raises UserError with `hint` for a file that is missing, no file, no text or far too long.
    """
    try:
        if path.exists() and not path.is_file():  # a folder, or a pipe that would never end
            raise OSError(errno.EINVAL, Sentence("it is no file"))
        with path.open("rb") as file:
            data = file.read(MOST_CHARACTERS + 1)
        text = text_of(data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or Sentence("it is no text")
        template = "The list of words cannot be read from {path}: {reason}."
        raise UserError(Sentence(template, path=path, reason=reason), hint) from error
    if len(data) > MOST_CHARACTERS:
        raise UserError(
            Sentence("{path} is too long for a list of words.", path=path),
            Sentence("Keep the names that are most often written wrongly."),
        )
    return text


def read(path: Path) -> tuple[Name, ...]:
    """The names of a table or a plain list. Raises UserError as above, or if there is no word."""
    hint = Sentence(
        "Name a text file with one word a line, or a table that the preferences exported."
    )
    names = names_in(text_in(path, hint))
    if not names:
        raise UserError(Sentence("There is no word in {path}.", path=path), hint)
    return names


def write(path: Path, names: Iterable[Name]) -> None:
    """Whole or not at all, with the mark by which spreadsheets know UTF-8. Raises UserError."""
    try:
        on_disk.write_whole(path, table_of(names).encode("utf-8-sig"), 0o666)
    except OSError as error:
        template = "The list could not be written to {path}: {reason}."
        raise UserError(
            Sentence(template, path=path, reason=error.strerror or error),
            Sentence("Choose another folder."),
        ) from error

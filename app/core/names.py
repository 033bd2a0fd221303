"""The user's names and words: how each is written, what it sounds like, whether it alerts.

One list serves three ends: the engine is told to expect the words, what was misheard is written
as the user writes it (`corrections`), and a name that is said is pointed out (`alerts`). As text it
is a table with commas that any spreadsheet opens; a plain list with a word on each line is one,
too. Knows text and times; no files, settings, engines or windows.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_CHARACTERS = 10_000  # of the whole list, as of any text in the settings

_HEADING = ("Word", "Sounds like", "Alert")
BETWEEN_SOUNDS = ";"
_YES = "yes"


@dataclass(frozen=True, slots=True)
class Name:
    """A word (or several, “Marie Curie”) as the user writes it."""

    word: str
    sounds_like: tuple[str, ...] = ()  # how it is misheard; it is corrected to `word`
    alert: bool = False  # point it out when it is said


def names_in(text: str) -> tuple[Name, ...]:
    """The names of a table or of a plain list, each word once, in its order.

    Never raises: what is no table is taken as words, and rows without a word are left out.
    """
    rows = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    names: dict[str, Name] = {}
    for row in _readable(rows):
        cells = [" ".join(cell.split()) for cell in row[: len(_HEADING)]]
        word, sounds, alert = (*cells, "", "", "")[: len(_HEADING)]
        if word and (word, sounds) != _HEADING[:2]:
            names.setdefault(word, Name(word, sounds_in(sounds), alert.casefold() == _YES))
    return tuple(names.values())


def text_of(names: Iterable[Name]) -> str:
    """The table that `names_in()` reads back."""
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\n")
    table.writerow(_HEADING)
    for name in names:
        sounds = f"{BETWEEN_SOUNDS} ".join(name.sounds_like)
        table.writerow((name.word, sounds, _YES if name.alert else ""))
    return out.getvalue()


def without_alerts(table: str) -> str:
    """What concerns engines: how words are written and heard."""
    names = (Name(name.word, name.sounds_like) for name in names_in(table))
    return text_of(names) if table else ""


def _readable(rows: Iterable[list[str]]) -> Iterable[list[str]]:
    try:
        yield from rows
    except csv.Error:  # a cell of more than 131,072 characters: no list of names
        return


def sounds_in(cell: str) -> tuple[str, ...]:
    """The parts of “vox line; fox line”, each once."""
    sounds = (" ".join(part.split()) for part in cell.split(BETWEEN_SOUNDS))
    return tuple(dict.fromkeys(sound for sound in sounds if sound))


def folded(text: str) -> str:
    """What is compared: letters, digits and vowel signs alone, whatever their case and width."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in plain if is_spoken(char))


def is_spoken(char: str) -> bool:
    """A letter, a digit or a sign on a letter, as Indic vowels are; no punctuation or space."""
    return char.isalnum() or unicodedata.category(char)[0] == "M"


@dataclass(slots=True)
class Branch:
    """A trie over folded characters: where spellings go on, and where one ends."""

    next: dict[str, Branch] = field(default_factory=dict)
    name: Name | None = None

    def follow(self, text: str) -> Branch | None:
        """Where folded `text` leads from here; None: no spelling goes that way."""
        branch: Branch | None = self
        for char in text:
            branch = branch.next.get(char) if branch else None
        return branch


def spellings(names: Iterable[Name]) -> Branch:
    """All that is to be found in what is said; of two names with one spelling, the first."""
    root = Branch()
    for name in names:
        for spelling in (name.word, *name.sounds_like):
            branch = root
            for char in folded(spelling):
                branch = branch.next.setdefault(char, Branch())
            if branch is not root and branch.name is None:
                branch.name = name
    return root

"""`voxline sessions`: what was said before, listed, searched, printed, exported, named, deleted."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from app.cli import tell
from app.cli.arguments import STANDARD_OUTPUT
from app.cli.table import table
from app.cli.usage_error import UsageError
from app.core.encoding import json_text
from app.core.export import FORMATS, to_txt
from app.core.script import harmless
from app.language import say
from app.session.files import FileProblem, file_problem, write_new
from app.session.library import Found, Library
from app.session.stored import Entry, Stored
from model_backends.base import Counted, Sentence

_WORDS = 60  # characters of what was said, in the list


def run(args: argparse.Namespace) -> int:
    """Do what is asked of the library. Raises LibraryProblem, FileProblem."""
    return _ACTIONS[args.action](args, Library())


def _list(args: argparse.Namespace, library: Library) -> int:
    entries = library.sessions()
    if args.json:
        _print(json_text([_facts(entry) for entry in entries]) + "\n")
    elif entries:
        _print(table([_row(entry, _named(entry)) for entry in entries], right=(0, 3)))
    else:
        tell(Sentence("No session has been kept yet."))
    return 0


def _search(args: argparse.Namespace, library: Library) -> int:
    found = library.search(" ".join(args.words))
    if args.json:
        _print(json_text([_found_facts(each) for each in found]) + "\n")
        return 0
    rows = [_row(each.entry, _hit(each), each.count) for each in found]
    if not rows:
        tell(Sentence("Nobody has said that in the sessions that are kept."))
        return 1
    _print(table(rows, right=(0, 3)))
    return 0


def _check_part(args: argparse.Namespace) -> None:
    start, end = getattr(args, "from"), args.until
    if start is not None and end is not None and start >= end:
        raise UsageError(Sentence("--until must be later than --from."))


def _show(args: argparse.Namespace, library: Library) -> int:
    _check_part(args)
    for number, stored in enumerate(_all(args, library)):
        export = stored.export(getattr(args, "from"), args.until)
        if len(args.numbers) > 1:
            _print(f"{chr(10) if number else ''}— {harmless(headline(stored.entry))} —\n\n")
        text = to_txt(export.words, export.gaps, export.names, args.times, export.say)
        _print("".join(harmless(line) + "\n" for line in text.splitlines()))
    return 0


def _export(args: argparse.Namespace, library: Library) -> int:
    _check_part(args)
    sessions = _all(args, library)  # a wrong number is told before anything is written
    kind = FORMATS[args.format]
    folder = None if args.output == STANDARD_OUTPUT else _folder(args.output)
    for stored in sessions:
        text = kind.write(stored.export(getattr(args, "from"), args.until))
        if folder is None:
            _print(text)
        else:
            name = stored.entry.file_name + kind.suffix
            tell(Sentence("Saved: {path}", path=write_new(folder / name, text, args.force)))
    return 0


def _rename(args: argparse.Namespace, library: Library) -> int:
    library.rename(args.number, args.title)
    return 0


def _delete(args: argparse.Namespace, library: Library) -> int:
    entries = [stored.entry for stored in _all(args, library)]
    library.delete(*args.numbers)
    library.purge()
    for entry in entries:
        tell(Sentence("Deleted: {session}", session=headline(entry)))
    return 0


_ACTIONS: dict[str, Callable[[argparse.Namespace, Library], int]] = {
    "list": _list,
    "search": _search,
    "show": _show,
    "export": _export,
    "rename": _rename,
    "delete": _delete,
}


def headline(entry: Entry) -> str:
    """When it was, how much, and its name, in a line."""
    start, end = f"{entry.started:%Y-%m-%d %H:%M}", f"{entry.ended:%H:%M}"
    count = say(Counted("1 word", "{count:,} words", count=entry.words))
    return f"{start}–{end} · {count}" + (f" · {entry.title}" if entry.title else "")


def _all(args: argparse.Namespace, library: Library) -> list[Stored]:
    return [library.read(number) for number in dict.fromkeys(args.numbers)]


def _folder(output: str | None) -> Path:
    folder = Path(output or ".")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_problem(folder, error) from error
    if not folder.is_dir():
        raise FileProblem(Sentence("--output {folder} is not a folder.", folder=folder))
    return folder


def _row(entry: Entry, text: str, count: int | None = None) -> list[str]:
    when = f"{entry.started:%Y-%m-%d %H:%M}–{entry.ended:%H:%M}"
    number = f"{entry.words if count is None else count:,}"
    return [str(entry.id), when, ",".join(entry.languages[:3]), number, text]


def _named(entry: Entry) -> str:
    text = f"{entry.title}: {entry.preview}" if entry.title else entry.preview
    return text if len(text) <= _WORDS else text[:_WORDS].rstrip(" …") + " …"


def _hit(found: Found) -> str:
    snippet = found.snippet
    return f"{snippet.before}[{snippet.hit}]{snippet.after}"


def _facts(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.id,
        "started": entry.started.isoformat(timespec="seconds"),
        "ended": entry.ended.isoformat(timespec="seconds"),
        "words": entry.words,
        "name": entry.title or None,
        "languages": list(entry.languages),
        "origin": entry.origin,
        "file": entry.file,
        "edited": entry.edited,
        "preview": entry.preview,
    }


def _found_facts(found: Found) -> dict[str, Any]:
    snippet = found.snippet
    around = {"before": snippet.before, "hit": snippet.hit, "after": snippet.after}
    return {**_facts(found.entry), "count": found.count, **around}


def _print(text: str | Iterable[str]) -> None:
    sys.stdout.write(text if isinstance(text, str) else "".join(text))

"""The catalogues of windows and terminal: found in the source, brought up to date, compiled.

    python packaging/catalogues.py           what is new in the source goes into the .po files,
                                             what has gone goes out, and the .mo files are made

Translators write `resources/languages/*.po`; the .mo files beside them are what Voxline reads, and
are kept in the repository, so that a fresh clone speaks every language. A sentence is whatever is
the first argument of `Sentence` (the first two of `Counted`): a text, or a name that texts are
assigned to in the same file. Babel reads and writes the files; it is not needed to run Voxline.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "resources/languages"
LANGUAGES = ("de", "es", "fr")
_ROOMS = ("app", "model_backends")
_OTHERS = ("app/measure", "app/cli/bench.py", "app/cli/evaluate.py")  # for developers: in English
_BENCHES = ("bench.py", "convert.py", "bench_reference.py")
_OF_MODELS = ("title", "words")  # in resources/models.toml
_MADE_OF_DATA = ("app/models/catalogue.py", "model_backends/base.py")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_SAYS_SOMETHING = re.compile(r"[A-Za-z:;%]")  # French has a space before a colon, others before %
_HEAD = "# What Voxline's windows say. packaging/catalogues.py keeps it in step with the source."
_DAY = datetime(2026, 11, 26, tzinfo=UTC)  # a date that changes would be all that does
_WIDTH = 98
Message = str | tuple[str, str]


class UnknownTextError(Exception):
    """A `Sentence` whose template cannot be found in its file: nobody could translate it."""


def messages() -> dict[Message, list[tuple[str, int]]]:
    """Every sentence that a user may be shown, and where it stands. Raises UnknownTextError."""
    found: dict[Message, list[tuple[str, int]]] = {}
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        for message, line in in_source(path.read_text("utf-8"), name):
            found.setdefault(message, []).append((name, line))
    catalogue = ROOT / "resources/models.toml"
    for model in tomllib.loads(catalogue.read_text("utf-8"))["model"]:
        for key in _OF_MODELS:
            found.setdefault(model[key], []).append(("resources/models.toml", 0))
    return found


def sources() -> Iterator[Path]:
    """The modules whose sentences reach a user."""
    for room in _ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(_OTHERS) and path.name not in _BENCHES:
                yield path


def in_source(text: str, name: str) -> Iterator[tuple[Message, int]]:
    """The sentences of one module."""
    tree = ast.parse(text)
    named = _named_texts(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id == "Sentence" and node.args:
            for template in _texts(node.args[0], named, name):
                if _SAYS_SOMETHING.search(_PLACEHOLDER.sub("", template)):
                    yield template, node.lineno
        elif node.func.id == "Counted" and len(node.args) > 1:
            one, many = (_texts(each, named, name) for each in node.args[:2])
            yield from ((pair, node.lineno) for pair in zip(one, many, strict=True))


def _named_texts(tree: ast.AST) -> dict[str, list[ast.expr]]:
    """What is assigned to each name, wherever in the file."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
            found.setdefault(node.target.id, []).append(node.value)
    return found


def _texts(node: ast.expr, named: dict[str, list[ast.expr]], file: str) -> list[str]:
    """The texts that an expression can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _texts(node.body, named, file) + _texts(node.orelse, named, file)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = (_texts(each, named, file) for each in (node.left, node.right))
        return [one + other for one in left for other in right]
    if isinstance(node, ast.Name) and node.id in named:
        return [text for each in named[node.id] for text in _texts(each, named, file)]
    if isinstance(node, ast.Dict):
        return [text for each in node.values if each for text in _texts(each, named, file)]
    if isinstance(node, ast.Subscript):
        return _texts(node.value, named, file)
    if isinstance(node, ast.Call):  # a sentence already, which is found by itself
        return []
    if file in _MADE_OF_DATA:
        return []
    raise UnknownTextError(f"{file}:{node.lineno}: {ast.unparse(node)}")


def read(language: str) -> Catalog:
    """A language's catalogue; an empty one where there is none yet."""
    path = FOLDER / f"{language}.po"
    if not path.exists():
        return empty(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def empty(language: str) -> Catalog:
    """One without a sentence, whose head is the same on every day."""
    return Catalog(
        locale=language,
        project="Voxline",
        header_comment=_HEAD,
        creation_date=_DAY,
        revision_date=_DAY,
        last_translator="Voxline",
        language_team="Voxline",
        charset="utf-8",
        fuzzy=False,
    )


def renewed(language: str) -> Catalog:
    """The catalogue with exactly what is in the source; what was translated stays."""
    before, now = read(language), empty(language)
    # as many plural forms as there were: other versions of Babel have other rules
    now.mime_headers = [("Plural-Forms", before.plural_forms)]
    for message, places in messages().items():
        key = message[0] if isinstance(message, tuple) else message
        old = before.get(key)
        kept = old.string if old and isinstance(old.id, tuple) == isinstance(message, tuple) else ""
        now.add(message, kept or None, locations=sorted({(file, 0) for file, _ in places}))
    return now


def written(catalogue: Catalog) -> bytes:
    """As a .po file: in the order of the source, each with the files that say it."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=_WIDTH, include_lineno=False, sort_by_file=True)
    return buffer.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """As a .mo file: the same bytes for the same sentences."""
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def main() -> int:
    """Bring all up to date; 1 if a sentence lacks a translation."""
    missing = 0
    FOLDER.mkdir(exist_ok=True)
    for language in LANGUAGES:
        catalogue = renewed(language)
        (FOLDER / f"{language}.po").write_bytes(written(catalogue))
        (FOLDER / f"{language}.mo").write_bytes(compiled(catalogue))
        untranslated = lacking(catalogue)
        missing += len(untranslated)
        sys.stdout.write(f"{language}: {len(catalogue)} sentences, {len(untranslated)} lacking\n")
    return int(missing > 0)


def entries(catalogue: Catalog) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Each sentence and its translation, in all their forms; "" for a form that there is not."""
    for each in catalogue:
        if each.id:
            yield _forms(each.id), _forms(each.string)


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text or "",) if isinstance(text, str | None) else tuple(text)


def lacking(catalogue: Catalog) -> list[str]:
    """What has no translation, or not every form of it."""
    return [english[0] for english, said in entries(catalogue) if not all(said)]


if __name__ == "__main__":
    sys.exit(main())

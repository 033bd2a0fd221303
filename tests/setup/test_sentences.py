"""Every sentence for the user is given just the values that it names, and is one that can be found.

Read from the source, since most of them are said only when something is broken.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from string import Formatter

import pytest

from tests.setup.test_layers import CHECKOUT, files


def sentences() -> Iterator[tuple[str, ast.Call]]:
    for path in files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Sentence", "Counted"):
                yield f"{path.relative_to(CHECKOUT)}:{node.lineno}", node


def wanted(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@pytest.mark.parametrize(
    ("where", "call"), [pytest.param(*each, id=each[0]) for each in sentences()]
)
def test_a_sentence_gets_the_values_it_names(where: str, call: ast.Call) -> None:
    template = call.args[-1]  # of things that are counted: of many
    if not isinstance(template, ast.Constant):  # a table's, checked where the table is tested
        return
    given = {each.arg for each in call.keywords}
    if None in given:  # **values
        return
    assert isinstance(template.value, str), where
    assert wanted(template.value) == given, where


def test_there_are_sentences_to_judge() -> None:
    assert len(list(sentences())) > 150

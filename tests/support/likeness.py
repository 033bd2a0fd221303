"""Whether a stand-in has only what the real thing has. Knows nothing of any of them.

A fake with a verb of its own lets code pass that calls what does not exist; one that takes other
arguments lets a call pass that the real thing refuses.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Collection
from types import ModuleType

_Members = dict[str, object]
_VALUE = object()  # instead of the value of what is no verb


def assert_like(fake: type, real: type | ModuleType, own: Collection[str] = ()) -> None:
    """Raise AssertionError for what `fake` has and `real` has not, or calls in another way.

    Verbs must take the same parameters: names, order, kinds and defaults; types are the checker's.
    What is set on `self` counts, of both; private names do not. `own`: what tests steer the fake
    with.
    """
    made, there = _members(fake), _members(real)
    name = f"{fake.__name__}, for {real.__name__},"
    assert "__getattr__" not in made, f"{name} answers to any name"
    assert set(own) <= made.keys(), f"{name} has no {set(own) - made.keys()} of its own"
    for verb in made.keys() - set(own):
        assert verb in there, f"{name} has {verb}, which the real one lacks"
        assert (made[verb] is _VALUE) == (there[verb] is _VALUE), f"{name}: {verb} is a verb in one"
        ours, theirs = _parameters(made[verb]), _parameters(there[verb])
        assert None in (ours, theirs) or ours == theirs, f"{name}: {verb} takes {theirs}"


def _members(thing: type | ModuleType) -> _Members:
    if isinstance(thing, ModuleType):
        return {name: _seen(value) for name, value in vars(thing).items() if _counts(name)}
    members: _Members = {}
    for base in reversed(thing.__mro__[:-1]):
        named = (*vars(base).get("__annotations__", ()), *_set_on_self(base))
        members |= {name: members.get(name, _VALUE) for name in named if _counts(name)}
        members |= {name: _seen(value) for name, value in vars(base).items() if _counts(name)}
    return members


def _counts(name: str) -> bool:
    return not name.startswith("_") or name == "__getattr__"


def _seen(value: object) -> object:
    function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
    return function if callable(function) else _VALUE


def _set_on_self(of: type) -> set[str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(of)))
    except (OSError, TypeError):
        return set()  # not written in Python
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def _parameters(verb: object) -> list[tuple[str, str, object]] | None:
    """Without `self`; None where nobody can say."""
    if not callable(verb) or isinstance(verb, type):
        return None
    try:
        parameters = inspect.signature(verb).parameters.values()
    except ValueError:
        return None  # not written in Python
    return [(p.name, p.kind.description, p.default) for p in parameters if p.name != "self"]

"""The sources of packages that no machine of ours can install: Windows' and macOS' own.

    pip download --no-deps --only-binary :all: --platform win_amd64 -d build/wheels PyAudioWPatch
    pip download --no-deps --only-binary :all: --platform macosx_14_0_universal2 \\
        -d build/wheels catap

What is read of them is names, parameters and defaults; nothing of theirs is run.
"""

from __future__ import annotations

import ast
import os
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(os.environ.get("VOXLINE_WHEELS") or Path(__file__).parents[2] / "build" / "wheels")


def shape_of(wheel: str, *modules: str) -> ModuleType:
    """A module with the classes and functions of these modules of a wheel, whose bodies are empty.

    `wheel` begins its file's name, `modules` are paths that end in it. Skips where it is not here.
    """
    found = sorted(FOLDER.glob(f"{wheel}-*.whl"))
    if not found:
        pytest.skip(f"no wheel of {wheel} in {FOLDER}: see {Path(__file__).name}")
    shape = ModuleType(wheel)
    scope: dict[str, Any] = {"property": property}
    scope |= {"classmethod": classmethod, "staticmethod": staticmethod}
    with zipfile.ZipFile(found[-1]) as archive:
        for module in modules:
            [name] = [name for name in archive.namelist() if name.endswith(f"/{module}")]
            _shape(ast.parse(archive.read(name)), shape, scope)
    return shape


def _shape(tree: ast.Module, into: ModuleType, scope: dict[str, Any]) -> None:
    """`scope`: the constants of the modules before, which defaults may name."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            scope |= {
                name.id: node.value.value for name in node.targets if isinstance(name, ast.Name)
            }
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            _Empty(scope).visit(node)
            emptied = ast.fix_missing_locations(ast.Module([node], []))
            exec(compile(emptied, into.__name__, "exec"), scope)
            if not node.name.startswith("_"):
                setattr(into, node.name, scope[node.name])


class _Empty(ast.NodeTransformer):
    """Bodies, types and bases go; a default that cannot be known becomes its name."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self._scope = scope

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.bases, node.keywords, node.decorator_list = [], [], []
        attributes = _set_on_self(node)
        self.generic_visit(node)
        kept = (ast.FunctionDef, ast.AnnAssign)
        node.body = [each for each in node.body if isinstance(each, kept)] + [
            ast.parse(f"{name}: object").body[0] for name in sorted(attributes)
        ] or [ast.Pass()]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation, node.value = ast.Constant(None), None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        known = ("property", "classmethod", "staticmethod")
        node.decorator_list = [
            each for each in node.decorator_list if isinstance(each, ast.Name) and each.id in known
        ]
        node.returns, node.body = None, [ast.Pass()]
        arguments = node.args
        rest = [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *rest):
            each.annotation = None
        arguments.defaults = [self._known(default) for default in arguments.defaults]
        arguments.kw_defaults = [
            default and self._known(default) for default in arguments.kw_defaults
        ]
        return node

    def _known(self, default: ast.expr) -> ast.expr:
        if isinstance(default, ast.Constant) or ast.unparse(default) == "()":
            return default
        if isinstance(default, ast.Name) and default.id in self._scope:
            return ast.Constant(self._scope[default.id])
        return ast.Constant(ast.unparse(default))


def _set_on_self(of: ast.ClassDef) -> set[str]:
    return {
        node.attr
        for node in ast.walk(of)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        and not node.attr.startswith("_")
    }

"""The house's floors: imports go down only, never in a circle, and engines know no app.

Read from the imports as they stand in the files, those inside functions and for types included.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]

# floor: what it may import besides itself. A floor that is missing here is a fault, too.
_BELOW_SESSION = {
    "model_backends", "app.core", "app.native", "app.paths", "app.settings", "app.audio",
    "app.models", "app.language",
}  # fmt: skip
MAY_IMPORT: dict[str, set[str]] = {
    "model_backends": set(),
    "app.privacy": set(),
    "app.one_thread": set(),
    "app.frozen": set(),
    "app.starting": set(),
    "app.paths": {"model_backends"},
    "app.language": {"model_backends", "app.paths"},
    "app.native": {"model_backends"},
    "app.core": {"model_backends"},
    "app.settings": {"model_backends", "app.core", "app.language", "app.paths"},
    "app.names_file": {"model_backends", "app.core"},
    "app.models": {"model_backends", "app.paths"},
    "app.packs": {"model_backends", "app.frozen", "app.models", "app.paths", "app.worker"},
    "app.audio": {"model_backends", "app.core", "app.native", "app.paths"},
    "app.worker": {"model_backends", "app.core", "app.frozen", "app.paths", "app.privacy"},
    "app.session": {*_BELOW_SESSION, "app.worker"},
    "app.share": {*_BELOW_SESSION, "app.worker", "app.session"},
    "app.ui": {
        *_BELOW_SESSION,
        "app.names_file",
        "app.packs",
        "app.session",
        "app.share",
    },
    "app.measure": {*_BELOW_SESSION, "app.worker", "app.session", "app.share", "app.ui"},
    "app.main": {*_BELOW_SESSION, "app.session", "app.share", "app.ui"},
    "app.cli": {
        *_BELOW_SESSION,
        "app.names_file",
        "app.packs",
        "app.worker",
        "app.session",
        "app.share",
        "app.measure",
        "app.main",
        "app.starting",
    },
    "app.__main__": {"app.cli", "app.frozen", "app.main", "app.worker"},
}


def files() -> list[Path]:
    return sorted([*(CHECKOUT / "app").rglob("*.py"), *(CHECKOUT / "model_backends").rglob("*.py")])


def module_of(path: Path) -> str:
    parts = path.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module: str) -> str:
    parts = module.split(".")
    return parts[0] if parts[0] != "app" else ".".join(parts[:2])


def imports_of(path: Path) -> Iterator[str]:
    """Modules of ours that a file names, as exactly as it names them."""
    known = {module_of(each) for each in files()}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                whole = f"{node.module}.{each.name}"
                if whole in known or node.module in known:
                    yield whole if whole in known else node.module


GRAPH = {module_of(path): sorted(set(imports_of(path))) for path in files()}


@pytest.mark.parametrize("module", GRAPH)
def test_imports_go_down(module: str) -> None:
    floor = floor_of(module)
    if floor == "app":  # the package itself
        assert GRAPH[module] == ["app.one_thread", "app.privacy"]
        return
    allowed = MAY_IMPORT[floor] | {floor, "app"}
    upwards = [other for other in GRAPH[module] if floor_of(other) not in allowed]
    assert not upwards, f"{module} may not know {', '.join(upwards)}"


def test_no_import_runs_in_a_circle() -> None:
    done: set[str] = set()

    def walk(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, f"a circle: {' -> '.join((*way, module))}"
        if module not in done:
            for other in GRAPH.get(module, ()):
                walk(other, (*way, module))
            done.add(module)

    for module in GRAPH:
        walk(module, ())


def test_the_floors_themselves_stand_one_above_the_other() -> None:
    done: list[str] = []
    while len(done) < len(MAY_IMPORT):
        free = [name for name in MAY_IMPORT if name not in done and MAY_IMPORT[name] <= set(done)]
        assert free, "MAY_IMPORT has a circle"
        done += free


def test_the_test_sees_what_it_judges() -> None:
    """Or a wrong path would make all of the above pass."""
    assert "model_backends.base" in GRAPH["app.worker.client"]
    assert "app.worker.client" in GRAPH["app.session.session"]
    assert len(GRAPH) > 150

"""`voxline models`: which weights are here, where, whether they are the published ones; and
Voxtral's in fewer bits."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from app import paths
from app.cli import EXIT_FAILED, tell
from app.cli.table import table
from app.core.encoding import json_text
from app.core.script import harmless
from model_backends.base import EngineError, Sentence
from model_backends.embedded import store


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model of the embedded engine on this computer."""

    engine: str
    model: str
    state: str  # "installed", "packaged" (unpacked at first use) or "missing"
    path: str | None
    megabytes: int


def run(args: argparse.Namespace) -> int:
    """`list`, `path`, `verify` or `convert`."""
    if args.action == "convert":
        if args.engine == "cpu":
            return _convert_for_processors(args.source, args.target)
        return _convert(args.source, args.target, args.bits)
    actions: dict[str, Callable[[bool], int]] = {"list": _list, "path": _path, "verify": _verify}
    return actions[args.action](args.json)


def model_rows() -> list[ModelRow]:
    """Every model the embedded engine knows."""
    return [_row(name) for name in store.MODELS]


def _row(name: str) -> ModelRow:
    found = store.find(name, paths.models_dir())
    megabytes = store.MODELS[name].megabytes
    if found is None:
        return ModelRow("embedded", name, "missing", None, megabytes)
    state = "installed" if found.installed else "packaged"
    return ModelRow("embedded", name, state, str(found.path), megabytes)


def _list(as_json: bool) -> int:
    rows = model_rows()
    if as_json:
        sys.stdout.write(json_text([asdict(row) for row in rows]) + "\n")
    else:
        lines = [[r.engine, r.model, r.state, f"{r.megabytes} MB", r.path or ""] for r in rows]
        sys.stdout.write(table(lines, right=(3,)))
    return 0


def _path(as_json: bool) -> int:
    folder = str(paths.models_dir())
    if sys.stdout.isatty():  # a shell that asks gets the very name
        folder = harmless(folder)
    sys.stdout.write((json_text({"path": folder}) if as_json else folder) + "\n")
    return 0


def _verify(as_json: bool) -> int:
    """Hash every installed model's files again; status 1 if one is not the published file."""
    folder = paths.models_dir()
    names = [
        name
        for name in store.MODELS
        if store.folder(name, folder).is_dir() or store.is_bundled(name)
    ]
    problems = {name: store.verify(name, folder) for name in names}
    if as_json:
        results = [
            {"engine": "embedded", "model": name, "ok": not problems[name], "problems": wrong}
            for name, wrong in problems.items()
        ]
        sys.stdout.write(json_text(results) + "\n")
    else:
        for name, wrong in problems.items():
            sys.stdout.write(harmless(f"{name}: {' '.join(wrong) or 'as published.'}") + "\n")
    if not names:
        tell("No model is installed yet.", "The first use installs one.")
    if any(problems.values()):
        tell("A model was changed or damaged.", "It is fetched again at the next use.")
        return EXIT_FAILED
    return 0


def _convert(source: Path, target: Path, bits: int) -> int:
    """Write Voxtral's weights again in fewer bits. Raises EngineError saying what is wrong."""
    from tqdm import tqdm

    try:
        from model_backends.voxtral.mlx.convert import convert
    except ImportError as error:
        raise EngineError(
            Sentence("Converting needs MLX, which is not installed."),
            Sentence(
                "Install it with: pip install 'voxline[mlx]' (Macs with Apple silicon, or Linux)."
            ),
        ) from error
    layout = "{desc} {percentage:3.0f}% |{bar}| {remaining}"
    with tqdm(
        total=1.0, desc=harmless(source.name), bar_format=layout, disable=None, leave=False
    ) as bar:
        convert(source, target, bits, lambda done, what: bar.update(done - bar.n))
    tell(
        Sentence("{path} holds the model in {bits} bits.", path=target, bits=bits),
        Sentence("Use it with --model {path}.", path=target),
    )
    return 0


def _convert_for_processors(source: Path, target: Path) -> int:
    """Write Voxtral's weights again for the processor engine. Raises EngineError as `_convert`."""
    from tqdm import tqdm

    from model_backends.voxtral.cpu.convert import convert

    layout = "{desc} {percentage:3.0f}% |{bar}| {remaining}"
    with tqdm(total=1.0, desc=source.name, bar_format=layout, disable=None, leave=False) as bar:
        convert(source, target, lambda done, what: bar.update(done - bar.n))
    tell(
        Sentence("{target} holds the model packed for processors.", target=target),
        Sentence("Use it with --model {target}.", target=target),
    )
    return 0

"""`voxline models`: which there are, whether they are the published ones, and Voxtral's in fewer
bits."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from app import paths
from app.cli import EXIT_FAILED, tell
from app.cli.table import table
from app.cli.usage_error import UsageError
from app.core.encoding import json_text
from app.core.script import harmless
from app.language import say
from app.models import places, receipts
from app.models.catalogue import Model, catalogue, model_named
from app.models.download import verify
from app.models.machine import fit, this_machine
from model_backends import on_disk
from model_backends.base import EngineError, Sentence, UserError, joined
from model_backends.downloads.units import size
from model_backends.embedded import store


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model that this computer has or could have."""

    engine: str  # the first of those that run it
    model: str
    state: str  # "installed", "packaged" (unpacked at first use), "unchecked", "begun", "missing"
    path: str | None
    megabytes: int


STATES = {  # for people, of models and packs; JSON has the names
    "installed": Sentence("installed"),
    "packaged": Sentence("packaged"),
    "unchecked": Sentence("unchecked"),
    "begun": Sentence("begun"),
    "missing": Sentence("missing"),
    "ready": Sentence("ready"),
    "outdated": Sentence("outdated"),
    "broken": Sentence("broken"),
}


def run(args: argparse.Namespace) -> int:
    """One of the actions that `voxline models --help` lists."""
    if args.action in ("download", "remove", "licence"):
        from app.cli import models_download

        return models_download.run(args)
    if args.action == "convert":
        if args.engine == "cpu":
            if args.bits not in (None, 4):
                raise UsageError(
                    Sentence("The processor engine’s weights have 4 bits."),
                    Sentence("Leave out --bits, or convert for --engine mlx."),
                )
            return _convert_for_processors(args.source, args.target)
        return _convert(args.source, args.target, args.bits or 4)
    if args.action == "verify":
        return _verify(args.names, args.json)
    actions: dict[str, Callable[[bool], int]] = {"list": _list, "path": _path}
    return actions[args.action](args.json)


def model_rows() -> list[ModelRow]:
    """Every model that Voxline offers."""
    return [_row(model) for model in catalogue()]


def _row(model: Model) -> ModelRow:
    models_dir = paths.models_dir()
    place = places.find(model, models_dir)
    megabytes = round(model.bytes / 1e6)
    if place is None:
        state = "begun" if places.unfinished(model, models_dir) else "missing"
        return ModelRow(model.engines[0], model.name, state, None, megabytes)
    state = "installed" if place.checked else "unchecked"
    if model.is_embedded and place.kind == "app" and not store.is_bundled(model.name):
        state = "packaged"
    return ModelRow(model.engines[0], model.name, state, str(place.folder), megabytes)


def _list(as_json: bool) -> int:
    rows = model_rows()
    if as_json:
        sys.stdout.write(json_text([asdict(row) for row in rows]) + "\n")
    else:
        machine = this_machine()
        notes = {model.name: fit(model, machine) for model in catalogue()}
        lines = [
            [
                r.engine, r.model, STATES[r.state], size(r.megabytes * 1e6),
                r.path or notes[r.model].why or notes[r.model].lacks,
            ]
            for r in rows
        ]  # fmt: skip
        sys.stdout.write(table(lines, right=(3,)))
    return 0


def _path(as_json: bool) -> int:
    folder = str(paths.models_dir())
    if sys.stdout.isatty():  # a shell that asks gets the very name
        folder = harmless(folder)
    sys.stdout.write((json_text({"path": folder}) if as_json else folder) + "\n")
    return 0


def _verify(names: Sequence[str], as_json: bool) -> int:
    """Hash models' files again; status 1 if one is not the published file."""
    wanted = [model_named(name) for name in names] or [m for m in catalogue() if _is_here(m)]
    problems = {model.name: _problems(model) for model in wanted}
    if as_json:
        results = [
            {
                "engine": model.engines[0],
                "model": model.name,
                "ok": not problems[model.name],
                "problems": [str(problem) for problem in problems[model.name]],
            }
            for model in wanted
        ]
        sys.stdout.write(json_text(results) + "\n")
    else:
        for name, wrong in problems.items():
            said = joined(*wrong) or Sentence("as published.")
            sys.stdout.write(harmless(f"{name}: {say(said)}") + "\n")
    if not wanted:
        tell(Sentence("No model is installed yet."), Sentence("The first use installs one."))
    if any(problems.values()):
        hint = Sentence("Get it again with: voxline models download NAME")
        if all(model.is_embedded for model in wanted if problems[model.name]):
            hint = Sentence("It is fetched again at the next use.")
        tell(Sentence("A model was changed or damaged."), hint)
        return EXIT_FAILED
    return 0


def _is_here(model: Model) -> bool:
    """Embedded ones that are only packaged are checked as they are unpacked."""
    if model.is_embedded:
        unpacked = on_disk.is_folder(store.folder(model.name, paths.models_dir()))
        return unpacked or store.is_bundled(model.name)
    return places.find(model, paths.models_dir()) is not None


def _problems(model: Model) -> list[str]:
    from tqdm import tqdm

    bar = tqdm(
        total=model.bytes, desc=model.name, unit="B", unit_scale=True, disable=None, leave=False
    )

    def read(count: int) -> bool:
        bar.update(count - bar.n)
        return True

    with bar:
        try:
            return list(verify(model, paths.models_dir(), read))
        except UserError as error:
            return [joined(error.message, error.hint)]


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
    _note(target)
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
    _note(target)
    tell(
        Sentence("{target} holds the model packed for processors.", target=target),
        Sentence("Use it with --model {target}.", target=target),
    )
    return 0


def _note(target: Path) -> None:
    """What was made here may be loaded without being named."""
    try:
        receipts.write_made_here(target, paths.models_dir())
    except OSError as error:
        tell(Sentence("That it was made here could not be noted ({why}).", why=error.strerror))

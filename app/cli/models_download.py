"""`voxline models download`, `remove` and `licence`: what is asked for first, and how it goes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app import paths
from app.cli import tell, tell_above_bar
from app.cli.tongue import is_yes, yes_or_no
from app.cli.usage_error import UsageError
from app.language import say
from app.models import places
from app.models.catalogue import Model, model_named
from app.models.download import Done, Progress, Stop, download, verify
from app.models.machine import fit, this_machine
from app.models.places import Place
from model_backends.base import Sentence
from model_backends.downloads import fetch
from model_backends.downloads.units import size


def run(args: argparse.Namespace) -> int:
    """The action; raises UserError saying what went wrong."""
    model = model_named(args.name)
    if args.action == "licence":
        sys.stdout.write(model.licence_text)
        return 0
    if args.action == "remove":
        return _remove(model, args.yes)
    return _download(model, args.yes)


def _download(model: Model, yes: bool) -> int:
    place = places.find(model, paths.models_dir())
    if place is not None and _is_sound(model, place):
        tell(
            Sentence("{title} is here already: {folder}", title=model.title, folder=place.folder),
            _how_to_use(model, place),
        )
        return 0
    _introduce(model)
    agree(Sentence("Download it?"), yes)
    done = _with_bar(model)
    tell(
        Sentence("{title} is here: {folder}", title=model.title, folder=done.place.folder),
        _how_to_use(model, done.place),
    )
    if done.from_hub:
        tell(
            Sentence(
                "Voxline knows no sha256 of: {files}. They are what the hub says they are; that "
                "was written down.",
                files=", ".join(done.from_hub),
            )
        )
    return 0


def _is_sound(model: Model, place: Place) -> bool:
    """Whether what is here can be used as it is; what was not checked yet is, now."""
    if place.checked:
        return True
    tell(Sentence("Checking what is here: {folder}", folder=place.folder))
    problems = verify(model, paths.models_dir())
    for problem in problems:
        tell(problem)
    return not problems


def _introduce(model: Model) -> None:
    """What comes, from whom, under which licence, and whether it will be of use."""
    tell(
        Sentence(
            "{title}, by {author}: {size}, from {hub}/{repository}.",
            title=model.title,
            author=model.author,
            size=size(model.bytes),
            hub=fetch.endpoint(),
            repository=model.repository,
        )
    )
    tell(
        Sentence(
            "Licence: {licence}. Its text: voxline models licence {name}",
            licence=model.licence,
            name=model.name,
        )
    )
    begun = places.unfinished(model, paths.models_dir())
    if begun:
        tell(Sentence("{size} of it are here already.", size=size(begun)))
    suits = fit(model, this_machine())
    if not suits.runs:
        tell(suits.why or suits.lacks)


def agree(question: Sentence, yes: bool) -> None:
    """Raises UsageError where nobody can be asked, SystemExit for a no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(Sentence("Nobody is here to be asked."), Sentence("--yes agrees."))
    sys.stderr.write(yes_or_no(question))
    sys.stderr.flush()
    if not is_yes(sys.stdin.readline()):
        raise SystemExit(1)


def _with_bar(model: Model) -> Done:
    from tqdm import tqdm

    bar = tqdm(total=model.bytes, desc=say(model.title), unit="B", unit_scale=True, disable=None)

    def show(progress: Progress) -> None:
        if progress.doing == "waiting":
            tell_above_bar(
                Sentence(
                    "{why} Another try in {seconds} s.",
                    why=progress.why,
                    seconds=round(progress.left_s or 0),
                )
            )
        else:
            bar.total = progress.total
            bar.update(progress.done - bar.n)

    try:
        with bar:
            return download(model, paths.models_dir(), show, Stop())
    except KeyboardInterrupt:
        tell(
            Sentence("Stopped. What has come is kept."),
            Sentence("It goes on with: voxline models download {name}", name=model.name),
        )
        raise


def _how_to_use(model: Model, place: Place) -> Sentence:
    if model.is_embedded:
        return Sentence("Use it with --model {name}.", name=model.name)
    name = place.name_for_engine(model, paths.models_dir())
    if model.files_only:
        return Sentence(
            "Use it with: voxline transcribe --engine ggml --model {folder} FILE", folder=name
        )
    engine = fit(model, this_machine()).engine or model.engines[0]
    if engine == "ggml":  # its models differ, and none stands for another
        return Sentence("Use it with --engine ggml --model {folder}.", folder=name)
    return Sentence("Use it with --engine {engine}.", engine=engine)


def _remove(model: Model, yes: bool) -> int:
    place = places.find(model, paths.models_dir())
    begun = places.unfinished(model, paths.models_dir())
    if place is not None or begun:  # else there is nothing to agree to
        where: Path | str = place.folder if place is not None else model.folder
        agree(Sentence("Delete {folder}?", folder=where), yes)
    freed = places.remove(model, paths.models_dir())
    tell(Sentence("{title} was removed: {size}.", title=model.title, size=size(freed)))
    return 0

"""`voxline pack`: the acceleration pack, which lets Voxtral run on a graphics card or a Mac."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, dataclass

from app.cli import EXIT_FAILED, tell, tell_above_bar
from app.cli.models import STATES
from app.cli.models_download import agree
from app.cli.table import table
from app.core.encoding import json_text
from app.core.script import harmless
from app.language import say
from app.models.download import Progress
from app.models.machine import this_machine
from app.packs import install, kept
from app.packs.install import Plan
from app.packs.kept import Installed
from app.packs.pins import KINDS
from app.packs.sources import Sources, configured, of_folder
from app.packs.suits import suit
from model_backends.base import Sentence, UserError, joined
from model_backends.downloads.fetch import Stop
from model_backends.downloads.units import size


@dataclass(frozen=True, slots=True)
class PackRow:
    """One sort of pack, and how it stands with it on this computer."""

    kind: str
    state: str  # "ready", "outdated" (this Voxline has newer pins), "broken", "missing"
    suits: bool  # whether it would be of use here
    path: str | None
    note: str


def run(args: argparse.Namespace) -> int:
    """One of the actions that `voxline pack --help` lists."""
    if args.action == "install":
        return _install(args)
    if args.action == "remove":
        return _remove(args.yes)
    return _status(args.json) if args.action == "status" else _verify(args.json)


def pack_rows() -> list[PackRow]:
    """Every sort of pack."""
    here = kept.installed()
    suits = suit(this_machine())
    return [
        _row(kind, next((p for p in here if p.kind.name == kind), None), suits.kind == kind)
        for kind in KINDS
    ]


def _row(kind: str, pack: Installed | None, suits: bool) -> PackRow:
    if pack is None:
        return PackRow(kind, "missing", suits, None, KINDS[kind].title)
    if pack.trouble is not None:
        note = Sentence("{why} {how}", why=pack.trouble.reason, how=pack.trouble.hint)
        return PackRow(kind, "broken", suits, str(pack.folder), note)
    if not pack.newest:
        note = Sentence("This Voxline has a newer one: voxline pack install --{kind}", kind=kind)
        return PackRow(kind, "outdated", suits, str(pack.folder), note)
    return PackRow(kind, "ready", suits, str(pack.folder), KINDS[kind].title)


def _status(as_json: bool) -> int:
    rows = pack_rows()
    if as_json:
        sys.stdout.write(json_text([asdict(row) for row in rows]) + "\n")
        return 0
    lines = [[row.kind, STATES[row.state], row.note, row.path or ""] for row in rows]
    sys.stdout.write(table(lines))
    tell(suit(this_machine()).words)
    return 0


def _verify(as_json: bool) -> int:
    """Hash packs again; status 1 if one is not as it was unpacked."""
    problems = {pack.folder.name: _problems(pack) for pack in kept.installed()}
    if as_json:
        results = [
            {"pack": name, "ok": not wrong, "problems": [str(each) for each in wrong]}
            for name, wrong in problems.items()
        ]
        sys.stdout.write(json_text(results) + "\n")
    else:
        for name, wrong in problems.items():
            said = joined(*wrong[:3]) or Sentence("as it was unpacked.")
            sys.stdout.write(harmless(f"{name}: {say(said)}") + "\n")
    if not problems:
        tell(Sentence("No pack is installed."))
    if any(problems.values()):
        tell(
            Sentence("A pack was changed or damaged."),
            Sentence("Install it again: voxline pack install"),
        )
        return EXIT_FAILED
    return 0


def _problems(pack: Installed) -> list[str]:
    own = [pack.trouble.reason] if pack.trouble is not None else []
    return [*own, *kept.verify(pack.folder)]


def _install(args: argparse.Namespace) -> int:
    kind = args.kind or _suited()
    intended = install.plan(kind, args.python)
    sources = of_folder(args.source) if args.source else configured()
    _introduce(intended, sources)
    agree(Sentence("Install it?"), args.yes)
    place = _with_bar(intended, sources)
    tell(
        Sentence("{title} is installed: {folder}", title=KINDS[kind].title, folder=place),
        Sentence("Use it with --engine {engine}.", engine=KINDS[kind].engines[0]),
    )
    if kept.tensors_of_our_own(KINDS[kind]):
        tell(
            Sentence("The Python that runs this Voxline has these packages itself, and uses those.")
        )
    return 0


def _suited() -> str:
    suits = suit(this_machine())
    if not suits.kind:
        raise UserError(suits.words, Sentence("--cpu, --cuda or --mlx installs one all the same."))
    return suits.kind


def _introduce(intended: Plan, sources: Sources) -> None:
    """What comes, from where, under which licence, and on which Python."""
    kind = intended.build.kind
    tell(
        Sentence(
            "{title}: {size} to be fetched, {unpacked} on the disk. From {where}.",
            title=kind.title,
            size=size(intended.bytes),
            unpacked=size(intended.unpacked),
            where=sources.shown(intended.build.label),
        ),
        kind.licence,
    )
    if intended.here is not None:
        tell(
            Sentence(
                "It runs on this computer’s Python {version}: {path}",
                version=intended.here.version,
                path=intended.here.executable,
            )
        )
    elif intended.python is not None:
        tell(
            Sentence(
                "It brings its own Python {version}, of python-build-standalone.",
                version=intended.python.version,
            )
        )
    begun = install.begun(intended)
    if begun:
        tell(Sentence("{size} of it are here already.", size=size(begun)))


def _with_bar(intended: Plan, sources: Sources) -> object:
    from tqdm import tqdm

    title = say(intended.build.kind.title)
    bar = tqdm(total=intended.bytes, desc=title, unit="B", unit_scale=True, disable=None)

    def show(progress: Progress) -> None:
        if progress.doing == "waiting":
            seconds = round(progress.left_s or 0)
            tell_above_bar(
                Sentence("{why} Another try in {seconds} s.", why=progress.why, seconds=seconds)
            )
            return
        if progress.doing == "trying" and not bar.disable:
            bar.set_description(say(Sentence("a first try")))
        bar.total = progress.total
        bar.update(progress.done - bar.n)

    try:
        with bar:
            return install.install(intended, show, Stop(), sources)
    except KeyboardInterrupt:
        tell(
            Sentence("Stopped. What has come is kept, and nothing was changed."),
            Sentence("It goes on with: voxline pack install --{kind}", kind=intended.build.pack),
        )
        raise


def _remove(yes: bool) -> int:
    here = kept.installed()
    if not here and not kept.left_over():
        raise UserError(Sentence("No pack is installed."), Sentence("There is nothing to remove."))
    freed = sum(kept.size_of(pack.folder) for pack in here) + kept.left_over()
    if here:
        names = ", ".join(str(pack.folder) for pack in here)
        agree(Sentence("Delete {folder}?", folder=names), yes)
    kept.remove([pack.folder for pack in here])
    tell(Sentence("{size} are free again.", size=size(freed)))
    return 0

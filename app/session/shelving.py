"""From a session that is over to its place in the library, and the same for one that was cut off.

What cannot be shelved is told and costs nothing else: the subtitle file is written all the same.
Knows nothing of threads or windows.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.core.timeline import Timeline
from app.session import journal
from app.session.files import FileProblem
from app.session.journal_records import Contents, local_time, read
from app.session.library import Library, LibraryProblem
from app.session.stored import LIVE, RECOVERED, Said
from model_backends.base import Notice, Sentence, UserError

log = logging.getLogger(__name__)

_FACTS = ("engine", "model", "delay_ms", "language", "source", "names", "name_in_srt")


@dataclass(frozen=True, slots=True)
class Recovered:
    """A session that was cut off and is safe now."""

    started: datetime
    words: int
    saved: Path | None  # its subtitles
    problem: UserError | None = None  # why they, or the place in the library, are missing


def shelve(
    header: Mapping[str, Any],
    started: datetime,
    timeline: Timeline,
    srt: Path | None,
) -> Notice | None:
    """Keep a session that has ended, its record and what the captions had; what went wrong, if
    anything. Nothing said: nothing kept."""
    words = timeline.record()
    if not words:
        return None
    shown = timeline.words() if timeline.reheard else None
    said = Said(
        str(header["session"]), local_time(started), words, timeline.gaps, timeline.duration_ms,
        LIVE, srt=srt, facts=_facts(header), shown=shown,
    )  # fmt: skip
    problem = _keep(said)
    return None if problem is None else Notice("", "library", problem.message, problem.hint)


def recover_all(folder: Path) -> list[Recovered]:
    """Make every session safe that was cut off, the oldest first; asks nobody.

    Journals that are needed no more go. One that could not be saved at all stays for next time.
    """
    journal.prune(folder)
    return [_recovered(left) for left in journal.unfinished(folder)]


def _recovered(left: journal.Unfinished) -> Recovered:
    problem: UserError | None = None
    saved: Path | None = None

    def shelve_it(contents: Contents, srt: Path | None) -> None:
        nonlocal problem
        problem = _keep(_said(left.path, contents, srt)) or problem

    try:
        saved = journal.recover(left.path, before_discard=shelve_it)
    except FileProblem as error:  # the words are shelved at least; the journal stays
        problem = error
        with contextlib.suppress(FileProblem):  # gone: another Voxline was faster
            shelve_it(read(left.path), None)
    return Recovered(left.started, left.words, saved, problem)


def _said(path: Path, contents: Contents, srt: Path | None) -> Said:
    header = contents.header
    uid = header.get("session")
    ends = [word.end_ms for word in contents.words] + [gap.end_ms for gap in contents.gaps]
    return Said(
        uid if isinstance(uid, str) and uid else path.stem, contents.started, contents.words,
        contents.gaps, max(ends, default=0), RECOVERED, srt=srt,
        facts={**_facts(header), "names": contents.names}, shown=contents.shown,
    )  # fmt: skip


def _facts(header: Mapping[str, Any]) -> dict[str, Any]:
    return {name: header[name] for name in _FACTS if header.get(name) is not None}


def _keep(said: Said) -> UserError | None:
    try:
        Library().keep(said)
    except LibraryProblem as problem:
        return UserError(
            Sentence("The session is not in the library. {problem}", problem=problem.message),
            problem.hint,
        )
    except Exception as error:  # the subtitles are written, and must be told of
        log.exception("the library")
        return UserError(
            Sentence("The session is not in the library: {why}.", why=error),
            Sentence("The log has the details."),
        )
    return None

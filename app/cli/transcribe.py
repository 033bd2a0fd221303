"""`voxline transcribe`: subtitles, text or JSON for audio and video files.

Every target is checked before the first file is decoded, and written whole or not at all.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli import EXIT_FAILED, tell, tell_above_bar
from app.cli.arguments import FORMATS, STANDARD_OUTPUT
from app.cli.usage import EngineChoice, UsageError, chosen_engine
from app.core.cues import cues
from app.core.export import to_json_object, to_srt, to_txt, to_vtt
from app.session.files import FileProblem, check_writable, write_new
from model_backends.base import UserError

if TYPE_CHECKING:
    from app.session.transcription import Heard, Transcriber, Transcript


@dataclass(frozen=True, slots=True)
class Job:
    """One input and where its result goes; None is standard output."""

    source: Path
    target: Path | None


def run(args: argparse.Namespace) -> int:
    """Transcribe every file that can be; the exit status tells whether that was all of them."""
    from app.session.transcription import EngineUnavailableError, Transcriber

    choice = chosen_engine(args, patient=True)
    jobs, failed = plan(args.files, args.format, args.output, args.force)
    start = choice.start(choice.delays_ms[0], realtime=False)
    with Transcriber(start, tell_above_bar) as transcriber:
        for job in jobs:
            try:
                _do(job, transcriber, choice, args)
            except EngineUnavailableError:
                raise
            except UserError as error:
                tell(error.message, error.hint)
                failed += 1
            except KeyboardInterrupt:
                tell(f"Interrupted: nothing was written for {job.source}.")
                raise
    return EXIT_FAILED if failed else 0


def plan(
    sources: list[Path], format_: str, output: str | None, force: bool
) -> tuple[list[Job], int]:
    """The jobs whose targets may be written, and how many may not (which the user is told).

    Raises UsageError if `output` is no folder, FileProblem if it cannot be made one.
    """
    if output == STANDARD_OUTPUT:
        return [Job(source, None) for source in sources], 0
    folder = _folder(output) if output is not None else None
    jobs: list[Job] = []
    claimed: dict[str, Path] = {_key(path): path for path in sources}
    for source in sources:
        target = (folder or source.parent) / f"{source.stem}.{format_}"
        try:
            _claim(source, target, claimed, force)
            jobs.append(Job(source, target))
        except FileProblem as problem:
            tell(problem.message, problem.hint)
    return jobs, len(sources) - len(jobs)


def _claim(source: Path, target: Path, claimed: dict[str, Path], force: bool) -> None:
    """Reserve a target for a source. Raises FileProblem if it is taken, or cannot be written."""
    key = _key(target)
    if key in claimed:
        other = claimed[key]
        reason = "is an input itself" if key == _key(other) else f"is the result of {other}"
        raise FileProblem(
            f"{source} is left out: its result would be {target}, which {reason}.",
            "Rename it, or use --output with another folder.",
        )
    if source.exists():  # what does not exist is told when its turn comes, in better words
        check_writable(target, force)
    claimed[key] = source


def _key(path: Path) -> str:
    """What two names of one file have in common."""
    return os.path.normcase(path.resolve())


def _folder(output: str) -> Path:
    folder = Path(output)
    looks_like_file = folder.suffix.lstrip(".").lower() in FORMATS
    if folder.is_file() or (looks_like_file and not folder.exists()):
        raise UsageError(f"--output {output} is not a folder.", "Name a folder, or - to print.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(f"The folder {output} cannot be made: {error.strerror}.") from error
    return folder


def _do(job: Job, transcriber: Transcriber, choice: EngineChoice, args: argparse.Namespace) -> None:
    with _progress_bar(job.source.name) as heard:
        transcript = transcriber.transcribe(job.source, heard)
    for note in transcript.notes:
        tell(note)
    ready = transcriber.ready
    model = ready.model if ready else choice.info.default_model
    details = {"engine": choice.info.name, "model": model, "delay_ms": choice.delays_ms[0]}
    text = render(transcript, args.format, details, lines=job.target is None)
    if job.target is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_new(job.target, text, args.force)
        tell(f"Saved: {job.target}")


def render(transcript: Transcript, format_: str, details: dict[str, Any], lines: bool) -> str:
    """The result as text that ends with a newline, if it is not empty.

    `details` are the JSON's `engine`, `model` and `delay_ms`; with `lines` JSON is on one line.
    """
    words, gaps = transcript.words, transcript.gaps
    if format_ == "json":
        value = to_json_object(
            file=str(transcript.path),
            duration_ms=transcript.duration_ms,
            language=transcript.language,
            words=words,
            **details,
        )
        return json.dumps(value, ensure_ascii=False, indent=None if lines else 2) + "\n"
    if format_ == "txt":
        return to_txt(words, gaps)
    timed = cues(words, gaps)
    return to_vtt(timed) if format_ == "vtt" else to_srt(timed)


@contextmanager
def _progress_bar(name: str) -> Iterator[Heard]:
    """A bar on standard error if that is a terminal; yields what moves it."""
    from tqdm import tqdm

    layout = "{desc} {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s [{elapsed}<{remaining}]"
    unknown = "{desc} {n:.0f} s [{elapsed}]"
    # disable=None: none unless standard error is a terminal
    with tqdm(desc=name, disable=None, leave=False, bar_format=unknown) as bar:

        def heard(heard_ms: int, duration_ms: int | None) -> None:
            if duration_ms:
                bar.total, bar.bar_format = max(duration_ms, heard_ms) / 1000, layout
            bar.update(max(0.0, heard_ms / 1000 - bar.n))

        yield heard

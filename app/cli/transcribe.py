"""`voxline transcribe`: subtitles, text or JSON for audio and video files.

Every target is checked before the first file is decoded, and written whole or not at all.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.audio.opening import is_standard_input, name_of
from app.cli import EXIT_FAILED, tell, tell_above_bar
from app.cli.arguments import STANDARD_OUTPUT
from app.cli.usage import ChosenEngine, chosen_engine
from app.cli.usage_error import UsageError
from app.core.export import FORMATS, Export, to_json
from app.core.script import harmless
from app.language import say
from app.session.files import FileProblem, check_writable, file_key, named_after, write_new
from model_backends import on_disk
from model_backends.base import Sentence, UserError

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
                tell(
                    Sentence(
                        "Interrupted: nothing was written for {name}.", name=name_of(job.source)
                    )
                )
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
    claimed: dict[str, Path] = {file_key(path): path for path in sources}
    for source in sources:
        target = _target(source, folder, format_)
        try:
            _claim(source, target, claimed, force)
            jobs.append(Job(source, target))
        except FileProblem as problem:
            tell(problem.message, problem.hint)
    return jobs, len(sources) - len(jobs)


def _target(source: Path, folder: Path | None, format_: str) -> Path:
    """Beside the source, or in `folder`; what is piped in has no place of its own."""
    if is_standard_input(source):
        return (folder or Path()) / f"stdin.{format_}"
    return (folder or source.parent) / named_after(source, FORMATS[format_].suffix)


def _claim(source: Path, target: Path, claimed: dict[str, Path], force: bool) -> None:
    """Reserve a target for a source. Raises FileProblem if it is taken, or cannot be written."""
    key = file_key(target)
    if key in claimed:
        other = claimed[key]
        is_input = key == file_key(other)
        left_out = "{source} is left out: its result would be {target}, which is "
        reason = left_out + ("an input itself." if is_input else "the result of {other}.")
        raise FileProblem(
            Sentence(reason, source=source, target=target, other=other),
            Sentence("Rename it, or use --output with another folder."),
        )
    # what does not exist is told when its turn comes, in better words
    if is_standard_input(source) or on_disk.exists(source):
        check_writable(target, force)
    claimed[key] = source


def _folder(output: str) -> Path:
    folder = Path(output)
    looks_like_file = folder.suffix.lstrip(".").lower() in FORMATS
    if on_disk.is_file(folder) or (looks_like_file and not on_disk.exists(folder)):
        raise UsageError(
            Sentence("--output {output} is not a folder.", output=output),
            Sentence("Name a folder, or - to print."),
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(
            Sentence(
                "The folder {output} cannot be made: {reason}.",
                output=output,
                reason=error.strerror,
            )
        ) from error
    return folder


def _do(job: Job, transcriber: Transcriber, choice: ChosenEngine, args: argparse.Namespace) -> None:
    with _progress_bar(name_of(job.source)) as heard:
        transcript = transcriber.transcribe(job.source, heard, args.track)
    for note in transcript.notes:
        tell(note)
    export = _export(transcript, transcriber, choice)
    if job.target is None:
        one_line = args.format == "json"
        sys.stdout.write(to_json(export, None) if one_line else FORMATS[args.format].write(export))
        sys.stdout.flush()
    else:
        write_new(job.target, FORMATS[args.format].write(export), args.force)
        tell(Sentence("Saved: {path}", path=job.target))


def _export(transcript: Transcript, transcriber: Transcriber, choice: ChosenEngine) -> Export:
    ready = transcriber.ready
    return Export(
        words=transcript.words,
        gaps=transcript.gaps,
        duration_ms=transcript.duration_ms,
        language=transcript.language,
        file=str(transcript.path),
        engine=choice.info.name,
        model=ready.model if ready else choice.info.default_model,
        delay_ms=choice.delays_ms[0],
        say=say,
    )


@contextmanager
def _progress_bar(name: str) -> Iterator[Heard]:
    """A bar on standard error if that is a terminal; yields what moves it."""
    from tqdm import tqdm

    layout = "{desc} {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s [{elapsed}<{remaining}]"
    unknown = "{desc} {n:.0f} s [{elapsed}]"
    # disable=None: none unless standard error is a terminal
    with tqdm(desc=harmless(name), disable=None, leave=False, bar_format=unknown) as bar:

        def heard(heard_ms: int, duration_ms: int | None) -> None:
            if duration_ms:
                bar.total, bar.bar_format = max(duration_ms, heard_ms) / 1000, layout
            bar.update(max(0.0, heard_ms / 1000 - bar.n))

        yield heard

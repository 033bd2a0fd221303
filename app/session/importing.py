"""An audio or video file recognised from beginning to end, and its place in the library.

Nobody waits for a word of it, so the engine hears with its longest delay. Knows no window.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import paths
from app.session.library import Library
from app.session.stored import FILE, Said
from model_backends import describe, resolve
from model_backends.base import EngineOptions

if TYPE_CHECKING:
    from app.session.transcription import Heard, Transcript


@dataclass(frozen=True, slots=True)
class HeardFile:
    """What was said in a file, and what there is to say about it."""

    transcript: Transcript
    notes: tuple[str, ...]
    facts: dict[str, Any]  # how it was heard


def hear(path: Path, options: EngineOptions, heard: Heard) -> HeardFile:
    """Recognise a file; slow. What `heard` raises ends it. Raises UserError."""
    from app.session.start import (
        start_message,
        suited,
    )  # with these come decoders, and a start without
    from app.session.transcription import Transcriber  # files need not wait for them

    info, options = suited(describe(resolve(options.engine, paths.models_dir())), options)
    patient = replace(info.fitting(options), engine=info.name, delay_ms=max(info.delays_ms))
    notes: list[str] = []
    with Transcriber(start_message(patient, realtime=False), notes.append) as transcriber:
        transcript = transcriber.transcribe(path, heard)
        model = transcriber.ready.model if transcriber.ready else patient.model
    facts = {
        "engine": info.name,
        "model": model,
        "delay_ms": patient.delay_ms,
        "language": patient.language,
    }
    return HeardFile(transcript, (*notes, *transcript.notes), facts)


def shelve(file: HeardFile, library: Library | None = None) -> int | None:
    """Keep it; its number, None if nothing was said. Raises LibraryProblem."""
    transcript = file.transcript
    if not transcript.words:
        return None
    said = Said(
        uuid.uuid4().hex, datetime.now().astimezone(), transcript.words, transcript.gaps,
        transcript.duration_ms, FILE, file=str(transcript.path.absolute()), facts=file.facts,
    )  # fmt: skip
    return (library or Library()).keep(said)


def languages(options: EngineOptions) -> tuple[str, ...]:
    """What a file's language may be said to be; empty where the engine finds it itself."""
    info = describe(resolve(options.engine, paths.models_dir()))
    return tuple(info.languages_of(options.model))

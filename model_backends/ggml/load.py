"""Load a model file into an engine. The worker alone imports this."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import psutil

from model_backends import speeds
from model_backends.base import LoadOptions, Report, Sentence
from model_backends.ggml import trial
from model_backends.ggml.engine import GgmlEngine, files_only
from model_backends.ggml.families import Family, Kind
from model_backends.ggml.info import INFO, described, family_in, find_model
from model_backends.ggml.library import backend_of, library, no_memory, open_model

log = logging.getLogger(__name__)

_MOST_THREADS = 4
_WORKSPACE = 300_000_000  # bytes besides the weights: caches, graphs


def load(options: LoadOptions, report: Report) -> GgmlEngine:
    """Find, read and load the file. Raises EngineError with what is wrong and what to do."""
    library()
    file = find_model(options.model, options.models_dir)
    family = family_in(file)
    if options.realtime and not family.streams:
        raise files_only(family)
    info = described(family, file.parent.name if file.parent.name in INFO.models else file.name)
    info.check_language(options.language, info.default_model)
    backend = backend_of(options.device, heavy=family.kind is Kind.TEXT)
    report(0.3, Sentence("Loading {name}", name=info.default_model))
    model = _open(file, backend)
    report(0.9, Sentence("Loading {name}", name=info.default_model))
    threads = threads_for(family, options.realtime, os.cpu_count() or 1)
    trial.warm_up(model, family, threads)
    report(1.0, Sentence("{name} is loaded", name=info.default_model))
    engine = GgmlEngine(
        info,
        info.default_model,
        str(model.backend).lower(),
        family,
        model,
        lambda: _open(file, backend),
        threads,
    )
    if options.realtime and engine.device == "cpu":
        _measure_once(engine, model, options, threads)
    return engine


def _measure_once(engine: GgmlEngine, model: Any, options: LoadOptions, threads: int) -> None:
    """After a model has come: what it really takes here, with three seconds of the sample. Later
    on what was found then counts."""
    name, sound = speeds.load_of(engine.model), options.extra.get("sample")
    if options.cache_dir is None or sound is None:
        return
    known = speeds.read(options.cache_dir, name)
    if known is not None:
        engine.expect(known)
        return
    try:
        pcm = trial.sample(Path(str(sound)))
    except (OSError, ValueError):  # PyAV's errors are of these kinds, too
        log.warning("the sample cannot be heard: %s", sound)
        return
    load = trial.load_at(model, engine.family, engine.info.default_delay_ms, pcm, threads)
    speeds.note(options.cache_dir, name, load)
    engine.measured(load)


def threads_for(family: Family, realtime: bool, processors: int) -> int:
    """One where somebody listens, since a second one waits for the first by spinning; more for
    Voxtral and for files, if a core is left for the app."""
    if realtime and family.kind is not Kind.TEXT:
        return 1
    return max(1, min(_MOST_THREADS, processors - 1))


def _open(file: Path, backend: str) -> Any:
    # weights are mapped and may be read again from the disk, but then nothing is live any more
    if psutil.virtual_memory().available < _WORKSPACE:
        raise no_memory(file.name)
    return open_model(file, backend)

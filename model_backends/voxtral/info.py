"""What every Voxtral engine shares: what the model offers, where checkpoints are looked for, and
published error rates. Imports no tensor library."""

from __future__ import annotations

from pathlib import Path

import psutil

from model_backends import on_disk
from model_backends.base import EngineError, EngineInfo, Sentence
from model_backends.voxtral.checkpoint.folder import looks_like_checkpoint, read_spec
from model_backends.voxtral.schedule import DEFAULT_DELAY_MS, DELAYS_MS, hangover_ms

DEFAULT_MODEL = "Voxtral-Mini-4B-Realtime-2602"
DOWNLOAD = Sentence(
    "Get them in the preferences, under “Speech model”, or with: voxline models download voxtral "
    "(8.9 GB). Or choose a folder that holds them."
)
RECORD_DELAY_MS = 2400  # the longest, and the one with the fewest errors
HANGOVER_MS = {delay: hangover_ms(delay) for delay in DELAYS_MS}

# Average over 13 languages of FLEURS, %, from the model card; no other delay is published.
WORD_ERROR_RATE = {160: 12.60, 240: 10.80, 480: 8.72, 960: 7.70, 2400: 6.73}


def described(name: str, label: str, precisions: tuple[str, ...]) -> EngineInfo:
    """An engine of this family: what the model offers is the same whatever computes it."""
    return EngineInfo(
        name=name,
        label=label,
        models=(DEFAULT_MODEL,),
        default_model=DEFAULT_MODEL,
        delays_ms=DELAYS_MS,
        default_delay_ms=DEFAULT_DELAY_MS,
        languages=(),
        hangover_ms=HANGOVER_MS,
        takes_folder=True,
        whole_files=True,
        word_error_rate=WORD_ERROR_RATE,
        max_tracks=2,
        record_delay_ms=RECORD_DELAY_MS,
        precisions=precisions,
        takes_hotwords=True,
    )


def checkpoints(models_dir: Path) -> list[Path]:
    """Folders below `models_dir` (or itself) that look like a checkpoint, by name."""
    candidates = [models_dir, *on_disk.folders_in(models_dir)]
    return [folder for folder in candidates if looks_like_checkpoint(folder) and is_ours(folder)]


def is_ours(folder: Path) -> bool:
    """Whether a folder describes a Voxtral Realtime model that this code understands."""
    try:
        read_spec(folder)
    except EngineError:
        return False
    return True


def find_model(model: str | None, models_dir: Path) -> Path:
    """The folder that `--model` means: a path, a name in `models_dir`, or the only one there.

    Raises EngineError saying what to download.
    """
    found = checkpoints(models_dir)
    if model is None:
        named = [folder for folder in found if folder.name == DEFAULT_MODEL]
        if named or found:
            return (named or found)[0]
        raise EngineError(
            Sentence("The Voxtral Realtime weights are not on this computer."), DOWNLOAD
        )
    for folder in (on_disk.expanded(Path(model)), models_dir / model):
        if on_disk.is_folder(folder):
            return folder
    raise EngineError(
        Sentence("There is no Voxtral model called “{model}”.", model=model), DOWNLOAD
    )


def free_memory() -> int:
    """Bytes of main memory a program could still take."""
    return int(psutil.virtual_memory().available)


def gigabytes(count: float) -> str:
    """For people: 8.9 GB."""
    return Sentence("{count:.1f} GB", count=count / 1e9)

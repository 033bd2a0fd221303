"""Where things live: bundled resources, and the user's folders, made when they are asked for."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_APP = "Voxline"


def resource(name: str) -> Path:
    """A bundled file: in the installed package, else in the checkout."""
    installed = Path(__file__).parent / "_resources" / name
    return installed if installed.exists() else Path(__file__).parents[1] / "resources" / name


def data_dir() -> Path:
    """The user's data folder: journals of sessions, models. `VOXLINE_DATA` moves it."""
    return _made(os.environ.get("VOXLINE_DATA") or platformdirs.user_data_dir(_APP, False))


def models_dir() -> Path:
    """Where model weights are kept, one folder a model. `VOXLINE_MODELS` moves it."""
    return _made(os.environ.get("VOXLINE_MODELS") or data_dir() / "models")


def journal_dir() -> Path:
    """Where the journal of each session is written, one file a session."""
    return _made(data_dir() / "journal")


def log_dir() -> Path:
    """Where logs go."""
    return _made(platformdirs.user_log_dir(_APP, False))


def config_dir() -> Path:
    """Where settings are kept. `VOXLINE_CONFIG` moves it."""
    return _made(os.environ.get("VOXLINE_CONFIG") or platformdirs.user_config_dir(_APP, False))


def transcripts_dir() -> Path:
    """The user's Voxline folder, for subtitle files. `VOXLINE_TRANSCRIPTS` moves it.

    Not created here: the writer creates it, so that a failure is told where it matters.
    """
    chosen = os.environ.get("VOXLINE_TRANSCRIPTS")
    return Path(chosen) if chosen else Path(platformdirs.user_documents_dir()) / _APP


def _made(path: str | Path) -> Path:
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder

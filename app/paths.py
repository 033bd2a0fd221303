"""Where things live: bundled resources, and the user's folders.

To ask for a folder makes none, so that a home that cannot be written hinders nobody who only
reads: whoever writes calls `make_private()` first, and tells a failure in words that name the
variable by which the folder can be moved (`moved_by()`).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import platformdirs

_APP = "Voxline"


def resource(name: str) -> Path:
    """A bundled file: in the installed package, else in the checkout."""
    installed = Path(__file__).parent / "_resources" / name
    return installed if installed.exists() else Path(__file__).parents[1] / "resources" / name


def data_dir() -> Path:
    """The user's data folder: journals of sessions, models. `VOXLINE_DATA` moves it."""
    return _chosen("VOXLINE_DATA") or Path(platformdirs.user_data_dir(_APP, False))


def models_dir() -> Path:
    """Where model weights are kept, one folder a model. `VOXLINE_MODELS` moves it."""
    return _chosen("VOXLINE_MODELS") or data_dir() / "models"


def journal_dir() -> Path:
    """Where the journal of each session is written, one file a session."""
    return data_dir() / "journal"


def library_dir() -> Path:
    """Where the library of sessions is kept."""
    return data_dir() / "library"


def log_dir() -> Path:
    """Where logs go."""
    return Path(platformdirs.user_log_dir(_APP, False))


def cache_dir() -> Path:
    """For what can be found out again at any time. `VOXLINE_CACHE` moves it."""
    return _chosen("VOXLINE_CACHE") or Path(platformdirs.user_cache_dir(_APP, False))


def config_dir() -> Path:
    """Where settings are kept. `VOXLINE_CONFIG` moves it."""
    return _chosen("VOXLINE_CONFIG") or Path(platformdirs.user_config_dir(_APP, False))


def key_file() -> Path:
    """Where keys to servers are kept, on a computer that has no keyring."""
    return config_dir() / "keys.json"


def transcripts_dir() -> Path:
    """The user's Voxline folder, for subtitle files. `VOXLINE_TRANSCRIPTS` moves it."""
    return _chosen("VOXLINE_TRANSCRIPTS") or Path(platformdirs.user_documents_dir()) / _APP


def moved_by(path: Path) -> str | None:
    """The variable that moves the folder of ours in which `path` lies, e.g. "VOXLINE_DATA"."""
    for name, folder in (
        ("VOXLINE_MODELS", models_dir() if os.environ.get("VOXLINE_MODELS") else None),
        ("VOXLINE_TRANSCRIPTS", transcripts_dir()),
        ("VOXLINE_CONFIG", config_dir()),
        ("VOXLINE_DATA", data_dir()),
    ):
        if folder is not None and (path == folder or folder in path.parents):
            return name
    return None


def make_private(folder: Path, tighten: bool = False) -> Path:
    """Make a folder, and those above it that are missing, for their owner's eyes only.

    One that is there stays as it is, unless `tighten`: then nobody else may look into it from now
    on (for folders that hold nothing but what Voxline writes). Raises OSError.
    """
    missing = []
    for each in (folder, *folder.parents):
        if each.exists():
            break
        missing.append(each)
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    if not folder.is_dir():
        folder.mkdir()  # raises what is wrong
    if tighten:
        _tighten(folder)
    return folder


def private_file(path: Path) -> Path:
    """Make sure that a log or the like exists, in a folder of ours, for its owner's eyes only.

    Raises OSError if it cannot be written.
    """
    make_private(path.parent, tighten=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0)
    os.close(os.open(path, flags, 0o600))
    _tighten(path)
    return path


def _tighten(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        try:
            path.chmod(mode & ~0o077)
        except PermissionError:  # somebody else's, who shares it with us
            pass


def _chosen(variable: str) -> Path | None:
    """The folder that an environment variable names; "~" is the user's home."""
    value = os.environ.get(variable)
    return Path(os.path.abspath(os.path.expanduser(value))) if value else None  # noqa: PTH100, PTH111 - Path's own raise where there is no home

"""What is on the disk, asked so that there is always an answer: what may not be looked at, or has
a name that no disk could hold, is not there.

`Path.exists()` and its kin raise OSError for both, and a user's path may be either. Whoever must
tell the user what is wrong with a path opens it: then the system says.
"""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file so that a crash or a full disk leaves the one that was there. Raises OSError.

    The one door for files that are written again and again. Where the path is a link, as for who
    keeps settings in a repository, what it leads to is replaced, and the link stays. `mode` as for
    a new file: less what the user's mask takes away.
    """
    target = Path(os.path.realpath(path))
    fresh = target.with_name(f".voxline-{os.urandom(8).hex()}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(fresh, flags, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def exists(path: Path) -> bool:
    """Something is there."""
    return os.path.exists(path)  # noqa: PTH110 - it never raises


def is_file(path: Path) -> bool:
    """A file is there, links followed."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """A folder is there, links followed."""
    return os.path.isdir(path)  # noqa: PTH112


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, by name; none if it is none, or may not be read. Without hidden
    ones: among models, what is being removed or fetched lies there."""
    try:
        return sorted(p for p in folder.iterdir() if is_folder(p) and not p.name.startswith("."))
    except OSError:
        return []


def expanded(path: Path) -> Path:
    """With ~ as the home folder; as it is where there is no such home."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - it never raises

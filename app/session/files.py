"""Writing a text file so that it is whole or not there, and never over another by accident.

Knows nothing about what is in it. Every failure is a FileProblem: the user's sentence and what to
do next.
"""

from __future__ import annotations

import errno
import itertools
import os
import secrets
from pathlib import Path

from model_backends.base import UserError

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space, or choose another place."),
    errno.EDQUOT: ("your disk quota is used up", "Free some space, or choose another place."),
    errno.EROFS: ("that place is read-only", "Choose another place."),
    errno.EACCES: ("you may not write there", "Choose another place, or change its permissions."),
    errno.EPERM: ("you may not write there", "Choose another place, or change its permissions."),
    errno.ENOENT: ("there is no such folder", "Create the folder, or choose another place."),
    errno.ENOTDIR: ("there is no such folder", "Choose another place."),
    errno.EISDIR: ("that is a folder", "Name a file in it."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name."),
}


class FileProblem(UserError):  # noqa: N818 - what the user has, not what the program did wrong
    """A file cannot be read or written. `message` is the user's sentence, `hint` the next step."""


def file_problem(path: Path, error: OSError, doing: str = "write") -> FileProblem:
    """The user's words for an operating system's error about `path`."""
    if error.errno == errno.ENOENT and doing != "write":
        return FileProblem(f"Cannot {doing} {path}: there is no such file.", "Check the name.")
    fallback = (error.strerror or str(error), "Choose another place.")
    reason, hint = _REASONS.get(error.errno or 0, fallback)
    return FileProblem(f"Cannot {doing} {path}: {reason}.", hint)


def check_writable(path: Path, force: bool = False) -> None:
    """Raise FileProblem now if `write_new(path, …, force)` would fail later. Leaves no trace."""
    target = _target(path, force)
    if _is_special(target):
        return
    try:
        trial = _write_trial(target.parent, "")
        trial.unlink()
    except OSError as error:
        raise file_problem(path, error) from error


def write_new(path: Path, text: str, force: bool = False) -> Path:
    """Write UTF-8 text to `path`, all or nothing, durably. Returns the path.

    Without `force` an existing file is never replaced, not even one that appears meanwhile.
    Raises FileProblem: exists, is a folder, no such folder, disk full, read-only, not permitted.
    """
    target = _target(path, force)
    try:
        if _is_special(target):
            target.write_text(text, encoding="utf-8", errors="replace")
            return path
        trial = _write_trial(target.parent, text)
        try:
            _publish(trial, target, force)
        finally:
            trial.unlink(missing_ok=True)
        _sync_folder(target.parent)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise file_problem(path, error) from error
    return path


def write_unique(path: Path, text: str) -> Path:
    """Like `write_new`, but creates the folder and takes "name (2)" … if the name is in use."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_problem(path, error) from error
    for number in itertools.count(1):
        candidate = path if number == 1 else path.with_name(f"{path.stem} ({number}){path.suffix}")
        if not os.path.lexists(candidate):
            try:
                return write_new(candidate, text)
            except FileProblem:
                if not os.path.lexists(candidate):  # else somebody took the name just now
                    raise
    raise AssertionError("unreachable")


def _target(path: Path, force: bool) -> Path:
    """The file to write, links followed. Raises FileProblem if it is in the way or a folder."""
    try:
        if path.is_dir():
            raise file_problem(path, IsADirectoryError(errno.EISDIR, ""))
        if not force and os.path.lexists(path) and not _is_special(path):
            raise _exists(path)
        return path.resolve() if force else path
    except (OSError, RuntimeError) as error:  # a link to itself
        raise FileProblem(f"Cannot write {path}: {error}.", "Choose another place.") from error


def _is_special(path: Path) -> bool:
    """A device or pipe, such as /dev/stdout: written in place, nothing to protect."""
    return path.exists() and not path.is_file()


def _exists(path: Path) -> FileProblem:
    return FileProblem(f"{path} is already there.", "Choose another name, or add --force.")


def _write_trial(folder: Path, text: str) -> Path:
    """The whole text, on disk, in a new file of the same folder."""
    trial = folder / f".voxline-{secrets.token_hex(8)}.tmp"
    handle = os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # umask applies
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        trial.unlink(missing_ok=True)
        raise
    return trial


def _publish(trial: Path, target: Path, force: bool) -> None:
    if force:
        trial.replace(target)
        return
    try:
        os.link(trial, target)  # fails if the target exists, in one step
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: claim the name, then replace the claim
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        trial.replace(target)


def _sync_folder(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders, and needs no such thing
        return
    try:
        os.fsync(handle)
    except OSError:  # some network file systems refuse; the file itself is on disk
        pass
    finally:
        os.close(handle)

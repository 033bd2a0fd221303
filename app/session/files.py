"""Writing a text file so that it is whole or not there, and never over another by accident.

Knows nothing about what is in it. Every failure is a FileProblem: the user's sentence and what to
do next. Also whether two names mean one file, and what to call what is made from one.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import secrets
import shutil
from pathlib import Path

from app import paths
from model_backends import on_disk
from model_backends.base import Sentence, UserError

_REASONS = {
    errno.ENOSPC: Sentence("the disk is full"),
    errno.EDQUOT: Sentence("your disk quota is used up"),
    errno.EROFS: Sentence("that place is read-only"),
    errno.EACCES: Sentence("you may not write there"),
    errno.EPERM: Sentence("you may not write there"),
    errno.ENOENT: Sentence("there is no such folder"),
    errno.ENOTDIR: Sentence("there is no such folder"),
    errno.EISDIR: Sentence("that is a folder"),
    errno.ENAMETOOLONG: Sentence("the name is too long"),
    errno.ELOOP: Sentence("it is a link to itself"),
}
_HINTS = {
    errno.ENOSPC: Sentence("Free some space, or choose another place."),
    errno.EDQUOT: Sentence("Free some space, or choose another place."),
    errno.EACCES: Sentence("Choose another place, or change its permissions."),
    errno.EPERM: Sentence("Choose another place, or change its permissions."),
    errno.ENOENT: Sentence("Create the folder, or choose another place."),
    errno.EISDIR: Sentence("Name a file in it."),
    errno.ENAMETOOLONG: Sentence("Choose a shorter name."),
}
_FULL = (errno.ENOSPC, errno.EDQUOT)


_CANNOT = {
    "write": "Cannot write {path}: {reason}.",
    "read": "Cannot read {path}: {reason}.",
    "delete": "Cannot delete {path}: {reason}.",
}
_NO_FILE = {
    "read": "Cannot read {path}: there is no such file.",
    "delete": "Cannot delete {path}: there is no such file.",
}


class FileProblem(UserError):  # noqa: N818 - what the user has, not what the program did wrong
    """A file cannot be read or written. `message` is the user's sentence, `hint` the next step."""


def file_problem(path: Path, error: OSError, doing: str = "write") -> FileProblem:
    """The user's words for an operating system's error about `path`: write, read or delete it."""
    number = error.errno or 0
    if number == errno.ENOENT and doing != "write":
        return FileProblem(Sentence(_NO_FILE[doing], path=path), Sentence("Check the name."))
    reason = _REASONS.get(number) or error.strerror or str(error)
    return FileProblem(Sentence(_CANNOT[doing], path=path, reason=reason), _hint(path, number))


def _hint(path: Path, number: int) -> str:
    """What to do next; the folders of ours are not chosen anew each time, but can be moved."""
    variable = paths.moved_by(path)
    if variable is None:
        return _HINTS.get(number, Sentence("Choose another place."))
    if number in _FULL:
        return Sentence(
            "Free some space. To use another disk, start Voxline with {name} set to a folder "
            "there.",
            name=variable,
        )
    return Sentence(
        "Let Voxline write there, or start it with {name} set to a folder that you may write to.",
        name=variable,
    )


def output_problem(error: OSError) -> FileProblem:
    """The user's words for standard output that takes no more, or is closed."""
    if error.errno == errno.EBADF:
        return FileProblem(
            Sentence("Standard output cannot be written: it is closed."),
            Sentence("Send it to a file or to another program."),
        )
    reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
    message = Sentence("Standard output cannot be written: {reason}.", reason=reason)
    return FileProblem(message, Sentence("Free some space, or send it elsewhere."))


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, by whatever links; also if there is none yet."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return file_key(one) == file_key(other)


def file_key(path: Path) -> str:
    """What all names of one file have in common, hard links aside. A link to itself is its own."""
    return os.path.normcase(os.path.realpath(path))


def check_apart(target: Path, source: Path) -> None:
    """Raise FileProblem if writing `target` would write over `source`, which is being read."""
    if same_file(target, source):
        message = Sentence("“{path}” is what is listened to: it would be overwritten.", path=target)
        raise FileProblem(message, Sentence("Choose another name for the subtitles."))


def named_after(source: Path, suffix: str) -> str:
    """The name of what is made from a file: its own, with another suffix ("talk.mp3" → "talk.srt").

    Only what looks like the suffix of a kind of file is replaced: "My.Show.H.264-GRP" has none.
    """
    return (source.stem if _SUFFIX.fullmatch(source.suffix) else source.name) + suffix


# 3gp, mp4, m4a, x264; not .264-GRP, .2024, .S01E02-extended
_SUFFIX = re.compile(r"\.(?=[0-9]*[A-Za-z])[A-Za-z0-9]{2,5}", re.ASCII)


def check_writable(path: Path, force: bool = False) -> None:
    """Raise FileProblem now if `write_new(path, …, force)` would fail later. Leaves no trace."""
    target = _target(path, force)
    if is_special(target):
        return
    try:
        trial = _write_trial(target.parent, "")
        trial.unlink()
    except OSError as error:
        raise file_problem(path, error) from error


def write_new(path: Path, text: str, force: bool = False, private: bool = False) -> Path:
    """Write UTF-8 text to `path`, all or nothing, durably. Returns the path.

    `private`: for its owner's eyes only; else as the user's mask says, or as the file that is
    replaced was. Without `force` an existing file is never replaced, not even one that appears
    meanwhile. Raises FileProblem: exists, is a folder, no such folder, disk full, read-only,
    not permitted.
    """
    target = _target(path, force)
    try:
        if is_special(target):
            target.write_text(text, encoding="utf-8", errors="replace")
            return path
        trial = _write_trial(target.parent, text, 0o600 if private else 0o666)
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
    """Like `write_new`, but makes the folder and takes "name (2)" … if the name is in use.

    For files that nobody named: they are for their owner's eyes only, and so is a folder that is
    made for them.
    """
    try:
        paths.make_private(path.parent)
    except OSError as error:
        raise file_problem(path, error) from error
    for number in itertools.count(1):
        candidate = path if number == 1 else path.with_name(f"{path.stem} ({number}){path.suffix}")
        if not os.path.lexists(candidate):
            try:
                return write_new(candidate, text, private=True)
            except FileProblem:
                if not os.path.lexists(candidate):  # else somebody took the name just now
                    raise
    raise AssertionError("unreachable")


def _target(path: Path, force: bool) -> Path:
    """The file to write, links followed. Raises FileProblem if it is in the way or a folder."""
    try:
        if path.is_dir():
            raise file_problem(path, IsADirectoryError(errno.EISDIR, ""))
        if not force and os.path.lexists(path) and not is_special(path):
            raise _exists(path)
        return path.resolve() if force else path
    except OSError as error:
        raise file_problem(path, error) from error
    except RuntimeError as error:  # what Python before 3.13 says of a link to itself
        raise file_problem(path, OSError(errno.ELOOP, str(error))) from error


def is_special(path: Path) -> bool:
    """A device or pipe, such as /dev/stdout: written in place, nothing to protect."""
    return on_disk.exists(path) and not on_disk.is_file(path)


def _exists(path: Path) -> FileProblem:
    message = Sentence("{path} is already there.", path=path)
    return FileProblem(message, Sentence("Choose another name, or add --force."))


def _write_trial(folder: Path, text: str, mode: int = 0o666) -> Path:
    """The whole text, on disk, in a new file of the same folder."""
    trial = folder / f".voxline-{secrets.token_hex(8)}.tmp"
    handle = os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)  # umask applies
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
        if target.exists():
            shutil.copymode(target, trial)
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

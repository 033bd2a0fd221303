"""The end of what Voxline has put on the disk, and into the system's keyring: what was said, keys,
settings, logs, models and packs.

Only what Voxline itself has named is touched; what the user has saved under a name of
their own is theirs. Each part says what could not be deleted, and goes on with the rest.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app import paths
from app.session import journal
from app.session.files import file_problem
from app.session.library import Library, LibraryProblem
from app.settings import load, settings_file
from model_backends.base import Sentence, UserError
from model_backends.remote.keys import ASIDE, KeyStore

# as journal.transcript_path() names them, and files.write_unique() those after the first
_SUBTITLES = re.compile(r"Voxline \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d( \(\d+\))?\.srt")
_MADE_KEYS = "*.key"  # as app.share.key names them
_OLD_SETTINGS = "settings.broken-*.toml"


@dataclass(frozen=True, slots=True)
class Part:
    """Something that can be deleted, in words."""

    name: str
    label: str
    erase: Callable[[], list[UserError]]  # what went wrong


def erase(names: Iterable[str]) -> list[UserError]:
    """Delete these parts; what could not be. Nothing of a session that is running."""
    return [problem for name in names for problem in PARTS[name].erase()]


def _said() -> list[UserError]:
    problems: list[UserError] = []
    try:
        Library().clear()
    except LibraryProblem as problem:
        problems.append(problem)
    folder = paths.transcripts_dir()
    ours = [each for each in _in(folder) if _SUBTITLES.fullmatch(each.name)]
    running = {each.path for each in journal.running(paths.journal_dir())}
    left = [each for each in _in(paths.journal_dir()) if each not in running]
    return [*problems, *_deleted([*ours, *left])]


def _keys() -> list[UserError]:
    """In the keyring, in our own file where there is none, and those that this installation has
    made for whoever asks it. Settings know of servers whose keys nobody has noted."""
    chosen, _ = load()
    problems = KeyStore(paths.key_file()).forget_all(also=chosen.agreed_servers)
    made = paths.config_dir().glob(_MADE_KEYS)
    left = [] if problems else [*_linked(paths.key_file())]  # damaged ones, too
    aside = paths.config_dir().glob(ASIDE)
    return [*problems, *_deleted([*(each for key in made for each in _linked(key)), *aside, *left])]


def _settings() -> list[UserError]:
    file = settings_file()
    return _deleted([*_linked(file), *file.parent.glob(_OLD_SETTINGS)])


def _logs() -> list[UserError]:
    """Emptied: what is written to now stays open."""
    problems: list[UserError] = []
    for path in _in(paths.log_dir()):
        try:
            os.truncate(path, 0)
        except OSError as error:
            problems.append(file_problem(path, error, "delete"))
    return problems


def _models() -> list[UserError]:
    """In our own folder only: one that was named elsewhere may hold what others use. With them go
    packs, and what was found out about them."""
    ours = (paths.data_dir() / "models", paths.data_dir() / "packs", paths.cache_dir())
    return _deleted(path for folder in ours for path in _in(folder))


def _linked(file: Path) -> tuple[Path, Path]:
    """What a link leads to, and then the link: Voxline has written both."""
    return Path(os.path.realpath(file)), file


def _in(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # there is none, or it is not ours to look into
        return []


def _deleted(files: Iterable[Path]) -> list[UserError]:
    problems: list[UserError] = []
    for path in files:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            problems.append(file_problem(path, error, "delete"))
    return problems


PARTS: Mapping[str, Part] = {
    part.name: part
    for part in (
        Part("said", Sentence("What was said: all sessions, with their subtitle files"), _said),
        Part(
            "keys",
            Sentence("Keys and passwords, of servers, Zoom and OBS, in the system’s keyring, too"),
            _keys,
        ),
        Part("settings", Sentence("Settings, with names and words"), _settings),
        Part("logs", Sentence("Logs"), _logs),
        Part(
            "models", Sentence("Speech models and acceleration packs that were downloaded"), _models
        ),
    )
}

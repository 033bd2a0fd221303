"""Asks a frozen app to do what it is for, and checks the words: what a release must pass.

    python packaging/smoke.py PATH/TO/voxline

It gets an empty home of its own with spaces and other letters in its name, and no network where
the system can take it away. Exit status 1, and what went wrong, if any of it does.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import smoke_parts
from product import ROOT, version
from smoke_user import SmokeError, User, check_live_words, check_words, same
from tell import say

SAMPLE = ROOT / "resources" / "sample" / "jfk.flac"


def main(arguments: list[str]) -> int:
    """Check the executable that is named."""
    if len(arguments) != 1:
        say(f"usage: {__doc__ or ''}".splitlines()[0])
        return 2
    try:
        check(Path(arguments[0]).absolute())
    except SmokeError as error:
        say(f"The app is not fit to be released: {error}")
        return 1
    say("The app captions.")
    return 0


def check(program: Path) -> None:
    """Raises SmokeError."""
    with somebody(program) as (user, talk):
        check_speech(user, talk)
        smoke_parts.check_library(user)
        smoke_parts.check_keys(user)
        smoke_parts.check_server(user, talk)
        smoke_parts.check_page(user, talk)
        smoke_parts.check_qr_code(user, talk)


@contextmanager
def somebody(program: Path) -> Iterator[tuple[User, Path]]:
    """Who starts the app, and a sound file of theirs."""
    name = "Zoë’s new computer "
    with tempfile.TemporaryDirectory(prefix=name, ignore_cleanup_errors=True) as home:
        talk = Path(home) / "a talk – first part.flac"
        shutil.copy(SAMPLE, talk)
        yield User(program, Path(home)), talk


def check_speech(user: User, talk: Path) -> None:
    """It is the version that was built, and hears what is said. Raises SmokeError."""
    same(user.run("--version"), f"voxline {version()}", "its version")
    _check_engines(user)
    user.run("transcribe", str(talk))
    check_words(talk.with_suffix(".srt").read_text("utf-8"))
    _check_live(user, talk)


def _check_engines(user: User) -> None:
    rows = json.loads(user.run("engines", "--json"))
    ready = {(row["engine"], row["model"]) for row in rows if row["available"]}
    if ("embedded", "base") not in ready:
        raise SmokeError(f"the embedded engine is not ready; ready are {sorted(ready)}")


def _check_live(user: User, talk: Path) -> None:
    """Captions, and the transcript that a second worker hears."""
    subtitles, shown = user.home / "live.srt", user.home / "as shown.srt"
    listen = ("listen", "--source", str(talk), "--srt", str(subtitles))
    user.run(*listen, "--as-shown", str(shown))
    for path in (subtitles, shown):
        check_live_words(path.read_text("utf-8"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A library of made sessions: how long it takes to find, list, open and keep something in it.

    python -m app.measure.library --sessions 2000 --words 5000 [--folder FOLDER]

Words are drawn from a vocabulary in which, as in speech, few words are most of what is said. Each
question is asked several times, and the slowest answer counts; the processor's time beside it
says what a computer with nothing else to do would need. Made once in a folder that is named, the
library is used again.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from app.core.timeline import Gap
from app.session.library import Library
from app.session.stored import Said
from model_backends.base import Word

VOCABULARY = 20_000
RARE = "xylophone quartz"  # said in one session only, the oldest
_SYLLABLES = re.findall("[a-z]+", "ba co di fe gu ha ji ko lu ma ne po qui ro su ta ve wi xo zy")
_TIMES = 7


def make(library: Library, sessions: int, words: int, seed: int = 1) -> None:
    """Fill a library: so many sessions of so many words, two an hour apart each day."""
    chance = random.Random(seed)
    vocabulary = [_word(chance) for _ in range(VOCABULARY)]
    often = list(accumulate(1 / (rank + 3) for rank in range(VOCABULARY)))
    newest = datetime.now(UTC)
    for number in range(sessions):
        texts = chance.choices(vocabulary, cum_weights=often, k=words)
        if number == sessions - 1:
            texts[words // 2 : words // 2 + 2] = RARE.split()
        said = _said(texts, chance)
        gaps = [Gap("me", said[-1].end_ms, said[-1].end_ms + 5000, "paused")]
        started = newest - timedelta(hours=12 * number)
        library.keep(Said(f"made {number}", started, said, gaps, said[-1].end_ms + 5000))


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4)))


def _said(texts: list[str], chance: random.Random) -> list[Word]:
    """With a full stop and a pause now and then, so that there are paragraphs."""
    words, at = [], 0
    for text in texts:
        stops = chance.random() < 0.08
        end = at + 60 * len(text)
        words.append(Word("me", 0, 0, f" {text}{'.' * stops}", at, end, "en"))
        at = end + (2500 if stops and chance.random() < 0.3 else 80)
    return words


def measure(library: Library) -> dict[str, tuple[float, float, str]]:
    """What was asked: the slowest answer in milliseconds, of the processor's too, and what it was.

    The first time does not count: then it is the disk that is measured.
    """
    newest = library.sessions()[0]
    common = library.read(newest.id).words[0].text.strip(" .")
    return {
        "list all": _slowest(lambda: f"{len(library.sessions())} sessions"),
        "search: said once": _slowest(lambda: _found(library, RARE)),
        "search: never said": _slowest(lambda: _found(library, RARE + " never")),
        f"search: “{common}”, first ten": _slowest(lambda: _found(library, common, 10)),
        f"search: “{common}”, all": _slowest(lambda: _found(library, common)),
        "open the newest": _slowest(lambda: f"{len(library.read(newest.id).words)} words"),
    }


def _found(library: Library, query: str, most: int = 1 << 30) -> str:
    found = library.search(query)
    count = sum(1 for _ in zip(range(most), found, strict=False))
    return f"{count} sessions"


def _slowest(ask: Callable[[], str]) -> tuple[float, float, str]:
    slowest, busiest, answer = 0.0, 0.0, ask()
    for _ in range(_TIMES):
        began, worked = time.perf_counter(), time.process_time()
        answer = ask()
        slowest = max(slowest, time.perf_counter() - began)
        busiest = max(busiest, time.process_time() - worked)
    return slowest * 1000, busiest * 1000, answer


def main() -> None:
    """Make it, ask it, print."""
    options = _arguments()
    with tempfile.TemporaryDirectory() as passing:
        folder = options.folder or Path(passing)
        library = Library(folder / "sessions.db")
        if len(library.sessions()) < options.sessions:
            began = time.process_time()
            make(library, options.sessions, options.words)
            each_ms = (time.process_time() - began) * 1000 / options.sessions
            print(f"kept: {each_ms:.0f} ms of a processor a session, its making included")
        print(f"file: {library.path.stat().st_size / 1e6:.0f} MB")
        for what, (ms, cpu_ms, answer) in measure(library).items():
            print(f"{what}: {ms:.0f} ms, {cpu_ms:.0f} of the processor ({answer})")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--words", type=int, default=5000, help="of a session")
    parser.add_argument("--folder", type=Path, help="where to make it, and to leave it")
    return parser.parse_args()


if __name__ == "__main__":
    main()

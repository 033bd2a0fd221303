"""What leaks from the loudspeakers into the microphone is captioned once; who speaks is not lost.

The words are made up, each with the time of some real speech: so neither an engine's mistakes nor
its luck decide. `test_two_voices.py` has the same with the embedded engine's own words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pytest

from app.core.voices import ME, THEM
from app.worker.echo import HOLD_MS, Echo
from app.worker.messages import Message
from model_backends.base import Notice, Pcm, Progress, Tail, Word
from tests.support.rooms import chunks, leaking, noise, played, said, spoken

SECONDS = 20.0
THEIRS = played(SECONDS)
QUIET = np.zeros_like(THEIRS)
LATE_MS = 1_500  # how long after it was said an engine has a word


def words(
    times: Iterable[tuple[int, int]], lane: str, late_ms: int = 0, name: str = "w"
) -> list[Word]:
    return [
        Word(lane, 0, 0, f" {name}{n}", start + late_ms, end + late_ms)
        for n, (start, end) in enumerate(times)
    ]


def captioned(theirs: Pcm, mine: Pcm, events: Sequence[Word], settle: bool = True) -> list[Word]:
    """What of the user's words comes out, when both voices are heard as time goes by.

    `settle`: the others' words come in time, too; otherwise never.
    """
    echo, out = Echo(), list[Message]()
    waiting = sorted(events, key=lambda word: word.end_ms)
    for their, my in zip(chunks(theirs, THEM), chunks(mine, ME), strict=True):
        echo.hear(their)
        echo.hear(my)
        while waiting and waiting[0].end_ms + LATE_MS <= my.end_ms:
            out += echo.take(waiting.pop(0))
        if settle:
            settled_ms = max(0, my.end_ms - LATE_MS)
            out += echo.take(Progress(THEM, 0, my.end_ms, settled_ms))
        out += echo.decided()
    out += [message for word in waiting for message in echo.take(word)]
    out += echo.decided(at_once=True)
    return [message for message in out if isinstance(message, Word) and message.lane == ME]


LEAKS = [(-3, 5), (-3, 100), (-3, 250), (-10, 5), (-10, 100), (-10, 250)]
LEAKS += [(-20, 5), (-20, 100), (-20, 250)]


@pytest.mark.parametrize(("level_db", "delay_ms"), LEAKS)
def test_what_leaks_is_captioned_once(level_db: int, delay_ms: int) -> None:
    """By the sound alone: the engine may have heard other words in it."""
    mine = leaking(THEIRS, level_db, delay_ms) + noise(len(THEIRS))
    misheard = words(spoken(THEIRS), ME, delay_ms, "m")
    assert captioned(THEIRS, mine, misheard) == []


@pytest.mark.parametrize("reverberation_s", [0.1, 0.5])
def test_rooms_may_ring_more_or_less(reverberation_s: float) -> None:
    mine = leaking(THEIRS, -10, 60, reverberation_s) + noise(len(THEIRS))
    assert captioned(THEIRS, mine, words(spoken(THEIRS), ME, 60, "m")) == []


def test_with_headphones_nothing_is_lost() -> None:
    mine = said(SECONDS, 3.0)
    own = words(spoken(mine), ME)
    found = captioned(THEIRS, mine + noise(len(mine)), own)
    assert found == own


@pytest.mark.parametrize("level_db", [-10, -20])
def test_who_speaks_while_others_do_is_captioned(level_db: int) -> None:
    mine = said(SECONDS, 3.0)
    heard = mine + leaking(THEIRS, level_db, 80) + noise(len(mine))
    own = words(spoken(mine), ME, name="own")
    alone = [(a, b) for a, b in spoken(THEIRS) if b < 2_800 or a > 14_500]
    leaked = words(alone, ME, 80, "leak")
    found = captioned(THEIRS, heard, [*own, *leaked])
    assert not [word for word in found if "leak" in word.text]
    assert len(found) >= 0.95 * len(own)


def test_the_others_words_decide_where_the_sound_does_not() -> None:
    """The loudspeakers were turned up just now: what leaks is more than was known to."""
    step = len(THEIRS) // 2
    mine = np.concatenate([leaking(THEIRS, -30, 60)[:step], leaking(THEIRS, -6, 60)[step:]])
    times = spoken(THEIRS)
    theirs, again = words(times, THEM), words(times, ME, 60)
    assert captioned(THEIRS, mine + noise(len(mine)), [*theirs, *again]) == []
    assert captioned(THEIRS, mine + noise(len(mine)), words(times, ME, 60)), "else some would come"


def test_where_nothing_plays_a_word_waits_for_nothing() -> None:
    echo = Echo()
    for pair in zip(chunks(QUIET, THEM)[:20], chunks(said(2.0), ME), strict=True):
        for chunk in pair:
            echo.hear(chunk)
    word = Word(ME, 0, 0, " hello", 900, 1_200)
    assert echo.take(word) == [word]
    assert echo.take(Tail(ME, 0, 0, " wor")) == [Tail(ME, 0, 0, " wor")]


def test_one_voice_alone_is_left_alone() -> None:
    echo = Echo()
    for chunk in chunks(THEIRS, ME)[:20]:
        echo.hear(chunk)
    for message in (
        Word(ME, 0, 0, " hello", 900, 1_200),
        Tail(ME, 0, 0, " wor"),
        Progress(ME, 0, 1_500, 1_200),
        Notice(ME, "behind", "It is late."),
    ):
        assert echo.take(message) == [message]


def both(until_s: float = 4.0) -> Echo:
    """Both voices have been heard so far; the user said something the others did not."""
    echo, count = Echo(), round(until_s * 10)
    mine = said(SECONDS) + noise(len(THEIRS))
    for pair in list(zip(chunks(THEIRS, THEM), chunks(mine, ME), strict=True))[:count]:
        for chunk in pair:
            echo.hear(chunk)
    return echo


def test_a_word_waits_for_what_the_others_said_then() -> None:
    echo = both()
    echo.take(Progress(ME, 0, 3_900, 3_900))
    word = Word(ME, 0, 0, " fellow", 1_500, 2_100)
    assert echo.take(word) == []
    assert echo.take(Progress(THEM, 0, 3_900, 2_300)) == [Progress(THEM, 0, 3_900, 2_300)]
    settled = Progress(THEM, 0, 4_000, 2_400)
    assert echo.take(settled) == [settled, word]


def test_but_not_for_ever() -> None:
    echo = both()
    word = Word(ME, 0, 0, " fellow", 1_500, 2_100)
    assert echo.take(word) == []
    later = chunks(QUIET, ME)[40 : 40 + HOLD_MS // 100]
    for chunk in later[:-1]:
        echo.hear(chunk)
        assert echo.decided() == []
    echo.hear(later[-1])
    assert echo.decided() == [word]


def test_a_mark_goes_with_its_word() -> None:
    """It has a time, but no sound of its own: here that of the pause behind the word."""
    mine = leaking(THEIRS, -20, 60) + noise(len(THEIRS))
    pauses = [(one, other) for one, other in pairwise(spoken(THEIRS)) if other[0] - one[1] >= 640]
    said_then = [
        each
        for (start, end), _ in pauses
        for each in (
            Word(ME, 0, 0, " trail", start, end),
            Word(ME, 0, 0, ",", end + 320, end + 320),
        )
    ]
    assert len(pauses) >= 2
    assert captioned(THEIRS, mine, said_then) == []


def test_what_is_held_has_not_been_said() -> None:
    """Otherwise a worker that dies now would take it along."""
    echo = both()
    echo.take(Word(ME, 0, 0, " fellow", 1_500, 2_100))
    assert echo.take(Progress(ME, 0, 3_900, 3_500)) == [Progress(ME, 0, 3_900, 1_500)]
    assert len(echo.decided(at_once=True)) == 1
    assert echo.take(Progress(ME, 0, 3_950, 3_600)) == [Progress(ME, 0, 3_950, 3_600)]


def test_what_was_played_is_kept_for_the_next_worker() -> None:
    """It must know again what leaks; only so long, and not once the user's sound is settled."""
    echo = both(8.0)
    echo.take(Progress(ME, 0, 4_000, 3_000))
    assert echo.take(Progress(THEM, 0, 7_900, 7_000)) == [Progress(THEM, 0, 7_900, 3_000)]
    assert echo.take(Progress(THEM, 0, 7_900, 14_000)) == [Progress(THEM, 0, 7_900, 4_000)]
    echo.take(Progress(ME, 0, 7_900, 7_000))
    assert echo.take(Progress(THEM, 0, 7_900, 7_500)) == [Progress(THEM, 0, 7_900, 7_500)]


def test_nobody_sees_what_may_be_a_leak() -> None:
    echo = both()
    assert echo.take(Tail(ME, 0, 0, " Americ")) == [Tail(ME, 0, 0, "")]

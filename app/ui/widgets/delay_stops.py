"""An engine's delays by name: four of them, each with what whoever reads will feel.

Every delay that an engine offers stays to be had from the slider; these are the ones worth a
name. Pure; knows no widget and no engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model_backends.base import Sentence

FASTEST, FAST, BALANCED, MOST_ACCURATE = (
    Sentence("Fastest"),
    Sentence("Fast"),
    Sentence("Balanced"),
    Sentence("Most accurate"),
)
_ROUNDLY = (
    (250, Sentence("a quarter of a second")),
    (500, Sentence("half a second")),
    (1000, Sentence("one second")),
)
_NEARLY = 0.1  # as a share: what may be called so


@dataclass(frozen=True, slots=True)
class Stop:
    """A delay with a name."""

    name: str
    ms: int


def named_stops(
    delays_ms: Sequence[int], usual_ms: int, word_error_rate: Mapping[int, float]
) -> list[Stop]:
    """The stops worth a name, ascending; no two are the same delay.

    Balanced is the engine's own choice, most accurate its longest delay. Among the shorter ones
    those count whose word error rate is published, if any is.
    """
    below = [ms for ms in delays_ms if ms < usual_ms]
    below = [ms for ms in below if ms in word_error_rate] or below
    found: dict[int, str] = {}
    if below:
        found[below[0]] = FASTEST
        middle = (below[0] * usual_ms) ** 0.5  # halfway to the ear, which hears in ratios
        found.setdefault(min(below, key=lambda ms: abs(ms - middle)), FAST)
    if usual_ms in delays_ms:
        found[usual_ms] = BALANCED
    if delays_ms:
        found.setdefault(delays_ms[-1], MOST_ACCURATE)
    return [Stop(name, ms) for ms, name in sorted(found.items())]


def behind(ms: int) -> str:
    """How far words come behind what is said: "about one second behind"."""
    for roundly, words in _ROUNDLY:
        if abs(ms - roundly) <= _NEARLY * roundly:
            return Sentence("about {time} behind", time=words)
    return Sentence("about {seconds:g} seconds behind", seconds=round(ms / 1000, 2))


def felt(ms: int, word_error_rate: Mapping[int, float]) -> str:
    """What a delay means, with the published share of wrong words where there is one."""
    if ms not in word_error_rate:
        return behind(ms)
    return Sentence(
        "{behind}, {rate:.1f} % of words wrong", behind=behind(ms), rate=word_error_rate[ms]
    )

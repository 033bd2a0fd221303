"""What each delay on offer means: how often to listen again, how long to wait for a word.

Numbers only, so that the light `info.py` can read them. Measured: resources/benchmarks/embedded.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One choice between waiting and accuracy."""

    step_ms: int  # new audio before the window is decoded again
    margin_ms: int  # a word this close to the end of the audio is not committed yet
    pause_ms: int  # silence after which everything heard is committed
    hangover_ms: int  # silence to feed before the utterance is closed


# delay -> rule. The delay is the median wait from the end of a word, in read speech, until it is
# committed, plus the little that drawing it takes.
RULES = {
    700: Rule(step_ms=300, margin_ms=0, pause_ms=320, hangover_ms=2400),
    1000: Rule(step_ms=500, margin_ms=300, pause_ms=384, hangover_ms=2400),
    1300: Rule(step_ms=700, margin_ms=600, pause_ms=640, hangover_ms=2400),
    1700: Rule(step_ms=1000, margin_ms=1000, pause_ms=800, hangover_ms=2400),
}
DEFAULT_DELAY_MS = 1000

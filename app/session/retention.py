"""Which sessions are older than their user wishes, by a clock that may once have been wrong.

A computer's clock may say 2099 for a minute, or 2000 after its battery has died: nothing may go
because of that which cannot be had back. So a clock is believed at once only where it has moved on
by at most a quarter of the days that sessions are kept: none goes more than that too early. One
that has jumped further is noted, and deletes nothing by itself; once a day has gone by on it, the
moment at which it was noted is believed. A clock that has gone back is begun with anew. Who uses
Voxline once a month has old sessions deleted one visit later; a clock that never jumps deletes in
time.

Sessions themselves may have a wrong date. They were kept in the order of their numbers, so that one
is at least as new as any before it; one whose date is still to come tells nothing of its age.

Knows no database and no clock of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_DAY_MS = 86_400_000
_STRIDE = 4  # a clock may move on by this part of the days without proof


@dataclass(frozen=True, slots=True)
class Noted:
    """Of the clock, since 1970. `believed_ms`: 0 for never yet."""

    believed_ms: int
    seen_ms: int  # the earliest that it said since then, if that was far from it


def looked(noted: Noted | None, now_ms: int, days: int) -> Noted:
    """What is noted once the clock has been looked at."""
    if noted is None:
        return Noted(0, now_ms)
    if now_ms < noted.believed_ms:
        return Noted(now_ms, now_ms)
    if now_ms < noted.seen_ms:
        noted = Noted(noted.believed_ms, now_ms)
    elif noted.seen_ms > noted.believed_ms and now_ms - noted.seen_ms >= _DAY_MS:
        noted = Noted(noted.seen_ms, now_ms)
    if now_ms - noted.believed_ms <= days * _DAY_MS // _STRIDE:
        return Noted(now_ms, now_ms)
    if noted.seen_ms == noted.believed_ms:
        return Noted(noted.believed_ms, now_ms)
    return noted


def too_old(
    sessions: Iterable[tuple[int, int, int]], now_ms: int, noted: Noted, days: int
) -> Iterator[int]:
    """The numbers of those that ended more than so many days ago. `sessions`: number, end, and when
    it was kept, in the order in which they were."""
    before_ms = min(now_ms, noted.believed_ms) - days * _DAY_MS
    newest_ms = 0
    for number, *moments in sessions:
        known = [moment for moment in moments if moment <= now_ms]
        newest_ms = max([newest_ms, *known])
        if known and newest_ms < before_ms:
            yield number

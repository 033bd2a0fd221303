"""From what the user chose to something that can be listened to: the session's one door to that.

Knows the rooms of sound; the session's state knows only what it is answered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

from app.audio.capture import Feed
from app.audio.devices.base import NoSourceError, SourceError
from app.audio.feeds import feed_for
from model_backends.base import UserError

Source: TypeAlias = str
Answer: TypeAlias = "Feed | UserError"


def label_of(source: Source | None) -> str:
    """What people call it, as far as that is known before it has been found."""
    return source or "the microphone"


def look_for(source: Source | None, answer: Callable[[Answer], None]) -> None:
    """Returns at once; `answer` gets the feed, or why there is none, in a thread of its own."""

    def look() -> None:
        try:
            found: Answer = feed_for(source)
        except UserError as error:
            found = error
        answer(found)

    threading.Thread(target=look, daemon=True, name="look for a source").start()


def why_not(error: UserError) -> str:
    """The kind of an answer that is no feed, as `events.NotFound.why` has it."""
    if isinstance(error, NoSourceError):
        return "none"
    return "absent" if isinstance(error, SourceError) else "refused"

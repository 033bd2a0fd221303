"""From a choice to something that can be opened: a file, a microphone, what the computer plays.

The bundled sample stands in where there is nothing to listen to.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

from app import paths
from app.audio.advice import advice
from app.audio.capture import Feed
from app.audio.choice import MediaFile, Meeting, Microphone, SourceChoice, SystemSound
from app.audio.devices.base import NoAnswerError
from app.audio.playback import Playback
from app.audio.sources import WITHIN_S, choose, door_of
from model_backends.base import Sentence, UserError

log = logging.getLogger(__name__)

SAMPLE_TITLE = "John F. Kennedy, 20 January 1961"

Found: TypeAlias = "Feed | UserError"


def feed_for(choice: SourceChoice, within_s: float = WITHIN_S) -> Feed:
    """What was chosen, ready to be opened.

    Blocks: for a device at most `within_s` seconds (from any thread), for a file as long as its
    disk takes. Raises SourceError (its kinds: see `sources.choose`) and SoundFileError.
    """
    if isinstance(choice, MediaFile):
        return Playback(choice.path)
    if isinstance(choice, Meeting):
        raise TypeError("a meeting has two voices, and each a feed of its own")
    source = choose(choice, within_s)
    return door_of(source).feed(source, follows=isinstance(choice, Microphone | SystemSound))


def look_for(
    choice: SourceChoice, found: Callable[[Found], None], within_s: float = WITHIN_S
) -> None:
    """`feed_for()` for threads that must not wait: returns at once, blocks nobody.

    `found` is called once, in a thread of its own, with the feed or with the error that says why
    there is none.
    """

    def look() -> None:
        try:
            answer: Found = feed_for(choice, within_s)
        except UserError as error:
            answer = error
        except Exception:  # a system's library: whoever waits must hear of it, and tries again
            log.exception("look for a source")
            answer = NoAnswerError(Sentence("The sound server does not answer."), advice("stalled"))
        found(answer)

    threading.Thread(target=look, daemon=True, name="look for a source").start()


def sample_feed() -> Feed:
    """The bundled sample of public-domain speech."""
    return Playback(paths.resource("sample/jfk.flac"))

"""What a user names as a source: a file, a microphone, or something that plays sound.

The bundled sample stands in where there is nothing to listen to.
"""

from __future__ import annotations

from pathlib import Path

from app import paths
from app.audio.capture import Feed
from app.audio.devices.base import choose_source
from app.audio.devices.portaudio import Microphone
from app.audio.playback import Playback

SAMPLE_TITLE = "John F. Kennedy, 20 January 1961"


def feed_for(source: str | None) -> Feed:
    """A file if there is one of that name, else a source of sound. Raises UserError."""
    if source is not None and (Path(source).exists() or _looks_like_a_path(source)):
        return Playback(Path(source))
    return Microphone(choose_source(source))


def sample_feed() -> Feed:
    """The bundled sample of public-domain speech."""
    return Playback(paths.resource("sample/jfk.flac"))


def _looks_like_a_path(source: str) -> bool:
    return "/" in source or "\\" in source or bool(Path(source).suffix and not source.endswith(" "))

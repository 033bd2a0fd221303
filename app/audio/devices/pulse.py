"""The sound server of Linux desktops: PulseAudio, or PipeWire in its place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from app.audio.advice import advice
from app.audio.devices.base import NoAnswerError, SourceInfo
from model_backends.base import Sentence

if TYPE_CHECKING:
    from app.audio.capture import Feed

_CONNECT_S = 2.0


def sources() -> list[SourceInfo] | None:
    """The server's sources; None where there is no server, or no library to reach one.

    Blocks for as long as a stuck server does. Raises NoAnswerError for one that does not let us
    in within 2 s.
    """
    try:
        import pulsectl
    except (ImportError, OSError):  # no pulsectl, or no libpulse
        return None
    begun = time.monotonic()
    try:
        with pulsectl.Pulse("Voxline", connect=False) as server:
            server.connect(timeout=_CONNECT_S)
            default = server.server_info().default_source_name
            return [_info(source, default) for source in server.source_list()]
    except (pulsectl.PulseError, pulsectl.PulseDisconnected) as error:
        if time.monotonic() - begun >= _CONNECT_S:
            message = Sentence("The sound server does not answer.")
            raise NoAnswerError(message, advice("stalled")) from error
        return None


def feed(source: SourceInfo) -> Feed:
    """One of the server's sources, to be opened."""
    from app.audio.devices.portaudio import Microphone

    return Microphone(source)


def _info(source: Any, default: str) -> SourceInfo:
    # a monitor's monitor_of_sink is its sink; a microphone's is "no index"
    monitor = source.proplist.get("device.class") == "monitor" or source.name.endswith(".monitor")
    kind = "system" if monitor else "microphone"
    return SourceInfo(source.name, source.description or source.name, kind, source.name == default)

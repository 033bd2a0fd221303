"""What can be listened to: microphones and what the computer plays, with names for people.

On Linux the names come from the sound server (PulseAudio or PipeWire), since PortAudio sees only
its door; elsewhere from PortAudio. Nothing is opened here.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import Any

from app.audio.advice import advice
from app.native import DESKTOP
from model_backends.base import UserError


class SourceError(UserError):
    """A source cannot be had; message and hint are for the user."""


class NoSourceError(SourceError):
    """There is no microphone at all."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Something that can be listened to. `id` is stable across starts; `name` is for people."""

    id: str
    name: str
    kind: str  # "microphone" or "system" (what the computer plays)
    default: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def list_sources() -> list[SourceInfo]:
    """Everything that can be listened to now, microphones first; empty without sound hardware."""
    found = _pulse_sources() if DESKTOP == "linux" else None
    if found is None:
        found = _portaudio_sources()
    names = Counter(source.name for source in found)
    found = [
        replace(s, name=f"{s.name} ({s.id.removeprefix('portaudio:')})") if names[s.name] > 1 else s
        for s in found
    ]
    return sorted(found, key=lambda s: (s.kind != "microphone", not s.default, s.name.lower()))


def choose_source(wanted: str | None) -> SourceInfo:
    """The source with this id or name (or a unique part of it); None is the default microphone.

    Raises NoSourceError when there is no microphone, SourceError naming what there is otherwise.
    """
    sources = list_sources()
    if wanted is None:
        for source in sources:
            if source.kind == "microphone":
                return source
        raise NoSourceError("No microphone was found.", advice("none"))
    key = wanted.casefold()
    exact = [s for s in sources if key in (s.id.casefold(), s.name.casefold())]
    matches = exact or [s for s in sources if key in s.name.casefold()]
    if len(matches) == 1 or exact:
        return matches[0]
    names = ", ".join(f"“{s.name}”" for s in (matches or sources)) or "nothing"
    problem = "is not the name of one source only" if matches else "is not a source here"
    raise SourceError(f"“{wanted}” {problem}.", f"There is: {names}.")


def _pulse_sources() -> list[SourceInfo] | None:
    """The sound server's sources, or None when there is no server."""
    try:
        import pulsectl

        with pulsectl.Pulse("voxline-sources", connect=False) as pulse:
            pulse.connect(timeout=2)
            default = pulse.server_info().default_source_name
            return [_pulse_info(s, default) for s in pulse.source_list()]
    except Exception:  # no libpulse (OSError), no server or a frozen one (pulsectl's own kinds)
        return None


def _pulse_info(source: Any, default: str) -> SourceInfo:
    # a monitor's monitor_of_sink is its sink; a microphone's is "no index"
    monitor = source.proplist.get("device.class") == "monitor" or source.name.endswith(".monitor")
    kind = "system" if monitor else "microphone"
    return SourceInfo(source.name, source.description or source.name, kind, source.name == default)


def _portaudio_sources() -> list[SourceInfo]:
    try:
        import sounddevice as sd

        devices, default = sd.query_devices(), sd.default.device[0]
    except Exception:  # OSError: no PortAudio library; PortAudioError: it cannot initialise
        return []
    api = _host_api()
    return [
        SourceInfo(f"portaudio:{d['name']}", d["name"], "microphone", d["index"] == default)
        for d in devices
        if d["max_input_channels"] > 0 and (api is None or d["hostapi"] == api)
    ]


def _host_api() -> int | None:
    """On Windows each microphone is listed once an API: show WASAPI's, the modern one."""
    if DESKTOP != "windows":
        return None
    import sounddevice as sd

    names = [api["name"] for api in sd.query_hostapis()]
    return names.index("Windows WASAPI") if "Windows WASAPI" in names else None


def portaudio_device(source: SourceInfo) -> int | str | None:
    """What to give PortAudio to open this source. On Linux also points the server's door at it."""
    if source.id.startswith("portaudio:"):
        import sounddevice as sd

        name, api = source.id.removeprefix("portaudio:"), _host_api()
        for device in sd.query_devices():
            if device["name"] == name and (api is None or device["hostapi"] == api):
                return int(device["index"])
        raise SourceError(f"“{source.name}” is not connected any more.", advice("lost"))
    os.environ["PULSE_SOURCE"] = source.id  # read by the ALSA plugin when the stream is opened
    return "pulse"

"""What to do next when sound does not come, on each desktop."""

from __future__ import annotations

from app.native import DESKTOP

_ADVICE = {
    "none": {
        "linux": "Connect one, or check that PulseAudio or PipeWire is running (`pactl info`).",
        "windows": "Connect one, or enable it in Settings > System > Sound > Input.",
        "macos": "Connect one, and look in System Settings > Sound > Input.",
    },
    "silent": {
        "linux": "Is it muted? Look in the desktop's sound settings, or choose another source.",
        "windows": "Is it muted, and may desktop apps use it? See Settings > Privacy > Microphone.",
        "macos": "Allow it in System Settings > Privacy & Security > Microphone, then start again.",
    },
    "stalled": {
        "linux": "The sound server may be suspended or stuck; it is tried again by itself.",
        "windows": "Another app may hold it alone; it is tried again by itself.",
        "macos": "Unplug it and plug it in again; it is tried again by itself.",
    },
    "lost": {
        "linux": "Connect it again, or choose another source.",
        "windows": "Connect it again, or choose another source.",
        "macos": "Connect it again, or choose another source.",
    },
}


def advice(problem: str) -> str:
    """The next step for `problem` ("none", "silent", "stalled" or "lost") on this desktop."""
    return _ADVICE[problem][DESKTOP]

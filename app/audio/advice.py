"""What to do next when sound does not come, on each desktop."""

from __future__ import annotations

from collections.abc import Mapping

from app.native import DESKTOP
from model_backends.base import Sentence

_ADVICE: Mapping[str, Mapping[str, str]] = {
    "none": {
        "linux": Sentence(
            "Connect one, or check that PulseAudio or PipeWire is running (`pactl info`)."
        ),
        "windows": Sentence("Connect one, or enable it in Settings > System > Sound > Input."),
        "macos": Sentence("Connect one, and look in System Settings > Sound > Input."),
    },
    "output": {
        "linux": Sentence(
            "Is an output there? Look in the desktop's sound settings, or run `pactl info`."
        ),
        "windows": Sentence(
            "Connect an output, or enable one in Settings > System > Sound > Output."
        ),
        "macos": Sentence("Look in System Settings > Sound > Output."),
    },
    "other": {
        "linux": Sentence("Choose another source."),
        "windows": Sentence("Choose another source."),
        "macos": Sentence("Choose another source."),
    },
    "silent": {
        "linux": Sentence(
            "Is it muted? Look in the desktop's sound settings, or choose another source."
        ),
        "windows": Sentence(
            "Is it muted, and may desktop apps use it? See Settings > Privacy > Microphone."
        ),
        "macos": Sentence(
            "Allow it in System Settings > Privacy & Security > Microphone, then start again."
        ),
    },
    "stalled": {
        "linux": Sentence(
            "The sound server may be suspended or stuck; it is tried again by itself."
        ),
        "windows": Sentence("Another app may hold it alone; it is tried again by itself."),
        "macos": Sentence("Unplug it and plug it in again; it is tried again by itself."),
    },
    "suspended": {
        "linux": Sentence("It wakes by itself; if not, choose it in the desktop's sound settings."),
        "windows": Sentence("Unplug it and plug it in again; it is tried again by itself."),
        "macos": Sentence("Unplug it and plug it in again; it is tried again by itself."),
    },
    "muted": {
        "linux": Sentence("Unmute it in the desktop's sound settings, under Input."),
        "windows": Sentence("Unmute it in Settings > System > Sound > Input."),
        "macos": Sentence("Raise its input volume in System Settings > Sound > Input."),
    },
    "muted output": {
        "linux": Sentence("Unmute it in the desktop's sound settings; its volume may be low."),
        "windows": Sentence("Unmute it in Settings > System > Sound; its volume may be low."),
        "macos": Sentence("Unmute it in System Settings > Sound > Output; its volume may be low."),
    },
    "unheard": {  # zeros are what a Mac gives to whom it has not allowed to listen
        "linux": "",
        "windows": "",
        "macos": Sentence(
            "If something is playing: allow it in System Settings > Privacy & Security > "
            "Screen & System Audio Recording, then start Voxline again."
        ),
    },
    "loud": {
        "linux": Sentence(
            "Lower its input volume in the desktop's sound settings, or move it away."
        ),
        "windows": Sentence(
            "Lower its level in Settings > System > Sound > Input, or move it away."
        ),
        "macos": Sentence(
            "Lower its input volume in System Settings > Sound > Input, or move it away."
        ),
    },
    "faint": {
        "linux": Sentence(
            "If someone is speaking: choose another microphone, or raise its input volume."
        ),
        "windows": Sentence(
            "If someone is speaking: choose another microphone, or raise its level."
        ),
        "macos": Sentence(
            "If someone is speaking: choose another microphone, or raise its input volume."
        ),
    },
    "server": {
        "linux": Sentence(
            "It is tried again by itself; `systemctl --user status pipewire pulseaudio`."
        ),
        "windows": Sentence("It is tried again by itself."),
        "macos": Sentence("It is tried again by itself."),
    },
    "quiet": {
        "linux": Sentence(
            "Raise its input volume in the desktop's sound settings, or come closer."
        ),
        "windows": Sentence(
            "Raise its level in Settings > System > Sound > Input, or come closer."
        ),
        "macos": Sentence(
            "Raise its input volume in System Settings > Sound > Input, or come closer."
        ),
    },
    "refused": {
        "linux": Sentence(
            "Another app may hold it, or it was unplugged; it is tried again by itself."
        ),
        "windows": Sentence(
            "Another app may hold it, or it was unplugged; it is tried again by itself."
        ),
        "macos": Sentence(
            "Another app may hold it, or it was unplugged; it is tried again by itself."
        ),
    },
    "moved": {
        "linux": Sentence(
            "To hear the other one, choose it again, or move Voxline back to it there."
        ),
        "windows": Sentence("To hear the other one, choose it again."),
        "macos": Sentence("To hear the other one, choose it again."),
    },
    "lost": {
        "linux": Sentence("Connect it again, or choose another source."),
        "windows": Sentence("Connect it again, or choose another source."),
        "macos": Sentence("Connect it again, or choose another source."),
    },
}


def advice(problem: str) -> Sentence:
    """The next step for `problem`, one of the keys above, on this desktop; "" if there is none."""
    return Sentence(_ADVICE[problem][DESKTOP])


def no_speech(name: str) -> Sentence:
    """What is said of a file, by its name for people, in which no word was heard."""
    return Sentence("No speech was found in “{name}”.", name=name)

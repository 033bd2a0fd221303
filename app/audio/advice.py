"""What to do next when sound does not come, on each desktop."""

from __future__ import annotations

from app.native import DESKTOP
from model_backends.base import Sentence

_ADVICE = {
    "none": {
        "linux": "Connect one, or check that PulseAudio or PipeWire is running (`pactl info`).",
        "windows": "Connect one, or enable it in Settings > System > Sound > Input.",
        "macos": "Connect one, and look in System Settings > Sound > Input.",
    },
    "output": {
        "linux": "Is an output there? Look in the desktop's sound settings, or run `pactl info`.",
        "windows": "Connect an output, or enable one in Settings > System > Sound > Output.",
        "macos": "Look in System Settings > Sound > Output.",
    },
    "other": {
        "linux": "Choose another source.",
        "windows": "Choose another source.",
        "macos": "Choose another source.",
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
    "suspended": {
        "linux": "It wakes by itself; if not, choose it in the desktop's sound settings.",
        "windows": "Unplug it and plug it in again; it is tried again by itself.",
        "macos": "Unplug it and plug it in again; it is tried again by itself.",
    },
    "muted": {
        "linux": "Unmute it in the desktop's sound settings, under Input.",
        "windows": "Unmute it in Settings > System > Sound > Input.",
        "macos": "Raise its input volume in System Settings > Sound > Input.",
    },
    "muted output": {
        "linux": "Unmute it in the desktop's sound settings; its volume may be low.",
        "windows": "Unmute it in Settings > System > Sound; its volume may be low.",
        "macos": "Unmute it in System Settings > Sound > Output; its volume may be low.",
    },
    "unheard": {  # zeros are what a Mac gives to whom it has not allowed to listen
        "linux": "",
        "windows": "",
        "macos": "If something is playing: allow it in System Settings > Privacy & Security > "
        "Screen & System Audio Recording, then start Voxline again.",
    },
    "loud": {
        "linux": "Lower its input volume in the desktop's sound settings, or move it away.",
        "windows": "Lower its level in Settings > System > Sound > Input, or move it away.",
        "macos": "Lower its input volume in System Settings > Sound > Input, or move it away.",
    },
    "faint": {
        "linux": "If someone is speaking: choose another microphone, or raise its input volume.",
        "windows": "If someone is speaking: choose another microphone, or raise its level.",
        "macos": "If someone is speaking: choose another microphone, or raise its input volume.",
    },
    "server": {
        "linux": "It is tried again by itself; `systemctl --user status pipewire pulseaudio`.",
        "windows": "It is tried again by itself.",
        "macos": "It is tried again by itself.",
    },
    "quiet": {
        "linux": "Raise its input volume in the desktop's sound settings, or come closer.",
        "windows": "Raise its level in Settings > System > Sound > Input, or come closer.",
        "macos": "Raise its input volume in System Settings > Sound > Input, or come closer.",
    },
    "refused": {
        "linux": "Another app may hold it, or it was unplugged; it is tried again by itself.",
        "windows": "Another app may hold it, or it was unplugged; it is tried again by itself.",
        "macos": "Another app may hold it, or it was unplugged; it is tried again by itself.",
    },
    "moved": {
        "linux": "To hear the other one, choose it again, or move Voxline back to it there.",
        "windows": "To hear the other one, choose it again.",
        "macos": "To hear the other one, choose it again.",
    },
    "lost": {
        "linux": "Connect it again, or choose another source.",
        "windows": "Connect it again, or choose another source.",
        "macos": "Connect it again, or choose another source.",
    },
}


def advice(problem: str) -> Sentence:
    """The next step for `problem`, one of the keys above, on this desktop; "" if there is none."""
    return Sentence(_ADVICE[problem][DESKTOP])


def no_speech(name: str) -> Sentence:
    """What is said of a file, by its name for people, in which no word was heard."""
    return Sentence("No speech was found in “{name}”.", name=name)

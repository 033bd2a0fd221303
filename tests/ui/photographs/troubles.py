"""What goes wrong in the pictures, in sentences of the length that they have in life."""

from __future__ import annotations

from model_backends.base import Notice

NO_SOUND = "No sound is arriving from “Yeti Stereo Microphone (USB, rear panel of the dock) №2”."
NO_SOUND_HINT = "Is it muted, or switched off at the device? Another source: Source, above."
FAILURE = "The speech model could not be loaded: not enough memory (9.4 GB are needed)."
FAILURE_HINT = "Close other programs, or choose the built-in model in the preferences."
BEHIND = Notice(
    "",
    "behind",
    "This computer is too slow for the chosen model: captions are late.",
    "Choose a smaller model in the preferences, Speech model.",
)
AWAY = Notice(
    "",
    "no-microphone",
    "“Headset (WH-1000XM4)” is not connected: the built-in microphone is heard instead.",
    "Connect it, and Voxline goes back to it.",
)

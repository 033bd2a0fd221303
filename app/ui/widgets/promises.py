"""What users are promised, in the words that every window uses."""

from __future__ import annotations

from model_backends.base import Sentence

NOTHING_LEAVES = Sentence(
    "Voxline sends sound and text nowhere unless you have it do so: to a server that you chose, to "
    "the captions page that you opened, or to a program that you named."
)

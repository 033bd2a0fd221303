"""The voices of a session and what they are called: "me" sits at this computer, "them" it plays.

A lane is one voice's way through the app. Knows nothing of sound, words or windows.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.core.script import clusters, display_width, visible
from model_backends.base import Sentence

ME, THEM = "me", "them"
NAMES: Mapping[str, str] = {ME: Sentence("You"), THEM: Sentence("Others")}  # for readers
_NAME_COLUMNS = 16  # the widest name: a label must leave room for words


def named(own: str = "", others: str = "") -> dict[str, str]:
    """The voices' names with those the user gave; empty: the usual one."""
    given = {ME: visible(own), THEM: visible(others)}
    return {lane: name or NAMES[lane] for lane, name in given.items()}


def name_of(lane: str, names: Mapping[str, str] = NAMES) -> str:
    """What a lane is called, in one line; one that nobody named by itself, with a capital."""
    name, kept = names.get(lane) or lane[:1].upper() + lane[1:], ""
    for cluster in clusters(visible(name)):
        if display_width(kept + cluster) > _NAME_COLUMNS:
            break
        kept += cluster
    return kept.rstrip()


def label_of(lane: str, names: Mapping[str, str] = NAMES) -> str:
    """The name as it stands before what is said, once a turn: "You: "."""
    return name_of(lane, names) + ": "

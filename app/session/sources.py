"""From what the user chose to something that can be listened to: the session's one door to that.

Knows the rooms of sound; the session's state knows only what it is answered.
"""

from __future__ import annotations

from app.audio.choice import Microphone, OneSource, SourceChoice
from app.audio.devices.base import AbsentSourceError, NoAnswerError, NoSourceError
from app.audio.feeds import Found, look_for
from model_backends.base import UserError


def why_not(error: UserError) -> str:
    """The kind of an answer that is no feed, as `events.NotFound.why` has it."""
    kinds = {NoSourceError: "none", AbsentSourceError: "absent", NoAnswerError: "stuck"}
    return next((why for kind, why in kinds.items() if isinstance(error, kind)), "refused")


__all__ = ["Found", "Microphone", "OneSource", "SourceChoice", "look_for", "why_not"]

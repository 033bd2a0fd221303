"""Every state that the windows can be in, in the order in which they are photographed."""

from __future__ import annotations

from tests.ui.photographs import (
    caption_states,
    first_run_states,
    model_states,
    session_states,
    sharing_states,
    window_states,
)
from tests.ui.photographs.registry import STATES

__all__ = [
    "STATES", "caption_states", "first_run_states", "model_states", "session_states",
    "sharing_states", "window_states",
]  # fmt: skip

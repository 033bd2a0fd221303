"""From a session's events to what other screens are told; the one place that sorts them."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.timeline import Gap
from app.session.events import SessionEvent
from app.session.status import Stage, Status
from app.settings import OverlaySettings
from app.share.broadcast import Broadcast
from model_backends.base import Word, joined

_TROUBLE = (Stage.NO_SOUND, Stage.FAILED)
_OUTLINE = ", ".join(f"{x}px {y}px 2px #000" for x in (-1, 1) for y in (-1, 1))


def tell(broadcast: Broadcast, event: SessionEvent, names: Mapping[str, str]) -> None:
    """Words and gaps as they come, the state as it changes; nothing of what is tentative."""
    if isinstance(event, Word):
        broadcast.word(event, names)
    elif isinstance(event, Gap):
        broadcast.gap(event)
    elif isinstance(event, Status):
        broadcast.state(joined(event.message, event.hint), event.stage in _TROUBLE)


def tell_look(broadcast: Broadcast, overlay: OverlaySettings) -> None:
    """How captions look in the app, as the page's style sheet names it."""
    ground = _with_alpha(overlay.background_color, overlay.background_opacity)
    broadcast.look(
        {
            "text": _with_alpha(overlay.text_color, overlay.text_opacity),
            "ground": ground,
            "usual": f"{overlay.font_size / 16:.3f}rem",
            "edge": "none" if overlay.edge == "none" else _OUTLINE,
        }
    )


def _with_alpha(color: str, opacity: float) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:.2f})"

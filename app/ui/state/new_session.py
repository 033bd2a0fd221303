"""A session as the settings say, and its engine ahead of it.

What a session needs is imported when one is opened: the windows are shown before that. Knows
nothing of who shows it, or of when it begins.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from app.language import said_names

if TYPE_CHECKING:
    from app.session.preparing import Preparation
    from app.session.session import Session
    from app.settings import Settings
    from app.ui.state.bridge import SessionBridge
    from model_backends.base import UserError


def prepare_engine(
    chosen: Settings,
    settled: Callable[[UserError | None], None],
    running: Session | None = None,
) -> Preparation | None:
    """The engine of a session as the settings say, being loaded before there is one; None if the
    session that runs has loaded just that. Raises UserError for one that cannot work."""
    from app.session.preparing import Preparation
    from app.session.start import known

    there, _ = known(chosen.engine_options)
    if running is not None and running.has_loaded(there):
        return None
    prepared = Preparation(there, settled)
    prepared.start()
    return prepared


def open_session(
    chosen: Settings, predecessor: Session | Preparation | None = None
) -> SessionBridge:
    """A session as the settings say, not started. Raises UserError for one that cannot work.

    `predecessor`: a session that is stopping, or an engine that was loaded ahead. A delay,
    language or precision that was chosen for another engine, or another version of this one, is
    no reason not to caption: it is left out.
    """
    from app.audio.choice import from_text
    from app.session.session import Session, SessionOptions
    from app.session.start import known, startable
    from app.ui.state.bridge import SessionBridge

    there, unknown = known(chosen.engine_options)
    fitting, broken = startable(there)
    options = SessionOptions(
        engine=fitting,
        remark=unknown or broken,
        source=from_text(chosen.source),
        keep_transcript=chosen.keep_transcripts,
        boost_quiet_speech=chosen.boost_quiet_speech,
        names=said_names(chosen.voice_names),
        name_in_srt=chosen.names_in_subtitles,
    )
    return SessionBridge(partial(Session, options, predecessor=predecessor))

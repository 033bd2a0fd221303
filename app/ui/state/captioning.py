"""The session that runs now, and what comes after it: the part of the app that never shows.

Windows listen to one `Captioning` for as long as the app runs; the sessions behind it come and
go. A change of settings is followed here: what a running session can take (source, delay) is
passed on, anything else (engine, model, language) begins another session, once what it needs is
loaded (`ChangeOver`). The one before it listens until that one does, so that no word falls between
them, and then says its last words; the new one is shown when they are out, so that windows see one
session after the other. Knows no widget, and nothing of sound or engines.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.audio.choice import Device, from_text, same_source, to_text
from app.audio.devices.base import name_alone
from app.core.voices import ME, THEM
from app.language import said_names
from app.session.status import Stage, Status
from app.settings import Settings
from app.ui.state.engines import of_use
from app.ui.state.settings_store import SettingsStore
from model_backends.base import Notice, Sentence, UserError

if TYPE_CHECKING:
    from app.core.timeline import Timeline
    from app.session.preparing import Preparation
    from app.session.session import Session
    from app.ui.state.bridge import SessionBridge
    from model_backends.base import EngineInfo

log = logging.getLogger(__name__)

_RELIEF_MS = 3_000  # how long a session listens on while the next one finds its sound
_LOOK_MS = 50


class Changes(Protocol):
    """Who sees to it that another engine is loaded before it captions: `ChangeOver`."""

    @property
    def settings(self) -> Settings:
        """For a session that begins now."""

    def follow(self, now: Settings, before: Settings) -> bool:
        """Whether what is chosen now is seen to; else another session may begin at once."""


_UNEXPECTED = Status(
    Stage.FAILED,
    Sentence("Captions could not be started."),
    Sentence("The log says why: Help, Open log folder."),
)


class Captioning(QObject):
    """Starts, pauses, replaces and ends sessions. All signals come in the UI thread."""

    session_changed = Signal(object)  # the SessionBridge of the session that is shown from now on
    word = Signal(object)  # Word
    tail = Signal(object)  # Tail
    gap = Signal(object)  # Gap
    reheard = Signal(object)  # Reheard: for the transcript; captions never change
    status = Signal(object)  # Status
    notice = Signal(object)  # Notice
    saved = Signal(object)  # Saved
    level = Signal(float)  # 0..1
    choices_changed = Signal()  # the session's source or delay is another now
    idle = Signal()  # the session has ended and no other follows

    def __init__(
        self,
        store: SettingsStore,
        open_session: Callable[[Settings, Session | Preparation | None], SessionBridge],
        parent: QObject | None = None,
    ) -> None:
        """`open_session` makes a session, not started, after one that is stopping, or on an engine
        that was loaded ahead (or None)."""
        super().__init__(parent)
        self._store = store
        self._open_session = open_session
        self._early: SessionBridge | None = None  # begun before the windows that will show it
        self._shown: SessionBridge | None = None  # its words and state are what windows see
        self._next: list[SessionBridge] = []  # listening already, the newest last
        self._saving: list[SessionBridge] = []  # nothing more to show but where they are saved
        self._relieved: SessionBridge | None = None  # listens until the newest does
        self._prepared: Preparation | None = None  # for the next session, and only for that
        self.changes: Changes | None = None
        self._looks_left = 0
        self._relief = QTimer(self, interval=_LOOK_MS)
        self._relief.timeout.connect(self._look_for_sound)
        self.last_status = Status(Stage.IDLE, Sentence("Captions are off."))
        store.changed.connect(self._follow)
        store.delay_asked.connect(self._insist)

    @property
    def stage(self) -> Stage:
        return self.last_status.stage

    @property
    def running(self) -> bool:
        """Whether there is a session that has not ended."""
        return self._shown is not None and (self.stage.running or bool(self._next))

    @property
    def session(self) -> Session | None:
        """The session that is shown: it runs, or ran last."""
        return self._shown.session if self._shown else None

    @property
    def newest(self) -> Session | None:
        """The session that listens, or listened last: its last words may not be shown yet."""
        return self._newest.session if self._newest else None

    @property
    def source(self) -> str:
        """What is chosen to be listened to, as settings keep it."""
        return self._store.settings.source

    @property
    def info(self) -> EngineInfo | None:
        """The engine of the session that is shown."""
        return self.session.info if self.session else None

    @property
    def timeline(self) -> Timeline | None:
        """What was said in the session that is shown."""
        return self.session.timeline if self.session else None

    # --- voices ----------------------------------------------------------------------------

    @property
    def levels(self) -> Mapping[str, float]:
        """How loud each voice is that is listened to now: root mean square, 0..1, by lane."""
        return self.session.levels if self.session else {}

    def shows(self, lane: str) -> bool:
        """Whether the captions show this voice: the user's own only if wished, or if nobody else
        is heard."""
        alone = self.session is None or THEM not in self.session.voices
        return lane != ME or alone or self._store.settings.show_own_speech

    @property
    def labels(self) -> Mapping[str, str]:
        """What the voices are called where captions show more than one; else empty."""
        both = self.session is not None and {ME, THEM} <= set(self.session.voices)
        return said_names(self._store.settings.voice_names) if both and self.shows(ME) else {}

    # --- verbs -----------------------------------------------------------------------------

    def start_early(self) -> None:
        """Begin what the first `start()` will show: an engine loads while windows are built.

        What cannot begin is told by `start()`, to windows that are there by then.
        """
        try:
            bridge = self._open_session(self._store.settings, None)
        except Exception as error:
            log.info("no session yet: %s", error)
            return
        bridge.hold()
        bridge.start()
        self._early = bridge

    def start(self) -> None:
        """Begin a session with the settings as they are, unless one is running."""
        if not self.running:
            self._begin()

    def toggle_pause(self) -> None:
        """Pause, resume, or start if nothing runs."""
        if not self.running:
            self._begin()
        elif self._relieved and self._newest:  # neither is to listen
            self._newest.pause()
            self._end_relief()
        elif self._shown and self.stage is Stage.PAUSED:
            self._shown.resume()
        elif self._shown and not self.stage.ending:
            self._shown.pause()

    def start_another(self, makes_room: bool = False) -> None:
        """End the session, saved, and begin another, which listens from now on. `makes_room`: the
        engine of the one is gone before that of the other is loaded."""
        newest = self._newest
        if newest is None or not self.running:
            self._begin()
        else:
            newest.session.makes_room = makes_room
            self._begin(after=newest)

    def stop(self) -> None:
        """End all, flushed and saved, then `idle`. Emits `idle` at once if nothing runs."""
        if self._everything_has_ended:
            self.idle.emit()
        elif self._newest and not self._is_ending(self._newest):
            self._end_relief()
            self._newest.stop()
        else:
            self.hurry()

    def hurry(self) -> None:
        """Save what there is of transcripts that are being finished, now."""
        for bridge in (*self._saving, self._shown):
            if bridge and bridge.session.status.can_hurry:
                bridge.stop()

    def abort(self) -> None:
        """Kill whatever runs, now; the journal keeps what was committed."""
        for bridge in (*self._next, *self._saving, self._shown):
            if bridge:
                bridge.abort()

    @property
    def _newest(self) -> SessionBridge | None:
        """The one that listens, or that listened last."""
        return self._next[-1] if self._next else self._shown

    @property
    def _everything_has_ended(self) -> bool:
        return not self.running and not self._saving

    def prepared(self, engine: Preparation) -> None:
        """The next session is to have this engine, which is loaded already."""
        self._prepared = engine

    # --- sessions come and go --------------------------------------------------------------

    def _begin(self, after: SessionBridge | None = None) -> None:
        """Open a session and let it listen; show it now, or when all before it is out."""
        early, self._early = self._early, None
        if early is not None:
            self._show(early)
            early.release()
            return
        try:
            bridge = self._open(after)
        except UserError as error:
            self._could_not_begin(Status(Stage.FAILED, error.message, error.hint), after)
            return
        except Exception:
            log.exception("a session could not be made")
            self._could_not_begin(_UNEXPECTED, after)
            return
        if after is None:
            self._show(bridge)
            bridge.start()
        else:
            bridge.hold()
            self._next.append(bridge)
            bridge.start()
            if after.session.status.can_hurry:  # its words are out, its transcript is not
                self._show_next()
            else:
                self._relieve(after)

    def _open(self, after: SessionBridge | None) -> SessionBridge:
        """A session, on the engine that was loaded ahead for it, if there is one."""
        engine, self._prepared = self._prepared, None
        if engine is None:
            chosen = self.changes.settings if self.changes else self._store.settings
            return self._open_session(chosen, after.session if after else None)
        try:
            bridge = self._open_session(self._store.settings, engine)
        except Exception:
            engine.close()
            raise
        engine.hand_over()
        return bridge

    def _could_not_begin(self, failure: Status, after: SessionBridge | None) -> None:
        """With a session running, that goes on: words are worth more than another engine."""
        if after is None:
            self._take_status(failure)
        else:
            self.notice.emit(Notice("", "refused", failure.message, failure.hint))

    def _relieve(self, before: SessionBridge) -> None:
        """To find a source and open it takes a while: the one before listens so much longer."""
        self._end_relief()
        self._relieved, self._looks_left = before, _RELIEF_MS // _LOOK_MS
        self._relief.start()
        self._look_for_sound()

    def _look_for_sound(self) -> None:
        self._looks_left -= 1
        newest = self._newest
        if newest is None or newest.session.sounds or newest.session.over or self._looks_left < 0:
            self._end_relief()

    def _end_relief(self) -> None:
        self._relief.stop()
        before, self._relieved = self._relieved, None
        if before is not None:
            self._let_end(before)

    def _let_end(self, bridge: SessionBridge) -> None:
        if not self._is_ending(bridge):
            bridge.stop()

    def _is_ending(self, bridge: SessionBridge) -> bool:
        """Whether it has been asked to end, as far as is known: another stop means haste."""
        shown = bridge is self._shown and self.stage.ending
        return shown or bridge.session.status.stage.ending

    def _show(self, bridge: SessionBridge) -> None:
        if self._shown:
            self._put_aside(self._shown)
        self._shown = bridge
        bridge.status.connect(self._take_status)
        bridge.word.connect(self.word)
        bridge.tail.connect(self.tail)
        bridge.gap.connect(self.gap)
        bridge.reheard.connect(self.reheard)
        bridge.notice.connect(self._take_notice)
        bridge.saved.connect(self.saved)
        bridge.level.connect(self.level)
        bridge.choices_changed.connect(self._take_choices)
        bridge.heard_out.connect(self._show_next)
        self.session_changed.emit(bridge)
        self._take_status(Status(Stage.STARTING, Sentence("Starting…")))

    def _show_next(self) -> None:
        """The words of the session that is shown are all out: the next one's turn."""
        if self._next:
            bridge = self._next.pop(0)
            self._show(bridge)
            bridge.release()

    def _put_aside(self, bridge: SessionBridge) -> None:
        """It is not shown any more; where its words were saved is still told."""
        bridge.disconnect(self)
        if bridge.session.over:
            bridge.deleteLater()
            return
        self._saving.append(bridge)
        bridge.notice.connect(self.notice)
        bridge.saved.connect(self.saved)
        bridge.status.connect(lambda status: self._saved_at_last(bridge, status))

    def _saved_at_last(self, bridge: SessionBridge, status: Status) -> None:
        if not status.stage.over or bridge not in self._saving:
            return
        self._saving.remove(bridge)
        bridge.deleteLater()
        if self._everything_has_ended:
            self.idle.emit()

    def _take_status(self, status: Status) -> None:
        self.last_status = status
        self.status.emit(status)
        if not status.stage.over:
            return
        if self._next:  # it has ended without saying that it was heard out
            self._show_next()
        elif self._everything_has_ended:
            self.idle.emit()

    def _take_notice(self, notice: Notice) -> None:
        if notice.code == "delay-refused" and self.session:
            self._store.change_delay(self.session.chosen_delay_ms)  # the one that stays
        self.notice.emit(notice)

    def _take_choices(self) -> None:
        if self._shown is not None and self._shown is self._newest:
            self._remember_name(self._shown.session)
        self.choices_changed.emit()

    def _remember_name(self, session: Session) -> None:
        """What it listens to has been found: its name is kept for when it is not there."""
        chosen = from_text(self._store.settings.source)
        if isinstance(chosen, Device) and not chosen.name and not session.source_is_away:
            name = name_alone(session.source_name)
            self._store.change(source=to_text(replace(chosen, name=name)))

    # --- settings --------------------------------------------------------------------------

    def _follow(self, now: Settings, before: Settings) -> None:
        """Make the session that listens what the settings now say."""
        wanted, was = of_use(now.engine_options), of_use(before.engine_options)
        another = replace(wanted, delay_ms=None) != replace(was, delay_ms=None)
        moved = not same_source(from_text(now.source), from_text(before.source))
        bridge = self._newest
        if not self.running or bridge is None:
            if self.stage is Stage.FAILED and (another or moved):
                self._begin()  # what had failed may work now
        elif another:
            # Whoever paused does not want to be heard: end, and wait for "start".
            if self.stage is Stage.PAUSED:
                self.stop()
            elif self.changes is None or not self.changes.follow(now, before):
                self.start_another()
        else:
            if moved:
                bridge.set_source(from_text(now.source))
            used = self.changes.settings if self.changes else now
            mine = used.engine == now.engine  # and not of one that is still being loaded
            if mine and wanted.delay_ms is not None and wanted.delay_ms != was.delay_ms:
                bridge.set_delay(wanted.delay_ms)

    def _insist(self, ms: int) -> None:
        """The user chooses what they had chosen, and what acts is another."""
        bridge = self._newest
        if self.running and bridge is not None and bridge.session.delay_ms != ms:
            bridge.set_delay(ms)

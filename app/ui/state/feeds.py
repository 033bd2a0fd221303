"""Captions for other programs, switched on and off: Zoom, OBS, a file that grows.

They are told what the captions show, for as long as a session lasts. What was on comes back with
the next start, but for Zoom: its URL is that of one meeting. Nothing goes to another computer
before the user agreed to its host (`asks`). Off, nothing of a feed is even imported. Knows no
widget; secrets are the keyring's.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.settings import FeedSettings, Settings
from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore
from model_backends.base import Sentence, UserError

if TYPE_CHECKING:
    from app.core.timeline import Gap
    from app.session.status import Status
    from app.share.feeds.destinations import Destination
    from app.share.feeds.runner import Doing, Feed, Outlet
    from model_backends.base import Word

ZOOM, OBS, FILE = "zoom", "obs", "file"
KINDS = (ZOOM, OBS, FILE)
_LOOK_MS = 300  # how often it is asked how feeds are doing, while there are some
_LEAVE_S = 5.0  # for their last words, when the app ends
_ELSEWHERE = Sentence("It would go to another computer now."), Sentence("Switch it on again.")


class Feeds(QObject):
    """One for the whole run."""

    changed = Signal(str)  # this one was switched, or is doing otherwise
    problem = Signal(str, object, object)  # this one cannot be had: why, what to do

    def __init__(
        self, captioning: Captioning, store: SettingsStore, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._captioning, self._store = captioning, store
        self._zoom_url = ""  # known in this run
        self._on: set[str] = set()
        self._running: dict[str, Feed] = {}
        self._ending: dict[str, Feed] = {}
        self._told: dict[str, Doing | None] = {}
        self._looking = QTimer(self, interval=_LOOK_MS)
        self._looking.timeout.connect(self._look)
        captioning.word.connect(self._take)
        captioning.gap.connect(self._take)
        captioning.session_changed.connect(lambda _: self._begin_session())
        captioning.status.connect(self._follow_session)
        store.changed.connect(self._follow)

    def is_on(self, kind: str) -> bool:
        return kind in self._on

    def doing(self, kind: str) -> Doing | None:
        """How it is doing; None while there is nothing to be sent, or it is off."""
        feed = self._running.get(kind)
        return feed.doing if feed else None

    def start_if_wanted(self) -> None:
        """At the start: as the user left it, if it leads nowhere that was not agreed to."""
        for kind, wanted in ((OBS, self._chosen.obs), (FILE, self._chosen.file)):
            if wanted:
                self._switch_on(kind)
                self.changed.emit(kind)

    def asks(self, kind: str) -> Sentence | None:
        """What the user must agree to before this is switched on. Raises UserError for an
        address, or a file, that is none."""
        to = self._destination(kind)
        if to is None or to.here or self._chosen.agreed.get(to.host):
            return None
        from app.share.feeds.destinations import consent

        everybody = Sentence("Everybody in the meeting can read it.") if kind == ZOOM else None
        return consent(to, everybody)

    def agree(self, kind: str) -> None:
        """To what `asks` says."""
        to = self._destination(kind)
        if to is not None:
            self._keep(agreed={**self._chosen.agreed, to.host: True})

    def switch(self, kind: str, on: bool) -> None:
        """On, or off. Refused, as a problem, where the user must agree first."""
        if on:
            self._switch_on(kind)
        else:
            self._switch_off(kind)
        if kind != ZOOM:
            self._keep(**{kind: self.is_on(kind)})
        self.changed.emit(kind)

    # --- what belongs to each --------------------------------------------------------------

    def set_obs(self, url: str, source: str) -> None:
        """Where OBS is, and which of its text sources shows the captions; "": the usual."""
        self._keep(obs_url=url.strip(), obs_source=source.strip() or FeedSettings().obs_source)

    def set_file(self, path: Path) -> None:
        self._keep(file_path=str(path))

    @property
    def zoom_url(self) -> str:
        """The meeting's; a secret."""
        return self._zoom_url

    def set_zoom_url(self, url: str) -> None:
        """Raises UserError for what is none."""
        from app.share.feeds.zoom import destination_of

        if url:
            destination_of(url)
        before, self._zoom_url = self._zoom_url, url.strip()
        if self.is_on(ZOOM) and self._zoom_url != before:
            self._restart(ZOOM)

    @property
    def obs_secret(self) -> str:
        """Under which name the password of this OBS is kept. Raises UserError."""
        from app.share.feeds import secrets

        to = self._destination(OBS)
        assert to is not None
        return secrets.obs(to.host)

    def _destination(self, kind: str) -> Destination | None:
        """None for this computer's disk. Raises UserError."""
        if kind == OBS:
            from app.share.feeds import obs

            return obs.destination_of(self._chosen.obs_url or obs.DEFAULT_URL)
        if kind == ZOOM:
            from app.share.feeds import zoom

            return zoom.destination_of(self._zoom_url)
        from app.share.feeds.growing import check_suffix

        if not self._chosen.file_path:
            raise UserError(Sentence("No file is chosen."), Sentence("Choose one."))
        check_suffix(Path(self._chosen.file_path))
        return None

    def _outlet(self, kind: str) -> Outlet:
        """Raises UserError."""
        chosen = self._chosen
        if kind == OBS:
            from app.share.feeds import obs, secrets

            password = partial(secrets.find, self.obs_secret)
            return obs.Obs(chosen.obs_source, chosen.obs_url or obs.DEFAULT_URL, password)
        if kind == ZOOM:
            from app.share.feeds.zoom import Zoom

            return Zoom(self._zoom_url)
        from app.share.feeds.growing import GrowingFile

        names = self._captioning.labels or None
        return GrowingFile(Path(chosen.file_path), names, keep_before=True)

    # --- on and off ------------------------------------------------------------------------

    @property
    def _chosen(self) -> FeedSettings:
        return self._store.settings.feeds

    def _keep(self, **values: object) -> None:
        self._store.change(feeds=replace(self._chosen, **values))  # type: ignore[arg-type]

    def _switch_on(self, kind: str) -> None:
        try:
            if self.asks(kind) is not None:
                self.problem.emit(kind, *_ELSEWHERE)
                return
        except UserError as error:
            self.problem.emit(kind, error.message, error.hint)
            return
        if kind not in self._on:
            self._on.add(kind)
            if self._captioning.running:
                self._begin(kind)

    def _switch_off(self, kind: str) -> None:
        self._on.discard(kind)
        self._end(kind)

    def _restart(self, kind: str) -> None:
        """It leads elsewhere from now on."""
        self._switch_off(kind)
        self.switch(kind, True)

    def _begin(self, kind: str) -> None:
        from app.share.feeds.runner import Feed

        self._end(kind)
        try:
            outlet = self._outlet(kind)
        except UserError as error:
            self.problem.emit(kind, error.message, error.hint)
            return
        feed = Feed(outlet, lambda _: None, after=self._ending.pop(kind, None))
        feed.start()
        self._running[kind] = feed
        self._looking.start()

    def _end(self, kind: str) -> None:
        feed = self._running.pop(kind, None)
        if feed is not None:
            feed.end()
            self._ending[kind] = feed

    def close(self) -> None:
        """The app ends: last words may take a moment."""
        for kind in KINDS:
            self._end(kind)
        for feed in self._ending.values():
            feed.wait(_LEAVE_S)

    # --- following -------------------------------------------------------------------------

    def _take(self, heard: Word | Gap) -> None:
        if self._captioning.shows(heard.lane):
            for feed in self._running.values():
                feed.take(heard)

    def _begin_session(self) -> None:
        for kind in self._on:
            self._begin(kind)

    def _follow_session(self, status: Status) -> None:
        """Once every word is out, whoever reads elsewhere need not wait for it to be saved."""
        if status.stage.over or status.can_hurry:
            for kind in list(self._running):
                self._end(kind)

    def _follow(self, now: Settings, before: Settings) -> None:
        one, other = now.feeds, before.feeds
        moved = {
            OBS: (one.obs_url, one.obs_source) != (other.obs_url, other.obs_source),
            FILE: one.file_path != other.file_path,
        }
        for kind in [kind for kind, is_so in moved.items() if is_so and self.is_on(kind)]:
            self._restart(kind)

    def _look(self) -> None:
        for kind in KINDS:
            now = self.doing(kind)
            if now != self._told.get(kind):
                self._told[kind] = now
                self.changed.emit(kind)
        if not self._running:
            self._looking.stop()

"""The captions page, switched on and off: what the windows show goes to other screens, too.

Off, nothing of a server is even imported. On for this computer alone it comes back with the next
start; for the local network it has to be asked for each time. Knows no widget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.settings import Settings
from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore
from model_backends.base import UserError

if TYPE_CHECKING:
    from app.core.timeline import Gap
    from app.session.status import Status
    from app.share.broadcast import Broadcast
    from app.share.page import Page
    from model_backends.base import Word


class CaptionsPage(QObject):
    """One for the whole run."""

    changed = Signal()  # switched on or off, or another address
    problem = Signal(object, object)  # it cannot be had: why, what to do

    def __init__(
        self, captioning: Captioning, store: SettingsStore, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._captioning, self._store = captioning, store
        self.port: int | None = None  # None: the usual one
        self._page: Page | None = None
        self._broadcast: Broadcast | None = None
        captioning.word.connect(self._word)
        captioning.gap.connect(self._gap)
        captioning.status.connect(self._status)
        captioning.session_changed.connect(self._session_changed)
        store.changed.connect(self._follow)

    @property
    def on(self) -> bool:
        return self._page is not None

    @property
    def network(self) -> bool:
        """Whether others in the local network may read."""
        return self._page is not None and self._page.network

    @property
    def address(self) -> str:
        """ "" while it is off."""
        return self._page.address if self._page else ""

    @property
    def obs_address(self) -> str:
        return self._page.obs_address if self._page else ""

    @property
    def screens(self) -> int:
        """How many show it now; to be asked, since they come and go on threads of the server."""
        return self._page.screens if self._page else 0

    def start_if_wanted(self) -> None:
        """At the start: as the user left it."""
        if self._store.settings.captions_page:
            self.switch(True)

    def switch(self, on: bool, network: bool = False) -> None:
        """On for this computer, or for the local network as well; or off."""
        self._store.change(captions_page=on)
        if (on, on and network) != (self.on, self.network):
            self._end()
            if on:
                self._begin(network)
        self.changed.emit()

    def renew(self) -> None:
        """Another address: who had the one before is let go."""
        from app.share.key import PAGE, another_key

        network = self.network
        self._end()
        try:
            another_key(PAGE)
        except UserError as error:
            self.problem.emit(error.message, error.hint)
        self._begin(network)
        self.changed.emit()

    def close(self) -> None:
        """The app ends."""
        self._end()

    def _begin(self, network: bool) -> None:
        from app.share.broadcast import Broadcast
        from app.share.key import PAGE, kept_key
        from app.share.page import DEFAULT_PORT, Page
        from app.share.telling import tell_look

        self._broadcast = self._broadcast or Broadcast()
        try:
            page = Page(
                self._broadcast,
                kept_key(PAGE),
                DEFAULT_PORT if self.port is None else self.port,
                network,
            )
        except UserError as error:
            self._store.change(captions_page=False)
            self.problem.emit(error.message, error.hint)
            return
        page.start()
        self._page = page
        tell_look(self._broadcast, self._store.settings.overlay)
        self._status(self._captioning.last_status)

    def _end(self) -> None:
        if self._page is not None:
            self._page.close()
            self._page = None

    # --- what is told ----------------------------------------------------------------------

    def _word(self, word: Word) -> None:
        if self._broadcast is not None and self._captioning.shows(word.lane):
            several = bool(self._captioning.labels)
            self._broadcast.word(word, self._store.settings.voice_names if several else {})

    def _gap(self, gap: Gap) -> None:
        if self._broadcast is not None and self._captioning.shows(gap.lane):
            self._broadcast.gap(gap)

    def _status(self, status: Status) -> None:
        if self._broadcast is not None:
            from app.share.telling import tell

            tell(self._broadcast, status, {})

    def _session_changed(self) -> None:
        if self._broadcast is not None:
            self._broadcast.begin()

    def _follow(self, now: Settings, before: Settings) -> None:
        if self._broadcast is not None and now.overlay != before.overlay:
            from app.share.telling import tell_look

            tell_look(self._broadcast, now.overlay)

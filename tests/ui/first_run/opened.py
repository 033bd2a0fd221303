"""A first run over a captioning whose sessions are fakes, with keys of its own."""

from __future__ import annotations

from functools import partial

from app.ui.desktop.hotkeys import Hotkeys
from app.ui.first_run.opening import FirstRun
from app.ui.state.commands import Commands
from app.ui.state.engines import info_of
from tests.ui.conftest import Rig
from tests.ui.desktop.fake_keys import FakeKeys

OFFERED = ("captions", "pause", "hold")


class Guide(FirstRun):
    """Says which verbs were done by keys, and which steps were shown."""

    def __init__(self, rig: Rig, keys: FakeKeys | None = None) -> None:
        self.done: list[str] = []
        self.shown: list[int] = []
        self.keys = keys or FakeKeys()
        commands = Commands()
        for name in OFFERED:
            commands.offer(name, partial(self.done.append, name))
        hotkeys = Hotkeys(rig.store, commands, self.keys.open)
        super().__init__(rig.captioning, rig.store, commands, hotkeys, info_of)
        self.step_shown.connect(self.shown.append)
        self.hotkeys = hotkeys
        hotkeys.start()

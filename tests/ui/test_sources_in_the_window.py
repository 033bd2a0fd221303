"""Every source of a real sound server, chosen in the main window and kept over a new start.

What is listened to is asked of the server: which of its sources somebody records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app import settings
from app.audio.choice import from_text
from app.settings import Settings
from app.ui.main_window.window import MainWindow
from app.ui.state.captioning import Captioning
from app.ui.state.new_session import open_session
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets.source_names import ASK_FOR_FILE, LOOKING, rows
from tests.support.pulse import PulseServer

pytestmark = pytest.mark.audio

PATIENCE_MS = 60_000
MICROPHONES = {
    "alsa_input.pci-0000_00_1f.3.analog-stereo": "Built-in Audio Analog Stereo",
    "bluez_input.00_1B_66_A1_B2_C3.headset-head-unit": "Tilda’s 🎧 (HSP/HFP)",
    "alsa_input.usb-0d8c_USB_Mic-00.mono-fallback": "USB Mic",
    "alsa_input.usb-0d8c_USB_Mic-00.2.mono-fallback": "USB Mic",
}
OUTPUTS = {
    "alsa_output.pci-0000_00_1f.3.analog-stereo": "Built-in Audio Analog Stereo",
    "alsa_output.pci-0000_00_1f.3.hdmi-stereo": "HDMI / DisplayPort 3 Output",
}
PROGRAM = "Zoom: Room (1/2).exe 🎧"


@pytest.fixture
def desk(pulse: PulseServer, tmp_path: Path) -> PulseServer:
    """The devices of a real desk, and a program that plays."""
    for name, description in MICROPHONES.items():
        pulse.add_source(name, description)
    for name, description in OUTPUTS.items():
        words = description.replace(" ", "\\ ")
        properties = f"sink_properties=device.description='{words}'"
        pulse.pactl("load-module", "module-null-sink", f"sink_name={name}", properties)
    soundfile.write(tmp_path / "quiet.wav", np.full(200 * 48_000, 0.01, dtype=np.float32), 48_000)
    options = (f"--client-name={PROGRAM}",)
    sink = "alsa_output.pci-0000_00_1f.3.hdmi-stereo"
    pulse.play(tmp_path / "quiet.wav", wait=False, sink=sink, options=options)
    while not pulse.pactl("list", "short", "sink-inputs"):
        pass  # the test's time limit ends the wait
    return pulse


class Started:
    """The app from its settings on, but for the caption window."""

    def __init__(self, qtbot: QtBot) -> None:
        chosen, problem = settings.load()
        assert problem is None
        self.store = SettingsStore(chosen)
        self.captioning = Captioning(self.store, open_session)
        self.window = MainWindow(self.captioning, self.store)
        qtbot.addWidget(self.window)
        with qtbot.waitExposed(self.window):
            self.window.show()
        self.captioning.start()
        self.window.look_around()

    @property
    def box(self) -> Box:
        return Box(self.window)

    def end(self) -> None:
        self.captioning.abort()
        self.store.flush()
        self.window.close()


class Box:
    """The main window's source box, used as a person does."""

    def __init__(self, window: MainWindow) -> None:
        self._box = window.choices.source

    @property
    def text(self) -> str:
        return self._box.currentText()

    def choose(self, qtbot: QtBot, source: str) -> None:
        self._box.showPopup()
        qtbot.waitUntil(lambda: self._box.findData(source) >= 0, timeout=PATIENCE_MS)
        qtbot.waitUntil(self._box.view().isVisible, timeout=PATIENCE_MS)
        index = self._box.findData(source)
        self._box.view().setCurrentIndex(self._box.model().index(index, 0))
        QTest.keyClick(self._box.view(), Qt.Key.Key_Return)

    def offered(self, qtbot: QtBot) -> list[str]:
        """All that can be chosen, as settings keep it."""
        self._box.showPopup()
        qtbot.waitUntil(self._box.view().isVisible, timeout=PATIENCE_MS)
        qtbot.waitUntil(lambda: self._box.findText(LOOKING) < 0, timeout=PATIENCE_MS)
        self._box.hidePopup()
        model = self._box.model()
        able = [model.flags(model.index(i, 0)) & Qt.ItemFlag.ItemIsEnabled for i in range(100)]
        return [self._box.itemData(i) for i in range(self._box.count()) if able[i]]


@pytest.fixture
def start(qtbot: QtBot) -> Iterator[Callable[[], Started]]:
    apps: list[Started] = []

    def begin() -> Started:
        apps.append(Started(qtbot))
        return apps[-1]

    settings.save(Settings(engine="scripted", told={"kept": True}, keep_transcripts=False))
    yield begin
    for app in apps:
        app.end()


def recorded(server: PulseServer) -> set[str]:
    """The server's sources that are recorded now, but for what makes the virtual ones."""
    listed = server.pactl("list", "short", "sources").splitlines()
    names = {line.split("\t")[0]: line.split("\t")[1] for line in listed}
    outputs = server.pactl("list", "short", "source-outputs").splitlines()
    return {names[line.split("\t")[1]] for line in outputs if line.split("\t")[2] != "-"}


def expected(source: str, server: PulseServer) -> set[str]:
    """Which of them are recorded for this choice."""
    system, microphone = {server.system_source}, {server.source}
    known = {"meeting": system | microphone, "system": system, "microphone": microphone}
    if source.startswith("app:"):
        return {"alsa_output.pci-0000_00_1f.3.hdmi-stereo.monitor"}
    return known.get(source) or {from_text(source).id}  # type: ignore[union-attr]


def test_every_source_is_chosen_in_the_window_and_there_after_a_new_start(
    desk: PulseServer, start: Callable[[], Started], qtbot: QtBot
) -> None:
    first = start()
    assert first.box.text == rows([], from_text("meeting"))[0].text, "Automatic, at the first start"
    qtbot.waitUntil(lambda: recorded(desk) == expected("meeting", desk), timeout=PATIENCE_MS)
    offered = [each for each in first.box.offered(qtbot) if each != ASK_FOR_FILE]
    assert len(offered) == 3 + 1 + len(MICROPHONES) + 2 + len(OUTPUTS) + 1
    assert f"app:{PROGRAM}" in offered
    first.end()
    for source in offered[::-1]:
        running = start()
        running.box.choose(qtbot, source)
        qtbot.waitUntil(
            lambda: recorded(desk) == expected(source, desk),  # noqa: B023
            timeout=PATIENCE_MS,
        )
        shown = running.box.text
        running.end()
        again = start()
        qtbot.waitUntil(
            lambda: recorded(desk) == expected(source, desk),  # noqa: B023
            timeout=PATIENCE_MS,
        )
        qtbot.waitUntil(lambda: again.box.text == shown, timeout=PATIENCE_MS)  # noqa: B023
        again.end()


def test_a_device_that_is_not_there_is_named_and_another_is_heard_meanwhile(
    desk: PulseServer, start: Callable[[], Started], qtbot: QtBot
) -> None:
    headset = "bluez_input.00_1B_66_A1_B2_C3.headset-head-unit"
    running = start()
    running.box.choose(qtbot, f"device:{headset}\nTilda’s 🎧 (HSP/HFP)")
    qtbot.waitUntil(lambda: recorded(desk) == {headset}, timeout=PATIENCE_MS)
    running.end()
    [module] = [
        line.split("\t")[0]
        for line in desk.pactl("list", "short", "modules").splitlines()
        if f"source_name={headset}" in line
    ]
    desk.pactl("unload-module", module)
    again = start()
    qtbot.waitUntil(lambda: recorded(desk) == {desk.source}, timeout=PATIENCE_MS)
    again.box.offered(qtbot)
    gone = "Tilda’s 🎧 (HSP/HFP) (not connected)"
    qtbot.waitUntil(lambda: again.box.text == gone, timeout=PATIENCE_MS)
    desk.add_source(headset, "Tilda’s 🎧 (HSP/HFP)")
    qtbot.waitUntil(lambda: recorded(desk) == {headset}, timeout=PATIENCE_MS)
    again.box.offered(qtbot)
    qtbot.waitUntil(lambda: again.box.text == "Tilda’s 🎧 (HSP/HFP)", timeout=PATIENCE_MS)

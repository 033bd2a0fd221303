"""Both sound servers of Linux, for real: what is listed, what one application plays, what follows.

Tones tell who is heard: each program and each output has its own.
"""

from __future__ import annotations

import queue
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from app.audio.choice import Application, Device, Meeting, Microphone, OneSource, SystemSound
from app.audio.devices import pulse as door
from app.audio.devices.base import NoSourceError, SourceError
from app.audio.devices.pulse_application import PlayedBy
from app.audio.feeds import feed_for
from app.audio.listening import Block, Delivered, Opened, Superseded
from app.audio.sources import automatic, choice_named, choose, list_sources
from tests.support.pulse import PulseServer

pytestmark = pytest.mark.audio

PATIENCE_S = 60.0
RATE = 48_000
HEARD, NOT_HEARD = 0.05, 0.002  # of full scale; the tones have 0.4
ZOOM, BROWSER = "Zoom: Room (1/2).exe 🎧", "Firefox"


@pytest.fixture(params=["pulse", "pipewire"])
def server(request: pytest.FixtureRequest) -> PulseServer:
    made = request.getfixturevalue(request.param)
    assert isinstance(made, PulseServer)
    return made


class Tones:
    """Programs that play tones, from 200 Hz in steps of 10."""

    def __init__(self, server: PulseServer, folder: Path) -> None:
        self._server, self._folder = server, folder
        self._players: list[subprocess.Popen[bytes]] = []

    def play(self, program: str, hz: int, sink: str = "speakers") -> subprocess.Popen[bytes]:
        """Longer than any test waits, or until it is ended."""
        path = self._folder / f"{hz}.wav"
        at = np.arange(3 * PATIENCE_S * RATE) / RATE
        soundfile.write(path, 0.4 * np.sin(2 * np.pi * hz * at), RATE)
        options = (f"--client-name={program}",)
        player = self._server.play(path, wait=False, sink=sink, options=options)
        self._players.append(player)
        return player

    def stop(self, player: subprocess.Popen[bytes]) -> None:
        player.kill()
        player.wait()


@pytest.fixture
def tones(server: PulseServer, tmp_path: Path) -> Tones:
    return Tones(server, tmp_path)


class Listener:
    """What is heard of a choice."""

    def __init__(self, choice: OneSource) -> None:
        self.feed = feed_for(choice)
        self.blocks: queue.Queue[Delivered] = queue.Queue()
        self.begun = time.monotonic()  # before the first sound can come
        self.samples = 0
        self.opened: Opened = self._open()

    def _open(self) -> Opened:
        """As often as it takes: a server that is busy is no server that hangs."""
        ends = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.feed.open(self.blocks.put)
            except SourceError:
                if time.monotonic() > ends:
                    raise

    def is_whole(self) -> bool:
        """Whether there is as much sound as time, for a second; where all is slow there is more
        of that."""
        self.skip()
        begun, before = time.monotonic(), self.samples
        self.next(1.0)
        self.skip()
        took_s = time.monotonic() - begun
        return abs(took_s - (self.samples - before) / self.opened.rate) < 0.3

    def next(self, seconds: float = 0.3) -> NDArray[np.float32]:
        """The next so much of sound, mono."""
        parts: list[NDArray[np.float32]] = []
        while sum(map(len, parts)) < seconds * self.opened.rate:
            block = self.blocks.get(timeout=PATIENCE_S)
            assert block is not None, "it has ended"
            if isinstance(block, Superseded):
                self.opened.close()
                self.opened, parts = self._open(), []
            if not isinstance(block, Block):
                continue  # what the server says of the source
            parts.append(block.samples.mean(axis=1))
            self.samples += len(block.samples)
        return np.concatenate(parts)

    def skip(self) -> None:
        """All that has come: what is heard next is heard after this."""
        for _ in range(self.blocks.qsize()):
            block = self.blocks.get()
            self.samples += len(block.samples) if isinstance(block, Block) else 0

    def levels(self, *tones: int) -> dict[int, float]:
        """The amplitude of each tone in the next tenths of a second."""
        sound = self.next()[: int(self.opened.rate * 0.3)]
        at = np.arange(len(sound)) / self.opened.rate
        return {hz: float(2 * abs(np.mean(sound * np.exp(-2j * np.pi * hz * at)))) for hz in tones}

    def until(self, heard: Callable[[dict[int, float]], bool], *tones: int) -> dict[int, float]:
        end = time.monotonic() + PATIENCE_S
        while True:
            levels = self.levels(*tones)
            if heard(levels):
                return levels
            assert time.monotonic() < end, levels


@pytest.fixture
def listen() -> Iterator[Callable[[OneSource], Listener]]:
    listeners: list[Listener] = []

    def begin(choice: OneSource) -> Listener:
        listeners.append(Listener(choice))
        return listeners[-1]

    yield begin
    for listener in listeners:
        listener.opened.close()


Listen = Callable[[OneSource], Listener]


def alone(tone: int) -> Callable[[dict[int, float]], bool]:
    """This tone and no other. (One that breaks off sounds like any other for a moment.)"""

    def heard(levels: dict[int, float]) -> bool:
        others = [level for hz, level in levels.items() if hz != tone]
        return levels[tone] > 0.35 and max(others) < NOT_HEARD

    return heard


def wait_for(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def applications() -> set[str]:
    return {source.name for source in list_sources() if source.kind == "application"}


def add_output(server: PulseServer, name: str, description: str, rate: int = RATE) -> None:
    words = description.replace(" ", "\\ ")
    properties = f"sink_properties=device.description='{words}'"
    server.pactl("load-module", "module-null-sink", f"sink_name={name}", f"rate={rate}", properties)
    wait_for(lambda: name in server.pactl("list", "short", "sinks"), name)


def move_all(server: PulseServer, output: str) -> None:
    """Has all that plays play there, as a desktop's mixer does for its user."""
    for line in server.pactl("list", "short", "sink-inputs").splitlines():
        server.pactl("move-sink-input", line.split()[0], output)


# --- one application ------------------------------------------------------------------------------


def test_of_two_programs_that_play_only_the_chosen_one_is_heard(
    server: PulseServer, tones: Tones, listen: Listen
) -> None:
    tones.play(ZOOM, 440)
    tones.play(BROWSER, 1000)
    wait_for(lambda: applications() == {ZOOM, BROWSER}, "both play")
    assert choice_named("app:zoom") == Application(ZOOM)
    zoom, browser = listen(Application(ZOOM)), listen(Application(BROWSER))
    zoom.until(alone(440), 440, 1000)
    browser.until(alone(1000), 440, 1000)
    everything = listen(SystemSound())
    everything.until(lambda levels: min(levels.values()) > 0.35, 440, 1000)


def test_an_application_is_heard_in_all_its_streams_and_silent_while_it_plays_none(
    server: PulseServer, tones: Tones, listen: Listen
) -> None:
    browser = listen(Application(BROWSER))
    assert browser.levels(440) == {440: 0.0}, "it has never played: silence, and no error"
    first = tones.play(BROWSER, 440)
    browser.until(lambda levels: levels[440] > 0.35, 440)
    second = tones.play(BROWSER, 700)
    browser.until(lambda levels: min(levels.values()) > 0.35, 440, 700)
    tones.stop(first)
    browser.until(lambda levels: levels[440] < NOT_HEARD and levels[700] > 0.35, 440, 700)
    tones.stop(second)
    browser.until(lambda levels: max(levels.values()) == 0.0, 440, 700)
    wait_for(browser.is_whole, "silence is as long as the time")
    tones.play(BROWSER, 1000)
    browser.until(lambda levels: levels[1000] > 0.35, 1000)
    assert browser.opened.moved_to() is None
    wait_for(browser.is_whole, "sound is as long as the time")
    browser.skip()  # first: what comes while we are stopped after it is not counted
    took_s = time.monotonic() - browser.begun
    # sound that a server without a processor sends late comes after silence in its place
    assert browser.samples / RATE < 1.25 * took_s + 0.5, "they are not counted twice"


def test_an_application_is_heard_wherever_it_plays(
    server: PulseServer, tones: Tones, listen: Listen
) -> None:
    output = "alsa_output.pci-0000_00_1f.3.hdmi-stereo"
    add_output(server, output, "HDMI 3", 44_100)
    browser, hdmi = listen(Application(BROWSER)), listen(Device(f"{output}.monitor", plays=True))
    tones.play(BROWSER, 440)
    tones.play(ZOOM, 1000)
    browser.until(lambda levels: levels[440] > 0.35, 440)

    def has_moved(levels: dict[int, float]) -> bool:
        """WirePlumber 0.4 resets the target of a new stream once it has led it to the default
        output, and with that a move that was asked for a moment before: then it is asked again."""
        if levels[440] < HEARD:
            move_all(server, output)
        return levels[440] > HEARD

    hdmi.skip()
    hdmi.until(has_moved, 440)
    browser.skip()
    browser.until(alone(440), 440, 1000)


def test_an_application_whose_server_goes_has_ended(server: PulseServer, listen: Listen) -> None:
    browser = listen(Application(BROWSER))
    browser.next()
    server.kill()
    while isinstance(browser.blocks.get(timeout=PATIENCE_S), Block):
        pass


def test_a_server_that_is_frozen_is_no_silence(pulse: PulseServer, listen: Listen) -> None:
    browser = listen(Application(BROWSER))
    browser.next()
    pulse.freeze()
    try:
        with pytest.raises(queue.Empty):
            for _ in range(200):  # what had been on its way, and silence until it is seen
                browser.blocks.get(timeout=4)
        with pytest.raises(SourceError, match="Zoom cannot be heard: the sound server does not"):
            PlayedBy("Zoom").open(lambda block: None)
    finally:
        pulse.freeze(on=False)
    browser.next()


# --- what follows the desktop ---------------------------------------------------------------------


def test_the_computers_sound_is_that_of_the_default_output_whichever_that_is(
    server: PulseServer, tones: Tones, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "_LED_AWAY_S", PATIENCE_S)  # where all is slow, that is, too
    add_output(server, "bluez_output.00_1B_66_A1_B2_C3.a2dp-sink", "Tilda’s 🎧 (A2DP)", 44_100)
    system, chosen = listen(SystemSound()), listen(Device("speakers.monitor", plays=True))
    tones.play(ZOOM, 440, sink="speakers")
    tones.play(BROWSER, 1000, sink="bluez_output.00_1B_66_A1_B2_C3.a2dp-sink")
    system.until(alone(440), 440, 1000)
    server.pactl("set-default-sink", "bluez_output.00_1B_66_A1_B2_C3.a2dp-sink")
    system.until(lambda levels: levels[1000] > 0.35, 1000)
    assert "Tilda’s" in system.feed.name
    assert system.opened.moved_to() is None, "that is what was chosen"
    tones.play("Another", 700, sink="speakers")
    chosen.skip()
    chosen.until(alone(700), 700, 1000)  # an output that was chosen stays
    assert choose(SystemSound()).id == "bluez_output.00_1B_66_A1_B2_C3.a2dp-sink.monitor"


def test_the_microphone_is_the_default_one_whichever_that_is(
    server: PulseServer, tones: Tones, listen: Listen
) -> None:
    add_output(server, "desk_sink", "Desk")
    modules = ("module-remap-source", "source_name=desk", "master=desk_sink.monitor")
    server.pactl("load-module", *modules)
    wait_for(lambda: "\tdesk\t" in server.pactl("list", "short", "sources"), "desk")
    microphone = listen(Microphone())
    tones.play(ZOOM, 440, sink=server.sink)
    tones.play(BROWSER, 1000, sink="desk_sink")
    microphone.until(alone(440), 440, 1000)
    server.pactl("set-default-source", "desk")
    microphone.until(lambda levels: levels[1000] > 0.35, 1000)


# --- names ----------------------------------------------------------------------------------------


def test_outputs_have_their_own_names_twins_are_told_apart_and_each_is_found(
    server: PulseServer,
) -> None:
    names = {
        "alsa_output.pci-0000_01_00.1.hdmi-stereo": "HDMI / DisplayPort 3 Output",
        "alsa_output.pci-0000_01_00.1.hdmi-stereo-extra1": "HDMI / DisplayPort 3 Output",
        "bluez_output.00_1B_66_A1_B2_C3.1": "Tilda’s 🎧 (HSP/HFP)",
        "alsa_output.usb-Focusrite_Scarlett_2i2_USB.7.1-00": "Scarlett 2i2 v. 7.1",
    }
    for name, description in names.items():
        add_output(server, name, description)
    listed = {source.id: source for source in list_sources() if source.kind == "system"}
    for source in listed.values():
        assert "Monitor" not in source.name
        assert choose(source.choice) == source
        assert choice_named(source.id) == source.choice
        assert choice_named(source.name) == source.choice
        assert choice_named(f"Monitor of {source.name}") == source.choice, "as it was called once"
    twins = {listed[f"{name}.monitor"].name for name in names}
    assert len(twins) == len(names)
    assert sum(source.default for source in listed.values()) == 1


def test_a_server_with_a_dummy_output_alone_has_nothing_to_hear(pulse: PulseServer) -> None:
    assert automatic() == Meeting()
    pulse.pactl("load-module", "module-always-sink")
    pulse.pactl("unload-module", "module-remap-source")
    assert automatic() == Meeting(), "without a microphone there are still the others"
    pulse.pactl("unload-module", "module-null-sink")
    wait_for(lambda: "auto_null" in pulse.pactl("list", "short", "sinks"), "a dummy")
    assert automatic() == Microphone()
    with pytest.raises(NoSourceError, match="No microphone"):
        feed_for(automatic())

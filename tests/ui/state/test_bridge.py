"""The bridge: whatever a session says from its threads comes as signals in this one, in order."""

from __future__ import annotations

from pathlib import Path
from threading import Thread, current_thread

import pytest
from PySide6.QtCore import QObject, Slot
from pytestqt.qtbot import QtBot

from app.audio.choice import Device, Microphone
from app.core.timeline import Gap
from app.session.session import Choices, HeardOut, Saved, Session, Stage, Status
from app.ui.state.bridge import SessionBridge
from model_backends.base import Notice, Progress, Tail, UserError
from tests.support.likeness import assert_like
from tests.ui.overlay_fakes import FakeSession, fake_bridge, faked, words


class Listener(QObject):
    """Takes down what comes, and in which thread."""

    def __init__(self, bridge: SessionBridge) -> None:
        super().__init__()
        self.heard: list[object] = []
        self.threads: set[str] = set()
        for signal in (bridge.word, bridge.tail, bridge.status, bridge.gap, bridge.notice):
            signal.connect(self.take)
        bridge.saved.connect(self.take)

    @Slot(object)
    def take(self, event: object) -> None:
        self.heard.append(event)
        self.threads.add(current_thread().name)


@pytest.fixture
def bridge(qtbot: QtBot) -> SessionBridge:
    return fake_bridge()


def test_every_kind_of_event_comes_in_order_in_the_ui_thread(
    qtbot: QtBot, bridge: SessionBridge, tmp_path: Path
) -> None:
    listener = Listener(bridge)
    events = [
        Status(Stage.STARTING),
        *words("one two"),
        Tail("me", 0, 0, " three"),
        Gap("me", 500, 900, "paused"),
        Notice("me", "behind", "It is slow."),
        Saved(tmp_path / "a.srt"),
        Status(Stage.SPEECH),
    ]
    speaker = Thread(target=lambda: faked(bridge).say(*events))
    speaker.start()
    speaker.join()
    assert listener.heard == []  # nothing happens in the speaker's thread
    qtbot.waitUntil(lambda: len(listener.heard) == len(events))
    assert listener.heard == events
    assert listener.threads == {current_thread().name}


def test_many_wakes_are_one_pump(qtbot: QtBot, bridge: SessionBridge) -> None:
    listener = Listener(bridge)
    for word in words("a b c d e f g h"):
        faked(bridge).say(word)
    qtbot.waitUntil(lambda: len(listener.heard) == 8)
    assert faked(bridge).pumps == 1


def test_progress_is_nothing_to_show(qtbot: QtBot, bridge: SessionBridge) -> None:
    listener = Listener(bridge)
    last = words("word")[0]
    faked(bridge).say(Progress("me", 0, 900, 800), last)
    qtbot.waitUntil(lambda: listener.heard == [last])


def test_verbs_reach_the_session(qtbot: QtBot, bridge: SessionBridge) -> None:
    bridge.start()
    bridge.pause()
    bridge.resume()
    bridge.set_delay(960)
    bridge.set_source(Device("usb"))
    bridge.set_source(Microphone())
    bridge.stop()
    bridge.abort()
    assert faked(bridge).calls == [
        ("start",),
        ("pause",),
        ("resume",),
        ("set_delay", 960),
        ("set_source", Device("usb")),
        ("set_source", Microphone()),
        ("stop",),
        ("abort",),
    ]


def test_the_fake_session_has_no_verb_that_a_session_lacks() -> None:
    assert_like(FakeSession, Session, own={"say", "calls", "refusal", "pumps", "predecessor"})


def test_another_choice_and_the_last_word_are_told(qtbot: QtBot, bridge: SessionBridge) -> None:
    with qtbot.waitSignals([bridge.choices_changed, bridge.heard_out]):
        faked(bridge).say(Choices("USB", 960), HeardOut())
    assert faked(bridge).source_name == "USB"


def test_what_is_held_is_told_later_and_all_of_it(qtbot: QtBot, bridge: SessionBridge) -> None:
    listener = Listener(bridge)
    levels: list[float] = []
    bridge.level.connect(levels.append)
    bridge.hold()
    bridge.start()
    faked(bridge).level = 0.5
    said = words("one two")
    faked(bridge).say(*said)
    qtbot.wait(250)  # two ticks
    assert (listener.heard, levels) == ([], [])
    bridge.release()
    assert listener.heard == said
    qtbot.waitUntil(lambda: levels == [0.5])


def test_what_the_session_refuses_is_told_and_does_no_harm(
    qtbot: QtBot, bridge: SessionBridge
) -> None:
    faked(bridge).refusal = UserError("No such source.", "Choose another.")
    with qtbot.waitSignal(bridge.notice) as told:
        bridge.set_source(Device("gone"))
    assert (told.args[0].message, told.args[0].hint) == ("No such source.", "Choose another.")


def test_the_level_follows_and_ends_with_the_session(qtbot: QtBot, bridge: SessionBridge) -> None:
    levels: list[float] = []
    bridge.level.connect(levels.append)
    bridge.start()
    faked(bridge).level = 0.5
    qtbot.waitUntil(lambda: levels == [0.5])
    faked(bridge).say(Status(Stage.STOPPED))
    qtbot.waitUntil(lambda: levels == [0.5, 0.0])

"""After a long silence another session begins by itself; not while it is paused, not of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.audio.choice import MediaFile, to_text
from app.session.status import Stage
from app.ui.sessions.anew import BeginAnew
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words

Silent = Callable[[], None]


@pytest.fixture
def silent(rig: Rig) -> Silent:
    """A session that listens, and what lets the twenty minutes go by."""
    anew = BeginAnew(rig.captioning, parent=rig.captioning)
    rig.captioning.start()
    rig.reach(Stage.LISTENING)

    def go_by() -> None:
        if anew._silence.isActive():
            anew._silence.stop()
            anew._silence.timeout.emit()

    return go_by


def test_a_new_session_begins_and_the_old_one_ends_behind_it(
    rig: Rig, silent: Silent, qtbot: QtBot
) -> None:
    rig.say(*words("Good evening"))
    silent()
    assert len(rig.sessions) == 2
    assert rig.sessions[1].predecessor is not None
    qtbot.waitUntil(lambda: "stop" in [call[0] for call in rig.sessions[0].calls])
    silent()
    assert len(rig.sessions) == 2, "nothing was said in that one"


def test_a_session_in_which_nothing_was_said_goes_on(rig: Rig, silent: Silent) -> None:
    silent()
    assert len(rig.sessions) == 1


def test_nobody_is_heard_who_has_paused(rig: Rig, silent: Silent) -> None:
    rig.say(*words("Good evening"))
    rig.reach(Stage.PAUSED)
    silent()
    assert len(rig.sessions) == 1
    rig.reach(Stage.LISTENING)
    assert len(rig.sessions) == 2


def test_a_word_after_the_pause_is_of_the_same_session(rig: Rig, silent: Silent) -> None:
    rig.say(*words("Good evening"))
    rig.reach(Stage.PAUSED)
    silent()
    rig.say(*words("Still here"))
    rig.reach(Stage.LISTENING)
    assert len(rig.sessions) == 1


def test_a_file_is_one_session(rig: Rig, silent: Silent) -> None:
    rig.say(*words("Good evening"))
    rig.store.settings = rig.store.settings.__class__(
        engine="scripted", source=to_text(MediaFile(Path("/talk.mp3")))
    )
    silent()
    assert len(rig.sessions) == 1


def test_what_has_stopped_stays_stopped(rig: Rig, silent: Silent) -> None:
    rig.say(*words("Good evening"))
    rig.reach(Stage.STOPPED)
    silent()
    assert len(rig.sessions) == 1

"""A name that alerts is told once in a while, with what was said, and never the user's own word."""

from __future__ import annotations

import pytest

from app.core.alerts import COOL_DOWN_MS
from app.core.names import Name, text_of
from app.core.voices import ME, THEM
from app.session.session import Choices
from app.ui.state.name_alerts import NameAlerts
from model_backends.base import Word
from tests.ui.conftest import Rig

NAMES = text_of([Name("Maria", alert=True), Name("Voxline")])


@pytest.fixture
def alerts(rig: Rig) -> NameAlerts:
    rig.store.change(names=NAMES)
    return NameAlerts(rig.store, rig.captioning)


def heard(alerts: NameAlerts) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    alerts.said.connect(lambda name, context: told.append((name, context)))
    return told


def word(text: str, start_ms: int, lane: str = THEM) -> Word:
    return Word(lane, 0, 0, text, start_ms, start_ms + 300)


def test_a_name_is_told_with_the_words_before_it_once_in_a_while(
    rig: Rig, alerts: NameAlerts
) -> None:
    told = heard(alerts)
    rig.captioning.start()
    rig.say(word(" Could", 0), word(" Maria,", 300), word(" or", 600), word(" Maria", 900))
    assert told == [("Maria", "Could Maria,")]
    rig.say(word(" Voxline", 2000), word(" Maria!", 300 + COOL_DOWN_MS))
    assert told[1:] == [("Maria", "Could Maria, or Maria Voxline Maria!")]


def test_what_the_user_says_is_no_news_to_the_user(rig: Rig, alerts: NameAlerts) -> None:
    told = heard(alerts)
    rig.captioning.start()
    rig.say(Choices("Speakers and microphone", 480, voices=(THEM, ME)))
    own = word(" Maria", 0, lane=ME)
    rig.say(own)
    assert not told and not alerts.points_out(own)
    assert alerts.points_out(word(" Maria", 0))
    rig.say(Choices("Microphone", 480))  # one for all who sit round it
    rig.say(own)
    assert told and alerts.points_out(own)


def test_another_list_is_followed_at_once(rig: Rig, alerts: NameAlerts) -> None:
    told = heard(alerts)
    rig.captioning.start()
    rig.store.change(names=text_of([Name("Maria"), Name("Voxline", alert=True)]))
    assert len(rig.sessions) == 1, "engines have nothing to do with it"
    rig.say(word(" Maria", 0), word(" Voxline", 300))
    assert [name for name, _ in told] == ["Voxline"]

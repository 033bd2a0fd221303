"""Delays: what the engine offers, four of them by name, each told by what one will feel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.ui.overlay.delay_menu import DelayMenu
from app.ui.widgets.delay_slider import DelaySlider, delay_description
from app.ui.widgets.delay_stops import Stop, behind, felt, named_stops
from model_backends.embedded import info as embedded
from model_backends.voxtral.schedule import DELAYS_MS
from tests.ui.overlay_fakes import RATES

DELAYS = (80, 240, 480, 960, 2400)
PUBLISHED = {160: 12.6, 240: 10.8, 480: 8.72, 960: 7.7, 2400: 6.73}  # of the model card


@pytest.fixture
def menu(qtbot: QtBot) -> Iterator[DelayMenu]:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    menu = DelayMenu(parent)
    menu.offer(DELAYS, 480, 480, RATES)
    menu.popup(QPoint(10, 10))
    yield menu
    menu.close()


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (480, "0.48 s · about 8.7 % of words wrong"),
        (80, "0.08 s"),  # nothing published: nothing invented
        (2400, "2.4 s · about 6.7 % of words wrong"),
    ],
)
def test_a_delay_is_told_with_what_it_costs_where_that_is_known(ms: int, text: str) -> None:
    assert delay_description(ms, RATES) == text


def test_voxtrals_stops_are_those_with_a_published_rate() -> None:
    assert named_stops(DELAYS_MS, 480, PUBLISHED) == [
        Stop("Fastest", 160),
        Stop("Fast", 240),
        Stop("Balanced", 480),
        Stop("Most accurate", 2400),
    ]


def test_an_engine_without_published_rates_has_its_own_ends() -> None:
    info = embedded.INFO
    stops = named_stops(info.delays_ms, info.default_delay_ms, info.word_error_rate)
    assert all(stop.ms in info.delays_ms for stop in stops)
    assert [stop.ms for stop in stops] == sorted({stop.ms for stop in stops})
    assert stops[-1].ms == info.delays_ms[-1]
    assert Stop("Balanced", info.default_delay_ms) in stops


@pytest.mark.parametrize(
    ("delays", "usual", "names"),
    [
        ((), 0, []),
        ((1000,), 1000, ["Balanced"]),
        ((500, 1000), 1000, ["Fastest", "Balanced"]),
        ((500, 1000), 500, ["Balanced", "Most accurate"]),
    ],
)
def test_what_is_one_delay_has_one_name(
    delays: tuple[int, ...], usual: int, names: list[str]
) -> None:
    assert [stop.name for stop in named_stops(delays, usual, {})] == names


@pytest.mark.parametrize(
    ("ms", "told"),
    [
        (960, "about one second behind"),
        (480, "about half a second behind"),
        (240, "about a quarter of a second behind"),
        (160, "about 0.16 seconds behind"),
        (2400, "about 2.4 seconds behind"),
    ],
)
def test_a_delay_is_told_by_what_one_feels(ms: int, told: str) -> None:
    assert behind(ms) == told
    assert felt(ms, {}) == told
    assert felt(960, RATES) == "about one second behind, 7.7 % of words wrong"


def test_the_menu_names_a_few_and_ticks_the_one_in_use(qtbot: QtBot, menu: DelayMenu) -> None:
    named = [action for action in menu.actions() if action.isCheckable()]
    assert [(action.text(), action.isChecked()) for action in named] == [
        ("Fastest: about a quarter of a second behind, 10.8 % of words wrong", False),
        ("Balanced: about half a second behind, 8.7 % of words wrong", True),
        ("Most accurate: about 2.4 seconds behind, 6.7 % of words wrong", False),
    ]
    with qtbot.waitSignal(menu.delay_chosen) as chosen:
        named[0].trigger()
    assert chosen.args == [240]


def test_the_slider_in_the_menu_has_every_delay_of_the_engine(menu: DelayMenu) -> None:
    reached: set[int] = set()
    for ms in range(menu.slider.minimum(), menu.slider.maximum() + 1):
        menu.slider.setValue(ms)
        reached.add(menu.slider.value())
    assert tuple(sorted(reached)) == DELAYS
    assert menu.slider.isVisible()


def test_keys_choose_a_delay_its_words_follow_and_the_menu_stays(
    qtbot: QtBot, menu: DelayMenu
) -> None:
    place = menu.geometry()
    with qtbot.waitSignal(menu.delay_chosen) as chosen:
        QTest.keyClick(menu.slider, Qt.Key.Key_Right)
    assert chosen.args == [960]
    in_words = (
        "Words appear about 0.96 seconds after they are said. About 7.7 % of words are wrong."
    )
    assert menu.words.text() == menu.slider.toolTip() == in_words
    assert menu.slider.accessibleDescription() == in_words
    menu.offer(DELAYS, 960, 480, RATES)  # as the session says so
    assert menu.isVisible()
    assert menu.geometry() == place
    assert not any(action.isChecked() for action in menu.actions())  # 960 has no name


def test_a_drag_sends_the_engine_only_where_it_ends(qtbot: QtBot, menu: DelayMenu) -> None:
    chosen: list[int] = []
    menu.delay_chosen.connect(chosen.append)
    slider = menu.slider
    ends = [QPoint(x, slider.height() // 2) for x in (12, slider.width() - 12)]
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=ends[0])
    QTest.mouseMove(slider, ends[1])
    assert slider.delay_ms == 2400  # what would be chosen can be read meanwhile
    assert chosen == []
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=ends[1])
    assert chosen == [2400]


def test_showing_a_delay_tells_nobody(qtbot: QtBot) -> None:
    slider = DelaySlider()
    qtbot.addWidget(slider)
    slider.delay_chosen.connect(lambda _: pytest.fail("nobody chose"))
    slider.offer(DELAYS, 240)
    slider.offer((1000, 2000), 2000)
    assert slider.delay_ms == 2000


def test_one_delay_leaves_nothing_to_slide(menu: DelayMenu) -> None:
    menu.close()
    menu.offer((1000,), 1000, 1000, {})
    assert [action.text() for action in menu.actions()] == ["Balanced: about one second behind"]
    assert menu.slider.in_words == "Words appear about 1 second after they are said."


def test_who_else_decides_is_said_in_its_place(menu: DelayMenu) -> None:
    menu.close()
    menu.explain("The server decides the delay.")
    menu.explain("The server decides the delay.")
    (action,) = menu.actions()
    assert (action.text(), action.isEnabled()) == ("The server decides the delay.", False)
    menu.offer((1000,), 1000, 1000, {})
    assert [action.text() for action in menu.actions()] == ["Balanced: about one second behind"]

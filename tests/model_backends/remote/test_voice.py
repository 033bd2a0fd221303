"""A voice at a server: playbooks of sound, words, and everything that goes wrong on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.measure.stand_in_talk import Plan
from model_backends.base import Progress, Tail, Word
from tests.model_backends.remote.stage import Stage, words_every

LINES = words_every(400, 50)  # 20 s of speech
TEXT = "".join(text for text, _, _ in LINES)
GOOD = Plan()


def once(plan: Plan, then: Plan = GOOD) -> Callable[[int, int], Plan]:
    return lambda server, number: plan if number == 0 else then


def heard(stage: Stage, seconds: float = 22.0) -> Stage:
    """All of the script, said at one stretch."""
    return stage.open().say(seconds).finish()


def test_words_come_as_they_are_said_with_their_times() -> None:
    stage = heard(Stage(LINES))
    assert stage.text == TEXT
    assert stage.connections == [0]
    for word, (_, start_ms, end_ms) in zip(stage.words, LINES, strict=True):
        assert abs(word.end_ms - end_ms) <= 80
        assert abs(word.start_ms - start_ms) <= 200
    assert not stage.notices


def test_progress_only_grows_and_ends_with_the_sound() -> None:
    stage = heard(Stage(LINES, plan=once(Plan(after=60, fault="die"))))
    times = [(each.heard_ms, each.settled_ms) for each in stage.progress]
    assert times == sorted(times)
    assert all(settled <= heard_ms for heard_ms, settled in times)
    assert stage.progress[-1].settled_ms == stage.progress[-1].heard_ms == 22_016


def test_no_word_is_settled_before_it_is_out() -> None:
    stage = heard(Stage(LINES))
    settled = 0
    for event in stage.events:
        if isinstance(event, Word):
            assert event.end_ms >= settled
        elif isinstance(event, Progress):
            settled = event.settled_ms


def test_utterances_follow_one_another_on_one_connection() -> None:
    stage = Stage(LINES)
    stage.open(0).say(4).finish().say(1)
    stage.open(1).say(4).finish()
    assert stage.connections == [0]
    assert [word.utterance for word in stage.words] == sorted(w.utterance for w in stage.words)
    assert {word.utterance for word in stage.words} == {0, 1}


@pytest.mark.parametrize("fault", ["die", "error", "hang", "close"])
def test_no_word_is_lost_or_doubled_when_a_connection_is(fault: str) -> None:
    plan = Plan(after=100, fault=fault, code=1012)
    stage = heard(Stage(LINES, plan=once(plan)), 30)
    assert stage.text == TEXT
    assert stage.connections == [0, 0]


def test_a_server_that_came_to_its_length_is_asked_again() -> None:
    """Rule 3: `done` unasked; the words that its delay held back were never said."""
    stage = heard(Stage(LINES, plan=once(Plan(after=100, fault="done"))))
    assert stage.text == TEXT


def test_the_length_of_the_servers_model_is_not_reached() -> None:
    """Rule 4: at a pause after 60 % of it; nothing is unasked, and nothing is heard twice."""

    def speech(ms: int) -> float:
        return 0.1 if ms % 4000 > 3300 else 0.9

    lines = [line for line in LINES if 100 < line[1] % 4000 < line[2] % 4000 < 3300]
    stage = Stage(lines, max_model_len=200)  # 12.9 s
    stage.open().say(22, speech).finish()
    assert stage.text == "".join(text for text, _, _ in lines)
    assert stage.connections == [0]


def test_without_a_pause_the_last_seconds_are_heard_again() -> None:
    stage = heard(Stage(LINES, max_model_len=200))
    assert stage.text == TEXT
    assert stage.connections == [0]


def test_a_length_that_the_server_does_not_tell_costs_no_word() -> None:
    stage = heard(Stage(LINES, max_model_len=160, asks=False), 22)
    assert stage.text == TEXT
    assert len(stage.connections) > 1


def test_another_server_takes_over_within_two_seconds() -> None:
    stage = Stage(LINES, servers=2)
    stage.open().say(8)
    before = len(stage.words)
    stage.cut_wires(0)
    stage.say(2)
    assert stage.connections == [0, 1]
    assert len(stage.words) > before
    assert not stage.notices, "what is over at once need not be told"
    assert stage.say(12).finish().text == TEXT


def test_the_least_busy_server_is_first() -> None:
    stage = Stage(LINES, servers=3)
    stage.servers.all[0].busy, stage.servers.all[1].busy = 3, 1
    stage.servers.all[2].busy = 2
    stage.open().say(1)
    assert stage.connections == [1]


def test_a_silent_server_is_told_of_and_left() -> None:
    """Rule 5: no error says that a server is overloaded, only its silence."""
    stage = Stage(LINES, plan=once(Plan(after=50, fault="hang")))
    stage.open().say(4 + 6)
    assert stage.notices == ["server0:8000 does not answer; waiting for it."]
    stage.say(12)
    assert stage.finish().text == TEXT
    assert stage.notices[-1] == "", "the notice is taken back"


def test_with_another_at_hand_a_silent_server_is_left_sooner() -> None:
    hangs = Plan(after=50, fault="hang")
    stage = Stage(LINES, servers=2, plan=lambda server, number: GOOD if server else hangs)
    stage.open().say(4 + 6)
    assert stage.connections == [0, 1]
    assert stage.say(12).finish().text == TEXT


def test_a_full_server_is_tried_again_when_it_says() -> None:
    stage = Stage(LINES, plan=once(Plan(status=503, retry_after="3")))
    stage.open().say(2.9)
    assert stage.connections == [0]
    assert stage.notices == ["server0:8000 is full; trying again in 3 s."]
    assert stage.say(19).finish().text == TEXT


def test_a_refused_key_is_not_tried_twice() -> None:
    stage = Stage(LINES, plan=lambda server, number: Plan(status=401))
    stage.open().say(20)
    assert stage.connections == [0]
    assert stage.servers.hopeless


def test_a_server_that_says_nothing_at_first_is_left() -> None:
    stage = heard(Stage(LINES, plan=once(Plan(silent=True))), 22)
    assert stage.connections == [0, 0]
    assert stage.text == TEXT


def test_tries_come_slower_and_slower() -> None:
    stage = Stage(LINES, plan=lambda server, number: Plan(after=0, fault="die"))
    stage.open().say(60)
    assert 6 <= len(stage.connections) <= 20


def test_an_utterance_without_sound_is_over_at_once() -> None:
    stage = Stage(LINES)
    stage.voice.prepare()
    stage.wait(1)
    stage.open().finish(1)
    assert stage.connections == [0]


def test_a_dropped_utterance_leaves_nothing_for_the_next() -> None:
    """Rules 1 and 2: on the same connection its sound would be heard, or an end be left over."""
    stage = Stage(LINES)
    stage.open(0).say(4)
    stage.voice.close()
    count = len(stage.words)
    stage.say(1).open(1).say(4).finish()
    assert stage.connections == [0, 0]
    assert {word.utterance for word in stage.words[count:]} == {1}


def test_a_connection_lost_while_nobody_speaks_is_no_news() -> None:
    stage = Stage(LINES)
    stage.open(0).say(3).finish()
    stage.cut_wires(0)
    stage.wait(30)
    assert stage.connections == [0], "nothing is to be heard"
    stage.open(1).say(4).finish()
    assert stage.connections == [0, 0]
    assert not stage.notices


def test_the_tail_grows_into_the_word_and_is_taken_back_when_a_server_is_lost() -> None:
    stage = Stage([(" extraordinary", 300, 1500)])
    stage.open().say(1.5 + 0.48 + 0.35)
    tails = [event.text for event in stage.events if isinstance(event, Tail)]
    assert tails[-1] and " extraordinary".startswith(tails[-1])
    stage.cut_wires(0)
    stage.wait(0.01)
    assert [event.text for event in stage.events if isinstance(event, Tail)][-1] == ""
    assert stage.say(3).finish().text == " extraordinary"


@settings(max_examples=15)
@given(
    kills=st.lists(st.integers(500, 21_000), min_size=1, max_size=4, unique=True),
    servers=st.integers(1, 2),
    length=st.sampled_from([16_384, 220]),
)
def test_whenever_wires_are_cut_every_word_comes_once(
    kills: list[int], servers: int, length: int
) -> None:
    stage = Stage(LINES, servers, max_model_len=length).open()
    at = 0
    for kill in sorted(kills):
        stage.say((kill - at) / 1000)
        at = kill
        for server in range(servers):
            stage.cut_wires(server)
    stage.say((22_000 - at) / 1000).finish()
    assert stage.text == TEXT

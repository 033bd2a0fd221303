"""Verbs: who does them, and whether they are on."""

from __future__ import annotations

import pytest

from app.cli.arguments import CONTROL_VERBS
from app.native.keys import parse
from app.ui.state.commands import VERBS, Commands


def test_a_verb_is_done_by_whoever_offers_it() -> None:
    commands, done = Commands(), []
    commands.offer("mark", lambda: done.append("mark"))
    commands.do("mark")
    assert done == ["mark"]
    assert commands.is_on("mark") is None
    with pytest.raises(KeyError):
        commands.do("hold")
    with pytest.raises(KeyError):
        commands.offer("dance", lambda: None)


def test_what_is_on_already_is_left_on() -> None:
    commands, held = Commands(), [False]

    def turn() -> None:
        held[0] = not held[0]

    commands.offer("hold", turn, lambda: held[0])
    for on in (True, True, False, False):
        commands.switch("hold", on)
        assert held == [on]


def test_every_verb_can_be_had_by_a_key_of_its_own_and_from_the_command_line() -> None:
    keys = [parse(verb.key) for verb in VERBS.values()]
    assert len(set(keys)) == len(keys)
    assert all(combination.can_be_spared for combination in keys)
    assert set(CONTROL_VERBS) == (set(VERBS) - {"captions"}) | {"show", "hide", "toggle", "status"}

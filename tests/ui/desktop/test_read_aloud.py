"""Finished sentences for a screen reader: whole ones, each once, only if wished."""

from __future__ import annotations

import pytest

from app.ui.desktop.read_aloud import LONGEST, ReadAloud
from model_backends.base import Word
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def reader(rig: Rig, said: list[str]) -> ReadAloud:
    rig.store.change(read_finished_lines=True)
    made = ReadAloud(rig.captioning, rig.store, said.append)
    made._quiet.setInterval(3_600_000)  # the test says when nothing follows
    rig.captioning.start()
    return made


def test_a_sentence_is_read_once_it_is_known_to_be_over(
    rig: Rig, reader: ReadAloud, said: list[str]
) -> None:
    rig.say(*words("Dr. Who is late. Is he"))
    assert said == ["Dr. Who is late."]
    rig.say(*words("ill? Perhaps", start_ms=9000))
    assert said == ["Dr. Who is late.", "Is he ill?"]


def test_what_nothing_follows_is_read_after_a_moment(
    rig: Rig, reader: ReadAloud, said: list[str]
) -> None:
    rig.say(*words("Nobody answers"))
    assert said == []
    reader._quiet.timeout.emit()
    assert said == ["Nobody answers"]
    reader._quiet.timeout.emit()
    assert len(said) == 1


def test_who_makes_no_full_stops_is_read_by_pieces(
    rig: Rig, reader: ReadAloud, said: list[str]
) -> None:
    rig.say(*words("and so on " * 60))
    assert all(LONGEST - 1 <= len(text) < LONGEST + 20 for text in said)
    assert len(said) >= 2


def test_voices_are_kept_apart(rig: Rig, reader: ReadAloud, said: list[str]) -> None:
    mine, theirs = words("Yes. And"), words("But we. Then")
    others = [Word("them", 0, 0, w.text, w.start_ms, w.end_ms, "en") for w in theirs]
    rig.say(*(word for pair in zip(mine, others, strict=False) for word in pair), others[-1])
    assert said == ["Yes.", "But we."]


def test_nothing_is_read_unless_it_is_wished(rig: Rig, reader: ReadAloud, said: list[str]) -> None:
    rig.store.change(read_finished_lines=False)
    rig.say(*words("One. Two. Three"))
    reader._quiet.timeout.emit()
    assert said == []


def test_another_session_begins_another_sentence(
    rig: Rig, reader: ReadAloud, said: list[str]
) -> None:
    rig.say(*words("Cut off"))
    rig.captioning.start_another()
    rig.reach(rig.captioning.stage.STOPPED)
    rig.say_in(0, *())
    reader.read_rest()
    assert said == ["Cut off"]

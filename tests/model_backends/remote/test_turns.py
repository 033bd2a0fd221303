"""A voice at servers that write when they like: OpenAI's turns, Mistral's one utterance."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.measure.stand_in_talk import Ended, Plan
from model_backends.remote.dialects.mistral import Mistral
from model_backends.remote.dialects.openai import Openai
from tests.model_backends.remote.stage import Stage

SPOKEN = ["Good morning everybody.", "This is the second turn.", "And the last one it is."]
ITEM = "conversation.item.input_audio_transcription."


class World:
    """What is said: a turn that was not heard to its end is said again to whoever asks."""

    def __init__(self) -> None:
        self.completed = 0

    @property
    def text(self) -> str:
        return SPOKEN[min(self.completed, len(SPOKEN) - 1)]


class OpenaiTalk:
    """Writes a few words while it is sent sound, the rest after the commit."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world, self._plan = world, plan
        self._blocks = self._turns = 0

    def greeting(self) -> list[str]:
        return [json.dumps({"type": "session.created", "event_id": "e", "session": {}})]

    def take(self, frame: str) -> list[str]:
        kind = json.loads(frame)["type"]
        item = {"item_id": f"item-{self._turns}", "content_index": 0}
        if kind == "session.update":
            return [_event("session.updated", session={})]
        if kind == "input_audio_buffer.append":
            self._blocks += 1
            if self._blocks == self._plan.after:
                raise Ended([], None)
            words = self._world.text.split()
            return [_event(ITEM + "delta", **item, delta=" ".join(words[:2]))] * (
                self._blocks == 20
            )
        text = self._world.text
        self._world.completed += 1
        self._blocks, self._turns = 0, self._turns + 1
        committed = _event("input_audio_buffer.committed", **item, previous_item_id=None)
        return [committed, _event(ITEM + "completed", **item, transcript=text)]


class MistralTalk:
    """One utterance; then nothing more."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world, self._plan = world, plan
        self._blocks = 0

    def greeting(self) -> list[str]:
        return [_event("session.created", session={"audio_format": {}})]

    def take(self, frame: str) -> list[str]:
        kind = json.loads(frame)["type"]
        if kind == "session.update":
            return [_event("session.updated", session={})]
        if kind == "input_audio.append":
            self._blocks += 1
            if self._blocks == self._plan.after:
                raise Ended([], None)
            first = " ".join(self._world.text.split()[:2])
            return [_event("transcription.text.delta", text=first)] * (self._blocks == 20)
        text = self._world.text
        self._world.completed += 1
        return [_event("transcription.done", text=text)]


def _event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


DIALECTS: dict[str, tuple[Any, Any]] = {
    "openai": (OpenaiTalk, Openai),
    "mistral": (MistralTalk, Mistral),
}


def stage_of(name: str, plan: Callable[[int, int], Plan] = lambda s, n: Plan()) -> Stage:
    talk, dialect = DIALECTS[name]
    world = World()
    return Stage([], plan=plan, talk=lambda plan: talk(world, plan), dialect=dialect)


@pytest.mark.parametrize("name", DIALECTS)
def test_each_utterance_is_heard_once(name: str) -> None:
    stage = stage_of(name)
    for number in range(3):
        stage.open(number).say(3).finish().say(1)
    by_utterance = dict.fromkeys(range(3), "")
    for word in stage.words:
        by_utterance[word.utterance] += word.text
    assert [text.strip() for text in by_utterance.values()] == SPOKEN
    times = [(word.start_ms, word.end_ms) for word in stage.words]
    assert times == sorted(times)
    assert all(start < end for start, end in times)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("after", [10, 30])
def test_a_lost_turn_is_said_again_and_comes_once(name: str, after: int) -> None:
    stage = stage_of(name, lambda server, number: Plan() if number else Plan(after=after))
    stage.open().say(3).finish()
    assert stage.text.strip() == SPOKEN[0]
    assert stage.connections[:2] == [0, 0]


def test_long_speech_is_given_turns_at_pauses() -> None:
    """Else a server that writes at the end only would write after minutes."""
    stage = stage_of("openai")
    stage.open().say(25, lambda ms: 0.1 if ms % 10_000 > 9_400 else 0.9).finish()
    assert stage.text.strip() == " ".join(SPOKEN), "and turns are parted by a space"
    first = next(word for word in stage.words if word.text.endswith("everybody."))
    assert 8_000 <= first.end_ms <= 10_100

"""What the next worker is told of the one before it."""

from __future__ import annotations

from pathlib import Path

from app.worker.outgoing import Outgoing
from app.worker.replay_buffer import ReplayBuffer
from model_backends.base import Word
from tests.worker.helpers import start_message


def test_a_later_worker_numbers_on_and_knows_what_was_spoken(tmp_path: Path) -> None:
    outgoing = Outgoing(start_message(tmp_path), ReplayBuffer((240,)))
    assert outgoing.begin().spoken == {}
    outgoing.spoken(Word("me", 0, 4, " Guten", 0, 300, "de"))
    outgoing.spoken(Word("them", 0, 5, " Bonjour", 0, 300, "fr"))
    outgoing.spoken(Word("me", 0, 6, " hm", 400, 500, None))
    begin = outgoing.begin()
    assert begin.first_utterance == 7
    assert begin.spoken == {"me": "de", "them": "fr"}

"""Pieces to words, drafts with times, and whether a computer is fast enough; no library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from model_backends.base import SAMPLE_RATE
from model_backends.ggml import pace
from model_backends.ggml.kept_sound import KeptSound
from model_backends.ggml.listening import DraftListening
from model_backends.ggml.pieces import Pieces
from model_backends.ggml.words import WordBuilder, retimed, spread
from model_backends.guess import Guess
from tests.model_backends.ggml.conftest import needed
from tests.support.likeness import assert_like


def test_a_word_is_whole_when_the_next_begins() -> None:
    builder = WordBuilder()
    assert builder.push(" se", 100, 180, 0.9) == []
    assert builder.push("ven", 180, 260, 0.4) == []
    assert builder.push(" up", 400, 480) == [Guess(" seven", 100, 260, 0.4)]
    assert builder.take() == [Guess(" up", 400, 480)]
    assert builder.take() == []


def test_chinese_is_cut_where_a_line_could_be() -> None:
    builder = WordBuilder()
    words = [w for t in ("你", "好", "。", "我") for w in builder.push(t, 0, 80)]
    assert [word.text for word in [*words, *builder.take()]] == ["你", "好。", "我"]


def test_no_word_begins_before_the_one_before_has_ended() -> None:
    builder = WordBuilder()
    first, second = builder.push(" a", 0, 500) + builder.push(" b", 300, 400) + builder.take()
    assert (first.end_ms, second.start_ms, second.end_ms) == (500, 500, 500)


def test_several_words_at_once_share_their_time_by_letters() -> None:
    assert spread(" one three", 0, 800) == [Guess(" one", 0, 300), Guess(" three", 300, 800)]
    assert spread("   ", 0, 800) == []


def test_a_new_draft_keeps_the_times_of_the_one_before() -> None:
    before = [Guess(" I", 0, 200), Guess(" scream", 200, 900)]
    after = retimed([" I", " scream", " loud", " now"], before, 1500)
    assert after[:2] == before
    assert (after[2].start_ms, after[3].end_ms) == (900, 1500)
    other = retimed([" ice", " cream"], before, 1000)
    assert (other[0].start_ms, other[1].end_ms) == (0, 1000)


@dataclass(frozen=True)
class Said:
    """As the library gives a token: half a character becomes a sign that something is broken."""

    text: str
    t0_ms: int
    t1_ms: int
    p: float = 1.0


BYTES = (
    b" a", " 你".encode()[:2], "你".encode()[1:2], "你".encode()[2:], "好".encode(),
    "😀".encode()[:1], "😀".encode()[1:], b" b", "é".encode()[:1],
)  # fmt: skip


@pytest.mark.parametrize("at_once", [1, 2, 3, 9])
def test_a_character_said_byte_by_byte_is_one_piece_with_its_time(at_once: int) -> None:
    pieces, found = Pieces(), []
    tokens = [Said(b.decode("utf-8", "replace"), 80 * n, 80 * n + 80) for n, b in enumerate(BYTES)]
    for count in [*range(at_once, len(BYTES), at_once), len(BYTES)]:
        whole = b"".join(BYTES[:count]).decode("utf-8", "replace").lstrip()
        found += pieces.new(tokens[:count], whole)
    assert pieces.new(tokens, whole, final=True) == [], "half a character, and no more comes"
    assert found == [
        Guess(" a", 0, 80),
        Guess(" 你", 80, 320),
        Guess("好", 320, 400),
        Guess("😀", 400, 560),
        Guess(" b", 560, 640),
    ]


class FakeText:
    def __init__(self, full: str) -> None:
        self.full, self.committed, self.tentative = full, "", full
        self.display = full


class FakeStream:
    """Says the next draft at each feed."""

    def __init__(self, drafts: list[str]) -> None:
        self.drafts, self.now = drafts, ""

    def feed(self, pcm: Any) -> Any:
        import transcribe_cpp

        self.now = self.drafts.pop(0)
        return transcribe_cpp.StreamUpdate(True, False, 1, 0, 0, 0, False, True)

    def finalize(self) -> Any:
        return self.feed(None)

    def text(self) -> FakeText:
        return FakeText(self.now)


class FakeSession:
    def __init__(self, drafts: list[str]) -> None:
        self.drafts = drafts

    def stream(self, *, family: Any) -> FakeStream:
        return FakeStream(self.drafts)

    def close(self) -> None:
        pass


def test_what_a_model_revises_is_committed_once_two_drafts_agree() -> None:
    """Moonshine guesses its open line anew; weights of it are not at hand."""
    needed()
    import transcribe_cpp

    assert_like(FakeStream, transcribe_cpp.Stream, own=("drafts", "now"))
    drafts = ["I", "ice cream", "ice cream is", "ice cream is good", "ice cream is good."]
    listening = DraftListening(FakeSession(drafts), 320)
    second = np.zeros(SAMPLE_RATE, np.float32)
    told: list[str] = []
    for _ in range(4):
        told += [word.text for word in listening.feed(second, 1.0)]
    assert told == [" ice", " cream", " is"]
    assert listening.tail == " good"
    words = listening.finish()
    assert told + [w.text for w in words] == [" ice", " cream", " is", " good", "."]


def test_kept_sound_is_read_again_until_it_is_forgotten() -> None:
    kept = KeptSound()
    for number in range(4):
        kept.push(np.full(100, number, np.float32), number / 10)
    sound, best = kept.read(150, 100)
    assert list(sound) == [1.0] * 50 + [2.0] * 50 and best == pytest.approx(0.2)
    assert len(kept.read(390, 100)[0]) == 10
    kept.forget(250)
    assert (kept.start, kept.end) == (200, 400)
    assert list(kept.read(200, 1)[0]) == [2.0]


# --- whether it is fast enough -------------------------------------------------------------------


def test_a_decode_of_whisper_predicts_what_nemotron_costs() -> None:
    """Measured together: 196 ms a decode, 0.385 of a core at chunks of 560 ms."""
    assert pace.predicted_load(196) == pytest.approx(0.385)
    assert pace.suits(pace.predicted_load(250), 4_000_000_000)
    assert not pace.suits(pace.predicted_load(260), 8_000_000_000), "too slow"
    assert not pace.suits(0.2, 3_900_000_000), "too little memory"


@pytest.mark.parametrize(
    ("delays", "load", "delay"),
    [
        ((80, 320, 560, 1120), 0.45, 560),
        ((80, 320, 560, 1120), 0.35, 320),
        ((80, 160, 560, 1120), 0.2, 160),
        ((500, 1000), 0.2, 500),
        ((300,), 0.45, 300),
    ],
)
def test_shorter_chunks_where_there_is_room_for_them(
    delays: tuple[int, ...], load: float, delay: int
) -> None:
    assert pace.shortest_delay(delays, load) == delay


def test_a_chunk_grows_only_where_sound_waits_and_hearing_is_slow() -> None:
    watch = pace.Pace((80, 320))
    watch.record(SAMPLE_RATE, 1.0)
    assert watch.longer(80, 10 * SAMPLE_RATE) is None, "too early to say"
    watch.record(5 * SAMPLE_RATE, 6.0)
    assert watch.load == pytest.approx(7 / 6)
    assert watch.longer(80, SAMPLE_RATE) is None, "little waits"
    assert watch.longer(80, 3 * SAMPLE_RATE) == 320
    assert watch.longer(320, 3 * SAMPLE_RATE) is None, "there is no longer one"
    watch.reset()
    watch.record(8 * SAMPLE_RATE, 4.0)
    assert watch.longer(80, 3 * SAMPLE_RATE) is None, "a stall: it catches up"
    assert watch.longer(80, 3 * SAMPLE_RATE, voices=2) == 320, "each voice costs as much"

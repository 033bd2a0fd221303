"""One utterance whose worker stands still for a while: what waited is heard, and heard rightly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model_backends.base import Event, Pcm
from model_backends.embedded.listening import Care
from model_backends.embedded.stream import EmbeddedStream
from model_backends.guess import Guess
from tests.model_backends.embedded.talk import Muddled, ScriptedRecognizer, frames, options, said

# Each word and its first millisecond, as tiny.en heard them before and after a stall; "-": silence.
LAID = """
and 300 all 500 the 700 kindness 900 discoveries 1480 could 1880 make 2280 I 2540 had 2780 for
3040 you, 3240 was 3960 laid 4100 to 4320 my 4520 charge. 4840 - 5228 My 7200 best 7400
qualities, 7760 - 8428 if 9140 I 9280 have 9420 any 9630 that 9840 are 10040 good, 10280 -
10828 served 11560 but 11900 for 12100 aggravations 12300 of 12820 my 13060 fault, 13340 -
13676 and 14000 I 14160 was 14280 allowed 14460 to 14720 have 14940 wit 15200 and 15380
understanding 15520 and 16120 discretion 16480 in 16880 other 17300 things 17500 that 18060 it
18440 might 18580 appear 18760 I 19300 had 19720 none 19920 in 20360 this 20660 - 21040
"""
_WORDS, _TIMES = LAID.split()[::2], [int(ms) for ms in LAID.split()[1::2]]
SENTENCE = [
    (f" {word}", begin, end)
    for word, begin, end in zip(_WORDS, _TIMES, _TIMES[1:], strict=False)
    if word != "-"
]
LAID_MS, MY_MS = 4_100, 7_200


class Astray(ScriptedRecognizer):
    """“laid” is another word each time until there is more behind it, and what is spoken within
    three seconds of a window's beginning in mid-sentence is “I've”. `unsure`: of “My”, for good.
    """

    unsure = False

    def __call__(self, pcm: Pcm, care: Care) -> list[Guess]:
        heard = super().__call__(pcm, care)
        start, end, _ = self.windows[-1]
        other = {" laid": f" led{end}"} if end < 6_000 else {}
        if self.unsure and len(self.windows) % 2:
            other[" My"] = " Quite"
        late = LAID_MS - 3_000 < start < MY_MS
        return [
            replace(w, text=" I've" if late and w.start_ms < 3_000 else other.get(w.text, w.text))
            for w in heard
        ]


@pytest.mark.parametrize(
    ("stall_ms", "unsure"), [(6_500, False), (8_500, False), (12_200, False), (12_200, True)]
)
def test_what_a_stall_left_unheard_is_heard_twice_in_the_same_company(
    stall_ms: int, unsure: bool
) -> None:
    """Begun in mid-sentence, where the committed words end, a guess is wrong, and so is the next.

    Where two guesses at it all agree on little, the second is believed: a third would begin there.
    """
    stream, recognizer = EmbeddedStream(options()), Astray(SENTENCE)
    recognizer.unsure = unsure
    events: list[Event] = []
    for number, (pcm, speech) in enumerate(frames(SENTENCE, 0, SENTENCE[-1][2] + 600)):
        stream.push(pcm, speech)
        if not 5_280 < number * 32 < 5_280 + stall_ms:
            events += stream.advance(recognizer)
    stream.finish()
    while not stream.done:
        events += stream.advance(recognizer)
    assert "".join(text for text, _, _ in said(events)).replace(" Quite", " My") == "".join(
        word for word, _, _ in SENTENCE
    )


@pytest.mark.parametrize("stall_ms", range(9_000, 17_000, 1_500))
def test_no_window_is_too_long_for_the_encoder(stall_ms: int) -> None:
    """Nothing agrees for a dozen seconds, so nothing can be cut; then the worker stands still."""
    unclear = [(i * 400, i * 400 + 400) for i in range(100)]
    recognizer, stream = Muddled([], unclear), EmbeddedStream(options())
    for number, (pcm, speech) in enumerate(frames([(" ?", 0, 40_000)], 0, 40_000)):
        stream.push(pcm, speech)
        if not 14_500 <= number * 32 < 14_500 + stall_ms:
            stream.advance(recognizer)
    assert recognizer.windows

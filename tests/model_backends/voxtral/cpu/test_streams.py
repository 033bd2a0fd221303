"""The engine's own tests of streams with the C model behind it: what passes through tensors. On the
tiny model 4 bit weights give the ids that the reference gives in 32 bits, but for few."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model_backends.base import StreamOptions
from model_backends.voxtral.cpu.runner import CpuSpeech
from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.stream import VoxtralStream
from tests.model_backends.voxtral import test_record_track as record_track
from tests.model_backends.voxtral import test_streams as shared
from tests.model_backends.voxtral.cpu.conftest import load
from tests.model_backends.voxtral.transcribing import (
    DELAYS,
    LONG,
    Transcribed,
    clip,
    drain,
    keep_ids,
    reference_ids,
    reference_text,
    transcribe,
)

test_two_delays_of_one_audio_share_an_encoder = shared.test_two_delays_of_one_audio_share_an_encoder
test_a_track_that_does_not_change = (
    shared.test_a_track_that_does_not_change_is_not_touched_by_one_that_does
)
test_a_mute_stretch = shared.test_a_mute_stretch_is_noticed_and_its_words_recovered
test_confidences = shared.test_clear_words_are_sure_and_all_confidences_are_probabilities
test_captions_and_record = record_track.test_captions_and_record_are_the_reference_at_their_delays
test_what_the_engine_refuses = shared.test_what_the_engine_refuses
test_idle_means_that_nothing_would_happen = shared.test_idle_means_that_nothing_would_happen


def test_voices_together_say_exactly_what_each_says_alone(engine: VoxtralEngine) -> None:
    """Three streams with other audio and delays, begun one after the other; one is dropped."""
    names, delays = ["join_00", "long_pauses", "join_02"], [6, 30, 1]
    alone = [transcribe(engine, clip(n), d).ids[0] for n, d in zip(names, delays, strict=True)]
    streams: list[VoxtralStream] = []
    ids: list[list[int]] = []
    heard = Transcribed()
    for step in range(200):
        if step % 5 == 0 and len(streams) < len(names):
            number = len(streams)
            options = StreamOptions(names[number], number, (80 * delays[number],), 0)
            streams.append(engine.open(options))
            ids += keep_ids(streams[number])
        if step == 30:
            streams[1].close()
        for number, stream in enumerate(streams):
            pcm, at = clip(names[number]), (step - 5 * number) * 1280
            if at < len(pcm):
                stream.push(pcm[at : at + 1280], 0.0)
            else:
                stream.finish()
        heard.events += engine.advance()
    for number in (0, 2):
        drain(engine, streams[number], heard)
        assert ids[number] == alone[number]


@pytest.mark.parametrize("delay", DELAYS)
def test_clips_give_the_words_and_nearly_all_ids_of_32_bits(
    engine: VoxtralEngine, delay: int
) -> None:
    different = total = 0
    for name in ("join_00", "fast_mixed", "white_noise", "aligned_end"):
        heard, expected = transcribe(engine, clip(name), delay), reference_ids(name, delay)
        different += sum(a != b for a, b in zip(heard.ids[0], expected, strict=True))
        total += len(expected)
        assert heard.text() == reference_text(name, delay), name
    assert different / total <= 0.015


def test_past_both_windows_live_and_as_a_file_are_the_same(engine: VoxtralEngine) -> None:
    pcm = clip(LONG)[: 16_000 * 24]
    live = transcribe(engine, pcm, 6, pieces=1280)
    file = transcribe(engine, pcm, 6, pieces=10**9, realtime=False)
    assert live.ids == file.ids
    assert live.text() == file.text()


def test_the_cheaper_ways_keep_the_words(packed: Path) -> None:
    """160 ms encoder blocks change no id at all; an 8 bit cache nearly none."""
    for extra, most in (({"rows_at_once": 2}, 0.0), ({"kv_bits": 8}, 0.02)):
        cheap, plain = load(packed, **extra), load(packed)
        for name in ("join_03", "fast_mixed"):
            expected, heard = transcribe(plain, clip(name), 6), transcribe(cheap, clip(name), 6)
            pairs = list(zip(heard.ids[0], expected.ids[0], strict=True))
            assert sum(a != b for a, b in pairs) / len(pairs) <= most
            assert heard.text() == expected.text()
        cheap.close()
        plain.close()


@pytest.mark.parametrize(("before", "after"), [(6, 30), (12, 1)])
def test_a_delay_changed_during_speech(engine: VoxtralEngine, before: int, after: int) -> None:
    shared.test_a_delay_changed_while_someone_speaks_loses_and_doubles_no_word(
        engine, before, after
    )


def test_caches_grow_with_what_is_heard_and_stop_at_the_window(engine: VoxtralEngine) -> None:
    """The tiny windows are 100 frames and 64 positions; a piece is 128 of either."""
    speech = engine._speech_model
    assert isinstance(speech, CpuSpeech)
    stream = engine.open(StreamOptions("me", 0, (480,), 0, realtime=False))
    held = []
    noise = np.random.default_rng(0).standard_normal(16_000 * 5).astype(np.float32) / np.float32(10)
    for _ in range(5):
        stream.push(noise, 0.0)
        while not engine.idle:
            engine.advance()
        held.append(speech.cache_bytes)
    stream.close()
    assert held[1] == held[4] > 0
    assert speech.cache_bytes == 0

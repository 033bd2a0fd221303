"""The PyTorch engine's own tests of streams, with MLX's tensors behind the same engine.

What a test there checks of the shared parts (times, words, tails, replay) is not repeated here;
what passes through tensors is.
"""

from __future__ import annotations

import pytest

from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.schedule import ROW_SAMPLES
from tests.model_backends.voxtral import test_streams as shared
from tests.model_backends.voxtral.listening import (
    DELAYS,
    LONG,
    clip,
    hear,
    reference_ids,
    reference_text,
)

LIVE = ("join_00", "fast_mixed", "white_noise", "aligned_end")

test_any_cutting_of_the_audio_gives_the_same_ids = (
    shared.test_any_cutting_of_the_audio_gives_the_same_ids
)
test_two_delays_of_one_audio_share_an_encoder = shared.test_two_delays_of_one_audio_share_an_encoder
test_lanes = shared.test_lanes_opened_and_closed_at_any_time_do_not_disturb_each_other
test_a_track_that_does_not_change = (
    shared.test_a_track_that_does_not_change_is_not_touched_by_one_that_does
)
test_a_rut = shared.test_a_rut_is_noticed_and_its_words_recovered_with_their_true_times
test_the_end_token_never_ends_captions = shared.test_the_end_token_never_ends_captions
test_what_the_engine_refuses = shared.test_what_the_engine_refuses
test_idle_means_that_nothing_would_happen = shared.test_idle_means_that_nothing_would_happen


@pytest.mark.parametrize("delay", DELAYS)
def test_clips_give_the_reference_ids_live(engine: VoxtralEngine, delay: int) -> None:
    for name in LIVE:
        heard = hear(engine, clip(name), delay, pieces=1600)
        assert heard.ids[0] == reference_ids(name, delay), name
        assert heard.text() == reference_text(name, delay), name


@pytest.mark.parametrize("delay", DELAYS)
def test_past_both_windows_as_a_file(engine: VoxtralEngine, delay: int) -> None:
    """Large encoder blocks, draft and verify; at 480 ms all 72 seconds."""
    check_long_stream(engine, delay, seconds=72 if delay == 6 else 20, realtime=False)


def test_past_both_windows_live(engine: VoxtralEngine) -> None:
    check_long_stream(engine, 6, seconds=24, realtime=True)


def check_long_stream(engine: VoxtralEngine, delay: int, seconds: int, realtime: bool) -> None:
    """Ids depend on no later audio, so a stream that ends early gives the reference's beginning."""
    pcm = clip(LONG)[: 16_000 * seconds]
    pieces = 1280 if realtime else 10**9
    ids = hear(engine, pcm, delay, pieces=pieces, realtime=realtime).ids[0]
    unaffected = len(pcm) // ROW_SAMPLES - delay - 1
    assert unaffected > 3 * 64, "the decoder's window is 64"
    assert ids[:unaffected] == reference_ids(LONG, delay)[:unaffected]


def test_every_clip_gives_the_reference_ids_as_a_file(engine: VoxtralEngine) -> None:
    for name in shared.SHORT:
        heard = hear(engine, clip(name), 6, pieces=10**9, realtime=False)
        assert heard.ids[0] == reference_ids(name, 6), name


@pytest.mark.parametrize(("before", "after"), [(6, 30), (12, 1)])
def test_a_delay_changed_during_speech(engine: VoxtralEngine, before: int, after: int) -> None:
    shared.test_a_delay_changed_while_someone_speaks_loses_and_doubles_no_word(
        engine, before, after
    )


def test_a_closed_stream_takes_its_rings_along(engine: VoxtralEngine) -> None:
    before = engine._speech_model.cache_bytes  # type: ignore[attr-defined]
    hear(engine, clip(LONG)[:32_000], 1, 6)
    assert engine._speech_model.cache_bytes == before  # type: ignore[attr-defined]

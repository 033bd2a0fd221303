"""The PyTorch engine's own tests of streams, with MLX's tensors behind the same engine.

What a test there checks of the shared parts (times, words, tails, replay) is not repeated here;
what passes through tensors is.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.schedule import ROW_SAMPLES
from tests.model_backends.voxtral import test_hotwords as hotwords
from tests.model_backends.voxtral import test_record_track as record_track
from tests.model_backends.voxtral import test_streams as shared
from tests.model_backends.voxtral.transcribing import (
    DELAYS,
    LONG,
    clip,
    reference_ids,
    transcribe,
)
from tests.support.matrix import cases

LIVE = ("join_00", "fast_mixed", "white_noise", "aligned_end")
OF_EACH_KIND = ("8_george_0", "join_05", "fast_mixed", "rumble", "aligned_end")

test_two_delays_of_one_audio_share_an_encoder = shared.test_two_delays_of_one_audio_share_an_encoder
test_lanes = shared.test_lanes_opened_and_closed_at_any_time_do_not_disturb_each_other
test_a_track_that_does_not_change = (
    shared.test_a_track_that_does_not_change_is_not_touched_by_one_that_does
)
test_confidences = shared.test_clear_words_are_sure_and_all_confidences_are_probabilities
test_captions_and_record = record_track.test_captions_and_record_are_the_reference_at_their_delays
test_what_the_engine_refuses = shared.test_what_the_engine_refuses
test_idle_means_that_nothing_would_happen = shared.test_idle_means_that_nothing_would_happen


@pytest.mark.parametrize("name", cases(["join_03", "aligned_end", "quiet"], always=["aligned_end"]))
def test_any_cutting_of_the_audio_gives_the_same_ids(engine: VoxtralEngine, name: str) -> None:
    """It is cut before there is a tensor, so that PyTorch's cases hold for this engine, too."""
    shared.test_any_cutting_of_the_audio_gives_the_same_ids(engine, name)


@pytest.mark.exhaustive
def test_a_mute_stretch(engine: VoxtralEngine) -> None:
    """The decoder that is opened in mid-stream for it, a changed delay opens, too."""
    shared.test_a_mute_stretch_is_noticed_and_its_words_recovered(engine)


def test_clips_give_the_reference_ids_live(engine: VoxtralEngine) -> None:
    """Every delay, in one batch."""
    shared.check_together(engine, list(zip(itertools.cycle(LIVE), DELAYS)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("delay", DELAYS)
def test_clips_give_them_at_every_delay(engine: VoxtralEngine, delay: int) -> None:
    shared.check_together(engine, [(name, delay) for name in LIVE])


@pytest.mark.parametrize("delay", cases(DELAYS, always=(1, 6, 30)))
def test_past_both_windows_as_a_file(engine: VoxtralEngine, delay: int) -> None:
    """Large encoder blocks, draft and verify; at 480 ms all 72 seconds."""
    check_long_stream(engine, delay, seconds=72 if delay == 6 else 20, realtime=False)


def test_past_both_windows_live(engine: VoxtralEngine) -> None:
    check_long_stream(engine, 6, seconds=24, realtime=True)


def check_long_stream(engine: VoxtralEngine, delay: int, seconds: int, realtime: bool) -> None:
    """Ids depend on no later audio, so a stream that ends early gives the reference's beginning."""
    pcm = clip(LONG)[: 16_000 * seconds]
    pieces = 1280 if realtime else 10**9
    ids = transcribe(engine, pcm, delay, pieces=pieces, realtime=realtime).ids[0]
    unaffected = len(pcm) // ROW_SAMPLES - delay - 1
    assert unaffected > 3 * 64, "the decoder's window is 64"
    assert ids[:unaffected] == reference_ids(LONG, delay)[:unaffected]


@pytest.mark.parametrize(
    "names", cases([tuple(shared.SHORT), OF_EACH_KIND], always=[OF_EACH_KIND]), ids=len
)
def test_every_clip_gives_the_reference_ids_as_a_file(
    engine: VoxtralEngine, names: Sequence[str]
) -> None:
    shared.check_together(engine, [(name, 6) for name in names], realtime=False)


@pytest.mark.parametrize(
    ("before", "after"), [(6, 30), pytest.param(12, 1, marks=pytest.mark.exhaustive)]
)
def test_a_delay_changed_during_speech(engine: VoxtralEngine, before: int, after: int) -> None:
    shared.test_a_delay_changed_while_someone_speaks_loses_and_doubles_no_word(
        engine, before, after
    )


def test_a_closed_stream_takes_its_caches_along(engine: VoxtralEngine) -> None:
    before = engine._speech_model.cache_bytes  # type: ignore[attr-defined]
    transcribe(engine, clip(LONG)[:32_000], 1, 6)
    assert engine._speech_model.cache_bytes == before  # type: ignore[attr-defined]


test_made_up_words_that_nobody_said = hotwords.test_made_up_words_that_nobody_said_change_nothing
test_a_word_that_was_missed = hotwords.test_a_word_that_was_said_and_missed_is_written_when_expected
expecting = hotwords.expecting

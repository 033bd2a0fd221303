"""Beeps are found by their pitch: where they are, and which are missing."""

from __future__ import annotations

import numpy as np
import pytest

from app.measure.beeps import EVERY_S, beeps, heard


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_each_beep_is_known_by_its_pitch_and_stands_where_it_was_made(rate: int) -> None:
    found = heard(beeps(20, rate), rate)
    assert [beep.number for beep in found] == list(range(20))
    assert [beep.at_s for beep in found] == pytest.approx([(i + 0.5) * EVERY_S for i in range(20)])


def test_a_beep_that_is_gone_or_cut_is_missing_and_a_late_one_is_late() -> None:
    sound = beeps(10, 16_000)
    sound[3 * 16_000 : 4 * 16_000] = 0.0
    sound = np.concatenate([sound[: 5 * 16_000], np.zeros(1600, np.float32), sound[5 * 16_000 :]])
    found = heard(sound[: round(8.65 * 16_000)], 16_000)
    assert [beep.number for beep in found] == [0, 1, 2, 4, 5, 6, 7]
    assert found[-1].at_s == pytest.approx(7.6)

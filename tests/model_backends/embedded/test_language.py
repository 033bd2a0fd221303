"""Which language an utterance is taken to be in, guess by guess."""

from __future__ import annotations

from model_backends.embedded.language import LanguageChoice


def test_the_first_guess_counts_where_nothing_is_known() -> None:
    assert LanguageChoice(None).offer({"de": 0.4, "nl": 0.3}, 0.5) == "de"


def test_a_doubtful_first_guess_gives_way_to_what_the_lane_spoke() -> None:
    assert LanguageChoice("de").offer({"nl": 0.7, "de": 0.2}, 0.6) == "de"


def test_a_new_speaker_in_another_language_is_believed_before_long() -> None:
    choice = LanguageChoice("de")
    heard = [choice.offer({"fr": 0.95, "de": 0.01}, seconds) for seconds in (0.5, 1.0, 1.5, 2.0)]
    assert heard[-1] == "fr"


def test_one_sure_and_wrong_guess_changes_nothing() -> None:
    choice = LanguageChoice(None)
    for seconds in (0.5, 1.0, 1.5, 2.0):
        choice.offer({"en": 0.9}, seconds)
    assert choice.offer({"ar": 0.97, "en": 0.01}, 2.6) == "en"


def test_after_some_seconds_it_stands() -> None:
    choice = LanguageChoice(None)
    choice.offer({"en": 0.9}, 2.0)
    assert choice.standing is None
    choice.offer({"en": 0.9}, 5.0)
    assert choice.standing == "en"


def test_a_language_whisper_barely_knows_must_be_clear() -> None:
    assert LanguageChoice(None).offer({"cy": 0.7, "en": 0.28}, 20.0) == "en"
    assert LanguageChoice(None).offer({"cy": 0.95, "en": 0.03}, 20.0) == "cy"

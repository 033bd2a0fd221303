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


# Whisper base on librispeech/2033, an English reader of Arabian tales (“When Usat Alzaman heard
# the first improvisation, she called to mind her father …”), 3.0 to 5.3 s of the utterance
TALE = [
    ({"la": 0.74, "ro": 0.16, "en": 0.05}, 3.0),
    ({"la": 0.70, "ro": 0.17, "en": 0.06}, 3.6),
    ({"la": 0.61, "ro": 0.27, "en": 0.05}, 3.9),
    ({"la": 0.48, "ro": 0.23, "en": 0.21}, 4.8),
    ({"la": 0.57, "ro": 0.25, "en": 0.12}, 5.3),
]


def test_what_is_left_by_languages_whisper_barely_knows_is_no_ground_for_a_change() -> None:
    choice = LanguageChoice("en")
    assert {choice.offer(*guess) for guess in TALE} == {"en"}


def test_a_language_that_the_last_guess_doubts_does_not_stand() -> None:
    choice = LanguageChoice("en")
    for guess in TALE:
        choice.offer(*guess)
    stood = [choice.standing]
    asked = [choice.due()]
    choice.offer({"en": 0.8}, 6.0)
    assert [*stood, choice.standing] == [None, "en"]
    assert [*asked, choice.due()] == [True, False]


def test_where_a_guess_costs_a_hearing_doubt_is_not_followed_at_every_one() -> None:
    choice = LanguageChoice("en")
    for guess in TALE[:-1]:
        choice.offer(*guess)
    assert choice.due(dear=True), "too little was heard"
    choice.offer(*TALE[-1])
    asked = [choice.due(dear=True) for _ in range(20)]
    assert 0 < asked.index(True) < 10


def test_a_language_that_stands_is_asked_for_again() -> None:
    choice = LanguageChoice(None)
    choice.offer({"en": 0.9}, 5.0)
    assert choice.due(again=True)
    choice.offer({"en": 0.9}, 5.0)
    asked = [choice.due() for _ in range(20)]
    assert 0 < asked.index(True) < 10


def test_a_speaker_who_goes_on_in_another_language_is_followed() -> None:
    choice = LanguageChoice("en")
    for _ in range(50):
        choice.offer({"en": 0.95}, 8.0)
    heard = [choice.offer({"de": 0.95}, 8.0) for _ in range(8)]
    assert heard[0] == "en"
    assert heard[-1] == "de"


def test_a_wrong_language_that_stood_is_left() -> None:
    """The same reader: Arabic for two seconds of names, then English for half a minute."""
    choice = LanguageChoice(None)
    for _ in range(3):
        choice.offer({"ar": 0.9, "en": 0.05}, 5.0)
    assert choice.standing == "ar"
    heard = [choice.offer({"en": 0.7, "ar": 0.2}, 8.0) for _ in range(10)]
    assert heard[-1] == "en"

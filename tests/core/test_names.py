"""The list of names as text, corrections of what was misheard, and alerts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.alerts import COOL_DOWN_MS, Alerts
from app.core.corrections import HOLD_MS, Corrector
from app.core.names import Name, names_in, text_of
from model_backends.base import Progress, Word

VOXLINE = Name("Voxline", ("vox line", "fox line"), alert=True)
VOX = Name("Vox")
KUBECTL = Name("kubectl", ("cube control",))
CURIE = Name("Marie Curie", ("Mary Curry",), alert=True)


def words(text: str, utterance: int = 0) -> list[Word]:
    """Words of 300 ms, one each 400 ms, each with its own space before it."""
    return [
        Word("me", 0, utterance, f" {part}", 400 * n, 400 * n + 300)
        for n, part in enumerate(text.split())
    ]


def corrected(text: str, *names: Name) -> str:
    return "".join(word.text for word in Corrector(names).whole(words(text)))


# --- as text ---------------------------------------------------------------------------------


def test_a_table_is_read_as_it_was_written() -> None:
    odd = Name('The "Big, Blue" Inc.', ("big blue",), alert=True)
    names = (VOXLINE, odd, Name("Łukasz"), Name("東京"))
    assert names_in(text_of(names)) == names


def test_a_plain_list_is_one_too() -> None:
    assert names_in("Voxline\r\n\r\n  Marie   Curie \nVoxline\n") == (
        Name("Voxline"),
        Name("Marie Curie"),
    )


@given(st.text(max_size=40))
def test_any_text_is_read_and_stays_what_it_became(text: str) -> None:
    names = names_in(text)
    assert names_in(text_of(names)) == names


# --- corrections -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("I use vox line, daily.", " I use Voxline, daily."),
        ("I use Fox-Line.", " I use Voxline."),
        ("(voxline)", " (Voxline)"),
        ("vox line's captions", " Voxline's captions"),
        ("vox, line", " vox, line"),  # a name does not go over a comma
        ("vox liner", " vox liner"),
        ("the vox", " the vox"),
        ("vox", " vox"),
        ("vox vox line", " vox Voxline"),
        ("mary curry and fox line", " Marie Curie and Voxline"),
        ("Kubectl and cube control", " Kubectl and kubectl"),  # it may begin a sentence
        ("KUBECTL", " kubectl"),
    ],
)
def test_what_was_misheard_is_written_as_the_user_writes_it(said: str, written: str) -> None:
    assert corrected(said, VOXLINE, KUBECTL, CURIE) == written


def test_the_longest_name_is_meant() -> None:
    assert corrected("vox line and vox", VOX, VOXLINE) == " Voxline and Vox"


def test_a_name_has_the_time_and_the_least_confidence_of_all_its_words() -> None:
    sure = [
        Word("me", 0, 0, " vox", 100, 300, "en", 0.9),
        Word("me", 0, 0, " line.", 350, 600, "en", 0.4),
    ]
    assert Corrector([VOXLINE]).whole(sure) == [Word("me", 0, 0, " Voxline.", 100, 600, "en", 0.4)]


def test_scripts_without_spaces_are_matched_by_whole_words() -> None:
    tokyo = Name("東京タワー", ("東京 たわー",))
    said = [Word("me", 0, 0, text, n, n + 1) for n, text in enumerate(("東", "京", "たわー", "は"))]
    assert [word.text for word in Corrector([tokyo]).whole(said)] == ["東京タワー", "は"]


def test_a_vowel_sign_is_part_of_a_word() -> None:
    assert corrected("का", Name("कैसे", ("क",))) == " का"
    assert corrected("का।", Name("कैसे", ("का",))) == " कैसे।"


# --- while it is said ------------------------------------------------------------------------


def test_only_what_may_become_a_name_waits_and_is_not_settled() -> None:
    corrector = Corrector([VOXLINE])
    the, vox, line = words("the vox line")
    assert corrector.take(the) == [the]
    assert corrector.take(vox) == []
    assert corrector.take(Progress("me", 0, 900, 800)) == [Progress("me", 0, 900, vox.start_ms)]
    (name,) = corrector.take(line)
    assert isinstance(name, Word) and name.text == " Voxline"
    assert corrector.take(Progress("me", 0, 1300, 1200)) == [Progress("me", 0, 1300, 1200)]


def test_what_waits_too_long_passes_as_it_was_heard() -> None:
    corrector = Corrector([VOXLINE])
    (vox,) = words("vox")
    corrector.take(Progress("me", 0, 1000, 0))
    assert corrector.take(vox) == []
    almost = Progress("me", 0, 999 + HOLD_MS, 2000)
    assert corrector.take(almost) == [Progress("me", 0, almost.heard_ms, 0)]
    then = Progress("me", 0, 1000 + HOLD_MS, 2000)
    assert corrector.take(then) == [vox, then]


def test_an_utterance_and_a_session_end_without_what_could_have_followed() -> None:
    corrector = Corrector([VOXLINE])
    (vox,), (line,) = words("vox"), words("line", utterance=1)
    assert corrector.take(vox) == []
    assert corrector.take(line) == [vox, line]
    (last,) = words("fox", utterance=2)
    assert corrector.take(last) == []
    assert corrector.rest() == [last]
    assert corrector.rest() == []


def test_two_voices_do_not_make_one_name() -> None:
    corrector = Corrector([VOXLINE])
    vox = Word("me", 0, 0, " vox", 0, 300)
    line = Word("them", 0, 1, " line", 300, 600)
    assert corrector.take(vox) == []
    assert corrector.take(line) == [line]


@given(st.lists(st.sampled_from(["vox", "line", "fox", "mary", "curry,", "the"]), max_size=12))
def test_no_other_word_is_lost_or_moved(said: list[str]) -> None:
    """Without the names' own words, what comes out is what went in, in its order."""
    live, out = Corrector([VOXLINE, CURIE]), []
    for word in words(" ".join(said)):
        out += live.take(word)
    out += live.rest()
    assert out == live.whole(words(" ".join(said))), "waiting changes nothing"
    text = "".join(word.text for word in out if isinstance(word, Word)).split()
    assert [word for word in text if word == "the"] == [word for word in said if word == "the"]
    undone = " ".join(text).replace("Marie Curie", "mary curry")
    assert len(undone.replace("Voxline", "vox line").split()) == len(said)


# --- alerts ----------------------------------------------------------------------------------


def test_a_name_alerts_and_is_news_once_in_a_while() -> None:
    alerts = Alerts([VOXLINE, KUBECTL])
    (said,) = words("Voxline's,")
    assert alerts.said(said) == VOXLINE
    assert alerts.said(words("kubectl")[0]) is None
    assert alerts.said(words("voxliner")[0]) is None
    assert alerts.is_news(VOXLINE, 1000)
    assert not alerts.is_news(VOXLINE, 999 + COOL_DOWN_MS)
    assert alerts.is_news(VOXLINE, 1000 + COOL_DOWN_MS)
    assert alerts.is_news(VOXLINE, 0), "another session begins at nought"

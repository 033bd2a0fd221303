"""Twenty seconds of the measurement of `app.measure.steadiness`: nothing moves, and it can tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication

from app.core.lines import CaptionLines
from app.measure import spoken
from app.measure.simulation import Shown
from app.measure.steadiness import Tally, steadiness
from app.settings import OverlaySettings
from app.ui.overlay import line_pictures
from app.ui.widgets.languages import direction
from model_backends.base import Word
from tests.ui.overlay_app import TEXT
from tests.ui.overlay_fakes import words

SECONDS = 20


def delivered() -> list[Shown]:
    """Four words a second, two at a time, as an engine gives them."""
    said = [word for word in words(f"{TEXT} {TEXT} {TEXT}") if word.end_ms <= SECONDS * 1000]
    return [Shown(word, (at // 2) * 500.0 + 900) for at, word in enumerate(said)]


def played(script: str = "spoken", edge: str = "none") -> Tally:
    shown = delivered()
    if script != "spoken":
        shown = spoken.carried(shown, script)
    return steadiness(shown, OverlaySettings(edge=edge))


@pytest.mark.parametrize("script", ["spoken", *spoken.TEXTS])
def test_nothing_that_was_drawn_moves(qapp: QApplication, script: str) -> None:
    tally = played(script)
    assert tally.at == []
    assert tally.steady
    assert tally.words == len(delivered())
    assert tally.compared > 2 * tally.frames
    assert tally.scrolled > 3


def test_words_that_are_drawn_elsewhere_are_seen(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Centred, a line's words move with every new one."""
    laid_out = line_pictures._laid_out

    def centred(line: object, way: Qt.LayoutDirection, room: float, *rest: object) -> object:
        layout = laid_out(line, way, room, *rest)  # type: ignore[arg-type]
        row = layout.lineAt(0)
        row.setPosition(QPointF((room - row.naturalTextWidth()) / 2, 0))
        return layout

    monkeypatch.setattr(line_pictures, "_laid_out", lambda *a, **_: centred(*a))
    assert played().moved > 20


def test_lines_that_are_broken_anew_are_seen(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a line is filled up once the next word is known to be short."""
    add = CaptionLines.add

    def add_and_lay_out_anew(lines: CaptionLines, word: Word) -> None:
        add(lines, word)
        lines.reflow(lines._measure, lines._width + (-120 if lines.added % 3 else 240))

    monkeypatch.setattr(CaptionLines, "add", add_and_lay_out_anew)
    assert played().rebroken > 5


def test_a_line_that_turns_round_is_seen(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where every word decides anew which way its line runs."""
    turns = iter([None, "ar"] * 1000)
    monkeypatch.setattr(
        "app.ui.overlay.caption_view.direction", lambda *_: direction(next(turns), "")
    )
    monkeypatch.setattr("app.ui.overlay.caption_view._WAYS", -1)  # remembers none
    assert played().moved > 5


def test_what_is_short_is_said_again_until_the_time_is_over() -> None:
    shown = delivered()
    longer = spoken.lasting(shown, 3 * SECONDS * 1000)
    assert [one.word.text for one in longer[: len(shown)]] == [one.word.text for one in shown]
    assert longer[len(shown)].word.text == shown[0].word.text
    assert [one.at_ms for one in longer] == sorted(one.at_ms for one in longer)
    assert 2.5 * len(shown) < len(longer) < 3 * len(shown)
    assert max(one.word.end_ms for one in longer) <= 3 * SECONDS * 1000


def test_words_carry_the_moments_of_those_that_were_said() -> None:
    shown = delivered()
    for script, text in spoken.TEXTS.items():
        carried = spoken.carried(shown, script)
        assert [replace(one.word, text="", language=None) for one in carried] == [
            replace(one.word, text="", language=None) for one in shown
        ]
        begun = "".join(one.word.text for one in carried).strip()
        assert begun.startswith(text[:40])

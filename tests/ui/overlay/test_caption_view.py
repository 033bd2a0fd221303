"""The captions as painted: nothing shown ever changes, and what is told of them is true."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAccessible, QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.core.lines import Line
from app.settings import OverlaySettings
from app.ui.overlay.caption_view import CaptionView, line_height
from app.ui.overlay.line_pictures import LinePictures
from app.ui.widgets import theme
from model_backends.base import Word
from tests.ui.overlay.windows import painted
from tests.ui.overlay_fakes import words

SPEECH = (
    "Good morning everyone. The frost had settled on the fields overnight, and we were, as my "
    "grandmother used to say, cold in the bones but warm in the heart. Nobody spoke for a while."
)
SETTINGS = OverlaySettings(font_size=20)


@pytest.fixture
def view(qtbot: QtBot) -> CaptionView:
    return shown(qtbot, SETTINGS)


def shown(qtbot: QtBot, settings: OverlaySettings, width: int = 420) -> CaptionView:
    view = CaptionView(settings)
    qtbot.addWidget(view)
    view.resize(width, line_height(settings) * settings.lines)
    with qtbot.waitExposed(view):
        view.show()
    return view


def ink(image: QImage, area: QRect) -> float:
    """Mean opacity of an area, 0..255."""
    cells = [
        (x, y)
        for x in range(area.left(), area.right())
        for y in range(area.top(), area.bottom(), 2)
    ]
    return sum(image.pixelColor(x, y).alpha() for x, y in cells) / len(cells)


def grew(before: list[str], now: list[str]) -> bool:
    """`now` is `before`, moved up by whole lines if at all, with text added only at its end."""
    for scrolled in range(len(before) + 1):
        kept = before[scrolled:]
        whole, last = kept[:-1], kept[-1:]
        if now[: len(whole)] == whole and all(
            line.startswith(old) for line, old in zip(now[len(whole) :], last, strict=False)
        ):
            return scrolled == 0 or (scrolled == 1 and len(before) == SETTINGS.lines)
    return False


def test_words_once_painted_never_change_and_lines_only_move_up(view: CaptionView) -> None:
    paints: list[list[str]] = [[]]
    for word in words(SPEECH):
        view.add_word(word)
        painted(view)
        paints.append(view.painted_text)
    rewrites = [now for before, now in pairwise(paints) if not grew(before, now)]
    assert rewrites == []
    assert SPEECH.endswith(" ".join(paints[-1]))
    assert len(paints[-1]) == SETTINGS.lines


def test_what_was_painted_stays_pixel_for_pixel(view: CaptionView) -> None:
    text = words("Good morning")
    view.add_word(text[0])
    first = painted(view)
    view.add_word(text[1])
    second = painted(view)
    width = int(view._measure("Good"))
    area = QRect(0, 0, width, line_height(SETTINGS))
    assert ink(first, area) > 5
    assert first.copy(area) == second.copy(area)


def test_each_word_is_reported_once_when_it_is_on_the_screen(
    qtbot: QtBot, view: CaptionView
) -> None:
    reported: list[Word] = []
    view.on_painted = reported.append
    said = words("one two three")
    view.add_word(said[0])
    assert reported == []  # not painted yet
    qtbot.waitUntil(lambda: reported == said[:1])
    view.add_word(said[1])
    view.add_word(said[2])
    qtbot.waitUntil(lambda: reported == said)


def test_words_that_scrolled_past_between_two_paints_are_not_reported(view: CaptionView) -> None:
    reported: list[Word] = []
    view.on_painted = reported.append
    said = words(SPEECH)
    for word in said:
        view.add_word(word)
    painted(view)
    on_screen = " ".join(view.painted_text).split()
    assert [word.text.strip() for word in reported] == on_screen
    assert len(reported) < len(said)


def test_the_tail_is_off_until_wanted_then_dim(qtbot: QtBot, view: CaptionView) -> None:
    view.add_word(words("Good")[0])
    view.set_tail(" morning")
    before = painted(view)
    assert view.painted_text == ["Good"]
    view.apply(replace(SETTINGS, show_tail=True))
    view.set_tail(" morning")
    after = painted(view)
    assert view.painted_text == ["Good morning"]
    split = int(view._measure("Good") + 6)
    committed = QRect(0, 0, split, line_height(SETTINGS))
    assert before.copy(committed) == after.copy(committed)
    tail = QRect(split, 0, int(view._measure(" morning")), line_height(SETTINGS))
    brightest = max(
        after.pixelColor(x, tail.center().y()).alpha() for x in range(tail.left(), tail.right())
    )
    assert 100 < brightest < 200  # dim; committed text reaches 255


@pytest.mark.parametrize(("language", "side"), [("ar", "right"), ("he", "right"), ("en", "left")])
def test_the_language_decides_the_side_not_the_first_letter(
    qtbot: QtBot, view: CaptionView, language: str, side: str
) -> None:
    """An Arabic caption that begins with a Latin name still begins at the right, and vice versa."""
    text = "Voxline مرحبا" if side == "right" else "مرحبا Voxline"
    for word in words(text, language):
        view.add_word(word)
    image = painted(view)
    half = QRect(0, 0, view.width() // 2, line_height(SETTINGS))
    left, right = ink(image, half), ink(image, half.translated(view.width() // 2, 0))
    assert (right > left) == (side == "right")


ARABIC = "صباح الخير جميعا كان الصقيع قد استقر على الحقول طوال الليل وكنا نشعر بالبرد"


def test_nothing_painted_jumps_when_the_language_becomes_known(view: CaptionView) -> None:
    """An engine knows the language only after some words."""
    spoken = words(ARABIC, None)[:2] + words(ARABIC, "ar")[2:]
    before = None
    for word in spoken:
        view.add_word(word)
        image = painted(view)
        row = QRect(0, 0, view.width(), line_height(SETTINGS))
        row.translate(0, row.height() * (len(view.painted_text) - 1))
        at = rightmost(image, row)
        if before is not None and before[0] == view._lines.started:  # the same line
            assert abs(at - before[1]) <= 1, word
        before = view._lines.started, at
        assert at > view.width() * 0.9, "it began at the right"


def test_a_line_that_was_painted_keeps_its_way_whatever_it_turns_out_to_be(
    view: CaptionView,
) -> None:
    view.add_word(words("Voxline", None)[0])
    first = painted(view)
    view.add_word(words("x مرحبا", "ar")[1])
    second = painted(view)
    width = int(view._measure("Voxline"))
    area = QRect(0, 0, width, line_height(SETTINGS))
    assert ink(first, area) > 5
    assert first.copy(area) == second.copy(area)


def test_who_speaks_next_is_not_taken_for_a_speaker_of_the_last_language(view: CaptionView) -> None:
    for word in words("مرحبا بكم", "ar"):
        view.add_word(word)
    for word in words("Good morning", None, start_ms=60_000):
        view.add_word(replace(word, utterance=1))
    image = painted(view)
    below = QRect(0, line_height(SETTINGS), view.width() // 2, line_height(SETTINGS))
    assert ink(image, below) > ink(image, below.translated(view.width() // 2, 0))


def rightmost(image: QImage, area: QRect) -> int:
    columns = range(area.right(), area.left(), -1)
    rows = range(area.top(), area.bottom())
    return next(x for x in columns if any(image.pixelColor(x, y).alpha() > 60 for y in rows))


def test_a_word_of_spaces_makes_no_empty_line(view: CaptionView) -> None:
    view.add_word(words("Good")[0])
    view.add_word(replace(words("x", start_ms=9000)[0], text="  ", utterance=1))
    view.add_word(replace(words("morning", start_ms=9500)[0], utterance=1))
    assert view.committed_text == ["Good", "morning"]


def test_captions_that_are_hidden_remember_no_more_than_a_screen_of_words(
    view: CaptionView,
) -> None:
    view.hide()
    for word in words("word " * 3000):
        view.add_word(word)
    assert len(view._not_painted) <= 500


@pytest.mark.parametrize("edge", ["uniform", "shadow"])
def test_an_edge_keeps_white_text_readable_on_white(qtbot: QtBot, edge: str) -> None:
    view = shown(qtbot, replace(SETTINGS, edge=edge))
    view.add_word(words("Readable")[0])
    image = painted(view)
    line = [image.pixelColor(x, y) for x in range(140) for y in range(line_height(SETTINGS))]
    assert any(color.alpha() > 180 and color.lightness() < 60 for color in line)  # the edge
    assert any(color.alpha() == 255 and color.lightness() > 240 for color in line)  # the text


def test_lines_break_anew_only_when_the_width_changes(qtbot: QtBot, view: CaptionView) -> None:
    for word in words(SPEECH):
        view.add_word(word)
    painted(view)
    before = view.painted_text
    view.apply(replace(SETTINGS, text_color="#ffff00", edge="uniform"))
    painted(view)
    assert view.painted_text == before
    view.resize(view.width() + 200, view.height())
    painted(view)
    assert view.painted_text != before


def test_as_many_whole_lines_as_fit(qtbot: QtBot, view: CaptionView) -> None:
    for word in words(SPEECH * 4):
        view.add_word(word)
    height = line_height(SETTINGS)
    for lines, wanted in ((1, 1), (3, 3), (12, 12), (20, 12)):
        view.resize(view.width(), lines * height + 3)
        painted(view)
        assert len(view.painted_text) == wanted


def test_captions_can_be_read_by_assistive_technology(
    view: CaptionView, screen_reader: None
) -> None:
    for word in words(SPEECH):
        view.add_word(word)
    read = view.findChild(QPlainTextEdit)
    assert read is not None
    text = QAccessible.queryAccessibleInterface(read)
    assert text.role() == QAccessible.Role.EditableText
    assert text.state().readOnly
    assert text.text(QAccessible.Text.Name) == "Captions"
    content = text.textInterface()
    assert content.text(0, content.characterCount()).split("\n") == view.committed_text
    image = painted(view)
    assert view.painted_text == view.committed_text
    assert ink(image, view.rect()) > 5  # what is read out paints nothing over it


def test_what_is_read_out_hides_nothing_in_the_clothes_of_the_app(
    qtbot: QtBot, qapp: QApplication, screen_reader: None
) -> None:
    """The app's style sheet gives text fields a ground: here it would lie over the captions."""
    pictures = []
    before = qapp.styleSheet(), qapp.palette()
    theme._dress(qapp)
    try:
        for read in (False, True):
            QAccessible.setActive(read)
            view = shown(qtbot, SETTINGS)
            for word in words(SPEECH):
                view.add_word(word)
            assert (view.findChild(QPlainTextEdit) is not None) == read
            pictures.append(painted(view))
    finally:
        qapp.setStyleSheet(before[0])
        qapp.setPalette(before[1])
    assert pictures[0] == pictures[1]


def test_without_a_screen_reader_nothing_is_kept_for_one(view: CaptionView) -> None:
    view.add_word(words("Good")[0])
    assert view.findChild(QPlainTextEdit) is None


def test_text_in_the_chosen_colour(qtbot: QtBot) -> None:
    view = shown(qtbot, replace(SETTINGS, text_color="#ffff00"))
    view.add_word(words("MMM")[0])
    image = painted(view)
    colors = {image.pixelColor(x, y).name() for x in range(70) for y in range(30)}
    assert QColor("#ffff00").name() in colors


def test_a_word_draws_only_its_own_line_anew(
    view: CaptionView, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    draw = LinePictures._draw_text

    def watched(
        pictures: LinePictures, painter: QPainter, line: Line, way: Qt.LayoutDirection
    ) -> None:
        drawn.append(line.text)
        draw(pictures, painter, line, way)

    monkeypatch.setattr(LinePictures, "_draw_text", watched)
    for word in words(SPEECH):
        view.add_word(word)
        painted(view)
        assert drawn == view.painted_text[-1:]
        drawn.clear()


# --- who speaks --------------------------------------------------------------------------------


def colors(image: QImage, area: QRect) -> set[str]:
    """Those of pixels that are all ink."""
    cells = [
        image.pixelColor(x, y)
        for x in range(area.left(), area.right())
        for y in range(area.top(), area.bottom())
    ]
    return {color.name() for color in cells if color.alpha() == 255}


@pytest.mark.parametrize(
    ("lane", "text", "label"),
    [
        ("me", "#ffffff", "#7cc4ff"), ("me", "#000000", "#00508f"),
        ("them", "#ffffff", "#ffffff"), ("them", "#ffff00", "#ffff00"),
    ],
)  # fmt: skip
def test_who_speaks_is_said_in_a_colour_and_a_word(
    qtbot: QtBot, lane: str, text: str, label: str
) -> None:
    settings = replace(SETTINGS, font_size=48, text_color=text)
    view = shown(qtbot, settings, width=900)
    view.name_voices({"me": "HHH", "them": "HHH"})
    view.add_word(replace(words("HHHH")[0], lane=lane))
    image = painted(view)
    assert view.painted_text == ["HHH: HHHH"]
    end = round(view._measure("HHH"))
    row = line_height(settings)
    assert colors(image, QRect(0, 0, end, row)) == {label}
    begin = round(view._measure("HHH: ")) + 4
    assert colors(image, QRect(begin, 0, 200, row)) == {text}


def test_what_is_told_as_painted_does_not_count_names(qtbot: QtBot) -> None:
    """A name is longer than the word it stands before."""
    view = shown(qtbot, replace(SETTINGS, lines=1))
    view.name_voices({"me": "Bartholomew", "them": "Others"})
    told: list[Word] = []
    view.on_painted = told.append
    first, last = words("gone")[0], replace(words("here")[0], lane="them")
    view.add_word(first)
    view.add_word(last)
    painted(view)
    assert told == [last]


TALKS = {
    "en": "Good morning everyone, the frost had settled on the fields overnight and we were cold.",
    "ar": "صباح الخير جميعا، كان الصقيع قد استقر على الحقول طوال الليل وكنا نشعر بالبرد في العظام.",
    "hi": "सुप्रभात सबको, रात भर खेतों पर पाला जम गया था और हम हड्डियों तक ठंड महसूस कर रहे थे।",
    "ja": "皆さん、 おはよう ございます。 一晩で 畑に 霜が 降りて、 骨まで 冷え ました。",
}


@pytest.mark.parametrize(
    ("language", "edge"),
    [*((each, "none") for each in TALKS), ("en", "uniform"), ("ja", "uniform")],
)
def test_in_three_minutes_of_any_script_no_pixel_of_a_word_moves_but_up_by_whole_lines(
    qtbot: QtBot, language: str, edge: str
) -> None:
    """Every frame is compared with the one before: what was ink stays ink, where it was."""
    view = shown(qtbot, replace(SETTINGS, edge=edge, lines=3))
    talk = words(" ".join([TALKS[language]] * 12), language)
    if language == "ja":
        talk = [replace(word, text=word.text.strip()) for word in talk]
    before, first, moved, frames = painted(view), 0, 0, 0
    for word in talk[:160]:
        view.add_word(word)
        now = painted(view)
        top = view._visible()[0]
        moved += moves(before, now, (top - first) * line_height(SETTINGS), edge != "none")
        before, first, frames = now, top, frames + 1
    assert frames > 100
    assert moved == 0


def moves(before: QImage, now: QImage, by: int, edge: bool) -> int:
    """Pixels of ink that are not `by` pixels further up, unless they have left at the top."""
    lines = before.height() // line_height(SETTINGS) * line_height(SETTINGS)
    kept = np_of(before)[by:lines], np_of(now)[: lines - by]
    # a tall mark at the upper end may have been cut off with the line above
    margin = line_height(SETTINGS) // 2 if by else 0
    old, new = (part[margin:].astype(int) for part in kept)
    # with an edge, the next letter's lies over that of the one before; the letters stay
    ink_before = (old[..., 0] > 200) if edge else (old[..., 3] > 0)
    return int((np.abs(old - new).max(axis=-1)[ink_before] > 2).sum())


def np_of(image: QImage) -> npt.NDArray[np.uint8]:
    """Height, width, and blue, green, red, alpha of each pixel."""
    flat = np.frombuffer(image.constBits(), np.uint8)
    return flat.reshape(image.height(), image.width(), 4)


@pytest.mark.parametrize("text", ["Good morning Maria, dear", "שלום מריה לכולם"])
def test_a_name_that_is_pointed_out_has_a_box_and_no_letter_moves(qtbot: QtBot, text: str) -> None:
    plain, boxed = shown(qtbot, SETTINGS), shown(qtbot, SETTINGS)
    boxed.point_out(lambda word: word.text.strip(" ,") in ("Maria", "מריה"))
    for view in (plain, boxed):
        for word in words(text):
            view.add_word(word)
    before, after = (painted(view) for view in (plain, boxed))
    changed = [
        (x, y)
        for x in range(before.width())
        for y in range(before.height())
        if before.pixel(x, y) != after.pixel(x, y)
    ]
    assert changed, "there is a box"
    left, right = min(x for x, _ in changed), max(x for x, _ in changed)
    assert left > 0 and right - left < 0.4 * before.width(), "round one word"
    inside = [
        before.pixelColor(x, y).alpha() for x in range(left, right) for y in range(before.height())
    ]
    assert max(inside) == 255, "the name is in it"
    lost = [at for at in changed if before.pixelColor(*at).alpha() > after.pixelColor(*at).alpha()]
    assert not lost, "no letter has gone from where it was"

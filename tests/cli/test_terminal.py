"""Captions in a terminal, a pipe and as JSON: other widths, no orders, output that is lost."""

from __future__ import annotations

import errno
import io
import json
from pathlib import Path

import pytest

from app.cli.showing import Showing
from app.cli.terminal import JsonScreen, PlainScreen, TerminalScreen
from app.core.voices import NAMES
from app.session.record import Saved
from model_backends.base import Progress, Tail, Word
from tests.core.words import spoken
from tests.support.cells import Cells

TALK = (
    " And so my fellow Americans, ask not what your country can do for you, ask what you can do"
    " for your country. My fellow citizens of the world, ask not what America will do for you."
)
KINDS = pytest.mark.parametrize("wraps", [True, False], ids=["wraps", "cuts"])


class Stage:
    """A screen on cells, and its words one at a time."""

    def __init__(self, columns: int, wraps: bool) -> None:
        self.cells = Cells(columns, wraps)
        self.messages = io.StringIO()
        self.screen = TerminalScreen(self.cells, self.messages, lambda: self.cells.columns)

    @property
    def words(self) -> list[str]:
        return " ".join(self.cells.lines).split()


@KINDS
@pytest.mark.parametrize(("before", "after"), [(100, 40), (40, 100), (60, 50), (40, 21), (21, 90)])
@pytest.mark.parametrize("at", range(1, 34, 4))
def test_a_width_that_changes_loses_no_word_and_repeats_no_line(
    wraps: bool, before: int, after: int, at: int
) -> None:
    stage = Stage(before, wraps)
    words = spoken(TALK)
    for word in words[:at]:
        stage.screen.show(word)
    stage.cells.resize(after)
    for word in words[at:]:
        stage.screen.show(word)
    stage.screen.close()
    said = TALK.split()
    kept = iter(stage.words)
    assert all(word in kept for word in said), "every word, in order"
    again = len(stage.words) - len(said)
    beyond = max(0, before - after)  # columns
    assert again <= beyond // 2, "at most what no longer fitted, once"
    if not wraps:
        assert again <= 1, "at most the word that was cut in two"


@KINDS
def test_dragging_the_edge_does_not_repeat_a_line_for_every_word(wraps: bool) -> None:
    stage = Stage(100, wraps)
    for index, word in enumerate(spoken(TALK)):
        stage.cells.resize(max(30, 100 - 3 * index))
        stage.screen.show(word)
    stage.screen.close()
    lines = [line.strip() for line in stage.cells.lines if line.strip()]
    assert len(set(lines)) == len(lines)
    assert len(stage.words) <= 2 * len(TALK.split())


@KINDS
def test_a_tail_that_no_longer_fits_is_left_behind(wraps: bool) -> None:
    stage = Stage(60, wraps)
    for word in spoken(" And so my"):
        stage.screen.show(word)
    stage.screen.show(Tail("me", 0, 0, " fellow Americans ask not what"))
    stage.cells.resize(30)
    for word in spoken(" fellow Americans,", 2000):
        stage.screen.show(word)
    stage.screen.close()
    assert stage.words.count("And") == 1
    assert "Americans," in stage.words


def test_what_is_told_after_the_end_does_not_repeat_the_last_row() -> None:
    stage = Stage(60, True)
    for word in spoken(" Hello there."):
        stage.screen.show(word)
    stage.screen.close()
    stage.screen.tell("Saved.")
    assert stage.cells.lines == ["Hello there.", ""]


def test_without_a_change_of_width_rows_fill_up() -> None:
    stage = Stage(41, True)
    for word in spoken(TALK):
        stage.screen.show(word)
    stage.screen.close()
    assert stage.words == TALK.split()
    assert all(len(line) <= 40 for line in stage.cells.lines)
    assert len(stage.cells.lines) <= 7


EVIL = "a\x1b]0;owned\x07b\x1b[2J\x9b1mc\nd\u202ee"
SHOWN = "a␛]0;owned␇b␛[2J�1mc d�e"


def test_what_an_engine_says_gives_a_terminal_no_orders() -> None:
    stage = Stage(80, True)
    stage.screen.show(Tail("me", 0, 0, " " + EVIL))
    stage.screen.show(Word("me", 0, 0, " " + EVIL, 0, 900))
    stage.screen.tell("Saved: " + EVIL)
    stage.screen.close()
    assert SHOWN in stage.cells.lines[0]
    assert stage.messages.getvalue() == f"Saved: {SHOWN}\n"


def test_nor_a_reader_of_plain_text() -> None:
    out, messages = io.StringIO(), io.StringIO()
    screen = PlainScreen(out, messages)
    screen.show(Word("me", 0, 0, " " + EVIL, 0, 900))
    screen.tell(EVIL)
    screen.close()
    assert out.getvalue() == f"{SHOWN}\n"
    assert messages.getvalue() == f"{SHOWN}\n"


def test_json_escapes_them_and_loses_nothing() -> None:
    out = io.StringIO()
    screen = JsonScreen(out, io.StringIO())
    screen.show(Word("me", 0, 0, EVIL, 0, 900))
    screen.show(Saved(Path("a\udc9bb.srt")))
    lines = out.getvalue().splitlines()
    assert all(char.isprintable() for line in lines for char in line)
    assert json.loads(lines[0])["text"] == EVIL
    assert json.loads(lines[1])["path"] == "a\udc9bb.srt"


class Full(io.StringIO):
    """Standard output on a disk that is full from the second write on."""

    def __init__(self, number: int = errno.ENOSPC) -> None:
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        if self.getvalue():
            raise OSError(self.number, "No space left on device")
        return super().write(text)


def test_a_program_that_reads_json_has_every_line_at_once() -> None:
    """Progress, too: several seconds of it waited in a pipe, and looked like an engine that hangs.

    (A pipe is buffered; the raw end is what its reader has.)
    """
    raw = io.BytesIO()
    screen = JsonScreen(io.TextIOWrapper(io.BufferedWriter(raw)), io.StringIO())
    screen.show(Progress("me", 0, 1_280, 800))
    assert json.loads(raw.getvalue())["heard_ms"] == 1_280


@pytest.mark.parametrize("kind", [PlainScreen, JsonScreen])
def test_output_that_takes_no_more_is_complained_of_once_and_sentences_still_come(
    kind: type[PlainScreen | JsonScreen],
) -> None:
    out, messages = Full(), io.StringIO()
    screen = kind(out, messages)
    first, second, *rest = spoken(TALK)
    screen.show(first)
    with pytest.raises(OSError, match="No space left"):
        screen.show(second)
    for word in rest:
        screen.show(word)
    screen.tell("Saved.")
    screen.close()
    assert messages.getvalue() == "Saved.\n"


def test_a_sentence_before_which_the_captions_cannot_make_way_is_told() -> None:
    out, messages = Full(), io.StringIO()
    showing = Showing(TerminalScreen(out, messages, lambda: 80))
    showing.show(spoken(TALK)[0])
    showing.tell("Saved.")
    assert showing.finish(patient=lambda: False)
    assert messages.getvalue() == "Saved.\n"
    assert showing.trouble is not None


def test_a_reader_that_has_gone_ends_the_command() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        PlainScreen(Gone(), io.StringIO()).show(Word("me", 0, 0, " x", 0, 1))


def test_messages_nobody_can_read_stop_nothing() -> None:
    messages = Full()
    messages.write("full")
    PlainScreen(io.StringIO(), messages).tell("Saved.")


VOICES = [
    *spoken(" How are you?", lane="them"),
    *spoken(" Fine.", 1_200, lane="me"),
    *spoken(" Good.", 1_600, lane="them"),
]


def test_two_voices_have_their_names_once_a_turn() -> None:
    out = io.StringIO()
    screen = PlainScreen(out, io.StringIO(), NAMES)
    for word in VOICES:
        screen.show(word)
    assert out.getvalue() == "Others: How are you?\nYou: Fine.\nOthers: Good."
    cells = Cells(40, wraps=True)
    lines = TerminalScreen(cells, io.StringIO(), lambda: cells.columns, NAMES)
    for word in VOICES[:2]:
        lines.show(word)
    cells.resize(30)
    for word in VOICES[2:]:
        lines.show(word)
    assert [row for row in cells.lines if row] == [
        "Others: How are you?",
        "You: Fine.",
        "Others: Good.",
    ]


def test_the_tail_of_another_voice_is_not_shown() -> None:
    cells = Cells(40, wraps=True)
    screen = TerminalScreen(cells, io.StringIO(), lambda: cells.columns, NAMES)
    screen.show(VOICES[0])
    screen.show(Tail("me", 0, 0, " fine"))
    screen.show(Tail("them", 0, 0, " are"))
    assert [row for row in cells.lines if row] == ["Others: How are"]

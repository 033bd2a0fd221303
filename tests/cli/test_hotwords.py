"""`--hotwords` and its setting: from what a person wrote to what the engine is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.arguments import build_parser
from app.cli.usage import UsageError, chosen_engine
from app.core.hotwords import words_in
from app.session.start import resolved, start_message
from app.settings import Settings
from model_backends import describe
from model_backends.base import EngineError, EngineOptions

WORDS = ("Łukasiewicz", "Marie Curie", "東京")


def told(*arguments: str) -> tuple[str, ...]:
    args = build_parser().parse_args(["listen", "--engine", "voxtral-torch", *arguments])
    return chosen_engine(args).options.hotwords


@pytest.mark.parametrize(
    "text",
    ["Łukasiewicz, Marie Curie,東京", "Łukasiewicz\r\n Marie  Curie \r\n\r\n東京\nŁukasiewicz\n",
     "Łukasiewicz;Marie Curie、東京,,"],
)  # fmt: skip
def test_a_list_is_read_as_a_person_writes_it(text: str, tmp_path: Path) -> None:
    assert words_in(text) == WORDS
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        file = tmp_path / "my names (work).txt"
        file.write_bytes(text.encode(encoding))
        assert told("--hotwords", str(file)) == WORDS
    if "\n" not in text:
        assert told("--hotwords", text) == WORDS


def test_without_words_nothing_is_told() -> None:
    assert told() == told("--hotwords", "") == told("--hotwords", " , ") == ()
    options = replace(EngineOptions("voxtral-torch"), delay_ms=480)
    assert start_message(options).extra == {}


def test_the_worker_is_told_and_loads_anew_for_other_words() -> None:
    _, options = resolved(EngineOptions("voxtral-torch", precision="int8", hotwords=WORDS))
    start = start_message(options)
    assert start.extra == {"precision": "int8", "hotwords": list(WORDS)}
    assert start.loads_like(start_message(options, realtime=True))
    assert not start.loads_like(start_message(replace(options, hotwords=WORDS[:1])))


@pytest.mark.parametrize("name", ["names.txt", "lists/names", "~/nobody/names.txt"])
def test_a_mistyped_file_is_no_word(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        told("--hotwords", name)


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "picture.txt").write_bytes(b"\xff\xd8\xff\xe0\x9c\x00")
    (tmp_path / "book.txt").write_text("word\n" * 3000)
    for wrong in ("picture.txt", "book.txt", ""):
        with pytest.raises(UsageError):
            told("--hotwords", str(tmp_path / wrong))


def test_an_engine_that_takes_none_says_so_at_once() -> None:
    args = build_parser().parse_args(["listen", "--hotwords", "Voxline"])
    with pytest.raises(UsageError, match="which words to expect") as refused:
        chosen_engine(args)
    assert "--hotwords" in refused.value.hint
    with pytest.raises(EngineError):
        resolved(EngineOptions("embedded", hotwords=WORDS))


def test_the_setting_reaches_engines_that_take_words_and_no_other() -> None:
    wanted = Settings(hotwords="Łukasiewicz, Marie Curie, 東京").engine_options
    assert wanted.hotwords == WORDS
    assert describe("voxtral-cpu").fitting(wanted).hotwords == WORDS
    assert describe("embedded").fitting(wanted).hotwords == ()

"""`--hotwords`, `--words` and the setting: from what a person wrote to what the worker is told."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.arguments import build_parser
from app.cli.usage import chosen_engine
from app.cli.usage_error import UsageError
from app.core.hotwords import words_in
from app.core.names import Name, text_of
from app.session.start import resolved, start_message
from app.settings import Settings
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
    assert told() == told("--hotwords", " , ") == ()
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


TABLE = text_of([Name(word) for word in WORDS])


def test_the_users_list_reaches_the_worker_and_the_engines_that_take_words() -> None:
    wanted = Settings(names=TABLE).engine_options
    assert wanted.names == TABLE
    for engine, extra in (("voxtral-cpu", {"hotwords": list(WORDS)}), ("embedded", {})):
        start = start_message(resolved(replace(wanted, engine=engine))[1])
        assert (start.names, start.extra) == (TABLE, extra)


def test_both_lists_are_expected_each_word_once() -> None:
    both = EngineOptions("voxtral-cpu", names=TABLE, hotwords=("Voxline", WORDS[1]))
    expected = ["Voxline", WORDS[1], WORDS[0], WORDS[2]]
    assert start_message(both).extra == {"hotwords": expected}


def words_of(engine: str, file: Path) -> str:
    args = build_parser().parse_args(["listen", "--engine", engine, "--words", str(file)])
    return chosen_engine(args).options.names


def test_an_exported_table_and_a_plain_list_are_taken_by_every_engine(tmp_path: Path) -> None:
    table, plain = tmp_path / "my table.csv", tmp_path / "plain"
    table.write_text(TABLE, "utf-16")
    plain.write_text("\n".join(WORDS), "utf-8-sig")
    assert words_of("embedded", table) == words_of("voxtral-torch", plain) == TABLE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_a_pipe_is_no_list(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(UsageError, match="it is no file"):
        words_of("embedded", tmp_path / "pipe.txt")
    with pytest.raises(UsageError, match="it is no file"):
        told("--hotwords", str(tmp_path / "pipe.txt"))


def test_a_file_without_a_word_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("Word,Sounds like,Alert\n,,\n")
    with pytest.raises(UsageError, match="no word in"):
        words_of("embedded", tmp_path / "empty.csv")

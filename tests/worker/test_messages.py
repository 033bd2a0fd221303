"""Frames: what is written is read back, and nothing else is taken for a frame."""

from __future__ import annotations

import io
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.chunk import Chunk
from app.worker import messages as m
from model_backends.base import Acting, Notice, Progress, Sentence, Tail, Word

EXAMPLES: list[m.Message] = [
    m.Start(m.PROTOCOL_VERSION, "embedded", "/models", delays_ms=(480, 2400), language="en"),
    Chunk("me", 1200, 19_200, b"\x01\x00\xff\x7f"),
    m.SetDelay("me", 0, 960),
    m.Break("them"),
    m.Finish(),
    m.Abandon(),
    m.Adapted("base+tiny.en"),
    m.Alive(3, False, 1_200),
    m.DelayRefused("me", 0, 960, 480),
    m.Hello(1, 42, "3.11.7"),
    m.Loading(0.5, "weights"),
    m.Ready("embedded", "base", "cpu", 900),
    m.Speech("me", True, 320),
    m.Failure("It broke.", "Mend it."),
    m.Finished(),
    Word("me", 0, 3, " déjà 見た", 100, 480, "fr"),
    Tail("me", 0, 3, " vu"),
    Progress("me", 0, 480, 100),
    Notice("me", "behind", "Slow.", "Wait."),
    Acting("me", 0, 560),
]


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_a_message_comes_back_as_it_was(message: m.Message) -> None:
    stream = io.BytesIO(m.encode(message) * 2)
    assert [m.read(stream), m.read(stream), m.read(stream)] == [message, message, None]


@given(pcm=st.binary(max_size=300), start=st.integers(0, 2**40), index=st.integers(0, 2**40))
def test_audio_is_carried_to_the_byte(pcm: bytes, start: int, index: int) -> None:
    chunk = Chunk("me", start, index, pcm)
    assert m.read(io.BytesIO(m.encode(chunk))) == chunk


@pytest.mark.parametrize("cut", [1, 7, 9, 20])
def test_a_torn_frame_is_an_error(cut: int) -> None:
    frame = m.encode(EXAMPLES[1])
    with pytest.raises(m.ProtocolError):
        m.read(io.BytesIO(frame[:cut]))


@pytest.mark.parametrize(
    "header",
    [b"not json", b"[]", b'{"type": "Nobody"}', b'{"type": "Word"}', b'{"type": "Finish", "x": 1}'],
)
def test_what_is_no_message_is_an_error(header: bytes) -> None:
    with pytest.raises(m.ProtocolError):
        m.read(io.BytesIO(struct.pack(">II", len(header), 0) + header))


def test_a_printed_line_is_not_taken_for_a_frame() -> None:
    with pytest.raises(m.ProtocolError):
        m.read(io.BytesIO(b"Warning: some library wrote this to standard output\n"))


def test_a_sentence_crosses_with_its_values() -> None:
    said = Sentence("Whisper {model} is too slow.", model="base")
    stream = io.BytesIO(m.encode(Notice("me", "smaller-model", said, Sentence("Wait."))))
    notice = m.read(stream)
    assert isinstance(notice, Notice)
    assert isinstance(notice.message, Sentence)
    assert (notice.message, notice.message.template) == (said, "Whisper {model} is too slow.")


def test_a_sentence_without_its_values_is_no_message() -> None:
    frame = m.encode(Notice("me", "code", Sentence("{a}", a=1))).replace(b'"a": 1', b'"b": 1')
    with pytest.raises(m.ProtocolError):
        m.read(io.BytesIO(frame))


NONSENSE: list[tuple[str, str, list[object]]] = [
    ("Word", "text", [1, None, ["x"], {"template": 1}, "\ud800"]),
    ("Word", "start_ms", [-1, 1.5, "1", None, True, 10**300, [1]]),
    ("Word", "end_ms", [-5, "x"]),
    ("Word", "language", [[], 1, {}, "\udfff"]),
    ("Word", "lane", [None, 0, []]),
    ("Word", "track", ["0", -1, 0.0]),
    ("Progress", "settled_ms", [float("nan"), float("inf"), -1]),
    ("Loading", "fraction", [float("nan"), 2, -0.1, "half", None]),
    ("Speech", "speaking", [1, "yes", None]),
    ("Notice", "message", [1, None, {"template": "{x}", "values": {}}]),
    ("Start", "delays_ms", [[1.5], "240", 7, [None]]),
    ("Start", "extra", [[], "x", 1]),
]


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [(kind, field, value) for kind, field, values in NONSENSE for value in values],
)
def test_a_field_of_the_wrong_kind_is_no_message(kind: str, field: str, value: object) -> None:
    example = next(each for each in EXAMPLES if type(each).__name__ == kind)
    frame = m.encode(example)
    length = struct.unpack(">II", frame[:8])[0]
    values = json.loads(frame[8 : 8 + length])
    header = json.dumps(values | {field: value}).encode()
    with pytest.raises(m.ProtocolError):
        m.read(io.BytesIO(struct.pack(">II", len(header), 0) + header))


def test_json_deeper_than_python_goes_is_no_message() -> None:
    header = b'{"type": ' + b"[" * 100_000
    with pytest.raises(m.ProtocolError):
        m.read(io.BytesIO(struct.pack(">II", len(header), 0) + header))

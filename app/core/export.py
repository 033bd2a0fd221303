"""Transcripts as files: SubRip, WebVTT, plain text, JSON.

Formats only: `cues` decides what is shown when, `app.session.files` writes. Knows nothing about
where words come from.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

from app.core.cues import Cue, lane_label
from app.core.script import needs_space
from app.core.timeline import Gap, spaced
from model_backends.base import Word

__all__ = ["to_json_object", "to_srt", "to_txt", "to_vtt"]

_PARAGRAPH_PAUSE_MS = 2000
_SOFT_PAUSE_MS = 600  # enough for a new paragraph once one is long
_LONG_PARAGRAPH = 600  # characters
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
_GAP_WORDS = {
    "paused": "paused",
    "device": "no sound: the device was gone",
    "overflow": "not transcribed: too far behind",
    "worker": "not transcribed: the engine had stopped",
}


def to_srt(cues: Iterable[Cue]) -> str:
    """SubRip. An arrow within the text, which would break the file, becomes "->"."""
    blocks = []
    for number, cue in enumerate(cues, 1):
        times = f"{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}"
        blocks.append(f"{number}\n{times}\n{cue.text.replace('-->', '->')}\n")
    return "\n".join(blocks)


def to_vtt(cues: Iterable[Cue]) -> str:
    """WebVTT, with &, < and > escaped as it asks."""
    blocks = ["WEBVTT\n"]
    for cue in cues:
        times = f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}"
        blocks.append(f"{times}\n{html.escape(cue.text, quote=False)}\n")
    return "\n".join(blocks)


def to_txt(words: Sequence[Word], gaps: Sequence[Gap] = ()) -> str:
    """Paragraphs that end at pauses, with a mark where sound was not heard.

    With more than one lane each paragraph begins with its lane's name.
    """
    lanes = list(dict.fromkeys(word.lane for word in words))
    dated: list[tuple[int, str]] = [(gap.start_ms, _gap_mark(gap)) for gap in gaps]
    for lane in lanes:
        label = lane_label(lane) + ": " if len(lanes) > 1 else ""
        stops = [gap.start_ms for gap in gaps if gap.lane == lane]
        for start_ms, text in _paragraphs([w for w in words if w.lane == lane], stops):
            dated.append((start_ms, label + text))
    dated.sort(key=lambda entry: entry[0])
    return "\n\n".join(text for _, text in dated) + "\n" if dated else ""


def to_json_object(
    *,
    file: str,
    duration_ms: int,
    engine: str,
    model: str,
    delay_ms: int | None,
    language: str | None,
    words: Sequence[Word],
) -> dict[str, Any]:
    """The object `voxline transcribe --format json` writes; unknown language is None.

    `"".join(word["text"] for word in words).strip() == text` holds.
    """
    texts = _texts(words)
    timed = zip(texts, words, strict=True)
    return {
        "file": file,
        "duration_ms": duration_ms,
        "engine": engine,
        "model": model,
        "delay_ms": delay_ms,
        "language": language,
        "text": "".join(texts).strip(),
        "words": [{"text": t, "start_ms": w.start_ms, "end_ms": w.end_ms} for t, w in timed],
    }


def _texts(words: Sequence[Word]) -> list[str]:
    previous = [None, *words]
    return [spaced(before, word).text for before, word in zip(previous, words, strict=False)]


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}"


def _gap_mark(gap: Gap) -> str:
    start, end = (_clock(ms, ".")[:-4] for ms in (gap.start_ms, gap.end_ms))
    return f"[{start} – {end} {_GAP_WORDS.get(gap.reason, gap.reason)}]"


def _paragraphs(words: Sequence[Word], stops: Sequence[int]) -> list[tuple[int, str]]:
    """(start, text) of each paragraph of one lane; one ends where a gap begins, too."""
    found: list[tuple[int, str]] = []
    start_ms, text, last = 0, "", None
    for word in words:
        if last is not None and _ends_paragraph(text, last, word, stops):
            found.append((start_ms, " ".join(text.split())))
            text = ""
        if not text:
            start_ms = word.start_ms
        new_utterance = last is not None and last.utterance != word.utterance
        text += " " * (new_utterance and needs_space(text, word.text)) + word.text
        last = word
    return [(at, text) for at, text in [*found, (start_ms, " ".join(text.split()))] if text]


def _ends_paragraph(text: str, last: Word, word: Word, stops: Sequence[int]) -> bool:
    pause_ms = word.start_ms - last.end_ms
    if any(last.start_ms < stop <= word.start_ms for stop in stops):
        return True
    ended = text.rstrip().endswith(_SENTENCE_ENDS)
    long = len(text) >= _LONG_PARAGRAPH
    return pause_ms >= (_SOFT_PAUSE_MS if ended and long else _PARAGRAPH_PAUSE_MS)

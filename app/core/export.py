"""Transcripts as files: SubRip, WebVTT, text, Markdown, JSON, and the one table of these formats.

Formats only: `cues` decides what is shown when, `paragraphs` where one ends, `app.session.files`
writes. Knows nothing about where words come from.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.core.cues import Cue, cues
from app.core.encoding import json_text
from app.core.paragraphs import paragraphs
from app.core.script import visible
from app.core.timeline import Gap, Timeline
from app.core.voices import NAMES, name_of
from model_backends.base import Sentence, Word

__all__ = [
    "FORMATS",
    "Export",
    "Format",
    "cues",
    "export_of",
    "format_of",
    "to_json_object",
    "to_md",
    "to_srt",
    "to_txt",
    "to_vtt",
]


@dataclass(frozen=True, slots=True)
class Export:
    """What was said, and what is known about how it was heard; only JSON tells the latter."""

    words: Sequence[Word]  # the record, or what a file says, as a `Timeline` gives them
    gaps: Sequence[Gap] = ()
    duration_ms: int = 0
    language: str | None = None
    file: str | None = None  # None: it was heard live
    engine: str | None = None
    model: str | None = None
    delay_ms: int | None = None
    names: Mapping[str, str] = field(default_factory=lambda: NAMES)  # of the voices, by lane
    name_in_srt: bool = True  # SubRip has no voices: the name is a part of the text, or is lost
    shown: Sequence[Word] | None = None  # the captions, where the record may be better than they
    say: Callable[[str], str] = str  # what stands for sound that was not heard, to the reader

    @property
    def as_shown(self) -> Export:
        """The captions as they were read, in the place of the record."""
        return self if self.shown is None else replace(self, words=self.shown, shown=None)


def export_of(
    timeline: Timeline,
    names: Mapping[str, str] = NAMES,
    name_in_srt: bool = True,
    say: Callable[[str], str] = str,
) -> Export:
    """A live session so far: its record, and its captions beside it if there were any others."""
    return Export(
        timeline.record(),
        timeline.gaps,
        timeline.duration_ms,
        timeline.language(),
        names=names,
        name_in_srt=name_in_srt,
        shown=timeline.words() if timeline.reheard else None,
        say=say,
    )


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file that a transcript can be saved as."""

    suffix: str  # with its dot
    label: str  # for people
    write: Callable[[Export], str]  # the file's text; ends with a newline, if it is not empty


def to_srt(cues: Iterable[Cue]) -> str:
    """SubRip. What players would take for an arrow of times, a tag or a command is made text.

    SubRip has no escapes, so signs that look alike stand in: "-->" becomes "->", "<i>" "‹i›",
    "{\\an8}" "(\\an8)". "a < b" stays as it is.
    """
    blocks = []
    for number, cue in enumerate(cues, 1):
        times = f"{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}"
        blocks.append(f"{number}\n{times}\n{_no_markup(cue.text)}\n")
    return "\n".join(blocks)


def to_vtt(cues: Iterable[Cue], names: Mapping[str, str] = NAMES) -> str:
    """WebVTT, with &, < and > escaped as it asks; of more than one lane, each with its voice."""
    cues = list(cues)
    several = len({cue.lane for cue in cues}) > 1
    blocks = ["WEBVTT\n"]
    for cue in cues:
        times = f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}"
        voice = f"<v {html.escape(name_of(cue.lane, names), quote=False)}>" if several else ""
        blocks.append(f"{times}\n{voice}{html.escape(cue.text, quote=False)}\n")
    return "\n".join(blocks)


def to_txt(
    words: Sequence[Word],
    gaps: Sequence[Gap] = (),
    names: Mapping[str, str] = NAMES,
    times: bool = False,
    say: Callable[[str], str] = str,
) -> str:
    """Paragraphs that end at pauses, with a mark where sound was not heard, as `say` says why.

    With more than one lane each paragraph begins with its lane's name; with `times` with the time
    before that.
    """
    dated = [(gap.start_ms, f"[{_gap_mark(gap, say)}]") for gap in gaps]
    for start_ms, name, text in _told(words, gaps, names):
        time = _clock(start_ms, ".")[:-4] + "  " if times else ""
        dated.append((start_ms, time + (f"{name}: " if name else "") + text))
    return _one_below_the_other(dated)


def to_md(
    words: Sequence[Word],
    gaps: Sequence[Gap] = (),
    names: Mapping[str, str] = NAMES,
    say: Callable[[str], str] = str,
) -> str:
    """Markdown: each paragraph after its time, in bold, and its lane's name if there are more."""
    dated = [(gap.start_ms, f"*{_gap_mark(gap, say)}*") for gap in gaps]
    for start_ms, name, text in _told(words, gaps, names):
        who = f" · {_no_marks(name)}" if name else ""
        dated.append((start_ms, f"**{_clock(start_ms, '.')[:-4]}{who}** {_no_marks(text)}"))
    return _one_below_the_other(dated)


def _told(
    words: Sequence[Word], gaps: Sequence[Gap], names: Mapping[str, str]
) -> Iterator[tuple[int, str, str]]:
    """Each paragraph: when it began, who spoke, if that is worth telling, and what was said."""
    several = len({word.lane for word in words}) > 1
    for paragraph in paragraphs(words, gaps):
        text = visible("".join(word.text for word in paragraph))
        if text:
            first = paragraph[0]
            yield first.start_ms, name_of(first.lane, names) if several else "", text


def _one_below_the_other(dated: list[tuple[int, str]]) -> str:
    dated.sort(key=lambda entry: entry[0])
    return "\n\n".join(text for _, text in dated) + "\n" if dated else ""


def to_json_object(export: Export) -> dict[str, Any]:
    """The object `voxline transcribe --format json` writes; what is not known is None.

    `"".join(word["text"] for word in words).strip() == text` holds; unless there is more than one
    voice: then each word has its `lane`, `names` says what they are called, and `text` who spoke.
    A session that was heard a second time has what its reader saw as `captions`: text and words.
    """
    words = export.words
    lanes = dict.fromkeys(word.lane for word in (*words, *(export.shown or ())))
    several = len(lanes) > 1
    names = {"names": {lane: name_of(lane, export.names) for lane in lanes}} if several else {}
    shown = {} if export.shown is None else {"captions": _said(export, export.shown, several)}
    return {
        "file": export.file,
        "duration_ms": export.duration_ms,
        "engine": export.engine,
        "model": export.model,
        "delay_ms": export.delay_ms,
        "language": export.language,
        **names,
        **_said(export, words, several),
        **shown,
    }


def _said(export: Export, words: Sequence[Word], several: bool) -> dict[str, Any]:
    text = "".join(word.text for word in words)
    if several:
        text = to_txt(words, export.gaps, export.names)
    return {
        "text": text.strip(),
        "words": [
            {"text": w.text, "start_ms": w.start_ms, "end_ms": w.end_ms}
            | ({"lane": w.lane} if several else {})
            | ({} if w.confidence is None else {"confidence": w.confidence})
            for w in words
        ],
    }


def to_json(export: Export, indent: int | None = 2) -> str:
    """That object as text."""
    return json_text(to_json_object(export), indent) + "\n"


def _srt(export: Export) -> str:
    return to_srt(cues(export.words, export.gaps, export.names, labels=export.name_in_srt))


def _vtt(export: Export) -> str:
    return to_vtt(cues(export.words, export.gaps, labels=False), export.names)


# by the name `--format` takes; the first is the usual one
FORMATS: Mapping[str, Format] = {
    "srt": Format(".srt", Sentence("Subtitles, SubRip"), _srt),
    "vtt": Format(".vtt", Sentence("Subtitles, WebVTT"), _vtt),
    "txt": Format(
        ".txt",
        Sentence("Text without times"),
        lambda e: to_txt(e.words, e.gaps, e.names, say=e.say),
    ),
    "md": Format(
        ".md",
        Sentence("Text with times, Markdown"),
        lambda e: to_md(e.words, e.gaps, e.names, e.say),
    ),
    "json": Format(".json", Sentence("Words with times, JSON"), to_json),
}


def format_of(suffix: str) -> Format:
    """The format that a file's ending, with its dot, promises; SubRip where it promises none."""
    return FORMATS.get(suffix.lower().removeprefix("."), FORMATS["srt"])


_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!])")  # that mean something in Markdown
_TAG = re.compile(r"<([^<>]*)>")  # also "< b >": some readers are that lenient
_HALF_A_TAG = re.compile(r"<(?=[^\s<>=\d])")


def _no_markup(text: str) -> str:
    plain = text.replace("-->", "->").replace("{", "(").replace("}", ")")
    return _HALF_A_TAG.sub("‹", _TAG.sub(r"‹\1›", plain))


def _no_marks(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}"


def _gap_mark(gap: Gap, say: Callable[[str], str]) -> str:
    start, end = (_clock(ms, ".")[:-4] for ms in (gap.start_ms, gap.end_ms))
    return f"{start} – {end} {say(gap.why)}"

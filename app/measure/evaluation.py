"""How good captions are: word error rate and latency against a manifest of real speech.

A manifest has one JSON object a line: `file` (relative to the manifest), `text`, and optionally
`language`, `subset`, `seconds` and `segments` (`start`, `end` in seconds, `text`). Scores only:
knows nothing about engines, workers or terminals.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from app.audio.files import open_sound
from app.core.encoding import text_of
from model_backends.base import SAMPLE_RATE, Sentence, UserError, Word

Normalize: TypeAlias = Callable[[str], str]

# written without spaces, or scored by character in the literature: one letter counts as a word
_BY_LETTER = {"ja", "zh", "th", "lo", "my", "yue"}
_FRAME = SAMPLE_RATE // 100
_DIGITS = "digits"  # the subset of spoken digit strings


class ManifestError(UserError):
    """The manifest cannot be used."""


class ScoringUnavailable(UserError):  # noqa: N818 - nothing went wrong, something is not there
    """Word errors cannot be counted on this computer."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a clip with known bounds."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Clip:
    """One line of a manifest."""

    path: Path
    text: str
    language: str
    subset: str
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Errors:
    """Word errors; they add up, so that a rate over many clips weighs each word alike."""

    words: int = 0  # in the reference
    substituted: int = 0
    deleted: int = 0
    inserted: int = 0

    @property
    def rate(self) -> float | None:
        """Word error rate, 0..1 and beyond; None without reference words."""
        wrong = self.substituted + self.deleted + self.inserted
        return wrong / self.words if self.words else None

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.words + other.words,
            self.substituted + other.substituted,
            self.deleted + other.deleted,
            self.inserted + other.inserted,
        )


def read_manifest(path: Path, subset: str | None = None) -> list[Clip]:
    """The clips, or those of one subset. Raises ManifestError naming the line or the subsets."""
    try:
        lines = text_of(path.read_bytes()).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        message = Sentence(
            "The manifest {path} cannot be read: {reason}.", path=path, reason=reason
        )
        raise ManifestError(message) from error
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    clips = [_clip(line, path, number) for number, line in numbered]
    if not clips:
        raise ManifestError(Sentence("The manifest {path} names no clips.", path=path))
    chosen = [clip for clip in clips if subset in (None, clip.subset)]
    if not chosen:
        names = ", ".join(sorted({clip.subset for clip in clips}))
        message = Sentence("There is no subset “{name}” in {path}.", name=subset, path=path)
        raise ManifestError(message, Sentence("It has: {names}.", names=names))
    return chosen


def _clip(line: str, manifest: Path, number: int) -> Clip:
    try:
        value: dict[str, Any] = json.loads(line)
        return Clip(
            path=manifest.parent / value["file"],
            text=str(value["text"]),
            language=str(value.get("language") or "en"),
            subset=str(value.get("subset") or "all"),
            segments=tuple(
                Segment(round(s["start"] * 1000), round(s["end"] * 1000), str(s["text"]))
                for s in value.get("segments") or ()
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ManifestError(
            Sentence("Line {n} of {path} does not describe a clip.", n=number, path=manifest),
            Sentence('Each line is a JSON object with at least "file" and "text".'),
        ) from error


def check_can_score() -> None:
    """Raise ScoringUnavailable if the packages that count word errors are not installed: only
    who measures needs them.
    """
    try:
        import jiwer  # noqa: F401
        import whisper_normalizer.english  # noqa: F401
    except ImportError as error:
        message = Sentence(
            "Measuring needs a package that is not installed: {name}.", name=error.name
        )
        raise ScoringUnavailable(
            message, "Install what it needs: pip install jiwer whisper-normalizer."
        ) from error


def normalizer(language: str, subset: str = "") -> Normalize:
    """What makes two spellings of the same words equal: whisper-normalizer, as published scores do.

    Spoken digits are joined by it ("one two" becomes "12"), so they are taken apart again.
    """
    plain = _whisper_normalizer(language)
    if subset != _DIGITS:
        return plain
    return lambda text: " ".join(re.sub(r"\d", lambda m: f" {m.group()} ", plain(text)).split())


@functools.cache
def _whisper_normalizer(language: str) -> Normalize:
    from whisper_normalizer.basic import BasicTextNormalizer
    from whisper_normalizer.english import EnglishTextNormalizer

    normalize: Normalize
    if language == "en":
        normalize = EnglishTextNormalizer()
    else:
        normalize = BasicTextNormalizer(split_letters=language in _BY_LETTER)
    return normalize


def word_errors(reference: str, hypothesis: str, normalize: Normalize) -> Errors:
    """Errors of a transcript after both have been normalised."""
    import jiwer

    wanted, got = normalize(reference).split(), normalize(hypothesis).split()
    if not wanted or not got:
        return Errors(words=len(wanted), deleted=len(wanted), inserted=len(got))
    found = jiwer.process_words(" ".join(wanted), " ".join(got))
    return Errors(len(wanted), found.substitutions, found.deletions, found.insertions)


def sound_end_ms(path: Path) -> int:
    """When the last loud 10 ms of a clip end: within 35 dB of its loudest, without the silence
    that recordings end with. Raises SoundFileError.
    """
    with open_sound(path) as sound:
        pcm = np.concatenate(list(sound.blocks()))
    whole = pcm[: len(pcm) // _FRAME * _FRAME].reshape(-1, _FRAME)
    power = np.mean(np.square(whole), axis=1)
    loud = np.flatnonzero(power > power.max(initial=0.0) * 10**-3.5)
    return int(loud[-1] + 1) * 10 if len(loud) else len(pcm) * 1000 // SAMPLE_RATE


def latencies_ms(
    clip: Clip, end_ms: int, words: Sequence[Word], shown_ms: Sequence[int]
) -> list[int]:
    """For each word whose true end is known and that was heard right: shown minus end.

    Known are the ends of the manifest's segments, or without them `end_ms`, the clip's; the
    engine's own times are not asked. Words are matched by the alignment that counts errors.
    `shown_ms[i]` is when `words[i]` came, on the clip's clock.
    """
    normalize = normalizer(clip.language, clip.subset)
    segments = clip.segments or (Segment(0, end_ms, clip.text),)
    ends: list[tuple[str, int | None]] = []
    for segment in segments:
        tokens = normalize(segment.text).split()
        ends += [(token, None) for token in tokens[:-1]]
        ends += [(token, segment.end_ms) for token in tokens[-1:]]
    heard = [
        (token, at)
        for word, at in zip(words, shown_ms, strict=True)
        for token in normalize(word.text).split()
    ]
    return [
        heard[there][1] - end
        for here, there in _equal_words([t for t, _ in ends], [t for t, _ in heard])
        if (end := ends[here][1]) is not None
    ]


def _equal_words(wanted: list[str], got: list[str]) -> Iterable[tuple[int, int]]:
    """Pairs of positions of the words that an alignment finds equal."""
    import jiwer

    if not wanted or not got:
        return
    (alignment,) = jiwer.process_words(" ".join(wanted), " ".join(got)).alignments
    for chunk in alignment:
        if chunk.type == "equal":
            yield from zip(
                range(chunk.ref_start_idx, chunk.ref_end_idx),
                range(chunk.hyp_start_idx, chunk.hyp_end_idx),
                strict=True,
            )


def percentile(values: Sequence[int], percent: float) -> int | None:
    """The percentile in whole milliseconds; None of nothing."""
    return round(float(np.percentile(values, percent))) if values else None

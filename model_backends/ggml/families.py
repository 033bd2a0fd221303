"""The kinds of models that the ggml engine runs, told by a file's head: what each can do, at which
delays, and in which languages. Imports no library.

    parakeet, chunked   Nemotron streaming: commits as it goes, words have times
    moonshine_streaming revises its open line, so `agreement` decides what stays
    voxtral_realtime    commits as it goes; a word's time is when its text came
    canary, parakeet    hear a file, no stream
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from model_backends.base import EngineError, Sentence
from model_backends.ggml.header import Header, damaged
from model_backends.voxtral.schedule import DEFAULT_DELAY_MS, DELAYS_MS

_FRAME_MS = 80  # of Parakeet's encoder, and of Voxtral's decoder
FILE_DELAY_MS = 1120  # nobody waits for a file's words: one delay, which changes nothing
# Moonshine decodes its open line anew: a word is shown when two decodes agree on it, which takes
# between one interval and two. Computed, not measured.
_MOONSHINE = {500: 320, 1000: 640, 1500: 1000}  # delay: ms between two decodes
_VOXTRAL_FLUSH_MS = (1 + 10) * _FRAME_MS
_MOST_AHEAD = 125  # frames; the published ones look 13 ahead, and after ten seconds nothing is live


class Kind(Enum):
    """How a model is listened to."""

    TOKENS = auto()  # streams tokens with times, and takes none back
    TEXT = auto()  # streams text, and takes none back
    DRAFTS = auto()  # guesses its open line anew
    BLOCKS = auto()  # hears whole blocks: files only


@dataclass(frozen=True, slots=True)
class Family:
    """What is known of a model without loading it.

    `choices`: what the model is told for each delay (frames of look-ahead, tokens of delay, ms
    between decodes). `languages`: ISO 639-1 -> what the model calls it; empty where it finds out
    by itself and cannot be told.
    """

    name: str  # "Nemotron", for people
    kind: Kind
    choices: Mapping[int, int]  # by delay in ms
    default_delay_ms: int
    languages: Mapping[str, str]
    detects: bool = False  # the language can be left open

    @property
    def streams(self) -> bool:
        return self.kind is not Kind.BLOCKS

    @property
    def hangover_ms(self) -> dict[int, int]:
        """Silence to feed before an utterance is closed. Flushing needs none of it, but a new
        stream has no memory: close after seconds, not after every breath."""
        return {delay: max(2000, delay + _VOXTRAL_FLUSH_MS) for delay in self.choices}


def family_of(header: Header, file: str) -> Family:
    """Raises EngineError for a kind of model that Voxline has no use for. `file`: its name."""
    languages = _languages(header, file)
    detects = bool(header.keys.get("stt.capability.lang_detect"))
    architecture = header.architecture
    if architecture == "voxtral_realtime":
        return VOXTRAL
    if architecture == "moonshine_streaming":
        return MOONSHINE
    if architecture == "parakeet":
        rights = _rights(header.keys, file)
        if rights:
            return nemotron(rights, languages, detects)
        return Family("Parakeet", Kind.BLOCKS, _ONE, FILE_DELAY_MS, languages, detects)
    if architecture == "canary":
        return Family("Canary", Kind.BLOCKS, _ONE, FILE_DELAY_MS, languages, detects)
    raise EngineError(
        Sentence(
            "{file} holds a model of the kind “{kind}”, which Voxline cannot caption with.",
            file=file,
            kind=architecture or "?",
        ),
        Sentence("It knows Nemotron streaming, Moonshine streaming, Voxtral Realtime and, for "
                 "files, Canary and Parakeet."),
    )  # fmt: skip


def nemotron(rights: tuple[int, ...], languages: Mapping[str, str], detects: bool) -> Family:
    """`rights`: frames it may look ahead. A chunk is one frame more: that is the delay."""
    choices = {(right + 1) * _FRAME_MS: right for right in sorted(rights)}
    usual = min(choices, key=lambda delay: (abs(delay - 560), delay))
    return Family("Nemotron", Kind.TOKENS, choices, usual, languages, detects)


def _rights(keys: Mapping[str, Any], file: str) -> tuple[int, ...]:
    """Frames of look-ahead on offer; none for a model that does not stream."""
    if keys.get("stt.parakeet.encoder.att_context_style") != "chunked_limited":
        return ()
    menu = keys.get("stt.parakeet.encoder.att_context_size_choices") or ()
    usual = keys.get("stt.parakeet.encoder.att_context_right", 13)
    found = menu[1::2] if isinstance(menu, tuple) else (None,)
    found = found or (usual,)
    if not all(isinstance(right, int) and 0 <= right <= _MOST_AHEAD for right in found):
        raise damaged(file)
    return tuple(found)


def _languages(header: Header, file: str) -> dict[str, str]:
    """By ISO 639-1: the first of its locales that the file lists ("en-US" before "en-GB")."""
    locales = header.keys.get("general.languages") or ()
    if not isinstance(locales, tuple):
        raise damaged(file)
    found: dict[str, str] = {}
    for locale in map(str, locales):
        code = code_of(locale)
        if code.isascii() and code.isalpha() and len(code) <= 3:
            found.setdefault(code, locale)
    return found


def code_of(locale: str) -> str:
    """ISO 639-1 of a locale; Norwegian has one code, whichever way it is written."""
    code = locale.split("-")[0].lower()
    return {"nb": "no"}.get(code, code)


_ONE = {FILE_DELAY_MS: 0}
VOXTRAL = Family(
    "Voxtral", Kind.TEXT, {ms: ms // _FRAME_MS for ms in DELAYS_MS}, DEFAULT_DELAY_MS, {}, True
)
MOONSHINE = Family("Moonshine", Kind.DRAFTS, _MOONSHINE, 1000, {"en": "en"})

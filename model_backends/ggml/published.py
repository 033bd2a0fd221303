"""The models that are offered for the ggml engine, by their folders, so that what each can do is
known before it is there. Their files, sizes and hashes are in the app's catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping

from model_backends.ggml.families import (
    FILE_DELAY_MS,
    MOONSHINE,
    VOXTRAL,
    Family,
    Kind,
    code_of,
    nemotron,
)

# Nemotron 3.5's 32 locales (its model card): the first of each language is what it is told.
_LOCALES = (
    "en-US es-US fr-FR it-IT pt-BR nl-NL de-DE tr-TR ru-RU ar-AR hi-IN ja-JP ko-KR vi-VN uk-UA "
    "pl-PL sv-SE cs-CZ nb-NO da-DK bg-BG fi-FI hr-HR sk-SK zh-CN hu-HU ro-RO et-EE"
)


def _by_code(locales: str) -> dict[str, str]:
    return {code_of(locale): locale for locale in locales.split()}


_FILES_ONLY: Mapping[int, int] = {FILE_DELAY_MS: 0}
NEMOTRON = "nemotron-3.5-asr-streaming-0.6b"
PUBLISHED: Mapping[str, Family] = {
    NEMOTRON: nemotron((13, 6, 3, 0), _by_code(_LOCALES), detects=True),
    "nemotron-speech-streaming-en-0.6b": nemotron((13, 6, 1, 0), {"en": "en"}, detects=False),
    "moonshine-streaming-small": MOONSHINE,
    "Voxtral-Mini-4B-Realtime-2602-gguf": VOXTRAL,
    "canary-180m-flash": Family(
        "Canary", Kind.BLOCKS, _FILES_ONLY, FILE_DELAY_MS, {c: c for c in ("en", "de", "es", "fr")}
    ),
    "parakeet-tdt_ctc-110m": Family(
        "Parakeet", Kind.BLOCKS, _FILES_ONLY, FILE_DELAY_MS, {"en": "en"}
    ),
}

# Word error rate on LibriSpeech test-clean, %, one scorer (transcribe.cpp's model pages). Measured
# at the longest chunk; none is published for the shorter ones.
WORD_ERROR_RATE = {
    NEMOTRON: 3.28,  # in 4 bits
    "nemotron-speech-streaming-en-0.6b": 2.38,  # in 4 bits
    "moonshine-streaming-small": 2.54,  # in 8 bits
    "canary-180m-flash": 1.93,  # in 8 bits
    "parakeet-tdt_ctc-110m": 2.43,  # in 8 bits
}

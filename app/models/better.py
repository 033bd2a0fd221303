"""Whether a better model than the built-in one is worth offering on this computer, and in which
words: from what one decode of Whisper takes here, and what the catalogue has.

Nothing is fetched, loaded or measured here. Knows no window.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from app.models.catalogue import Model, model_named
from model_backends import describe, speeds
from model_backends.base import EngineOptions, Sentence
from model_backends.downloads.units import size
from model_backends.ggml.pace import predicted_load, shortest_delay, suits

NAME = "nemotron"
ENGINE = "ggml"


@dataclass(frozen=True, slots=True)
class Offer:
    """`load`: share of one core, predicted. `delay_ms`: where to begin."""

    model: Model
    load: float
    delay_ms: int

    @property
    def sentence(self) -> Sentence:
        return Sentence(
            "Better captions on this computer: {count} languages, {size}, about {share} % of one "
            "core.",
            count=self.model.language_count,
            size=size(self.model.bytes),
            share=round(100 * self.load),
        )

    @property
    def hint(self) -> Sentence:
        return Sentence(
            "{title} writes while people speak. It is fetched once; captions go on meanwhile.",
            title=self.model.title,
        )


def offer(cache_dir: Path, free_bytes: int, languages: Collection[str]) -> Offer | None:
    """What to offer who captions with the built-in model; None: nothing, or it is not known yet.

    `languages`: ISO 639-1, chosen or heard; a model that does not know all of them is no better.
    """
    decode_ms = speeds.read(cache_dir, speeds.WHISPER_DECODE_MS)
    if decode_ms is None:
        return None
    model, load = model_named(NAME), predicted_load(decode_ms)
    if not suits(load, free_bytes) or not set(languages) <= set(model.languages):
        return None
    info = describe(ENGINE).suited(EngineOptions(ENGINE, model=model.folder))
    return Offer(model, load, shortest_delay(info.delays_ms, load))

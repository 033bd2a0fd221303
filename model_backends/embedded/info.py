"""What can be said about the embedded engine without loading it. Imports nothing heavy."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from model_backends.base import Availability, EngineInfo, Sentence
from model_backends.embedded import store
from model_backends.embedded.rules import DEFAULT_DELAY_MS, RULES

# the languages Whisper base was trained on, by its own codes
_CODES = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw "
    "he hi hr ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my "
    "ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt "
    "uk ur uz vi yi yo zh"
)
LANGUAGES = tuple(_CODES.split())

INFO = EngineInfo(
    name="embedded",
    label=Sentence("Embedded (Whisper)"),
    models=tuple(store.MODELS),
    default_model="base",
    delays_ms=tuple(RULES),
    default_delay_ms=DEFAULT_DELAY_MS,
    languages=LANGUAGES,
    hangover_ms={delay: rule.hangover_ms for delay, rule in RULES.items()},
    max_tracks=2,
    hears_again=True,
    model_languages={model: ("en",) for model in store.MODELS if model.endswith(".en")},
)


def availability(models_dir: Path) -> list[Availability]:
    """One row a model: usable here and now, or why not and what would help."""
    return [_row(model, models_dir) for model in store.MODELS]


def _row(model: str, models_dir: Path) -> Availability:
    if any(importlib.util.find_spec(name) is None for name in ("ctranslate2", "faster_whisper")):
        return Availability(
            INFO.name,
            model,
            False,
            Sentence("faster-whisper is not installed."),
            "pip install faster-whisper",
        )
    found = store.find(model, models_dir)
    if found is None:
        return Availability(
            INFO.name,
            model,
            False,
            Sentence("Its weights are not on this computer."),
            Sentence(
                "With an Internet connection the first use downloads them ({megabytes} MB).",
                megabytes=store.MODELS[model].megabytes,
            ),
            {"downloadable": True},
        )
    return Availability(
        INFO.name, model, True, found.sentence, "", {"device": "cpu", "path": str(found.path)}
    )

"""What can be said about servers without asking one. Imports nothing heavy, and opens no socket."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

from model_backends.base import Availability, EngineInfo, Sentence
from model_backends.remote.addresses import MISTRAL, OPENAI, VLLM

# of the open model, as it is published: 480 ms, and silence enough for its last word
_DELAY_MS, _HANGOVER_MS = 480, 1360
_MISTRAL_DELAYS = (240, 480, 960, 2400)
_VOXTRAL = ("ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pt", "ru", "zh")
# https://platform.openai.com/docs/guides/speech-to-text, "Supported languages"
_OPENAI_CODES = (
    "af ar az be bg bs ca cs cy da de el en es et fa fi fr gl he hi hr hu hy id is it ja kk kn ko "
    "lt lv mi mk mr ms ne nl no pl pt ro ru sk sl sr sv sw ta th tl tr uk ur vi zh"
)
_DELAY = Sentence("The server decides the delay: it belongs to the model that it has loaded.")
_LANGUAGE = Sentence("The server finds the language itself; it cannot be told.")
_HOTWORDS = Sentence("This kind of server cannot be told which words to expect.")

_VLLM_INFO = EngineInfo(
    name="remote",
    label=Sentence("A server"),
    models=(),
    default_model="",
    delays_ms=(_DELAY_MS,),
    default_delay_ms=_DELAY_MS,
    languages=(),
    hangover_ms={_DELAY_MS: _HANGOVER_MS},
    takes_server=True,
    takes_any_model=True,
    decided_elsewhere={"delay": _DELAY, "language": _LANGUAGE, "hotwords": _HOTWORDS},
)
_MISTRAL_INFO = replace(
    _VLLM_INFO,
    models=("voxtral-mini-transcribe-realtime-3",),
    default_model="voxtral-mini-transcribe-realtime-3",
    delays_ms=_MISTRAL_DELAYS,
    languages=_VOXTRAL,
    hangover_ms={delay: max(1000, delay + 400) for delay in _MISTRAL_DELAYS},
    takes_hotwords=True,
    decided_elsewhere={},
)
_OPENAI_INFO = replace(
    _VLLM_INFO,
    models=("gpt-live-transcribe", "gpt-realtime-whisper"),
    default_model="gpt-live-transcribe",
    languages=tuple(_OPENAI_CODES.split()),
    hangover_ms={_DELAY_MS: 800},
    takes_hotwords=True,
    decided_elsewhere={"delay": _DELAY},
)
INFO = replace(
    _VLLM_INFO, dialects={VLLM: _VLLM_INFO, MISTRAL: _MISTRAL_INFO, OPENAI: _OPENAI_INFO}
)


def availability(models_dir: Path) -> list[Availability]:
    """One row: whether a server could be spoken to. None is asked."""
    if importlib.util.find_spec("websockets") is None:
        return [
            Availability(
                INFO.name,
                "",
                False,
                Sentence("websockets is not installed."),
                "pip install websockets",
            )
        ]
    reason = Sentence("Speaks to a server of yours; nothing is sent before you name it and agree.")
    return [Availability(INFO.name, "", True, reason, "", {"device": "server"})]

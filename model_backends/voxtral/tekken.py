"""Token ids to bytes, from Mistral's `tekken.json`, and back where hotwords are asked for.

Ids below the number of special tokens are control ids and never printed; the others are raw
bytes, which need not be whole characters. Knows nothing about words or times.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model_backends.base import SAMPLE_RATE, EngineError, Sentence
from model_backends.voxtral.schedule import LEFT_PAD_ROWS
from model_backends.voxtral.tekken_encode import encode

_DEFAULT_SPECIAL = 1000


class Tekken:
    """The vocabulary. `bos`, `eos`, `pad` ([P], nothing to say) and `word` ([W]) are ids."""

    def __init__(self, special: Mapping[str, int], tokens: list[bytes], special_count: int) -> None:
        self._tokens = tokens
        self._special_count = special_count
        self._ranks: dict[bytes, int] | None = None  # made when first needed: 130,000 entries
        self.bos = _special(special, "<s>")
        self.eos = _special(special, "</s>")
        self.pad = _special(special, "[STREAMING_PAD]")
        self.word = _special(special, "[STREAMING_WORD]")

    @classmethod
    def load(cls, path: Path, vocab: int) -> Tekken:
        """Read the file for a model of `vocab` ids. Raises EngineError naming what is wrong."""
        try:
            content = json.loads(path.read_text("utf-8"))
            count = int(content["config"].get("default_num_special_tokens", _DEFAULT_SPECIAL))
            special = {t["token_str"]: int(t["rank"]) for t in content["special_tokens"]}
            tokens = _tokens(content["vocab"], vocab - count)
        except FileNotFoundError as error:
            raise EngineError(
                Sentence("{name} is missing from the model's folder.", name=path.name),
                Sentence("Download it again."),
            ) from error
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as why:
            raise EngineError(
                Sentence("{name} is not a Tekken vocabulary ({why}).", name=path.name, why=why),
                Sentence("Download it again."),
            ) from why
        _check_audio(content.get("audio"))
        loaded = cls(special, tokens, count)
        for token in (loaded.bos, loaded.eos, loaded.pad, loaded.word):
            if not 0 <= token < count <= vocab:
                raise EngineError(
                    Sentence(
                        "{name} gives a control token the id {token}; the model has {vocab} ids, "
                        "of which {count} are control tokens.",
                        name=path.name,
                        token=token,
                        vocab=vocab,
                        count=count,
                    ),
                    Sentence("Download it again."),
                )
        return loaded

    def is_text(self, token: int) -> bool:
        """Whether the id stands for bytes to print."""
        return token >= self._special_count

    def text(self, token: int) -> bytes:
        """The bytes of an id; empty for control ids and for ids the vocabulary does not reach."""
        rank = token - self._special_count
        return self._tokens[rank] if 0 <= rank < len(self._tokens) else b""

    def encode(self, text: str) -> list[int]:
        """The ids of a text, see `tekken_encode.py`."""
        if self._ranks is None:
            self._ranks = {token: rank for rank, token in enumerate(self._tokens) if token}
        return [self._special_count + rank for rank in encode(text, self._ranks)]


def _tokens(entries: list[dict[str, Any]], reachable: int) -> list[bytes]:
    """Bytes by rank. The published file lists 150,000 entries, of which 130,072 have an id."""
    tokens = [b""] * min(reachable, len(entries))
    for entry in entries:
        rank = int(entry["rank"])
        if 0 <= rank < len(tokens):
            try:
                tokens[rank] = base64.b64decode(entry["token_bytes"], validate=True)
            except binascii.Error as error:
                raise ValueError(f"rank {rank} is not base64") from error
    return tokens


def _special(special: Mapping[str, int], name: str) -> int:
    if name not in special:
        raise EngineError(
            Sentence(
                "The vocabulary has no {name} token, so the model is not Voxtral Realtime.",
                name=name,
            ),
            Sentence("Choose the folder of Voxtral-Mini-4B-Realtime."),
        )
    return special[name]


def _check_audio(audio: Any) -> None:
    """Padding is part of what the model was trained on; refuse another rather than guess."""
    if isinstance(audio, Mapping):
        rate = audio.get("sampling_rate", SAMPLE_RATE)
        if rate != SAMPLE_RATE:
            raise EngineError(
                Sentence(
                    "The vocabulary is for sound at {rate} Hz, not {sample_rate}.",
                    rate=rate,
                    sample_rate=SAMPLE_RATE,
                )
            )
        left_pad = audio.get("streaming_n_left_pad_tokens", LEFT_PAD_ROWS)
        if left_pad != LEFT_PAD_ROWS:
            raise EngineError(
                Sentence(
                    "The vocabulary asks for {left_pad} tokens of left padding; this engine "
                    "knows {left_pad_rows}.",
                    left_pad=left_pad,
                    left_pad_rows=LEFT_PAD_ROWS,
                )
            )

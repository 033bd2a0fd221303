"""Which weights transcribe: base, and tiny.en for English while base is too slow to follow.

At most one notice stands at a time, and each is taken back when it is no longer true. Knows
nothing about streams or audio.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from model_backends.base import Notice, Sentence
from model_backends.embedded.pace import TOO_SLOW_MS, Pace
from model_backends.embedded.recognizer import Recognizer

log = logging.getLogger(__name__)

SMALL = "tiny.en"
_EASY_MS = TOO_SLOW_MS / 2  # from here on nobody needs to be told any more
_BASE_COSTS = 3.0  # times what tiny.en costs, at most
_CALM = 60  # decodes, half a minute of speech: as long must be easy before base comes back

_LATE = Sentence("This computer is too slow for the speech model: captions come late.")
_SMALLER = Sentence(
    "This computer is too slow for the better speech model: a faster one takes down English now, "
    "with more mistakes."
)
_COMES_BACK = Sentence("Close other programs: the better one comes back by itself.")

LoadSmall = Callable[[], Recognizer | None]


def with_small(model: str) -> str:
    """The name of the pair, as `Engine.model` has it while English goes to tiny.en."""
    return f"{model}+{SMALL}"


class Weights:
    """The model that was loaded, and the smaller one if it may take over."""

    def __init__(
        self, recognizer: Recognizer, name: str, load_small: LoadSmall | None, adapted: bool = False
    ) -> None:
        """`load_small` fetches tiny.en, or None if there is none; `adapted`: begin with it."""
        self.main = recognizer
        self._name = name
        self._load_small = load_small
        self._small: Recognizer | None = None
        self._small_works = False
        self._pace, self._calm = Pace(), Pace(_CALM)
        self._told: Notice | None = None  # what the user was told and still holds
        if adapted:
            self._small_works = self._fetch_small()

    @property
    def name(self) -> str:
        """As `Engine.model` tells it."""
        return with_small(self._name) if self._small_works else self._name

    def for_language(self, language: str) -> Recognizer:
        """What transcribes speech in `language`."""
        if self._small_works and self._small is not None and language == "en":
            return self._small
        return self.main

    def record(self, decode_ms: float, lanes: int, lane: str, language: str | None) -> list[Notice]:
        """A live decode took so long; returns what the user is to be told about it.

        A notice without a message takes back the one of its code.
        """
        self._pace.record(decode_ms, lanes)
        if self._small_works and language == "en":
            self._calm.record(decode_ms, lanes)
            if self._calm.known and self._calm.typical_ms * _BASE_COSTS < _EASY_MS:
                return self._back_to_main(lane)
        if not self._pace.too_slow:
            return self._eased()
        if language == "en" and not self._small_works and self._fetch_small():
            return self._change_to_small(lane)
        if self._told is not None and self._told.code == "behind":
            return []
        helps = language == "en" and self.main.multilingual and not self._small_works
        return self._tell(_behind(lane, helps))

    def _fetch_small(self) -> bool:
        if self._small is None and self._load_small is not None:
            self._small, self._load_small = self._load_small(), None
        return self._small is not None

    def _change_to_small(self, lane: str) -> list[Notice]:
        taken_ms = self._pace.typical_ms
        log.info("%s takes %.0f ms a decode: %s takes over", self._name, taken_ms, SMALL)
        self._small_works = True
        self._pace.reset()
        self._calm.reset()
        return self._tell(Notice(lane, "smaller-model", _SMALLER, _COMES_BACK))

    def _back_to_main(self, lane: str) -> list[Notice]:
        self._small_works = False
        self._pace.reset()
        self._calm.reset()
        # also when this engine began with tiny.en, and it was an earlier one that told
        self._told = self._told or Notice(lane, "smaller-model", "")
        return self._take_back()

    def _eased(self) -> list[Notice]:
        behind = self._told is not None and self._told.code == "behind"
        return self._take_back() if behind and self._pace.typical_ms < _EASY_MS else []

    def _tell(self, notice: Notice) -> list[Notice]:
        ended = self._take_back()
        self._told = notice
        return [*ended, notice]

    def _take_back(self) -> list[Notice]:
        told, self._told = self._told, None
        return [] if told is None else [Notice(told.lane, told.code, "")]


def _behind(lane: str, smaller_helps: bool) -> Notice:
    hint = Sentence("Close other programs.")
    if smaller_helps:
        hint = Sentence(
            "Close other programs, or choose the faster model “{model}” in the preferences; it "
            "makes more mistakes.",
            model=SMALL,
        )
    return Notice(lane, "behind", _LATE, hint)

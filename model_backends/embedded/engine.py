"""The embedded engine: Whisper shared by all open streams, one decode at a time.

Decides who is heard next, in which language, and with which weights: where base is measured to
be too slow for live English, tiny.en takes over and the user is told. Knows nothing about
processes or files of audio.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from model_backends.base import (
    SAMPLE_RATE,
    EngineError,
    Event,
    LoadOptions,
    Notice,
    Pcm,
    Report,
    StreamOptions,
)
from model_backends.embedded import store
from model_backends.embedded.agreement import Guess
from model_backends.embedded.info import INFO
from model_backends.embedded.language import LanguageChoice
from model_backends.embedded.pace import TOO_SLOW_MS, Pace
from model_backends.embedded.recognizer import Recognizer
from model_backends.embedded.stream import Care, Ear, EmbeddedStream, Work

_SMALL = "tiny.en"
_CAREFUL_BEAM = 5  # candidates kept where nobody waits, or a doubtful word is to stay
_MOST_THREADS = 4
_SHORT_SPEECH_S = 8  # in a file, more than this is worth Whisper's whole window


def load(options: LoadOptions, report: Report) -> EmbeddedEngine:
    """Find, check and load the weights.

    With no model asked for, tiny.en stands in for a base that cannot be had (English only).
    Raises EngineError when there is nothing to load, or for a device other than the processor.
    """
    if options.device not in (None, "cpu"):
        raise EngineError(
            f"{INFO.label} runs on the processor only, not on “{options.device}”.",
            "Leave out --device.",
        )
    if options.model is not None and options.model not in store.MODELS:
        raise EngineError(
            f"{INFO.label} has no model called “{options.model}”.",
            "It has: " + ", ".join(INFO.models) + ".",
        )
    INFO.check_language(options.language)
    return _load(options, report)


def _load(options: LoadOptions, report: Report) -> EmbeddedEngine:
    model = options.model or INFO.default_model
    notices: list[Event] = []
    try:
        path = store.ensure(model, options.models_dir, report)
    except EngineError as error:
        if options.model is not None or options.language not in (None, "en"):
            raise
        model = _SMALL
        path = store.ensure(model, options.models_dir, report)
        notices.append(
            Notice("", "smaller-model", f"Captions are English only: {error.message}", error.hint)
        )
    report(0.95, f"Loading Whisper {model}")
    threads = 1 if options.realtime else _file_threads()

    def load_small() -> Recognizer | None:
        if options.model is not None or store.find(_SMALL, options.models_dir) is None:
            return None  # the user named a model, or there is none to change to
        return Recognizer(store.ensure(_SMALL, options.models_dir, report), threads)

    recognizer = Recognizer(path, threads)
    report(1.0, f"Whisper {model}")
    return EmbeddedEngine(recognizer, model, load_small if options.realtime else None, notices)


def _file_threads() -> int:
    """Threads for a file: more than one only where a core is left for the app."""
    return max(1, min(_MOST_THREADS, (os.cpu_count() or 1) - 1))


class EmbeddedEngine:
    """Satisfies `base.Engine`."""

    info = INFO
    device = "cpu"

    def __init__(
        self,
        recognizer: Recognizer,
        model: str,
        load_small: Callable[[], Recognizer | None] | None = None,
        notices: list[Event] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`load_small` fetches tiny.en if it may replace `recognizer`; `clock` is in seconds."""
        self.model = model
        self._recognizer = recognizer
        self._small: Recognizer | None = None
        self._load_small = load_small
        self._clock = clock
        self._notices = list(notices or ())
        self._pace = Pace()
        self._behind = False
        self._streams: list[EmbeddedStream] = []  # whoever was heard longest ago comes first
        self._choices: dict[EmbeddedStream, LanguageChoice] = {}
        self._spoken: dict[str, str] = {}  # lane -> the language it spoke last

    def open(self, options: StreamOptions) -> EmbeddedStream:
        if not 1 <= len(options.delays_ms) <= INFO.max_tracks:
            raise EngineError(
                f"{INFO.label} follows at most {INFO.max_tracks} delays at once.",
                "Ask for fewer delays.",
            )
        for delay in options.delays_ms:
            INFO.check_delay(delay)
        INFO.check_language(options.language)
        if not self._recognizer.multilingual and options.language not in (None, "en"):
            raise EngineError(
                f"Whisper {self.model} hears English only.", "Choose the model “base”."
            )
        stream = EmbeddedStream(options)
        self._streams.append(stream)
        self._choices[stream] = LanguageChoice(self._spoken.get(options.lane))
        return stream

    def advance(self) -> list[Event]:
        events, self._notices = self._notices, []
        for stream in list(self._streams):
            work = stream.next_work
            events += stream.advance(self._ear(stream))
            if work in (Work.GUESS, Work.REVIEW, Work.BLOCK):
                self._streams.remove(stream)
                self._streams.append(stream)
                break
        self._forget_done()
        return [*events, *self._take_notices()]

    @property
    def idle(self) -> bool:
        return not self._notices and all(s.next_work is Work.NOTHING for s in self._streams)

    def close(self) -> None:
        self._streams.clear()
        self._choices.clear()

    def _take_notices(self) -> list[Event]:
        notices, self._notices = self._notices, []
        return notices

    def _forget_done(self) -> None:
        for stream in [s for s in self._streams if s.done]:
            self._streams.remove(stream)
            del self._choices[stream]

    # --- hearing -------------------------------------------------------------------------------

    def _ear(self, stream: EmbeddedStream) -> Ear:
        def hear(pcm: Pcm, care: Care) -> list[Guess]:
            began = self._clock()
            words = self._hear(stream, pcm, care)
            if care is Care.QUICK:
                self._pace.record((self._clock() - began) * 1000, len(self._streams))
                self._keep_up(stream)
            return words

        return hear

    def _hear(self, stream: EmbeddedStream, pcm: Pcm, care: Care) -> list[Guess]:
        choice = self._choices[stream]
        language = stream.options.language or choice.standing
        whole = care is Care.WHOLE and len(pcm) > _SHORT_SPEECH_S * SAMPLE_RATE
        heard = None
        if language is None:
            heard = self._recognizer.encode(pcm, whole)
            language = choice.offer(self._recognizer.languages(heard), heard.seconds)
            self._spoken[stream.options.lane] = language
        stream.language = language
        recognizer = self._small if self._small and language == "en" else self._recognizer
        if heard is None or recognizer is not self._recognizer:
            heard = recognizer.encode(pcm, whole)
        beam = 1 if care is Care.QUICK else _CAREFUL_BEAM
        return recognizer.transcribe(heard, language, beam).words

    def _keep_up(self, stream: EmbeddedStream) -> None:
        """Change to the smaller model, or at least say so, when decoding is too slow to follow."""
        if not self._pace.too_slow:
            self._behind = self._behind and self._pace.typical_ms > TOO_SLOW_MS / 2
            return
        lane, seconds = stream.options.lane, self._pace.typical_ms / 1000
        if self._load_small is not None and self._small is None and stream.language == "en":
            self._change_to_small(lane, seconds)
        elif not self._behind:
            self._behind = True
            self._notices.append(
                Notice(
                    lane,
                    "behind",
                    f"This computer takes {seconds:.1f} s to listen once: captions come late.",
                    "Close other programs, or choose the model “tiny.en” for English.",
                )
            )

    def _change_to_small(self, lane: str, seconds: float) -> None:
        assert self._load_small is not None
        self._small = self._load_small()
        self._load_small = None
        self._pace.reset()
        if self._small is None:
            return
        self.model = f"{self.model}, {_SMALL}"
        self._notices.append(
            Notice(
                lane,
                "smaller-model",
                f"Whisper base takes {seconds:.1f} s to listen once here, too slow to follow: "
                f"English is now heard with {_SMALL}, which makes more mistakes.",
                "Close other programs and start again to get base back.",
            )
        )

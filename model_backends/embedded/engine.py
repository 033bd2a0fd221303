"""The embedded engine: Whisper shared by all open streams, one decode at a time.

Decides who is heard next and in which language; `weights` decides with which model. Knows nothing
about processes or files of audio.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median

from model_backends import speeds
from model_backends.base import (
    SAMPLE_RATE,
    EngineError,
    Event,
    LoadOptions,
    Notice,
    Pcm,
    Report,
    Sentence,
    StreamOptions,
)
from model_backends.embedded import store
from model_backends.embedded.info import INFO
from model_backends.embedded.language import LanguageChoice
from model_backends.embedded.listening import Care, Transcribe
from model_backends.embedded.recognizer import Recognizer
from model_backends.embedded.stream import EmbeddedStream, Work
from model_backends.embedded.weights import SMALL, Weights, with_small
from model_backends.guess import Guess

_DECODES_NOTED = 40  # live ones: some 20 s of speech
_CAREFUL_BEAM = 5  # candidates kept where nobody waits, or a doubtful word is to stay
_MOST_THREADS = 4
_SHORT_SPEECH_S = 8  # in a file, more than this is worth Whisper's whole window


def load(options: LoadOptions, report: Report) -> EmbeddedEngine:
    """Find, check and load the weights.

    With no model asked for, tiny.en stands in for a base that cannot be had (English only), and
    helps from the start where an earlier worker came to need it (`options.adapted`). What each
    lane spoke last, if an earlier worker heard it, is in `options.spoken`.
    Raises EngineError when there is nothing to load, or for a device other than the processor.
    """
    if options.device not in (None, "cpu"):
        raise EngineError(
            Sentence(
                "{engine} runs on the processor only, not on “{device}”.",
                engine=INFO.label,
                device=options.device,
            ),
            Sentence("Leave out --device."),
        )
    if options.model is not None and options.model not in store.MODELS:
        raise EngineError(
            Sentence(
                "{engine} has no model called “{model}”.", engine=INFO.label, model=options.model
            ),
            Sentence("It has: {models}.", models=", ".join(INFO.models)),
        )
    INFO.check_language(options.language, options.model)
    return _load(options, report)


def _load(options: LoadOptions, report: Report) -> EmbeddedEngine:
    model = options.model or INFO.default_model
    notices: list[Event] = []
    try:
        path = store.ensure(model, options.models_dir, report)
    except EngineError as error:
        if options.model is not None or options.language not in (None, "en"):
            raise
        model = SMALL
        path = store.ensure(model, options.models_dir, report)
        message = Sentence(
            "Captions are English only, by {model}: {reason}", model=model, reason=error.message
        )
        notices.append(Notice("", "smaller-model", message, error.hint))
    report(0.95, Sentence("Loading Whisper {model}", model=model))
    threads = 1 if options.realtime else _file_threads()

    def load_small() -> Recognizer | None:
        if (
            options.model is not None
            or model == SMALL
            or store.find(SMALL, options.models_dir) is None
        ):
            return None  # the user named a model, or there is none to change to
        return Recognizer(store.ensure(SMALL, options.models_dir, report), threads)

    weights = Weights(
        Recognizer(path, threads),
        model,
        load_small if options.realtime else None,
        adapted=options.adapted == with_small(model),
    )
    report(1.0, Sentence("Whisper {model}", model=model))
    keeps = options.realtime and model == INFO.default_model
    note = partial(speeds.note, options.cache_dir, speeds.WHISPER_DECODE_MS) if keeps else None
    return EmbeddedEngine(weights, notices, options.spoken, note=note)


def _file_threads() -> int:
    """Threads for a file: more than one only where a core is left for the app."""
    return max(1, min(_MOST_THREADS, (os.cpu_count() or 1) - 1))


class EmbeddedEngine:
    """Satisfies `base.Engine`."""

    info = INFO
    device = "cpu"

    def __init__(
        self,
        weights: Weights,
        notices: Sequence[Event] = (),
        spoken: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        note: Callable[[float], None] | None = None,
    ) -> None:
        """`notices` are told first; `spoken`: what each lane spoke last; `clock` in seconds.
        `note` is given once what a live decode takes here, in milliseconds."""
        self.weights = weights
        self.model = weights.name  # changes where tiny.en has to help out
        self._clock, self._note = clock, note
        self._decodes_ms: list[float] = []  # of one voice alone, until there are enough
        self._notices = list(notices)
        self._streams: list[EmbeddedStream] = []  # whoever was heard longest ago comes first
        self._choices: dict[EmbeddedStream, LanguageChoice] = {}
        self._spoken = dict(spoken or {})  # lane -> the language it spoke last

    def open(self, options: StreamOptions) -> EmbeddedStream:
        if not 1 <= len(options.delays_ms) <= INFO.max_tracks:
            raise EngineError(
                Sentence(
                    "{engine} follows at most {count} delays at once.",
                    engine=INFO.label,
                    count=INFO.max_tracks,
                ),
                Sentence("Ask for fewer delays."),
            )
        for delay in options.delays_ms:
            INFO.check_delay(delay)
        INFO.check_language(options.language)
        if not self.weights.main.multilingual and options.language not in (None, "en"):
            raise EngineError(
                Sentence("Whisper {model} hears English only.", model=self.model),
                Sentence("Choose the model “{model}”.", model=INFO.default_model),
            )
        stream = EmbeddedStream(options)
        self._streams.append(stream)
        self._choices[stream] = LanguageChoice(self._spoken.get(options.lane))
        return stream

    def advance(self) -> list[Event]:
        events, self._notices = self._notices, []
        for stream in list(self._streams):
            work = stream.next_work
            events += stream.advance(self._transcriber(stream))
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

    # --- recognition ---------------------------------------------------------------------------

    def _transcriber(self, stream: EmbeddedStream) -> Transcribe:
        def transcribe(pcm: Pcm, care: Care) -> list[Guess]:
            began = self._clock()
            words = self._transcribe(stream, pcm, care)
            if care is Care.QUICK:
                took_ms = (self._clock() - began) * 1000
                self._note_speed(took_ms)
                lane, language = stream.options.lane, stream.language
                self._notices += self.weights.record(took_ms, len(self._streams), lane, language)
                self.model = self.weights.name
            return words

        return transcribe

    def _note_speed(self, took_ms: float) -> None:
        if self._note is None or len(self._streams) > 1:
            return
        self._decodes_ms.append(took_ms)
        if len(self._decodes_ms) == _DECODES_NOTED:
            self._note(median(self._decodes_ms))
            self._note = None

    def _in_question(self, choice: LanguageChoice, care: Care) -> bool:
        """Whether to find out the language before this hearing."""
        known = choice.language
        dear = known is not None and self.weights.for_language(known) is not self.weights.main
        return choice.due(again=care is Care.WHOLE, dear=dear)

    def _transcribe(self, stream: EmbeddedStream, pcm: Pcm, care: Care) -> list[Guess]:
        choice = self._choices[stream]
        language = stream.options.language
        if language is None and not self._in_question(choice, care):
            language = choice.language
        whole = care is Care.WHOLE and len(pcm) > _SHORT_SPEECH_S * SAMPLE_RATE
        main, heard = self.weights.main, None
        if language is None:
            heard = main.encode(pcm, whole)
            language = choice.offer(main.languages(heard), heard.seconds)
            self._spoken[stream.options.lane] = language
        stream.language = language
        recognizer = self.weights.for_language(language)
        if heard is None or recognizer is not main:
            heard = recognizer.encode(pcm, whole)
        beam = 1 if care is Care.QUICK else _CAREFUL_BEAM
        return recognizer.transcribe(heard, language, beam).words

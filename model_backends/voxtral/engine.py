"""The Voxtral engine on any tensor library. Satisfies `base.Engine`.

`advance()` encodes what has been pushed to all open streams in one batch, then lets every reader
take steps in one batch, round after round, up to a bounded amount of work. Knows nothing about
tensors: those are the model's, in the few verbs of `speech_model.py`.
"""

from __future__ import annotations

import time

import numpy as np

from model_backends.base import EngineError, EngineInfo, Event, Sentence, StreamOptions
from model_backends.voxtral.hotwords import Hotwords
from model_backends.voxtral.schedule import DEFAULT_DELAY_MS, ROW_SAMPLES, delay_tokens
from model_backends.voxtral.speech_model import SpeechModel
from model_backends.voxtral.stream import VoxtralStream
from model_backends.voxtral.tekken import Tekken

_WARM_UP_ROWS = 12
_PATIENCE_S = 0.25  # advance() starts no further round after this


class VoxtralEngine:
    """A loaded model and its open streams."""

    def __init__(
        self,
        info: EngineInfo,
        name: str,
        model: SpeechModel,
        tokens: Tekken,
        hotwords: Hotwords | None = None,
    ) -> None:
        self.info = info
        self.model = name
        self.device = model.device
        self._speech_model = model
        self._tokens = tokens
        self._hotwords = hotwords
        self.rows_at_once = 1  # that an encoder is given, see `pace.py`
        self._streams: list[VoxtralStream] = []

    def open(self, options: StreamOptions) -> VoxtralStream:
        """See `base.Engine.open`."""
        self.info.check_language(options.language)
        most = self.info.max_tracks
        if not 1 <= len(options.delays_ms) <= most:
            raise EngineError(
                Sentence(
                    "{label} serves 1 to {most} delays at once.", label=self.info.label, most=most
                )
            )
        for delay_ms in options.delays_ms:
            self.info.check_delay(delay_ms)
            delay_tokens(delay_ms)
        if len(options.delays_ms) > 1 and options.realtime and self.rows_at_once > 1:
            raise EngineError(
                Sentence("This computer is too slow for two delays at once."),
                Sentence("Ask for one."),
            )
        stream = VoxtralStream(
            options,
            self.info,
            self._speech_model,
            self._tokens,
            self._hotwords,
            self.rows_at_once,
        )
        self._streams.append(stream)
        return stream

    def advance(self) -> list[Event]:
        """See `base.Engine.advance`."""
        events: list[Event] = []
        deadline = time.monotonic() + _PATIENCE_S
        while self._round(events) and time.monotonic() < deadline:
            pass
        self._streams = [stream for stream in self._streams if not stream.done]
        return events

    @property
    def idle(self) -> bool:
        return all(stream.idle for stream in self._streams)

    def close(self) -> None:
        """See `base.Engine.close`."""
        for stream in self._streams:
            stream.close()
        self._streams.clear()
        self._speech_model.close()

    def _round(self, events: list[Event]) -> bool:
        """One encoder batch and one decoder batch; False when there was nothing to do."""
        worked = self._encode()
        worked |= self._decode(events)
        for stream in self._streams:
            events += stream.report()
        return worked

    def _encode(self) -> bool:
        found = [stream.encode_work() for stream in self._streams if not stream.done]
        work = [piece for piece in found if piece is not None]
        if work:
            self._speech_model.encode(work)
        return bool(work)

    def _decode(self, events: list[Event]) -> bool:
        asked = [(s, *piece) for s in self._streams if not s.done for piece in s.decode_work()]
        if not asked:
            return False
        answers = self._speech_model.decode([work for *_, work in asked])
        for (stream, track, reader, work), answer in zip(asked, answers, strict=True):
            events += stream.take(track, reader, work, answer)
        return True


def warm_up(engine: VoxtralEngine) -> None:
    """A second of silence, row by row, for one voice and then for two, so that every kernel and
    shape that live captions need has been met before the first word is spoken."""
    streams: list[VoxtralStream] = []
    for row in range(_WARM_UP_ROWS):
        if row in (0, 2):
            voice = f"warm-up {row}"
            streams.append(engine.open(StreamOptions(voice, 0, (DEFAULT_DELAY_MS,), 0)))
        for stream in streams:
            stream.push(np.zeros(ROW_SAMPLES, np.float32), 0.0)
        engine.advance()
    for stream in streams:
        stream.finish()
    while not all(stream.done for stream in streams):
        engine.advance()

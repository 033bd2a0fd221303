"""One utterance being transcribed: audio in, rows out to its tracks. Satisfies `base.Stream`.

All tracks share one encoder. The stream decides how much to encode (rows kept for readers that
started further back must not be overwritten), and when the padding that flushes a finished
stream has been read to its end. Knows nothing about tensors or other streams.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from model_backends.base import SAMPLE_RATE, EngineInfo, Event, Pcm, StreamOptions
from model_backends.voxtral.hotwords import Hotwords
from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.reader import Reader
from model_backends.voxtral.schedule import (
    LEFT_PAD_ROWS,
    LOOK_AHEAD_SAMPLES,
    ROW_SAMPLES,
    delay_tokens,
)
from model_backends.voxtral.speech_model import (
    ENCODE_ROWS,
    ROWS_KEPT,
    Decoded,
    DecodeWork,
    EncodeWork,
    SpeechModel,
)
from model_backends.voxtral.tekken import Tekken
from model_backends.voxtral.track import Track

_LIVE_ROWS = 8  # rows encoded at once while somebody waits for the words
_MOST_WAITING_ROWS = 192  # encoded and not yet decoded; the rest of ROWS_KEPT is history


class VoxtralStream:
    """The engine opens it and asks for work; the caller pushes and finishes."""

    def __init__(
        self,
        options: StreamOptions,
        info: EngineInfo,
        model: SpeechModel,
        tokens: Tekken,
        hotwords: Hotwords | None = None,
        rows_at_once: int = 1,
    ) -> None:
        """`rows_at_once`: encode no fewer, where that is what makes a machine fast enough."""
        self.done = False
        self.encoder = model.open_encoder()
        self._info = info
        self._model = model
        self._options = options
        self._rows_at_once = rows_at_once
        self._mel = MelStream()
        self._samples = 0
        self._speech: deque[float] = deque(maxlen=ROWS_KEPT)  # one score a whole audio token
        self._speech_tokens = 0  # audio tokens scored so far
        self._token_speech = 0.0  # score of the token that is still being pushed
        self._finishing = False
        self.tracks: list[Track] = []
        try:
            for index, delay_ms in enumerate(options.delays_ms):
                delay = delay_tokens(delay_ms)
                track = Track(index, options, model, tokens, self.encoder, delay, hotwords)
                self.tracks.append(track)
        except BaseException:
            self.close()
            raise

    def push(self, pcm: Pcm, speech: float) -> None:
        """See `base.Stream.push`. Audio after `finish()` is ignored."""
        if self._finishing or self.done:
            return
        self._mel.push(pcm)
        self._samples += len(pcm)
        self._score(speech)

    def set_delay(self, track: int, ms: int) -> None:
        """See `base.Stream.set_delay`. A stream that is being flushed keeps its delay."""
        self._info.check_delay(ms)
        if not (self._finishing or self.done):
            self.tracks[track].change_delay(delay_tokens(ms))

    def finish(self) -> None:
        """See `base.Stream.finish`: silence to the end of the 80 ms, then the flush."""
        if self._finishing or self.done:
            return
        self._finishing = True
        flush = max(r.schedule.flush_rows for t in self.tracks for r in t.readers)
        padding = -self._samples % ROW_SAMPLES + flush * ROW_SAMPLES + LOOK_AHEAD_SAMPLES
        self._mel.push(np.zeros(padding, np.float32))

    def close(self) -> None:
        """See `base.Stream.close`."""
        if self.done:
            return
        self.done = True
        for track in self.tracks:
            track.close()
        self._model.close_encoder(self.encoder)

    @property
    def lane(self) -> str:
        """The voice that is transcribed."""
        return self._options.lane

    @property
    def rows_ready(self) -> int:
        """Rows that have been encoded."""
        return self._mel.next_row

    @property
    def idle(self) -> bool:
        """Whether nothing can be done until more audio or a finish comes."""
        return self.done or (self._rows_to_encode() == 0 and not self.decode_work())

    def encode_work(self) -> EncodeWork | None:
        """The next block for the encoder, or None."""
        rows = self._rows_to_encode()
        if rows == 0:
            return None
        row = self._mel.next_row
        return EncodeWork(self.encoder, row, self._mel.take(rows))

    def decode_work(self) -> list[tuple[Track, Reader, DecodeWork]]:
        """What each reader can do with the rows there are."""
        found = []
        for track in self.tracks:
            for reader in track.readers:
                work = reader.work(self.rows_ready, self._last_row(reader))
                if work is not None:
                    found.append((track, reader, work))
        return found

    def take(
        self, track: Track, reader: Reader, work: DecodeWork, answers: list[Decoded]
    ) -> list[Event]:
        """Hand a reader's answers to its track."""
        return track.take(reader, work, answers, self._speech_at)

    def report(self) -> list[Event]:
        """Tails and progress since the last call; closes the stream when all has been read."""
        if self.done:
            return []
        audio_ms = self._samples * 1000 // SAMPLE_RATE
        if not (self._finishing and all(self._at_end(track) for track in self.tracks)):
            return [event for track in self.tracks for event in track.progress(audio_ms)]
        events = [event for track in self.tracks for event in track.finish(audio_ms)]
        self.close()
        return events

    def _score(self, speech: float) -> None:
        """Note the score of each audio token that has become whole: the best of its blocks."""
        self._token_speech = max(self._token_speech, speech)
        while self._speech_tokens < self._samples // ROW_SAMPLES:
            self._speech.append(self._token_speech)
            self._speech_tokens += 1
            self._token_speech = speech if self._samples % ROW_SAMPLES else 0.0

    def _rows_to_encode(self) -> int:
        slowest = min((r.next_row for t in self.tracks for r in t.readers), default=0)
        room = slowest + _MOST_WAITING_ROWS - self.rows_ready
        block = _LIVE_ROWS if self._options.realtime else ENCODE_ROWS
        rows = min(self._mel.ready, block)
        if rows > room:  # whole blocks only: a smaller shape is captured on no GPU, and costs more
            return 0
        return rows if self._finishing or rows >= self._rows_at_once else 0

    def _last_row(self, reader: Reader) -> int | None:
        return reader.schedule.rows(self._samples) - 1 if self._finishing else None

    def _at_end(self, track: Track) -> bool:
        return all(r.next_row >= r.schedule.rows(self._samples) for r in track.readers)

    def _speech_at(self, audio_token: int) -> float:
        """The voice detector's score of an audio token; 0 for padding and the forgotten past."""
        back = self._speech_tokens - audio_token
        if audio_token < 0 or not 0 < back <= len(self._speech):
            return 0.0
        return self._speech[-back]

    def __repr__(self) -> str:
        encoded = (self.rows_ready - LEFT_PAD_ROWS) * ROW_SAMPLES / SAMPLE_RATE
        return f"VoxtralStream({self._options.lane!r}, {encoded:.2f} s encoded)"

"""One lane inside the worker: audio in, gate, at most one utterance open in the engine at a time.

The gate decides which audio belongs to an utterance; between its first and last sample nothing is
cut. While an utterance is being flushed the next one waits here, so that a lane's words and its
`Progress` stay in order. Knows the engine protocol; knows no pipe, no process and no clock: time
is counted from `Chunk.start_ms` in samples.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.core.chunk import Chunk
from app.worker.language import LanguageTracker
from app.worker.messages import DelayRefused, Message, Speech
from app.worker.segmenter import Closed, Opened, Segmenter
from app.worker.vad import FRAME, FRAME_MS, Vad
from model_backends.base import (
    SAMPLE_RATE,
    Engine,
    EngineError,
    Event,
    Notice,
    Pcm,
    Progress,
    Sentence,
    Stream,
    StreamOptions,
    Word,
)

REPLAY_CONTEXT_MS = 8_000  # of an open utterance: a replay that begins cold mishears
_PROGRESS_EVERY_MS = 250
_FILE_PAUSE_MS = 20_000  # of silence, after which even a file heard whole is cut
_QUIET_RUN_MS = 30_000  # a file no longer than this is heard though the gate stayed shut …
_MAYBE_SPEECH = 0.25  # … if one frame of it scored this
_RECORD_WAITS_MS = 3_000  # unheard sound: captions first, the utterance has no track for the record


@dataclass(slots=True)
class _Utterance:
    """Frames on their way to one engine stream."""

    start_ms: int
    frames: deque[tuple[Pcm, float]]
    closed: bool = False


class Lane:
    """Feeds one lane's audio through its gate to the engine."""

    def __init__(
        self,
        name: str,
        engine: Engine,
        vad: Vad,
        delays_ms: Iterable[int],
        send: Callable[[Message], None],
        *,
        next_utterance: Callable[[], int],
        language: str | None = None,
        realtime: bool = True,
    ) -> None:
        self.name = name
        self._engine = engine
        self._vad = vad
        self._delays = list(delays_ms)  # the captions'; a second one is the record's
        self._records = False  # the stream that is open has a track for the record
        self._opened_with: list[int] | None = None  # the delays of the last stream
        self._send = send
        self._next_utterance = next_utterance
        self._language = language
        self._realtime = realtime
        self._whole = not realtime and engine.info.whole_files
        self._segmenter = Segmenter(hangover_ms=self._hangover_ms())
        self._trackers = [LanguageTracker(live=realtime) for _ in self._delays]
        self._waiting: deque[_Utterance] = deque()
        self._stream: Stream | None = None
        self._delay_is_new = False  # chosen while no stream was open
        self._current: _Utterance | None = None  # the one `_stream` hears
        self._filling: _Utterance | None = None  # the one the gate is adding to
        self._index: int | None = None  # sample number the next chunk must have
        self._run_start_ms = 0
        self._rest: Pcm = np.zeros(0, dtype=np.float32)
        self._frames = 0  # scored since the lane began, as the segmenter numbers them
        self._run_frame = 0  # the first of this run
        self._recent: deque[tuple[Pcm, float]] = deque(maxlen=self._segmenter.keep_frames + 1)
        self._shut_run: deque[tuple[Pcm, float]] | None = None  # a file's, while none has opened
        self._told_ms = -1
        self._came_ms = self._heard_ms = 0  # up to where sound has come, and has been heard
        self._ended_ms: int | None = None  # where the last run ended, until that has been told

    # --- what the worker calls -------------------------------------------------------------

    def take(self, chunk: Chunk) -> None:
        """Take a chunk. A sample number that does not follow on is a gap: a new run begins."""
        if chunk.index != self._index:
            self.pause()
            self._run_start_ms, self._index = chunk.start_ms, chunk.index
            self._told_ms, self._ended_ms = -1, None
            self._begin_run()
        self._index += chunk.samples
        pcm = np.frombuffer(chunk.pcm, dtype="<i2").astype(np.float32) / 32768.0
        self._rest = np.concatenate([self._rest, pcm])
        while len(self._rest) >= FRAME:
            self._frame(self._rest[:FRAME])
            self._rest = self._rest[FRAME:]
        self._came_ms = self._time_of(self._frames)

    def pause(self) -> None:
        """The run ends here: close the utterance with everything heard, and start afresh."""
        if self._index is None:
            return
        if self._shut_run is not None:
            self._open_quiet(self._shut_run)
        if self._filling is not None:
            self._filling.frames.append((self._rest, 0.0))
        self._close_open()
        self._ended_ms = self._time_of(self._frames) + len(self._rest) * 1000 // SAMPLE_RATE
        self._rest = np.zeros(0, dtype=np.float32)
        self._recent.clear()
        self._segmenter.reset()
        self._vad.reset()
        self._run_frame = self._frames
        self._index = None

    def set_delay(self, track: int, ms: int) -> None:
        """Change a track's delay now, in an open utterance too; one refused changes nothing."""
        try:
            self._engine.info.check_delay(ms)
            if self._stream is not None:
                self._stream.set_delay(track, ms)
        except EngineError as error:
            self._refuse(track, ms, error)
            return
        # before there is sound a lane is told what was chosen long ago
        self._delay_is_new = self._stream is None and self._frames > 0
        self._use(track, ms)

    def feed(self) -> None:
        """Hand waiting frames to the engine, opening and finishing its streams."""
        if self._stream is not None and self._stream.done:
            self._stream = self._current = None
        if self._stream is None and self._waiting:
            self._current = self._waiting.popleft()
            self._tell_silence_before(self._current.start_ms)
            self._stream = self._open(self._current)
        if self._stream is None or self._current is None:
            self._tell_silence()
            return
        while self._current.frames:
            self._stream.push(*self._current.frames.popleft())
        if self._current.closed:
            self._stream.finish()
            self._current.closed = False  # told once

    def close(self) -> None:
        """Drop the open stream, heard out or not: the session is over."""
        if self._stream is not None:
            self._stream.close()
        self._stream = self._current = None

    def drop(self) -> None:
        """The utterance that the engine did not open is not heard."""
        if self._filling is self._current:
            self._filling = None
        self._current = None

    def annotate(self, event: Event) -> Event:
        """Add what the engine cannot know: the language found in a word's text, and how much
        audio before the settled point another engine would need to go on as well."""
        if isinstance(event, Word) and event.language is None:
            return replace(event, language=self._trackers[event.track].add(event.text))
        if isinstance(event, Progress) and self._current is not None:
            self._heard_ms = max(self._heard_ms, event.heard_ms)
            settled_ms = max(self._current.start_ms, event.settled_ms - REPLAY_CONTEXT_MS)
            event = replace(event, settled_ms=min(settled_ms, event.settled_ms))
            if len(self._delays) > 1 and not self._records:
                self._send(replace(event, track=1))  # it has nothing to say of this
        return event

    @property
    def behind_ms(self) -> int:
        """How much sound has come that the engine has not heard; none where nobody speaks."""
        if self._stream is None and not self._waiting:
            return 0
        return max(0, self._came_ms - self._heard_ms)

    @property
    def quiet(self) -> bool:
        """Nothing open, nothing waiting and nothing left to tell."""
        return self._stream is None and not self._waiting and self._ended_ms is None

    @property
    def ready(self) -> bool:
        """`feed()` has something to do even if no more audio comes."""
        done = self._stream is not None and self._stream.done
        frames = self._current is not None and (self._current.frames or self._current.closed)
        return bool(done or frames or (self._stream is None and not self.quiet))

    # --- delays ----------------------------------------------------------------------------

    def _use(self, track: int, ms: int) -> None:
        self._delays[track] = ms
        self._segmenter.hangover_ms = self._hangover_ms()

    def _open(self, utterance: _Utterance) -> Stream:
        """Open a stream; delays changed since the last one go back if there is no room for them."""
        number = self._next_utterance()
        try:
            stream = self._opened(utterance, number)
        except EngineError as error:
            if self._opened_with in (None, self._delays):
                raise
            self._go_back(error)
            stream = self._opened(utterance, number)
        self._opened_with, self._delay_is_new = list(self._delays), False
        return stream

    def _opened(self, utterance: _Utterance, number: int) -> Stream:
        """With the record's track, if there are time and room for it."""
        in_time = self._came_ms - self._heard_ms < _RECORD_WAITS_MS
        self._records = len(self._delays) > 1 and in_time
        if self._records:
            try:
                return self._engine.open(self._options(utterance, number, self._delays))
            except EngineError:
                self._records = False
        return self._engine.open(self._options(utterance, number, self._delays[:1]))

    def _go_back(self, error: EngineError) -> None:
        assert self._opened_with is not None
        for track, (ms, before) in enumerate(zip(self._delays, self._opened_with, strict=True)):
            if ms != before:
                self._use(track, before)
                self._refuse(track, ms, error)

    def _refuse(self, track: int, ms: int, error: EngineError) -> None:
        """Tell that the delay stays as it is; captions go on."""
        kept_ms = self._delays[track]
        self._send(DelayRefused(self.name, track, ms, kept_ms))
        message = Sentence(
            "The delay stays at {kept} ms: {why}",
            kept=kept_ms,
            why=error.message,
        )
        self._send(Notice(self.name, "delay-refused", message, error.hint))

    # --- inside ----------------------------------------------------------------------------

    def _begin_run(self) -> None:
        """A file that is heard whole is open from its first sample on."""
        self._shut_run = None if self._realtime or self._whole else deque()
        if self._whole:
            self._open_at(self._segmenter.open().frame)

    def _open_quiet(self, frames: deque[tuple[Pcm, float]]) -> None:
        """One short word in a file may be too little for the gate: hear it all the same."""
        if max((score for _, score in frames), default=0.0) >= _MAYBE_SPEECH:
            self._start_utterance(frames)

    def _frame(self, frame: Pcm) -> None:
        score = self._vad.score(frame)
        self._recent.append((frame, score))
        if self._shut_run is not None:
            self._shut_run.append((frame, score))
            if len(self._shut_run) * FRAME_MS > _QUIET_RUN_MS:
                self._shut_run = None
        if self._filling is not None:
            self._filling.frames.append((frame, score))
        decision = self._segmenter.feed(score)
        self._frames += 1
        if isinstance(decision, Opened):
            self._open_at(decision.frame)
        elif isinstance(decision, Closed):
            self._close_open()

    def _open_at(self, frame: int) -> None:
        self._shut_run = None
        back = self._frames - frame
        self._start_utterance(deque(list(self._recent)[-back:] if back else ()))

    def _start_utterance(self, frames: deque[tuple[Pcm, float]]) -> None:
        self._filling = _Utterance(self._time_of(self._frames - len(frames)), frames)
        self._waiting.append(self._filling)
        self._send(Speech(self.name, True, self._time_of(self._frames)))

    def _close_open(self) -> None:
        if self._filling is None:
            return
        self._filling.closed = True
        self._filling = None
        self._send(Speech(self.name, False, self._time_of(self._frames)))

    def _tell_silence(self) -> None:
        """Silence is progress too: audio the gate can no longer claim need not be replayed."""
        if self._index is None:
            if self._ended_ms is not None:
                self._tell(self._ended_ms, self._ended_ms)
                self._ended_ms = None
            return
        heard = self._time_of(self._frames)
        if heard - self._told_ms >= _PROGRESS_EVERY_MS:
            lookback_ms = (self._segmenter.keep_frames + 1) * FRAME_MS
            self._tell(heard, max(self._run_start_ms, heard - lookback_ms))

    def _tell_silence_before(self, start_ms: int) -> None:
        """Sound may come a minute at a time, silence and then a word: who sends it waits for the
        silence to be heard before there is more of the word, and the engine for more."""
        if start_ms - self._heard_ms >= _PROGRESS_EVERY_MS:
            lookback_ms = (self._segmenter.keep_frames + 1) * FRAME_MS
            self._tell(start_ms, min(start_ms, max(self._run_start_ms, start_ms - lookback_ms)))

    def _tell(self, heard_ms: int, settled_ms: int) -> None:
        self._told_ms = heard_ms
        self._heard_ms = max(self._heard_ms, heard_ms)
        for track in range(len(self._delays)):
            self._send(Progress(self.name, track, heard_ms, settled_ms))

    def _time_of(self, frame: int) -> int:
        return self._run_start_ms + (frame - self._run_frame) * FRAME * 1000 // SAMPLE_RATE

    def _hangover_ms(self) -> int:
        """As the captions need it; a track that makes the record is flushed with them."""
        hangover_ms = self._engine.info.hangover_ms[self._delays[0]]
        return max(hangover_ms, _FILE_PAUSE_MS) if self._whole else hangover_ms

    def _options(
        self, utterance: _Utterance, number: int, delays_ms: Sequence[int]
    ) -> StreamOptions:
        return StreamOptions(
            lane=self.name,
            utterance=number,
            delays_ms=tuple(delays_ms),
            start_ms=utterance.start_ms,
            language=self._language,
            realtime=self._realtime,
            delay_is_new=self._delay_is_new,
        )

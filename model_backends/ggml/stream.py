"""One utterance being captioned: sound to a listening, its words out, and a new listening where the
one before has fallen silent, the delay has changed, or it has become long. Satisfies `base.Stream`.

A new listening begins some seconds back in the kept sound, and what it says is aligned with what
was said (`model_backends/replay.py`, as after a crash): no word is lost, none comes twice, and each
has the time at which it was spoken. Knows no library; a model is lent by the engine.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from model_backends.base import (
    SAMPLE_RATE,
    EngineInfo,
    Event,
    Notice,
    Pcm,
    Progress,
    Sentence,
    StreamOptions,
    Tail,
    Word,
)
from model_backends.ggml.families import Family, Kind
from model_backends.ggml.kept_sound import KeptSound
from model_backends.ggml.listening import Listening
from model_backends.guess import Guess
from model_backends.mute_guard import MuteGuard
from model_backends.replay import ReplayAligner

_MS = SAMPLE_RATE // 1000
_ROW_MS = 80
_LIVE = _ROW_MS * _MS  # samples that are heard at once …
_BEHIND = 7 * _LIVE  # … and where more than this waits …
_FILE = 50 * _LIVE  # … or nobody does
_CONTEXT_MS = 3_000  # heard again before the first word that a new listening may say
_REACH_MS = 60_000  # the furthest that it may begin back
_MUTE_MS = 3_000  # speech without a word, what is on its way included …
_LEAST_MUTE_MS = 1_800  # … but so much at the least: who says one long word has said none yet
_DOUBTED = 8  # times as long where it was in vain the last time: probably music
_WORDS_KEPT = 64
_SPEECH = 0.5
_PAUSE_MS = 500  # of silence, at which a long listening is renewed
# A listening is renewed at a pause once it is so old: what it costs grows with its text
_OLD_MS = {Kind.TOKENS: 120_000, Kind.TEXT: 1_200_000, Kind.DRAFTS: 10_000}
# … and without one: more than it was trained for; all tokens are copied with each chunk
_TOO_OLD_MS = {Kind.DRAFTS: 24_000, Kind.TOKENS: 300_000}

_MUTE = Sentence(
    "The model heard speech and wrote nothing; it is listening again from before that."
)
_MUTE_HINT = Sentence(
    "If this keeps happening the sound may not be speech; try a longer delay or another engine."
)

Lend = Callable[["GgmlStream", int], Listening | None]  # stream, delay in ms


class GgmlStream:
    """The engine calls `step()` as long as there is `work`."""

    def __init__(
        self,
        options: StreamOptions,
        info: EngineInfo,
        family: Family,
        lend: Lend,
        asked: Callable[[GgmlStream], None] = lambda stream: None,
        doubted: bool = False,
    ) -> None:
        """`lend` begins a listening at a delay; None: no model is free now. `asked` is called when
        the user has chosen a delay, be it the one that was chosen before. `doubted`: what was last
        taken for speech on this lane was none that the model could write."""
        self.options = options
        self.delay_ms = self.chosen_ms = options.delays_ms[0]  # the one that acts
        self.done = False
        self._info, self._family, self._lend, self._asked = info, family, lend, asked
        self._sound = KeptSound()
        self._listening: Listening | None = None
        self._base = 0  # sample at which it began
        self._fed = 0  # sample up to which it has heard
        self._aligner: ReplayAligner | None = None
        self._said: deque[Word] = deque(maxlen=_WORDS_KEPT)
        self._doubted = doubted
        self._guard = self._new_guard()
        self._mute_from = 0  # sample at which the guard began to count
        self._guarded = 0  # sample up to which it has looked
        self._is_mute = False  # as told
        self._tail = ""
        self._told_ms = self._settled_ms = options.start_ms
        self._silent_ms = 0
        self._finishing = False

    # --- base.Stream ---------------------------------------------------------------------------

    def push(self, pcm: Pcm, speech: float) -> None:
        if not (self._finishing or self.done):
            self._sound.push(pcm, speech)

    def set_delay(self, track: int, ms: int) -> None:
        self._info.check_delay(ms)
        self.chosen_ms = ms
        self.change_delay(ms)
        self._asked(self)

    def change_delay(self, ms: int) -> None:
        """As `set_delay()`, when nobody has asked for it."""
        if ms == self.delay_ms:
            return
        self.delay_ms = ms
        if self._listening is not None and not self._finishing:
            self._begin_again(self._sample_of(self._settled_ms) - _CONTEXT_MS * _MS)

    def finish(self) -> None:
        self._finishing = True

    def close(self) -> None:
        if not self.done:
            self.done = True
            self._drop()

    # --- what the engine asks --------------------------------------------------------------------

    @property
    def work(self) -> bool:
        """Whether `step()` would do something, given a model."""
        return not self.done and (self._finishing or self.waiting >= _LIVE)

    @property
    def waiting(self) -> int:
        """Samples that have come and were not heard."""
        return self._sound.end - self._fed

    @property
    def doubted(self) -> bool:
        """Whether what is taken for speech here is nothing that the model can write."""
        return self._doubted

    def step(self) -> list[Event]:
        """Hear one bounded piece more."""
        if self._listening is None:
            self._listening = self._lend(self, self.delay_ms)
            if self._listening is None:
                return []
        pcm, speech = self._sound.read(self._fed, self._size)
        self._fed += len(pcm)
        # the last piece of a listening that is behind the others is heard like any other
        events = self._say(self._listening.feed(pcm, speech)) if len(pcm) else []
        self._silent_ms = 0 if speech >= _SPEECH else self._silent_ms + len(pcm) // _MS
        events += self._watch()
        if self._listening is not None:
            if self._finishing and not self.waiting:
                return [*events, *self._end()]
            events += self._renew()
        return [*events, *self._report()]

    # --- words -----------------------------------------------------------------------------------

    @property
    def _size(self) -> int:
        if not self.options.realtime:
            return _FILE
        return _BEHIND if self.waiting > 2 * _BEHIND else _LIVE

    @property
    def _base_ms(self) -> int:
        return self.options.start_ms + self._base // _MS

    def _sample_of(self, session_ms: int) -> int:
        return (session_ms - self.options.start_ms) * _MS

    def _say(self, guesses: list[Guess]) -> list[Event]:
        words = [self._word(guess) for guess in guesses]
        if self._aligner is not None:
            words = [new for word in words for new in self._aligner.add(word)]
            words += self._aligner.progress(*self._heard())
        return self._out(words)

    def _heard(self) -> tuple[int, int]:
        """Session times: words before the first are out, and sound before the second was heard."""
        assert self._listening is not None
        return (
            self._base_ms + self._listening.sure_ms,
            self._base_ms + self._listening.heard_ms,
        )

    def _word(self, guess: Guess) -> Word:
        assert self._listening is not None
        options = self.options
        language = self._listening.language or options.language or self._only_language
        end_ms = options.start_ms + self._sound.end // _MS  # a model counts in frames of its own
        return Word(
            options.lane,
            0,
            options.utterance,
            guess.text,
            min(self._base_ms + guess.start_ms, end_ms),
            min(self._base_ms + guess.end_ms, end_ms),
            language,
            round(guess.probability, 4) if self._family.kind is Kind.TOKENS else None,
        )

    @property
    def _only_language(self) -> str | None:
        known = tuple(self._family.languages)
        return known[0] if len(known) == 1 else None

    def _out(self, words: list[Word]) -> list[Event]:
        self._said += words
        if not words:
            return []
        self._doubted = False
        self._guard = self._new_guard()
        # what was heard since it ended counts, be it told late, or with all words of a long chunk
        self._guarded = max(self._sample_of(words[-1].end_ms), self._sound.start)
        self._mute_from = self._guarded
        if not self._is_mute:
            return list(words)
        self._is_mute = False
        return [*words, Notice(self.options.lane, "mute", "")]

    # --- silence that is none --------------------------------------------------------------------

    def _new_guard(self) -> MuteGuard:
        """It may count what is announced already, so what is on its way is taken off."""
        speech_ms = max(_LEAST_MUTE_MS, _MUTE_MS - self._lag_ms)
        return MuteGuard(speech_ms / _ROW_MS * (_DOUBTED if self._doubted else 1))

    @property
    def _lag_ms(self) -> int:
        """How far the words are behind the sound that comes."""
        late_ms = 5 * _ROW_MS if self._family.kind is Kind.TEXT else 2 * _ROW_MS
        return self.delay_ms + late_ms

    def _watch(self) -> list[Event]:
        """Show the guard what has been announced by now; begin again where it says so."""
        if not self._family.streams or self._listening is None:
            return []
        announced = self._fed - (self._lag_ms * _MS if self._family.kind is not Kind.TOKENS else 0)
        if self._family.kind is Kind.TOKENS:
            announced = min(announced, self._base + self._listening.heard_ms * _MS)
        while self._guarded + _LIVE <= announced:
            if self._guard.mute_rows == 0:
                self._mute_from = self._guarded
            _, speech = self._sound.read(self._guarded, _LIVE)
            self._guarded += _LIVE
            if self._guard.observe(speech, 0.0, said_something=False):
                return self._listen_again()
        return []

    def _listen_again(self) -> list[Event]:
        self._begin_again(self._mute_from - _CONTEXT_MS * _MS)
        if self._is_mute:
            return []
        self._is_mute = True
        return [Notice(self.options.lane, "mute", _MUTE, _MUTE_HINT)]

    # --- another listening -----------------------------------------------------------------------

    def _begin_again(self, at: int) -> None:
        """Drop the listening with all that it had not said; the next one begins at this sample."""
        self._drop()
        self._base = self._fed = max(at, self._sound.start, 0)
        self._aligner = ReplayAligner(list(self._said), self._base_ms)

    def _renew(self) -> list[Event]:
        """A long listening ends at a pause; the next one begins where it ended."""
        assert self._listening is not None
        age_ms = (self._fed - self._base) // _MS
        kind = self._family.kind
        if self._silent_ms >= _PAUSE_MS and age_ms >= _OLD_MS.get(kind, age_ms + 1):
            return self._begin_here()
        limit_ms = _TOO_OLD_MS.get(kind, age_ms + 1)
        if age_ms >= limit_ms:
            back = self._sample_of(self._settled_ms) - _CONTEXT_MS * _MS
            if self._fed - back > limit_ms * _MS // 2:  # it says nothing: again would be for ever
                return self._begin_here()
            self._begin_again(back)
        return []

    def _begin_here(self) -> list[Event]:
        events = self._flush()
        self._drop()
        self._base = self._fed
        return events

    def _flush(self) -> list[Event]:
        assert self._listening is not None
        events = self._say(self._listening.finish())
        if self._aligner is not None:
            events += self._out(self._aligner.finish())
            self._aligner = None
        return events

    def _drop(self) -> None:
        if self._listening is not None:
            self._listening.close()
        self._listening = None

    def _end(self) -> list[Event]:
        events = self._flush()
        if self._tail:
            events.append(Tail(self.options.lane, 0, self.options.utterance, ""))
        if self._is_mute:
            self._doubted = True
            events.append(Notice(self.options.lane, "mute", ""))
        end_ms = self.options.start_ms + self._sound.end // _MS
        self.close()
        return [*events, Progress(self.options.lane, 0, end_ms, end_ms)]

    # --- how far ---------------------------------------------------------------------------------

    def _report(self) -> list[Event]:
        events: list[Event] = []
        aligned = self._aligner is None or self._aligner.aligned
        tail = self._listening.tail if self._listening is not None and aligned else ""
        if tail != self._tail:
            self._tail = tail
            events.append(Tail(self.options.lane, 0, self.options.utterance, tail))
        heard_ms = self.options.start_ms + self._fed // _MS
        if heard_ms <= self._told_ms:
            return events
        self._told_ms = heard_ms
        self._settle()
        return [*events, Progress(self.options.lane, 0, heard_ms, self._settled_ms)]

    def _settle(self) -> None:
        """What was missed while the model was mute may still be heard from the kept sound."""
        settled_ms = self._told_ms
        if self._listening is not None and self._family.streams:
            settled_ms = self._heard()[0]
        elif self._listening is not None:
            settled_ms = self._base_ms + self._listening.heard_ms
        if self._guard.mute_rows:
            settled_ms = min(settled_ms, self.options.start_ms + self._mute_from // _MS)
        settled_ms = max(settled_ms, self._told_ms - _REACH_MS)
        self._settled_ms = max(self._settled_ms, min(settled_ms, self._told_ms))
        self._sound.forget(self._sample_of(self._settled_ms) - 2 * _CONTEXT_MS * _MS)

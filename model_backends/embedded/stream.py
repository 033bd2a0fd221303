"""One utterance being captioned: when to decode, what to commit, where to cut the window.

Live, the window (the utterance so far, a dozen seconds at most, 20 after a stall) is decoded again
and again and `agreement` decides which words stay. Where nobody waits (a file) or much audio does
(after a crash), blocks of up to 28 s are cut at pauses and decoded once. Knows nothing about
threads, clocks or which weights are loaded; what a window says is `listening`'s business.
"""

from __future__ import annotations

from enum import Enum, auto

from model_backends.agreement import Agreement
from model_backends.base import (
    SAMPLE_RATE,
    Event,
    Pcm,
    Progress,
    StreamOptions,
    Tail,
    Word,
)
from model_backends.embedded.info import INFO
from model_backends.embedded.listening import Care, Listening, Transcribe
from model_backends.embedded.rules import RULES, Rule
from model_backends.embedded.window import Window
from model_backends.guess import Guess

_MS = SAMPLE_RATE // 1000  # samples in a millisecond
_ONSET_OF_PAUSE = 96 * _MS  # silence after which the words before it are worth hearing at once
_LEAST_SPEECH = 96 * _MS  # less than this in a window is a click
_LONG_WINDOW = 10_000 * _MS  # from here on the front is cut away
_CONTEXT = 3_000 * _MS  # committed audio that stays in front: words are heard better in company
_LOST_WINDOW = 15_000 * _MS  # nothing agreed for so long: take the guess as it is
_LONGEST_GUESS = 20_000 * _MS  # more is heard as a block; padded, the encoder takes 27 s
_MUCH_NEW = 3_000 * _MS  # heard for the first time: the next guess is to have the same window
_SPEECH_LEFT_OUT = 1_000 * _MS  # more than this behind a guess: it stopped early
_UNSURE_END = 1_500 * _MS  # words at the very end of a cut are left for the next window
_BLOCK = 28_000 * _MS
_EARLIEST_CUT = 12_000 * _MS  # of a block
_BACKLOG = 16_000 * _MS  # more than this waiting to be heard: work in blocks until caught up
_FRESH_SILENCE = 1_000 * _MS  # silence after which what was said before is no help
_PRE_ROLL = 300 * _MS  # kept before speech, and not yet called settled in silence
_QUIET_PROGRESS = 250 * _MS  # how often silence is reported as heard
_SENTENCE_END_MS = 200  # a full stop is as good a place to cut as a pause this much longer


class Work(Enum):
    """What a stream would do next."""

    NOTHING = auto()
    QUIET = auto()  # silence went by: say so
    REVIEW = auto()  # a pause after doubtful words: hear the window once more, carefully
    SETTLE = auto()  # a pause: commit what was offered
    GUESS = auto()  # decode the window, commit what agrees
    BLOCK = auto()  # decode a long window once, commit it whole
    END = auto()  # all heard: commit what was offered, and done


class EmbeddedStream:
    """Satisfies `base.Stream`. The engine calls `next_work` and `advance`."""

    def __init__(self, options: StreamOptions) -> None:
        self.options = options
        self.language = options.language
        self.done = False
        self._rules: list[Rule] = [RULES[ms] for ms in options.delays_ms]
        self._tracks = [Agreement() for _ in options.delays_ms]
        self._settled_ms = [options.start_ms] * len(self._tracks)
        self._tails = [""] * len(self._tracks)
        self._window = Window()
        self._listening = Listening(self._window, options.start_ms)
        self._heard = 0  # samples: the end of the audio last decoded
        self._heard_ms = options.start_ms  # as reported: only grows
        self._spared = False  # the guess before heard much for the first time, and nothing was cut
        self._reviewed = -1  # samples: the end of the audio last heard carefully
        self._told = 0  # samples: heard, as last reported
        self._finishing = False

    # --- base.Stream ---------------------------------------------------------------------------

    def push(self, pcm: Pcm, speech: float) -> None:
        self._window.push(pcm, speech)

    def set_delay(self, track: int, ms: int) -> None:
        INFO.check_delay(ms)
        self._rules[track] = RULES[ms]

    def finish(self) -> None:
        self._finishing = True

    def close(self) -> None:
        self.done = True

    # --- what to do next -----------------------------------------------------------------------

    @property
    def next_work(self) -> Work:
        """What `advance` would do now."""
        if self.done:
            return Work.NOTHING
        return self._live_work() if self.options.realtime and self._short else self._block_work()

    @property
    def _short(self) -> bool:
        """Whether so little waits that what is heard of it will be heard again."""
        window = self._window
        waiting = window.end - self._heard
        length = window.end - window.start
        return not waiting or (waiting <= _BACKLOG and length <= _LONGEST_GUESS)

    def _block_work(self) -> Work:
        if self._window.end - self._window.start >= _BLOCK:
            return Work.BLOCK
        if not self._finishing:
            waiting = self.options.realtime and self._window.end > self._heard
            return Work.BLOCK if waiting else Work.NOTHING
        return Work.BLOCK if self._unheard_speech() else Work.END

    def _live_work(self) -> Work:
        silence = self._window.silence
        if self._unheard_speech():
            waited = self._window.end - self._heard
            step = min(rule.step_ms for rule in self._rules) * _MS
            if self._finishing or waited >= step or silence >= _ONSET_OF_PAUSE:
                return Work.GUESS
            return Work.NOTHING
        due = self._due()
        if any(track.doubtful for track in due) and self._reviewed < self._window.end - silence:
            return Work.REVIEW
        if self._finishing:
            return Work.END
        if due:
            return Work.SETTLE
        quiet = silence >= _ONSET_OF_PAUSE and self._window.end - self._told >= _QUIET_PROGRESS
        return Work.QUIET if quiet else Work.NOTHING

    def _due(self) -> list[Agreement]:
        """The tracks whose offered words are to be committed now, agreed upon or not."""
        silence = self._window.silence
        return [
            track
            for track, rule in zip(self._tracks, self._rules, strict=True)
            if track.tail and (self._finishing or silence >= rule.pause_ms * _MS)
        ]

    def _unheard_speech(self) -> bool:
        window = self._window
        return (
            window.speech(max(self._heard, window.start), window.end) > 0
            and window.speech(window.start, window.end) >= _LEAST_SPEECH
        )

    # --- doing it ------------------------------------------------------------------------------

    def advance(self, transcribe: Transcribe) -> list[Event]:
        """Do the next piece of work: `transcribe` the window once, and what it left out again."""
        work = self.next_work
        if work is Work.GUESS:
            return self._guess(transcribe)
        if work is Work.BLOCK:
            return self._block(transcribe)
        if work is Work.REVIEW:
            return self._review(transcribe)
        if work is Work.SETTLE:
            return self._settle()
        if work is Work.QUIET:
            return self._quiet()
        if work is Work.END:
            return self._end()
        return []

    def _guess(self, transcribe: Transcribe) -> list[Event]:
        window = self._window
        end = window.end
        much_new = end - self._heard > _MUCH_NEW
        self._spared = much_new and not self._spared
        words = self._listen(transcribe, end, Care.QUICK)
        events: list[Event] = []
        for index, (track, rule) in enumerate(zip(self._tracks, self._rules, strict=True)):
            before_ms = self._session_ms(end) - rule.margin_ms
            events += self._words(index, track.agree(words, before_ms))
        if not self._spared:
            events += self._bound(words, end)
        return [*events, *self._report()]

    def _bound(self, words: list[Guess], end: int) -> list[Event]:
        """Keep the next guess short: cut the front away, or commit the guess and cut behind it.

        A cut that left much to be heard again without the front would spoil it: begun in
        mid-sentence, a guess says something else, or the same twice.
        """
        window = self._window
        length = end - window.start
        uncommitted = min(length, end - (self._committed() or 0))
        much = length > _LOST_WINDOW and uncommitted > _LONG_WINDOW
        if length > _LONG_WINDOW and not much:
            self._shorten(end)
        return self._give_up_waiting(words, end) if end - window.start > _LOST_WINDOW else []

    def _block(self, transcribe: Transcribe) -> list[Event]:
        """Hear up to the best pause within reach, commit everything before it, and cut there."""
        window = self._window
        last = self._finishing and window.end - window.start <= _BLOCK
        until, paused = (window.end, True) if last else self._block_end()
        words = self._listen(transcribe, until, Care.WHOLE)
        before_ms = None if paused else self._session_ms(until - _UNSURE_END)
        events: list[Event] = []
        for index, track in enumerate(self._tracks):
            done = track.flush(words, before_ms)
            events += self._words(index, [*done, *track.finish()] if paused else done)
            track.drop_tail()
        self._cut(until if paused else self._resume_at(until - _UNSURE_END))
        self._heard = self._window.start  # what a cut left behind is heard again
        return [*events, *self._report()]

    def _block_end(self) -> tuple[int, bool]:
        """Where to end a block: at the longest pause within reach, else as far as it goes."""
        window = self._window
        reach = min(window.end, window.start + _BLOCK)
        earliest = min(window.start + _EARLIEST_CUT, reach)
        pauses = window.pauses(earliest, reach)
        if not pauses:
            return reach, False
        begin, end = max(pauses, key=lambda pause: (pause[1] - pause[0], pause[1]))
        return min((begin + end) // 2, reach), True

    def _review(self, transcribe: Transcribe) -> list[Event]:
        """Words that one guess alone had, and hardly believed, get a better guess.

        One that stops early, with speech behind its last word, is no better.
        """
        window = self._window
        self._reviewed = window.end
        words = self._listen(transcribe, window.end, Care.CAREFUL)
        for track in self._tracks:
            ends = [track.committed_ms or 0, *(word.end_ms for word in words[-1:])]
            told = max(window.start, self._sample(max(ends)))
            if window.speech(told, window.end) < _SPEECH_LEFT_OUT:
                track.reconsider(words)
        return self._report()

    def _settle(self) -> list[Event]:
        window = self._window
        due = self._due()
        events: list[Event] = []
        for index, track in enumerate(self._tracks):
            if track in due:
                events += self._words(index, track.flush())
        if not any(track.tail for track in self._tracks):
            self._heard = window.end
            if window.end - window.start > _LONG_WINDOW - _CONTEXT:
                self._cut(window.end - min(window.silence, _PRE_ROLL))
        return [*events, *self._report()]

    def _quiet(self) -> list[Event]:
        window = self._window
        if not any(track.tail for track in self._tracks):
            self._heard = window.end
            if window.silence > _FRESH_SILENCE:
                self._cut(window.end - _PRE_ROLL)
        return self._report()

    def _end(self) -> list[Event]:
        events: list[Event] = []
        for index, track in enumerate(self._tracks):
            events += self._words(index, track.finish())
        self._heard = self._window.end
        self._window.cut(self._window.end)
        self.done = True
        return [*events, *self._report()]

    # --- the window ----------------------------------------------------------------------------

    def _listen(self, transcribe: Transcribe, until: int, care: Care) -> list[Guess]:
        """The words of the window up to `until`, in session time."""
        ends = [track.committed_ms for track in self._tracks]
        settled_ms = None if None in ends else min(end for end in ends if end is not None)
        words = self._listening.words(transcribe, until, care, settled_ms)
        self._heard = until
        return words

    def _shorten(self, end: int) -> None:
        """Cut the front away after a committed word, best where a pause or a sentence ends.

        Not after the last one: a word that stays lets the next guess find its place.
        """
        limit = self._committed()
        if limit is None:
            return
        slowest = min(self._tracks, key=lambda track: track.committed_ms or 0)
        latest = self._session_ms(min(limit, end - _CONTEXT))
        words = [word for word in slowest.committed[:-1] if word.end_ms <= latest]
        near = [word for word in words if self._sample(word.end_ms) >= end - 2 * _CONTEXT]
        if near:
            self._cut(self._sample(_best_end(near).end_ms))
        elif words:
            self._cut(self._sample(words[-1].end_ms))

    def _give_up_waiting(self, words: list[Guess], end: int) -> list[Event]:
        """Nothing agrees for too long: commit the guess but for its end, and go on from there.

        The front may have been cut away since the guess was made, and the committed words with it.
        """
        start_ms = self._session_ms(self._window.start)
        words = [word for word in words if (word.start_ms + word.end_ms) // 2 >= start_ms]
        before = end - _CONTEXT
        events: list[Event] = []
        for index, track in enumerate(self._tracks):
            events += self._words(index, track.flush(words, self._session_ms(before)))
        self._cut(self._resume_at(before))
        return events

    def _resume_at(self, otherwise: int) -> int:
        """Where to go on after a cut inside speech: before the last committed word, if that moves.

        That word stays, so that the next guess finds its place; else the cut is behind it.
        """
        slowest = min(self._tracks, key=lambda track: track.committed_ms or 0)
        last = slowest.committed[-1:] if self._committed() is not None else []
        ways = [self._sample(ms) for word in last for ms in (word.start_ms, word.end_ms)]
        return next((at for at in ways if at > self._window.start), otherwise)

    def _cut(self, at: int) -> None:
        self._window.cut(at)
        at_ms = self._session_ms(self._window.start)
        for track in self._tracks:
            track.cut(at_ms)

    def _committed(self) -> int | None:
        """The sample up to which every track has committed; None if one has not begun."""
        ends = [track.committed_ms for track in self._tracks]
        if None in ends:
            return None
        return self._sample(min(end for end in ends if end is not None))

    # --- events --------------------------------------------------------------------------------

    def _words(self, index: int, words: list[Guess]) -> list[Event]:
        lane, utterance = self.options.lane, self.options.utterance
        return [
            Word(lane, index, utterance, w.text, w.start_ms, w.end_ms, self.language) for w in words
        ]

    def _report(self) -> list[Event]:
        """Tails that changed, and how far each track has come."""
        self._told = self._window.end
        lane, utterance = self.options.lane, self.options.utterance
        events: list[Event] = []
        for index, track in enumerate(self._tracks):
            if track.tail != self._tails[index]:
                self._tails[index] = track.tail
                events.append(Tail(lane, index, utterance, track.tail))
            settled = max(self._settled_ms[index], self._settled(track))
            self._settled_ms[index] = settled
            self._heard_ms = max(self._heard_ms, settled, self._session_ms(self._heard))
            events.append(Progress(lane, index, self._heard_ms, settled))
        return events

    def _settled(self, track: Agreement) -> int:
        """The session time before which no word of this track is outstanding."""
        start_ms = self._session_ms(self._window.start)
        if self.done:
            return self._session_ms(self._window.end)
        quiet = self._window.silence >= _PRE_ROLL and not self._unheard_speech()
        if quiet and not track.tail:
            return self._session_ms(self._window.end - _PRE_ROLL)
        return max(start_ms, track.committed_ms or 0)

    def _session_ms(self, sample: int) -> int:
        return self.options.start_ms + sample // _MS

    def _sample(self, session_ms: int) -> int:
        return (session_ms - self.options.start_ms) * _MS


def _best_end(words: list[Guess]) -> Guess:
    """The word after which a cut hurts least: before a long pause, or at a sentence's end."""

    def merit(index: int) -> int:
        word = words[index]
        gap = words[index + 1].start_ms - word.end_ms if index + 1 < len(words) else 0
        return gap + _SENTENCE_END_MS * word.text.endswith((".", "?", "!", "。"))

    return words[max(range(len(words)), key=merit)]

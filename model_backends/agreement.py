"""LocalAgreement: which words of a guess that is made again and again may be shown for good.

The recogniser hears the same window several times, each time with a little more audio, and
guesses all its words anew. A word is committed once two guesses in a row agree on it, and is
never taken back. The method is LocalAgreement-2 of Liu et al. 2020 (Interspeech, "Low-latency
sequence-to-sequence speech recognition"); here every guess is first laid against the words
already committed, because a guess may split, drop or respell what was shown.

Pure: it knows nothing about audio, models or events. Times are milliseconds of the session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import pairwise

from model_backends.guess import Guess
from model_backends.repeats import LONGEST_RUN, repeat_length

_MISMATCH_LIMIT = 0.6  # a guess that contradicts more of the committed words is laid out by time
_BELIEVED = 0.5  # probability from which a word needs no second look
_LOST_RUN = 2  # words that a better guess leaves out before one that both have
_OTHER_WORD = 0.15  # cost, in words, of ending at another word than the last committed one
_SAME_SOUND_MS = 300  # what ends so long before the last committed word did lies within it
_TIME_WEIGHT = 0.5  # cost, in words, of ending a whole second away from the last committed word


class Agreement:
    """What one track has committed within the window, and what it was offered last.

    Whisper ends whatever it hears with a full stop. So the mark after the last word of a guess
    is held back, and follows as a piece of its own (no leading space) once a later guess has it
    with more words behind it, or when the utterance is over.
    """

    def __init__(self) -> None:
        self.committed: list[Guess] = []  # those that lie in the window; older ones are forgotten
        self.committed_ms: int | None = None  # end of the last word ever committed
        self._offered: list[Guess] = []  # new words of the guess before, still uncommitted
        self._repeated: list[Guess] = []  # what it said again before them
        self._recent: deque[Guess] = deque(maxlen=LONGEST_RUN)  # committed last, cut away or not
        self._mark = ""  # held back after the last committed word

    @property
    def tail(self) -> str:
        """The tentative text after the last committed word."""
        return "".join(word.text for word in self._offered)

    @property
    def doubtful(self) -> bool:
        """Whether the guess before hardly believed one of the words it offers."""
        return any(word.probability < _BELIEVED for word in self._offered)

    def agree(self, words: Sequence[Guess], before_ms: int) -> list[Guess]:
        """Take a new guess at the whole window; return the words it commits.

        A word is committed when the guess before had it too and it ends by `before_ms`.
        """
        offered = self._offered
        fresh = self._fresh(words)
        agreed = 0
        for old, new in zip(offered, fresh, strict=False):
            if old.key != new.key or new.end_ms > before_ms:
                break
            agreed += 1
        return self._commit(fresh, agreed)

    def flush(
        self, words: Sequence[Guess] | None = None, before_ms: int | None = None
    ) -> list[Guess]:
        """Commit without a second opinion: a new guess, or what was offered last.

        With `before_ms` only the words that end by then.
        """
        fresh = list(self._offered) if words is None else self._fresh(words)
        count = len(fresh)
        if before_ms is not None:
            count = next((i for i, word in enumerate(fresh) if word.end_ms > before_ms), count)
        return self._commit(fresh, count)

    def finish(self) -> list[Guess]:
        """The utterance is over: commit what was offered, and the mark held back."""
        return [*self.flush(), *self._release_mark()]

    def reconsider(self, words: Sequence[Guess]) -> None:
        """Offer the words of a better guess instead; commits nothing.

        One that begins late, or leaves out words in the midst of those offered, is no better.
        """
        repeated = self._repeated
        fresh = self._fresh(words)
        if _leaves_out(fresh, self._offered):
            self._repeated = repeated
        else:
            self._commit(fresh, 0)

    def cut(self, at_ms: int) -> None:
        """The window now begins at `at_ms`: forget the committed words before it."""
        self.committed = [w for w in self.committed if (w.start_ms + w.end_ms) // 2 >= at_ms]

    def drop_tail(self) -> None:
        """Forget what was offered: the next guess starts agreement afresh."""
        self._offered = []

    def _fresh(self, words: Sequence[Guess]) -> list[Guess]:
        """The words of a guess that come after what is committed."""
        if self.committed or self.committed_ms is None:
            start = first_new(self.committed, words)
        else:  # the window begins at the last committed word, of which a remnant may be heard
            start = _first_after(words, self.committed_ms)
        if self._mark and start and words[start - 1].key == self.committed[-1].key:
            self._mark = words[start - 1].mark
        fresh = _in_order(words[start:], self.committed_ms)
        again = repeat_length(list(self._recent), fresh)
        self._repeated = fresh[:again]
        return fresh[again:]

    def _commit(self, fresh: list[Guess], count: int) -> list[Guess]:
        done, self._offered = fresh[:count], fresh[count:]
        if not done:
            return []
        last = done[-1]
        held_back = "" if self._offered else last.mark
        mark = self._release_mark()
        if held_back:
            done[-1] = replace(last, text=last.bare)
        self._mark = held_back
        self.committed += [*self._repeated, *done]  # as the next guess will have it
        self._repeated = []
        self._recent += done
        self.committed_ms = last.end_ms
        return [*mark, *done]

    def _release_mark(self) -> list[Guess]:
        mark, self._mark = self._mark, ""
        if self.committed_ms is None or not mark.strip("…-–—") or mark.startswith(".."):
            return []  # Whisper's sign that the speaker was cut off
        return [Guess(mark, self.committed_ms, self.committed_ms)]


def _leaves_out(words: Sequence[Guess], offered: Sequence[Guess]) -> bool:
    """Whether words that were believed are missing before one that both guesses have.

    Compared by text alone: where a guess leaves words out, the next one is stretched over their
    time. A guess that is as long as the other leaves nothing out, however it reads.
    """
    old, new = [word.key for word in offered], [word.key for word in words]
    missing = _letters(old) - _letters(new)
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for (_, begin, end, since, until), after in pairwise(codes):
        lost = old[begin:end]
        believed = any(word.probability >= _BELIEVED for word in offered[begin:end])
        said_twice = lost in (old[end : end + len(lost)], old[max(0, begin - len(lost)) : begin])
        if after[0] != "equal" or not believed or said_twice:
            continue
        few = len(lost) - (until - since) >= _LOST_RUN and missing >= _letters(lost) / 2
        if few and _letters(lost) >= 2 * _letters(new[since:until]):
            return True
    return False


def _letters(keys: Sequence[str]) -> int:
    return sum(map(len, keys))


def first_new(committed: Sequence[Guess], words: Sequence[Guess]) -> int:
    """Index of the first of `words` that comes after everything in `committed`.

    The committed words are matched whole against some beginning of `words` at the least number
    of insertions, deletions and substitutions; between equals the end time decides, and whether
    the last word is the same: “give the” goes on behind “give of the”. Where it is not, words that
    ended well before it did are the same sound heard otherwise.
    """
    if not committed or not words:
        return 0
    costs = _costs_by_prefix([w.key for w in committed], [w.key for w in words])
    end_ms = committed[-1].end_ms

    def cost(count: int) -> float:
        reached = words[count - 1].end_ms if count else words[0].start_ms
        other = _OTHER_WORD * (not count or words[count - 1].key != committed[-1].key)
        return costs[count] + other + _TIME_WEIGHT * min(1.0, abs(reached - end_ms) / 1000)

    best = min(range(len(words) + 1), key=cost)
    if costs[best] > _MISMATCH_LIMIT * len(committed) and len(committed) > 1:
        return _first_after(words, end_ms)
    if best and words[best - 1].key == committed[-1].key:
        return best
    later = (i for i in range(best, len(words)) if words[i].end_ms > end_ms - _SAME_SOUND_MS)
    return next(later, len(words))


def _costs_by_prefix(committed: list[str], words: list[str]) -> list[int]:
    """Edit distance between `committed` and each beginning of `words`, by its length."""
    row = list(range(len(words) + 1))
    for key in committed:
        diagonal, row[0] = row[0], row[0] + 1
        for j, word in enumerate(words, start=1):
            substituted = diagonal + (key != word)
            diagonal = row[j]
            row[j] = min(substituted, row[j] + 1, row[j - 1] + 1)
    return row


def _first_after(words: Sequence[Guess], end_ms: int) -> int:
    later = (i for i, w in enumerate(words) if (w.start_ms + w.end_ms) // 2 >= end_ms)
    return next(later, len(words))


def _in_order(words: Sequence[Guess], not_before_ms: int | None) -> list[Guess]:
    """The words with times that never run backwards, nor into what is committed."""
    ordered: list[Guess] = []
    floor = not_before_ms
    for word in words:
        start = word.start_ms if floor is None else max(word.start_ms, floor)
        end = max(word.end_ms, start)
        ordered.append(replace(word, start_ms=start, end_ms=end))
        floor = end
    return ordered

"""One decoder reading the rows of one encoder: which step comes next, and what it said.

Silence is most of speech, and its id is [P]. Where several rows wait (a file, or catching up),
the reader drafts "[P] all along", lets the model check all of them at once, and keeps what was
right plus the first correction: the ids are exactly those of one step at a time. Knows nothing
about events, tracks or tensors.
"""

from __future__ import annotations

from collections.abc import Sequence

from model_backends.voxtral.hotwords import Bonuses, Hotwords
from model_backends.voxtral.schedule import LEFT_PAD_ROWS, SILENT_ROWS, Schedule
from model_backends.voxtral.speech_model import DECODE_ROWS, SILENCE, Decoded, DecodeWork
from model_backends.voxtral.tekken import Tekken
from model_backends.voxtral.words import TimedText, WordBuilder

_SHORTEST_DRAFT = 4  # fewer waiting rows are decoded one by one
_LONGEST_DRAFT = 32
_LONGEST_CHAIN = 16  # steps taken without coming back to the host, where nothing is drafted
_WORD_CHAIN = 3  # in the middle of a word the next id is text more often than [P]


class Reader:
    """Reads encoder `source` with decoder `slot`, from row `first_row` on.

    A reader that starts mid-stream sees 32 rows of silence and then the encoder's rows from
    `first_row`, as if the audio began there.
    """

    def __init__(
        self,
        tokens: Tekken,
        slot: int,
        source: int,
        delay_tokens: int,
        first_row: int = LEFT_PAD_ROWS,
        draft: bool = True,
        hotwords: Hotwords | None = None,
    ) -> None:
        self.slot = slot
        self.schedule = Schedule(delay_tokens)
        self.pad_bias = 0.0
        self.ids: list[int] | None = None  # set to a list to keep every id (tests, evaluation)
        self._tokens = tokens
        self._source = source
        self._first_row = first_row
        self._position = SILENT_ROWS  # the next one; those before are in the cache
        self._token = tokens.pad
        self._draft = _SHORTEST_DRAFT if draft else 1
        self._may_draft = draft
        self._builder = WordBuilder(tokens)
        self._hotwords = None if hotwords is None else hotwords.path()

    @property
    def next_row(self) -> int:
        """The next row to read, in the encoder's count."""
        return self._row(self._position)

    @property
    def started(self) -> bool:
        """Whether the prompt has been read and every further row gives an id."""
        return self._position > SILENT_ROWS

    @property
    def tail(self) -> str:
        """Text of the word that may still grow."""
        return self._builder.tail

    @property
    def between_words(self) -> bool:
        """Whether everything announced so far has been committed."""
        return not self._builder.open

    def needs_row(self) -> int:
        """The first row whose absence stops this reader."""
        if not self.started:
            return self._row(self.schedule.prompt_positions - 1)
        return self.next_row

    def work(self, rows_ready: int, last_row: int | None) -> DecodeWork | None:
        """The next piece of work, or None until more rows are ready.

        `rows_ready`: rows 0 .. rows_ready - 1 exist. `last_row`: the stream's last, if known.
        """
        end = rows_ready if last_row is None else min(rows_ready, last_row + 1)
        if end <= self.needs_row():
            return None
        if not self.started:
            count = self.schedule.prompt_positions - SILENT_ROWS
            return self._work((self._tokens.pad,) * count, count)
        waiting = end - self.next_row
        if self._hotwords is not None and not self._drafts(waiting):
            return self._work((self._token,), 1, self._hotwords.bonuses)
        if not self._may_draft:
            return self._work((self._token,), min(waiting, _LONGEST_CHAIN))
        if not self._drafts(waiting):
            return self._work((self._token,), min(waiting, _WORD_CHAIN))
        count = min(waiting, self._draft, DECODE_ROWS)
        return self._work((self._token, *(self._tokens.pad,) * (count - 1)), count)

    def take(
        self, work: DecodeWork, answers: Sequence[Decoded]
    ) -> tuple[list[Decoded], list[TimedText]]:
        """Accept what is certain of the answers: those steps, and the words they complete."""
        if not self.started:
            accepted = [answers[-1]]
            self._position = self.schedule.prompt_positions
        else:
            accepted = self._verified(work, answers)
            self._position += len(accepted)
        words = []
        for row, step in enumerate(accepted, self.next_row - len(accepted)):
            words += self._say(step, row)
        return accepted, words

    def finish(self) -> list[TimedText]:
        """The last word, if one was still open."""
        return self._builder.finish()

    def _drafts(self, waiting: int) -> bool:
        """Whether silence is worth guessing. After [P] no hotword can begin, so a draft of [P] is
        as exact with them as without."""
        enough = waiting >= _SHORTEST_DRAFT and self._token == self._tokens.pad
        return enough and self._may_draft

    def _say(self, step: Decoded, row: int) -> list[TimedText]:
        self._token = step.token
        if self._hotwords is not None:
            self._hotwords.push(step.token)
        if self.ids is not None:
            self.ids.append(step.token)
        return self._builder.push(step.token, self.schedule.end_token(row), step.logprob)

    def _verified(self, work: DecodeWork, answers: Sequence[Decoded]) -> list[Decoded]:
        """Answers up to and with the first that differs from what was drafted after it."""
        drafted = work.tokens[1:]
        right = 0
        while right < len(drafted) and answers[right].token == drafted[right]:
            right += 1
        if drafted:
            whole = right == len(drafted)
            self._draft = min(2 * self._draft, _LONGEST_DRAFT) if whole else _SHORTEST_DRAFT
        return list(answers[: right + 1] if drafted else answers)

    def _work(self, tokens: tuple[int, ...], count: int, bonuses: Bonuses = ()) -> DecodeWork:
        positions = range(self._position, self._position + count)
        rows = tuple(self._read(position) for position in positions)
        return DecodeWork(self.slot, self._position, tokens, rows, self.pad_bias, bonuses)

    def _row(self, position: int) -> int:
        return position + self._first_row - LEFT_PAD_ROWS

    def _read(self, position: int) -> tuple[int, int]:
        """Where the row of a position is: positions before 32 are padding, silent if borrowed."""
        if position < LEFT_PAD_ROWS and self._first_row > LEFT_PAD_ROWS:
            return SILENCE, position
        return self._source, self._row(position)

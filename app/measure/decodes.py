"""A recogniser that keeps what it decoded on disk, and says what each decode would have cost.

The same audio with the same choices gives the same words, so a simulation that is run again, or
that comes back to a window it has seen, need not decode it again. The cost is modelled, not
measured: a run is the same on every machine, however busy that is. Knows nothing about streams,
engines or the session's clock.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path

from model_backends.base import SAMPLE_RATE, Pcm
from model_backends.embedded import recognizer as recognizer_module
from model_backends.embedded.recognizer import Encoded, Hypothesis, Recognizer
from model_backends.guess import Guess


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor milliseconds of a decode, roughly as resources/benchmarks/embedded.md has them."""

    second_ms: float  # the encoder, for a second of its window
    word_ms: float  # decoding and aligning a word, with one candidate
    candidates: float = 2.5  # times that with five

    def times(self, factor: float) -> Cost:
        """The same on a slower or faster machine."""
        return Cost(self.second_ms * factor, self.word_ms * factor, self.candidates)


COSTS = {"base": Cost(9.0, 4.0), "tiny.en": Cost(4.0, 2.0)}
_WHOLE_S = 30.0
_LEAST_S = 10.0
_PADDING_S = 3.0


@dataclass(slots=True)
class Audio:
    """A window that is encoded once somebody needs it; stands in for `recognizer.Encoded`."""

    pcm: Pcm
    whole: bool
    encoded: Encoded | None = None

    @property
    def seconds(self) -> float:
        return len(self.pcm) / SAMPLE_RATE

    @property
    def window_s(self) -> float:
        """How much the encoder is given, padding included."""
        return _WHOLE_S if self.whole else max(_LEAST_S, self.seconds + _PADDING_S)


class Store:
    """Answers by key, in one file; several processes may share it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=60.0, isolation_level=None)
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, value TEXT)")

    def get(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, value))


class KeptRecognizer:
    """The verbs of `Recognizer` that an engine uses. Loads the weights when first needed."""

    def __init__(self, model: str, folder: Path, store: Store, cost: Cost) -> None:
        self.multilingual = not model.endswith(".en")
        self.decoded = self.kept = 0  # answers worked out, and found
        self.spent_ms = 0.0  # since anybody last looked
        self._folder, self._store, self._cost = folder, store, cost
        self._real: Recognizer | None = None
        source = Path(str(recognizer_module.__file__)).read_bytes()
        self._salt = hashlib.sha1(source + model.encode()).hexdigest()

    def encode(self, pcm: Pcm, whole: bool = False) -> Audio:
        """As `Recognizer.encode`, but later."""
        audio = Audio(pcm, whole)
        self.spent_ms += self._cost.second_ms * audio.window_s
        return audio

    def languages(self, heard: Audio) -> dict[str, float]:
        """As `Recognizer.languages`."""
        if not self.multilingual:
            return {"en": 1.0}
        key = self._key(heard, "languages")
        if (answer := self._answer(key)) is None:
            found = self._recognizer().languages(self._encoded(heard))
            answer = self._keep(key, json.dumps({k: v for k, v in found.items() if v > 1e-4}))
        languages: dict[str, float] = json.loads(answer)
        return languages

    def transcribe(self, heard: Audio, language: str, beam: int = 1) -> Hypothesis:
        """As `Recognizer.transcribe`."""
        key = self._key(heard, f"{language} {beam}")
        if (answer := self._answer(key)) is None:
            found = self._recognizer().transcribe(self._encoded(heard), language, beam)
            answer = self._keep(key, json.dumps([asdict(word) for word in found.words]))
        words = [Guess(**word) for word in json.loads(answer)]
        self.spent_ms += self._cost.word_ms * len(words) * (self._cost.candidates ** (beam > 1))
        return Hypothesis(words, language)

    def take_cost_ms(self) -> float:
        """What was spent since this was last asked."""
        spent, self.spent_ms = self.spent_ms, 0.0
        return spent

    def _key(self, heard: Audio, what: str) -> str:
        name = f"{self._salt} {what} {heard.whole} ".encode()
        return hashlib.sha1(name + heard.pcm.tobytes()).hexdigest()

    def _answer(self, key: str) -> str | None:
        answer = self._store.get(key)
        self.kept += answer is not None
        return answer

    def _keep(self, key: str, answer: str) -> str:
        self.decoded += 1
        self._store.put(key, answer)
        return answer

    def _encoded(self, heard: Audio) -> Encoded:
        if heard.encoded is None:
            heard.encoded = self._recognizer().encode(heard.pcm, heard.whole)
        return heard.encoded

    def _recognizer(self) -> Recognizer:
        if self._real is None:
            self._real = Recognizer(self._folder, threads=1)
        return self._real

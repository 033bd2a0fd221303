"""Which language an utterance is in, decided as more and more of it is heard.

Whisper's guess on the first second is often wrong, and even a later one can be sure of itself and
wrong; a wrong one turns captions into another script. So the guesses of all decodes are added up,
and what the lane spoke before counts as some of them. A language that stands is asked for again
from time to time, and once it is in doubt at every decode: who speaks for minutes without a pause
is not held to the guesses on the first seconds. Knows no model.
"""

from __future__ import annotations

from collections.abc import Mapping

_PRIOR = 0.7  # of a sure guess on three seconds: what the lane spoke before is worth so much
_RARE = 0.2  # what a guess of a language that Whisper barely learnt is worth
_ENOUGH_S = 5.0  # seconds of audio after which a language stands …
_CLEAR = 0.5  # … if the last guess gives it so much
_HEARINGS = 8  # quick ones, four seconds and more, after which it is asked for again
_KEPT = 4.0  # sure guesses' worth of what was gathered so far: the last few decide

# Roughly the thirty languages with the most hours in Whisper's training set (Radford et al. 2022,
# appendix E). Others are found where nobody speaks them: Scottish English passes for Welsh.
_CODES = "ar ca cs da de el en es fi fr he hu id it ja ko ms nl no pl pt ro ru sv ta th tr uk vi zh"
_WELL_KNOWN = frozenset(_CODES.split())


class LanguageChoice:
    """The language of one utterance; `before` is what the lane spoke last, None at first."""

    def __init__(self, before: str | None) -> None:
        self.language: str | None = None  # to decode in; None before the first guess
        self.standing: str | None = None  # the same while it stands; None in doubt
        self._before = before  # later the one that stood last
        self._evidence: dict[str, float] = {}
        self._heard = 0  # hearings since it was last asked for
        self._enough = False  # a guess was made on enough audio

    def due(self, again: bool = False, dear: bool = False) -> bool:
        """Whether to guess at the next hearing, which is then to be offered; counts hearings.

        `again`: in any case, since all that is heard will stay as it is. `dear`: a guess costs a
        hearing of its own, and doubt alone is not worth that at every one.
        """
        self._heard += 1
        doubt = self.standing is None and not (dear and self._enough)
        return again or doubt or self._heard >= _HEARINGS

    def offer(self, probabilities: Mapping[str, float], seconds: float) -> str:
        """Probabilities by language for `seconds` of audio; returns the language to decode in."""
        self._heard = 0
        fades = _KEPT / max(_KEPT, sum(self._evidence.values()))
        self._evidence = {code: fades * worth for code, worth in self._evidence.items()}
        weight = min(seconds, 3.0) / 3.0
        for language, probability in probabilities.items():
            worth = weight * probability * (1.0 if language in _WELL_KNOWN else _RARE)
            self._evidence[language] = self._evidence.get(language, 0.0) + worth
        self.language = best = self._best()
        enough = seconds >= _ENOUGH_S or best == self.standing
        self._enough = self._enough or enough
        self.standing = best if enough and probabilities.get(best, 0.0) >= _CLEAR else None
        self._before = self.standing or self._before
        return best

    def _best(self) -> str:
        evidence = dict(self._evidence)
        if self._before is not None:
            evidence[self._before] = evidence.get(self._before, 0.0) + _PRIOR
        return max(evidence, key=evidence.__getitem__)

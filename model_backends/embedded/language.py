"""Which language an utterance is in, decided as more and more of it is heard.

Whisper's guess on the first second is often wrong, and even a later one can be sure of itself and
wrong; a wrong one turns captions into another script. So the guesses of all decodes are added up,
and what the lane spoke before counts as one of them. Knows no model.
"""

from __future__ import annotations

from collections.abc import Mapping

_PRIOR = 0.6  # what the lane spoke before weighs as much as a guess of this probability
_RARE = 0.2  # what a guess of a language that Whisper barely learnt is worth
_ENOUGH_S = 5.0  # seconds of audio after which the language stands

# Roughly the thirty languages with the most hours in Whisper's training set (Radford et al. 2022,
# appendix E). Others are found where nobody speaks them: Scottish English passes for Welsh.
_CODES = "ar ca cs da de el en es fi fr he hu id it ja ko ms nl no pl pt ro ru sv ta th tr uk vi zh"
_WELL_KNOWN = frozenset(_CODES.split())


class LanguageChoice:
    """The language of one utterance; `before` is what the lane spoke last, None at first."""

    def __init__(self, before: str | None) -> None:
        self._evidence: dict[str, float] = {before: _PRIOR} if before else {}
        self.standing: str | None = None  # the language once it stands; None before

    def offer(self, probabilities: Mapping[str, float], seconds: float) -> str:
        """Probabilities by language for `seconds` of audio; returns the language to decode in."""
        weight = min(seconds, 3.0) / 3.0
        for language, probability in probabilities.items():
            worth = weight * probability * (1.0 if language in _WELL_KNOWN else _RARE)
            self._evidence[language] = self._evidence.get(language, 0.0) + worth
        best = max(self._evidence, key=self._evidence.__getitem__)
        if seconds >= _ENOUGH_S:
            self.standing = best
        return best

"""Notices when the model has fallen silent over speech, and says what to do.

Seen in the field: a session emits [P] for 1 to 20 minutes over real speech and recovers by
itself. The margin of [P] over the runner-up is then +3.5 to +6.6 (10-90 %), on true silence at
least +8.5, so a bias of up to 7 wakes a stuck model and leaves silence silent. Music or a keyboard
that a detector now and then takes for speech must not add up to a mute stretch: a row counts only
where the model hesitates too, and every other row takes something back. Knows nothing about
models: speech scores, margins and "said something" in, advice out.
"""

from __future__ import annotations

_SPEECH = 0.5  # a voice detector's score from which 80 ms count as speech
SURE_MARGIN = 8.0  # logits; from here on [P] is what the model says to true silence
LEAK = 0.25  # what a row that does not count takes back: 4 s are forgotten in 16 s
RESTART_AFTER = 50  # rows of speech without a word (4 s): what Voxtral's own streams wait
_BIAS_AFTER = 100  # rows of speech (8 s) before [P] is made less likely
_BIAS_STEP, _MOST_BIAS = 0.5, 7.0


class MuteGuard:
    """Watches one track. `mute_rows` counts rows of speech since the last word, and forgets."""

    def __init__(self, restart_after: float = RESTART_AFTER) -> None:
        """`restart_after`: rows of speech without a word before a fresh decoder tries again."""
        self.mute_rows = 0.0
        self._restart_after = self._restart_at = restart_after

    def observe(self, speech: float, margin: float, said_something: bool) -> bool:
        """One row more; True when the decoder should be restarted from the kept audio.

        `speech` scores the row whose words this step would announce, `margin` is how far [P] was
        ahead. After a restart that brought nothing the next one waits eight times as long: it is
        probably not speech. That, too, is forgotten once nothing counts any more.
        """
        if said_something:
            self.__init__(self._restart_after)  # type: ignore[misc]
            return False
        if not (speech >= _SPEECH and margin < SURE_MARGIN):
            self._leak()
            return False
        self.mute_rows += 1
        if self.mute_rows < self._restart_at:
            return False
        self._restart_at *= 8
        return True

    def _leak(self) -> None:
        self.mute_rows = max(0.0, self.mute_rows - LEAK)
        if self.mute_rows == 0.0:
            self._restart_at = self._restart_after

    @property
    def pad_bias(self) -> float:
        """What to add to the logit of [P] now: 0, or down to -7 over a long mute stretch."""
        over = self.mute_rows - _BIAS_AFTER
        return -min(_MOST_BIAS, _BIAS_STEP * over) if over > 0 else 0.0

"""How a source is doing, told from what arrives and when: flowing, stalled, silent, too quiet …

Pure: times and sound are handed in. Each state is told once, with what to do next, and taken back
when it is over. What the computer plays may be silent for hours: that is told of a microphone only.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from app.audio.advice import advice
from app.audio.level import TOO_QUIET_DBFS, dbfs
from app.audio.listening import Condition, Elsewhere, SoundState
from model_backends.base import Sentence, UserError

STALLED_S = 2.0  # no frames: idle sinks may take 1.9 s to send their first, so not sooner
SILENT_S = 2.5  # exact zeros; with the resampler's delay this is told within 3 s
UNHEARD_S = 10.0  # of zeros from the computer, before it is said what they may mean
QUIET_S = 10.0  # of sound too quiet for speech before it is told
FAINT_S = 60.0  # of nothing but noise since it was opened
_SWING_DB = 10.0  # between the loudest and the quietest tenth of the blocks: speech has 15 to 30
_FULL_SCALE = 0.9995  # a 16-bit sample at its end is 0.99997
_CUT_SAMPLES = 3  # at full scale in one block: its peaks are cut off
_CUT_BLOCKS, _CUT_S = 8, 5.0  # so many of them in so long: it is no single bang
_CALM_S = 10.0  # without one: it is over


class Watch:
    """Tells how one opening is doing."""

    def __init__(self, name: str, system: bool = False, live: bool = True) -> None:
        """`live`: a device, of which there is advice to give; else a file or a pipe."""
        self._live = live
        self._chosen = self._name = name
        self._system = system
        self._kind = "starting"
        self._condition = Condition()
        self._last: float | None = None  # monotonic s of the last block, or of the first look
        self._sound: float | None = None  # of the last block that was not all zeros
        self._any_sound = False  # there has been one
        self._quiet = _QuietSpeech()
        self._loud = _TooLoud()
        self._moved: Elsewhere | None = None
        self.heard = False  # something has arrived
        self.hopeless = False  # stalled so long that opening it again is worth trying

    def block(self, arrived: float, channels: NDArray[np.float32], rms: float) -> SoundState | None:
        """A block has come: finite, shape (channels, frames). `rms` is that of the mix, 0..1."""
        self._last = arrived
        self.heard, self.hopeless = True, False
        peak = _peak(channels)
        sound = peak > 0
        if sound or self._sound is None:
            self._sound = arrived
        self._any_sound = self._any_sound or sound
        if self._condition.muted and self._live:
            return self._muted()
        if self._system:
            return self._played(arrived, sound)
        if sound:
            return self._spoken(arrived, channels, peak, rms)
        if arrived - self._sound >= SILENT_S:
            return self._become("silent", self._nothing_arrives(), self._advice("silent"))
        return None

    def condition(self, condition: Condition) -> SoundState | None:
        """What the system says of the source has changed."""
        was, self._condition = self._condition, condition
        if not self._live:
            return None
        if self._kind == "stalled" and condition.suspended and not was.suspended:
            self._kind = "starting"  # it was told without the reason
            return self._stalled()
        if condition.muted == was.muted:
            return None
        if condition.muted:
            return self._muted()
        self._sound = None  # the zeros of a muted source say nothing of what comes now
        return self._become("flowing", "", "")

    def nothing(self, now: float) -> SoundState | None:
        """No block for a while."""
        if self._last is None:
            self._last = now
        waited = now - self._last
        self.hopeless = self._live and waited > 2 * STALLED_S + 1
        if waited < STALLED_S or self._kind == "lost":
            return None
        return self._stalled()

    def _stalled(self) -> SoundState | None:
        if self._condition.suspended:
            asleep = Sentence("{name} has been put to sleep by the system.", name=self._name)
            return self._become("stalled", asleep, self._advice("suspended"))
        return self._become("stalled", self._nothing_arrives(), self._advice("stalled"))

    def lost(self, error: UserError) -> SoundState | None:
        """It was tried again, and cannot be had."""
        return self._become("lost", error.message, error.hint)

    def opened_again(self, now: float) -> None:
        """It has been tried again; the next try is not due at once."""
        self._last, self.hopeless = now, False

    def moved(self, to: Elsewhere | None) -> SoundState | None:
        """The system gives us another source than the one that was chosen, or gives it back."""
        if to == self._moved:
            return None
        self._moved = to
        self._name = to.name if to else self._chosen
        self._kind = "starting"  # what was told named another source
        names = {"name": self._chosen, "other": self._name}
        if to is None:
            message = Sentence("Listening to {name} again.", **names)
            return SoundState("back", message, "", self._name)
        if to.gone:
            message = Sentence("{name} is gone; listening to {other} instead.", **names)
            return SoundState("gone", message, advice("lost"), self._name)
        message = Sentence("The system has switched from {name} to {other}.", **names)
        return SoundState("moved", message, advice("moved"), self._name)

    def called(self, name: str) -> SoundState | None:
        """What is listened to has this name: a source that follows the desktop changes it."""
        if name == self._chosen:
            return None
        self._chosen = self._name = name
        self._kind = "starting"
        if self._moved is None:
            return None
        self._moved = None
        return SoundState("back", Sentence("Listening to {name}.", name=name), "", name)

    # --- what there is to say --------------------------------------------------------------

    def _muted(self) -> SoundState | None:
        message = Sentence("{name} is muted.", name=self._name)
        return self._become("muted", message, advice("muted output" if self._system else "muted"))

    def _played(self, arrived: float, sound: bool) -> SoundState | None:
        """Silence of the computer is worth a word only where it need not mean that it is silent."""
        assert self._sound is not None
        silent_s = 0.0 if sound else arrived - self._sound
        if self._condition.output_muted and silent_s >= SILENT_S:
            message = Sentence(
                "The sound of {name} is muted, and may not be heard.", name=self._name
            )
            return self._become("unheard", message, advice("muted output"))
        if not self._any_sound and self._live and silent_s >= UNHEARD_S and advice("unheard"):
            message = Sentence("Nothing has been heard from this computer yet.")
            return self._become("unheard", message, advice("unheard"))
        if sound or self._kind != "unheard" or not self._condition.output_muted:
            return self._become("flowing", "", "")
        return None

    def _spoken(
        self, arrived: float, channels: NDArray[np.float32], peak: float, rms: float
    ) -> SoundState | None:
        if self._live and self._loud.hears(arrived, channels, peak):
            message = Sentence("{name} is too loud: what is said is distorted.", name=self._name)
            return self._become("loud", message, self._advice("loud"))
        quiet = self._quiet.hears(arrived, dbfs(rms))
        if quiet == "quiet":
            message = Sentence("The sound from {name} is very quiet.", name=self._name)
            return self._become("quiet", message, self._advice("quiet"))
        if quiet == "faint" and self._live:
            message = Sentence("Only faint noise has come from {name} so far.", name=self._name)
            return self._become("faint", message, self._advice("faint"))
        return self._become("flowing", "", "")

    def _advice(self, problem: str) -> Sentence:
        if self._live:
            return advice(problem)
        waiting = Sentence("What writes it may have stopped; captions go on when it does.")
        return Sentence(waiting if problem == "stalled" else "")

    def _nothing_arrives(self) -> Sentence:
        return Sentence("No sound is arriving from {name}.", name=self._name)

    def _become(self, kind: str, message: str, hint: str) -> SoundState | None:
        if kind == self._kind:
            return None
        self._kind = kind
        return SoundState(kind, message, hint, self._name)


class _QuietSpeech:
    """Whether someone seems to speak, but below what an engine takes for speech.

    A quiet room alone is no trouble: only sound that comes and goes as speech does, by more than
    `_SWING_DB`, counts as quiet, and only when nothing louder has come for `QUIET_S`. Of a source
    that has never given more than even noise it is said once that it is faint: it may be another
    socket than the one with the microphone in it.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._begun: float | None = None  # the first block; never, once something louder came
        self._worked = False
        self._levels: deque[float] = deque(maxlen=512)  # dBFS of blocks since then
        self._verdict = ""

    def hears(self, arrived: float, level_dbfs: float) -> str:
        """Take in the next block that has sound; "quiet", "faint" or "", so far."""
        if level_dbfs > TOO_QUIET_DBFS:
            self._since, self._verdict, self._worked = None, "", True
            self._levels.clear()
            return ""
        if self._since is None:
            self._since = arrived
        if self._begun is None:
            self._begun = arrived
        self._levels.append(level_dbfs)
        if self._verdict != "quiet" and arrived - self._since >= QUIET_S:
            self._verdict = self._judge(arrived)
            self._since = arrived
        return self._verdict

    def _judge(self, arrived: float) -> str:
        assert self._begun is not None
        ordered = sorted(self._levels)
        tenth = len(ordered) // 10
        if ordered[-1 - tenth] - ordered[tenth] > _SWING_DB:
            return "quiet"
        return "faint" if not self._worked and arrived - self._begun >= FAINT_S else ""


class _TooLoud:
    """Whether peaks are cut off again and again."""

    def __init__(self) -> None:
        self._cut: deque[float] = deque(maxlen=_CUT_BLOCKS)  # when blocks with such peaks came
        self._loud = False

    def hears(self, arrived: float, channels: NDArray[np.float32], peak: float) -> bool:
        """Take in the next block, shape (channels, frames), and its peak; the verdict so far."""
        if peak >= _FULL_SCALE and _most_at_the_end(channels) >= _CUT_SAMPLES:
            self._cut.append(arrived)
            if len(self._cut) == _CUT_BLOCKS and arrived - self._cut[0] <= _CUT_S:
                self._loud = True
        elif self._loud and arrived - self._cut[-1] > _CALM_S:
            self._loud = False
        return self._loud


def _peak(channels: NDArray[np.float32]) -> float:
    """The farthest from zero; 0 of no samples."""
    return max(float(channels.max()), -float(channels.min())) if channels.size else 0.0


def _most_at_the_end(channels: NDArray[np.float32]) -> int:
    """Samples at full scale in the channel that has most of them."""
    return int(np.count_nonzero(np.abs(channels) >= _FULL_SCALE, axis=1).max())

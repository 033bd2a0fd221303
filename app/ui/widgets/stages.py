"""The stages of a session in words and colours: one table for captions, main window and tray.

Knows `Status`; knows nothing of sessions or of who shows it.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.session.status import Stage, Status
from model_backends.base import Sentence, joined

OFF = (Stage.IDLE, Stage.STOPPED, Stage.FAILED)
AT_REST = (*OFF, Stage.PAUSED)  # nothing is listened to, until somebody asks for it
HEARING = (Stage.LISTENING, Stage.SPEECH, Stage.CATCHING_UP)
WELL = (Stage.LISTENING, Stage.SPEECH)
TROUBLE = (Stage.NO_SOUND, Stage.CATCHING_UP, Stage.FAILED)


@dataclass(frozen=True, slots=True)
class Look:
    """`kind` is the name of a colour in `theme.Colors` and `theme.CaptionColors`."""

    title: str
    kind: str


LOOKS = {
    Stage.IDLE: Look(Sentence("Off"), "quiet"),
    Stage.STARTING: Look(Sentence("Starting"), "busy"),
    Stage.LISTENING: Look(Sentence("Listening"), "good"),
    Stage.SPEECH: Look(Sentence("Captioning speech"), "good"),
    Stage.NO_SOUND: Look(Sentence("No sound is arriving"), "warning"),
    Stage.CATCHING_UP: Look(Sentence("Catching up"), "warning"),
    Stage.PAUSED: Look(Sentence("Paused"), "quiet"),
    Stage.STOPPING: Look(Sentence("Saving"), "busy"),
    Stage.STOPPED: Look(Sentence("Stopped"), "quiet"),
    Stage.FAILED: Look(Sentence("Captions have stopped"), "failure"),
}
_START_LABELS = {Stage.PAUSED: Sentence("&Resume"), Stage.FAILED: Sentence("&Try again")}


def title(stage: Stage) -> str:
    """The stage in a word or two."""
    return LOOKS[stage].title


def kind(stage: Stage) -> str:
    """The name of its colour."""
    return LOOKS[stage].kind


def start_label(stage: Stage) -> str:
    """What the button that starts and pauses would do now, with its mnemonic."""
    if stage in _START_LABELS:
        return _START_LABELS[stage]
    return Sentence("&Start") if stage in OFF else Sentence("&Pause listening")


def does_next(stage: Stage) -> str:
    """The same in full, for where nothing else says what is started or paused."""
    if stage is Stage.FAILED:
        return Sentence("Try again")
    if stage in OFF:
        return Sentence("Start captions")
    return Sentence("Listen again") if stage is Stage.PAUSED else Sentence("Pause listening")


def does_next_in_full(stage: Stage) -> str:
    """With what it means for what is said meanwhile."""
    if stage in AT_REST:
        return does_next(stage)
    return Sentence("Pause listening: what is said until you listen again is not captioned")


def both_well(before: Stage, now: Stage) -> bool:
    """Captions flow as before: somebody has begun to speak, or paused. It changes with every
    breath, and nothing of what can be done."""
    return before in WELL and now in WELL


def can_toggle(stage: Stage) -> bool:
    return stage != Stage.STOPPING


def line(status: Status) -> str:
    """For the captions: what is happening, how far it is, how far behind. Empty while all is well.

    While captions flow nothing is said, since it would change with every breath of the speaker.
    """
    if status.stage in WELL:
        return ""
    label = title(status.stage)
    parts = [label if status.stage is Stage.CATCHING_UP else status.message or label]
    if status.stage is Stage.STARTING and status.fraction is not None:
        parts.append(_share(status.fraction))
    if status.stage is Stage.CATCHING_UP and status.lag_ms >= 1000:
        parts.append(Sentence("{seconds} s behind", seconds=round(status.lag_ms / 1000)))
    return joined(*parts, between=" · ")


def detail(status: Status) -> str:
    """For the main window: the message unless it only repeats the title, and what to do next."""
    repeated = status.message.rstrip(".… ").casefold() == title(status.stage).casefold()
    parts = ["" if repeated else status.message, status.hint, status.remark]
    parts.append(status.about_record)
    if status.stage is Stage.STARTING and status.fraction is not None:
        parts.insert(1, _share(status.fraction))
    return joined(*parts)


def in_full(status: Status) -> str:
    """The title and the detail, for where one stands behind the other in a sentence."""
    more = detail(status)
    if more.startswith(title(status.stage)):
        return more
    return joined(Sentence("{state}.", state=title(status.stage)), more)


def _share(fraction: float) -> Sentence:
    return Sentence("{percent:.0f}%", percent=100 * fraction)


def announcement(before: Stage, status: Status) -> str:
    """What a screen reader is to say now: trouble and its end, nothing else."""
    if status.stage in TROUBLE and before is not status.stage:
        return in_full(status)
    if before in TROUBLE and status.stage in WELL:
        return Sentence("Captions go on.")
    return ""

"""What a model's card says: one sentence on what it is, one on how it stands, and what can be done.

Pure: from a `ModelState` and the settings to words. Knows no widget.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.models.download import Progress
from app.models.machine import needs_in_words
from app.models.places import size_here
from app.ui.state.models import ModelState
from model_backends.base import Sentence, joined
from model_backends.downloads.units import size


class Act(StrEnum):
    """What a card's buttons do."""

    DOWNLOAD = "download"
    CHECK = "check"
    USE = "use"
    CANCEL = "cancel"
    REMOVE = "remove"


_LABELS = {
    Act.DOWNLOAD: Sentence("Download"),
    Act.CHECK: Sentence("Check and use"),
    Act.USE: Sentence("Use"),
    Act.CANCEL: Sentence("Cancel"),
    Act.REMOVE: Sentence("Remove…"),
}


@dataclass(frozen=True, slots=True)
class Button:
    """What it does and says, and to whom: a screen reader hears the model's name with it."""

    act: Act
    text: str
    name: str


def about(state: ModelState) -> str:
    """ "Best. 13 languages; needs …; 8.9 GB"."""
    model = state.model
    needs, held = needs_in_words(model.needs), size(size_here(model, state.place))
    facts = Sentence("{needs}; {size}", needs=needs, size=held) if needs else held
    return Sentence("{words} {facts}.", words=model.words, facts=facts)


def standing(state: ModelState, chosen: bool) -> str:
    """How it stands with it just now."""
    if state.busy:
        return doing(state.progress, state.stopping)
    if state.failure is not None:
        return joined(state.failure.message, state.failure.hint)
    if state.fit is None:
        return ""
    if not state.fit.runs:
        return state.fit.why or state.fit.lacks
    if state.place is not None:
        where = state.place.sentence
        if chosen and state.place.checked:
            return Sentence("In use. {where}", where=where)
        if not state.place.checked:
            return Sentence("{where} Not checked yet.", where=where)
        return Sentence("Ready. {where}", where=where)
    if state.begun:
        return Sentence(
            "{begun} of {all} are here.", begun=size(state.begun), all=size(state.model.bytes)
        )
    return ""


def buttons(state: ModelState, chosen: bool) -> list[Button]:
    """What can be done with it, the first the one that is meant."""
    if state.busy:
        return [] if state.stopping else [_button(state, Act.CANCEL)]
    if state.fit is None:
        return []
    acts: list[Button] = []
    if state.engine:
        acts += _towards_use(state, chosen)
    if _may_go(state) and not chosen:
        acts.append(_button(state, Act.REMOVE))
    return acts


def _towards_use(state: ModelState, chosen: bool) -> list[Button]:
    if state.place is None or (state.failure is not None and not state.place.checked):
        if state.failure is not None:
            return [_button(state, Act.DOWNLOAD, Sentence("Try again"))]
        return [_button(state, Act.DOWNLOAD, Sentence("Go on") if state.begun else "")]
    if not state.place.checked:
        return [_button(state, Act.CHECK)]
    return [] if chosen else [_button(state, Act.USE)]


def _may_go(state: ModelState) -> bool:
    """Not what is part of the app, nor what other programs use."""
    return state.begun > 0 if state.place is None else state.place.kind == "ours"


def _button(state: ModelState, act: Act, text: str = "") -> Button:
    text = text or _LABELS[act]
    return Button(act, text, Sentence("{does}: {title}", does=text, title=state.model.title))


def doing(progress: Progress | None, stopping: bool) -> str:
    """What is being done just now."""
    assert progress is not None
    if stopping:
        return Sentence("Stopping …")
    if progress.doing == "beginning":
        return "…"
    if progress.doing == "checking":
        return Sentence("Checking: {share} %", share=round(100 * progress.fraction))
    done, total = size(progress.done), size(progress.total)
    if progress.doing == "waiting":
        seconds = round(progress.left_s or 0)
        return Sentence(
            "{done} of {total}. {why} Another try in {seconds} s.",
            done=done, total=total, why=progress.why, seconds=seconds,
        )  # fmt: skip
    if progress.left_s is None:
        return Sentence("{done} of {total}", done=done, total=total)
    return Sentence(
        "{done} of {total} · {left}", done=done, total=total, left=_left(progress.left_s)
    )


def _left(seconds: float) -> str:
    if seconds < 60:
        return Sentence("less than a minute left")
    minutes = round(seconds / 60)
    if minutes < 90:
        return Sentence("{minutes} min left", minutes=minutes)
    return Sentence("{hours} h left", hours=round(minutes / 60))

"""What the card of the acceleration pack says: what it is for, how it stands, what can be done.

Pure: from a `PackState` to words. Knows no widget.
"""

from __future__ import annotations

from app.models.download import Progress
from app.packs.sources import Sources
from app.ui.preferences.model_words import Act, Button, doing
from app.ui.state.packs import PackState
from model_backends.base import Sentence
from model_backends.downloads.units import size

TITLE = "Acceleration pack"


def about(state: PackState) -> str:
    """What it is good for on this computer, what it is, and how much of it there is."""
    kind = state.kind
    words = state.suit.words if state.suit is not None else ""
    if kind is None:
        return words
    if state.plan is None:
        return Sentence("{words} {title}.", words=words, title=kind.title)
    return Sentence(
        "{words} {title}: {size} to download, {unpacked} on the disk.",
        words=words,
        title=kind.title,
        size=size(state.plan.bytes),
        unpacked=size(state.plan.unpacked),
    )


def standing(state: PackState) -> str:
    """How it stands with it just now."""
    if state.progress is not None:
        return _doing(state.progress, state.stopping)
    if state.failure is not None:
        return Sentence("{message} {hint}", message=state.failure.message, hint=state.failure.hint)
    if state.here is None:
        return state.why_none or _begun(state)
    trouble = state.here.trouble
    if trouble is not None:
        return Sentence("{message} {hint}", message=trouble.reason, hint=trouble.hint)
    if state.spare:
        return "Ready, and not needed: the Python that runs Voxline has these packages itself."
    if not state.here.newest:
        return "Ready. This Voxline has a newer one."
    return "Ready."


def mark(state: PackState) -> str:
    """The kind of its mark, as banners have it."""
    if state.busy:
        return "info"
    if state.failure is not None or (state.here is not None and not state.usable):
        return "failure"
    return "good" if state.usable else ""


def buttons(state: PackState) -> list[Button]:
    """What can be done with it, the first the one that is meant."""
    if state.busy:
        return [] if state.stopping else [_button(Act.CANCEL, "Cancel")]
    offered = []
    if state.plan is not None and (text := _towards_it(state)):
        offered.append(_button(Act.DOWNLOAD, text))
    if state.here is not None or state.begun:
        offered.append(_button(Act.REMOVE, "Remove…"))
    return offered


def question(state: PackState, sources: Sources) -> tuple[str, str]:
    """What is asked before it is installed: what comes, from where, under which licence."""
    assert state.plan is not None
    kind = state.plan.build.kind
    asked = Sentence(
        "Install {title}? {size} to download, {unpacked} on the disk.",
        title=kind.title,
        size=size(state.plan.bytes),
        unpacked=size(state.plan.unpacked),
    )
    more = Sentence(
        "From {where}. Every file must be the one that this Voxline was tested with. {licence} "
        "Captions go on meanwhile.",
        where=sources.shown(state.plan.build.label),
        licence=kind.licence,
    )
    return asked, more


def _towards_it(state: PackState) -> str:
    if state.failure is not None:
        return "Try again"
    if state.here is None:
        return "Go on" if state.begun else "Install…"
    if state.here.trouble is not None:
        return "Install again"
    return "" if state.here.newest else "Update"


def _begun(state: PackState) -> str:
    if not state.begun or state.plan is None:
        return ""
    return Sentence(
        "{begun} of {all} are here.", begun=size(state.begun), all=size(state.plan.bytes)
    )


def _doing(progress: Progress, stopping: bool) -> str:
    if progress.doing == "unpacking" and not stopping:
        return Sentence("Unpacking: {share} %", share=round(100 * progress.fraction))
    if progress.doing == "trying" and not stopping:
        return "A tiny model is trying it out …"
    return doing(progress, stopping)


def _button(act: Act, text: str) -> Button:
    return Button(act, text, f"{text.rstrip('…')}: {TITLE}")

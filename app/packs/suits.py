"""Which pack this computer could use, and what it would be good for, in plain words.

Judged as models are (`app/models/machine`): by the graphics card and the memory. A computer that
no model of a tensor library suits needs no pack, and is told so.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.models.catalogue import Model, catalogue
from app.models.machine import Machine, fit
from app.worker.packs import NEEDS
from model_backends.base import Sentence

_AMD = "AMD"  # how the driver's program names its cards: see voxtral/torch/info.py


@dataclass(frozen=True, slots=True)
class Suit:
    """`kind` is "" where no pack would be of use here. `words` say what for, or why not.

    `to_be_made`: one would be of use, and the user has to make it.
    """

    kind: str
    words: Sentence
    to_be_made: bool = False


def suit(machine: Machine, models: tuple[Model, ...] | None = None) -> Suit:
    """Needs no look at the disk."""
    why = ""
    for model in catalogue() if models is None else models:
        if not set(model.engines) & set(NEEDS):
            continue
        found = fit(model, machine)
        if found.engine == "voxtral-mlx":
            return Suit("mlx", Sentence("Lets Voxtral caption on this Mac’s graphics processor."))
        if found.engine == "voxtral-torch":
            return _for_a_card(machine)
        why = why or found.why
    return Suit("", Sentence("{why} Captions here need no pack.", why=why))


def _for_a_card(machine: Machine) -> Suit:
    if machine.gpu.startswith(_AMD):
        why = Sentence(
            "There is no pack for AMD’s cards yet: Voxline’s README says how to make one, under "
            "“Install”."
        )
        return Suit("", why, to_be_made=True)
    return Suit("cuda", Sentence("Lets Voxtral caption on {card}.", card=machine.gpu))

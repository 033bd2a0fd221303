"""Whether a model suits this computer, and what would run it: memory, graphics card, packages.

Judged by the catalogue's needs and by what the engines' own `info` says; nothing is loaded. May
take a moment (a graphics card is asked): not for a thread that paints.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.models.catalogue import Model, Needs
from model_backends import elsewhere
from model_backends.base import Sentence
from model_backends.voxtral.mlx.info import chip
from model_backends.voxtral.torch.info import graphics_card

# what an engine computes with
_PACKAGE = {"voxtral-torch": "torch", "voxtral-mlx": "mlx", "ggml": "transcribe_cpp"}
_PACKAGE_NAMES = {"torch": "PyTorch", "mlx": "MLX", "transcribe_cpp": "transcribe-cpp"}
_HOW = {
    "torch": Sentence("Install it with: pip install 'voxline[torch]'."),
    "mlx": Sentence("Install it with: pip install 'voxline[mlx]'."),
    "transcribe_cpp": Sentence("Install it with: pip install transcribe-cpp==0.4.1"),
}
_GB = 1e9


@dataclass(frozen=True, slots=True)
class Machine:
    """This computer, as far as models ask."""

    apple: bool  # Apple silicon
    memory_bytes: int
    gpu: str = ""  # its name; "" if there is none that could be used
    gpu_bytes: int = 0  # free


@dataclass(frozen=True, slots=True)
class Fit:
    """What a model and this computer are to each other.

    `engine` is "" where nothing here can run it: `why` then says so. `lacks` is what must be
    installed before it can.
    """

    engine: str
    why: str = ""
    lacks: str = ""

    @property
    def runs(self) -> bool:
        return bool(self.engine) and not self.lacks


def this_machine() -> Machine:
    """Asks the system, and the graphics card's driver if there is one."""
    computer, card = chip(), graphics_card()
    return Machine(
        computer.apple,
        computer.memory_bytes,
        card.name if card else "",
        card.memory_bytes if card else 0,
    )


def fit(model: Model, machine: Machine) -> Fit:
    """Whether a model suits a computer, and by which of its engines."""
    if not model.needs:
        return Fit(model.engines[0])
    for engine in model.engines:
        if _carries(engine, model.needs, machine):
            return Fit(engine, lacks=_lacking(engine))
    return Fit("", why=_why_not(model, machine))


def needs_in_words(needs: Needs) -> str:
    """ "Needs …", for a card; "" where any computer will do."""
    # graphics cards are sold by whole gigabytes, of which some are taken before we come
    card = Sentence("a graphics card with {count} GB", count=int(needs.gpu_gb) + 1)
    mac = Sentence("a Mac with Apple silicon and {count} GB", count=int(needs.mac_gb))
    if needs.gpu_gb and needs.mac_gb:
        return Sentence("Needs {card}, or {mac}", card=card, mac=mac)
    if needs.gpu_gb:
        return Sentence("Needs {what}", what=card)
    if needs.memory_gb:
        return Sentence("Needs {count} GB of memory", count=int(needs.memory_gb))
    return Sentence("Needs {what}", what=mac) if needs.mac_gb else ""


def _carries(engine: str, needs: Needs, machine: Machine) -> bool:
    if engine == "voxtral-torch":
        return bool(needs.gpu_gb) and machine.gpu_bytes >= needs.gpu_gb * _GB
    if engine == "ggml":
        return machine.memory_bytes >= 0.95 * needs.memory_gb * 2**30
    if engine == "voxtral-mlx":
        # memory is sold in powers of two, and a little of it is the system's own
        enough = machine.memory_bytes >= 0.95 * needs.mac_gb * 2**30
        return machine.apple and bool(needs.mac_gb) and enough
    return False


def _lacking(engine: str) -> str:
    package = _PACKAGE[engine]
    if elsewhere.package(package, engine) is not None:
        return ""
    reason = Sentence(
        "This computer could run it, but {package} is not installed.",
        package=_PACKAGE_NAMES[package],
    )
    why, how = elsewhere.why_not(engine, reason, _HOW[package])
    return Sentence("{why} {how}", why=why, how=how)


def _why_not(model: Model, machine: Machine) -> str:
    """The nearest miss, in a sentence that begins with "Not for this computer"."""
    needs = model.needs
    memory_gb = needs.memory_gb or (needs.mac_gb if machine.apple else 0.0)
    if memory_gb:
        return Sentence(
            "Not for this computer: it has {has} GB of memory, and {needed} GB are needed.",
            has=round(machine.memory_bytes / 2**30),
            needed=int(memory_gb),
        )
    if machine.gpu and needs.gpu_gb:
        return Sentence(
            "Not for this computer: {card} has {free} GB free, and {needed} GB are needed.",
            card=machine.gpu,
            free=round(machine.gpu_bytes / _GB, 1),
            needed=needs.gpu_gb,
        )
    if not needs.gpu_gb:
        return Sentence("Not for this computer: it is made for Macs with Apple silicon.")
    return Sentence("Not for this computer: no suitable graphics card was found.")

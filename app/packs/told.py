"""What the user is told when a pack does not come, or is of no use: sentences, and what to do next.

What HTTP and the disk say is told by `model_backends/downloads/told.py`, except where that speaks
of models.
"""

from __future__ import annotations

from pathlib import Path

from model_backends.base import Sentence
from model_backends.downloads import told
from model_backends.downloads.told import GOES_ON, AgainError, DownloadError

_INDEX = Sentence(
    "pip’s configuration says where packages come from (index-url, extra-index-url, find-links); "
    "an address may hold a user and a password."
)
_ELSEWHERE = Sentence(
    "Let Voxline write there, or start it with VOXLINE_DATA set to a folder that you may write to."
)


def of_index(error: DownloadError, host: str) -> DownloadError:
    """A refusal, in words that fit an index of packages."""
    if error.code in ("sign-in", "forbidden"):
        return DownloadError(
            error.code, Sentence("{host} does not let Voxline download this.", host=host), _INDEX
        )
    return error


def nowhere(file: str) -> DownloadError:
    return DownloadError(
        "nowhere",
        Sentence("{file} is in none of the places that pip’s configuration names.", file=file),
        _INDEX,
    )


def no_address(address: str) -> DownloadError:
    return DownloadError(
        "no-address",
        Sentence("{address} is no address of an index of packages.", address=address),
        _INDEX,
    )


def wrong_file(file: str, folder: Path) -> DownloadError:
    """What lies in a folder of the user's is not what it is called."""
    return DownloadError(
        "wrong-bytes",
        Sentence("{file} in {folder} is not the published file.", file=file, folder=folder),
        Sentence("Get it again, or take it away: then it is looked for elsewhere."),
    )


def no_space(needed: int, free: int, folder: Path) -> DownloadError:
    """Sizes in bytes."""
    return told.no_space(needed, free, folder, "VOXLINE_DATA")


def of_disk(error: OSError, folder: Path) -> DownloadError:
    """A file could not be read or written."""
    return told.of_disk(error, folder, _ELSEWHERE)


def under_way() -> DownloadError:
    return DownloadError(
        "under-way",
        Sentence("A pack is being installed already, by another Voxline."),
        Sentence("Wait for that one, or end it."),
    )


def not_for_this_system(title: str, system: str) -> DownloadError:
    return DownloadError(
        "no-build",
        Sentence(
            "There is no pack “{title}” for this computer ({system}).", title=title, system=system
        ),
        Sentence("“voxline pack status” lists those that there are."),
    )


def no_python(why: str) -> DownloadError:
    return DownloadError(
        "no-python",
        Sentence("That Python cannot be used ({why}).", why=why),
        Sentence("A pack runs on CPython 3.11, 3.12 or 3.13. Without --python it finds its own."),
    )


def broken_archive(file: str) -> DownloadError:
    return DownloadError(
        "broken-archive",
        Sentence("{file} cannot be unpacked.", file=file),
        Sentence("Please report this: it is the file that this Voxline was made for."),
    )


def trial_failed(title: str, why: str) -> DownloadError:
    """It is all there, and does not run on this computer."""
    return DownloadError(
        "trial",
        Sentence("{title} does not work on this computer ({why}).", title=title, why=why),
        Sentence("Nothing was changed: captions go on as before."),
    )


def no_card(why: str) -> DownloadError:
    """PyTorch runs, and finds no graphics card."""
    return DownloadError(
        "no-card",
        Sentence("This PyTorch cannot use the graphics card ({why}).", why=why),
        Sentence(
            "It needs a driver for CUDA 13 (580 or newer), and a card of the series 16, 20 or "
            "newer. Nothing was changed: captions go on as before."
        ),
    )


def in_use(name: str, why: str) -> DownloadError:
    return DownloadError(
        "in-use",
        Sentence("The pack {name} could not be removed ({why}).", name=name, why=why),
        Sentence("Choose another model first, or close what else uses it."),
    )


__all__ = ["GOES_ON", "AgainError", "DownloadError"]

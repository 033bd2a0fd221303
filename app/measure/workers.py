"""Which of an app's processes is which: for whoever kills, freezes or weighs one of them."""

from __future__ import annotations

import psutil

_WORKER = "app.worker.process"


def captions_worker(app_pid: int) -> psutil.Process | None:
    """The process whose words are captions, not the one that hears again with nobody waiting.

    That one gives way, so it is the nicer of two; until it has said so it is the younger one.
    None: there is none at the moment.
    """
    try:
        children = psutil.Process(app_pid).children()
    except psutil.Error:
        return None
    workers = [(found, child) for child in children if (found := _rank(child)) is not None]
    return min(workers, key=lambda each: each[0], default=(None, None))[1]


def _rank(child: psutil.Process) -> tuple[int, float] | None:
    """How nice a worker is and when it was made; None if it is none, or gone while we look: then
    the others are what they are."""
    try:
        if _WORKER in child.cmdline():
            return child.nice(), child.create_time()
    except psutil.Error:
        pass
    return None

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
        workers = [child for child in children if _WORKER in child.cmdline()]
        return min(workers, key=lambda each: (each.nice(), each.create_time()), default=None)
    except psutil.Error:
        return None  # gone while we looked

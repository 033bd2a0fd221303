"""Python's collector of reference cycles, kept to the thread that owns the windows.

Python collects in whatever thread happens to allocate. A cycle that holds a QObject would then die
in the session's thread or a download's, and Qt's objects may only be deleted where they live: the
process ends with a segmentation fault, seldom and far from the cause. So nothing is collected by
itself; a timer of the window's own thread does it.

Knows nothing of what is collected.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Qt, QTimer

EVERY_MS = 1000


class Garbage(QObject):
    """From its making until `close`, cycles die in this thread only, once a second at the soonest.

    Generations are due when Python itself would hold them due (`gc.get_threshold`), but no more
    than one of them is collected at a time.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        gc.freeze()  # what has been imported stays: no look need go through all of it
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._timer.timeout.connect(collect_due)
        self._timer.start(EVERY_MS)

    def settle(self) -> None:
        """Call when everything is built: what is there stays, and need not be looked at again."""
        gc.collect()
        gc.freeze()

    def close(self) -> None:
        """Python collects by itself again. For when no thread but this one is left."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()


def collect_due() -> int | None:
    """Collect the oldest generation that is due, in the calling thread; None when none is."""
    due = [
        generation
        for generation, (count, most) in enumerate(
            zip(gc.get_count(), gc.get_threshold(), strict=True)
        )
        if most and count > most
    ]
    return gc.collect(due[-1]) if due else None

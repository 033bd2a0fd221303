"""Long work that a window has asked for, on a thread of its own: a download, a check, a removal.

What it tells is heard in the UI thread. Knows nothing of what is done.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.ui.state.ui_thread import Knock
from model_backends.base import UserError

if TYPE_CHECKING:
    from app.models.download import Progress
    from model_backends.downloads.fetch import Stop

log = logging.getLogger(__name__)

_UNEXPECTED = UserError(
    "Something went wrong inside Voxline.", "The log says what: Help, Open log folder."
)
_LEAVE_S = 5.0  # how long the end of the app waits for one to let go


@dataclass(frozen=True, slots=True)
class End:
    """Neither done nor failed: stopped."""

    done: bool = False
    failure: UserError | None = None


class Job:
    """One thread's work on one thing, which has a name.

    No QObject, since its thread outlives whoever asked for it.
    """

    def __init__(
        self,
        work: Callable[[Job], None],
        told: Callable[[str, Progress], None],
        ended: Callable[[str, End], None],
        name: str,
    ) -> None:
        from model_backends.downloads.fetch import Stop

        self.stop: Stop = Stop()
        self._work, self._name = work, name
        self._told, self._ended = Knock(told), Knock(ended)
        self._thread = threading.Thread(target=self._run, name="job", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def leave(self) -> None:
        """The app ends; it was asked to stop."""
        self._thread.join(_LEAVE_S)

    def _run(self) -> None:
        from model_backends.downloads.fetch import StoppedError

        end = End(done=True)
        try:
            self._work(self)
        except StoppedError:
            end = End()
        except UserError as error:
            end = End(failure=error)
        except Exception:
            log.exception("%s could not be done", self._name)
            end = End(failure=_UNEXPECTED)
        self._ended(self._name, end)

    def report(self, progress: Progress) -> None:
        self._told(self._name, progress)

"""One Voxline per user and data folder: a second one asks the first to show itself, and leaves.

Knows nothing of windows; `raise_requested` says that another start was attempted.
"""

from __future__ import annotations

import hashlib
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

ANSWER_WITHIN_MS = 2000
_ASK = b"show\n"
_ANSWER = b"shown\n"


class Claim(Enum):
    """What came of asking to be the only instance."""

    FIRST = auto()  # this one goes on
    SHOWN = auto()  # another runs and has shown its window
    MUTE = auto()  # another runs and does not answer


class SingleInstance(QObject):
    """The lock on a folder, held as a local socket for as long as this object lives."""

    raise_requested = Signal()

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()
        self._name = f"voxline-{digest[:16]}"
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._greet)

    def claim(self) -> Claim:
        """Be the first instance, or have the first one show itself."""
        for _ in range(2):  # twice: two may have started in the same instant
            answer = self._ask_the_first()
            if answer is not None:
                return Claim.SHOWN if answer else Claim.MUTE
            QLocalServer.removeServer(self._name)  # nobody listens: left by a crash
            if self._server.listen(self._name):
                return Claim.FIRST
        return Claim.FIRST  # no local sockets here at all: better two windows than none

    def release(self) -> None:
        self._server.close()

    def _ask_the_first(self) -> bool | None:
        """Whether the first instance answered; None if there is none."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(ANSWER_WITHIN_MS):
            return None
        socket.write(_ASK)
        socket.waitForBytesWritten(ANSWER_WITHIN_MS)
        answered = socket.waitForReadyRead(ANSWER_WITHIN_MS)
        return answered and bytes(socket.readAll().data()) == _ANSWER

    def _greet(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.disconnected.connect(socket.deleteLater)
        socket.readyRead.connect(lambda: self._answer(socket))
        self._answer(socket)  # what came before we listened

    def _answer(self, socket: QLocalSocket) -> None:
        if bytes(socket.readAll().data()).startswith(_ASK):
            self.raise_requested.emit()
            socket.write(_ANSWER)
            socket.flush()

"""One Voxline per user and data folder: a second one asks the first to show itself, and leaves.

The same socket takes the orders of `voxline control`. It lies in a folder that only this user can
write to, and its other end must belong to this user: whoever else answers is not Voxline, and
must not keep it from opening. Knows nothing of windows or of what is ordered.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from app.native import DESKTOP
from app.native.doorway import address, is_private, peer_uid

__all__ = ["Claim", "SingleInstance", "is_ours", "is_private", "peer_uid"]

ANSWER_WITHIN_MS = 5000  # a computer with much else to do needs two
LONGEST_LINE = 32_768  # bytes of an order, which may name a file: whoever sends more gets no answer
_ASK = b"show"
_ANSWER = b"shown"


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
        self._name = address(folder)
        self._obey: Callable[[str], str] | None = None
        self._waiting: list[tuple[QLocalSocket, str]] = []  # orders that came too early
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._greet)

    def claim(self, orders: Sequence[str] = ()) -> Claim:
        """Be the first instance, or have the first one obey these orders or show itself."""
        for _ in range(2):  # twice: two may have started in the same instant
            answer = self._ask_the_first(orders)
            if answer is not None:
                return Claim.SHOWN if answer else Claim.MUTE
            QLocalServer.removeServer(self._name)  # nobody of ours listens: left by a crash
            if self._server.listen(self._name):
                return Claim.FIRST
        return Claim.FIRST  # no local sockets here at all: better two windows than none

    def serve(self, obey: Callable[[str], str]) -> None:
        """From now on `obey` answers what is ordered, a line with a line."""
        self._obey = obey
        waiting, self._waiting = self._waiting, []
        for link, line in waiting:
            self._reply(link, obey(line))

    def release(self) -> None:
        self._server.close()

    def _ask_the_first(self, orders: Sequence[str]) -> bool | None:
        """Whether the first instance answered; None if there is none."""
        link = QLocalSocket()
        link.connectToServer(self._name)
        if not link.waitForConnected(ANSWER_WITHIN_MS) or not is_ours(link):
            return None
        asked = [line.encode() for line in orders] or [_ASK]
        link.write(b"".join(line + b"\n" for line in asked))
        link.waitForBytesWritten(ANSWER_WITHIN_MS)
        answers = b""
        while answers.count(b"\n") < len(asked) and link.waitForReadyRead(ANSWER_WITHIN_MS):
            answers += bytes(link.readAll().data())
        return answers.strip() == _ANSWER if not orders else b"\n" in answers

    def _greet(self) -> None:
        link = self._server.nextPendingConnection()
        link.disconnected.connect(lambda: self._forget(link))
        if not is_ours(link):
            link.abort()
            return
        link.readyRead.connect(lambda: self._read(link))
        self._read(link)  # what came before we listened

    def _read(self, link: QLocalSocket) -> None:
        """Whole lines; what comes by halves is waited for."""
        while link.canReadLine():
            line = bytes(link.readLine().data()).strip()
            if line == _ASK:
                self.raise_requested.emit()
                self._reply(link, _ANSWER.decode())
            elif self._obey is None:
                self._waiting.append((link, line.decode(errors="replace")))
            else:
                self._reply(link, self._obey(line.decode(errors="replace")))
        if link.bytesAvailable() > LONGEST_LINE:
            link.abort()

    def _forget(self, link: QLocalSocket) -> None:
        self._waiting = [entry for entry in self._waiting if entry[0] is not link]
        link.deleteLater()

    @staticmethod
    def _reply(link: QLocalSocket, line: str) -> None:
        link.write(line.encode() + b"\n")
        link.flush()


def is_ours(link: QLocalSocket) -> bool:
    """Whether the process at the other end is this user's; True where that cannot be asked."""
    if DESKTOP == "windows":
        return True  # a pipe's name is bound to the session, its access to the user
    uid = peer_uid(int(link.socketDescriptor()))
    return uid is None or uid == os.getuid()

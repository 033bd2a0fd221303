"""One Voxline per user and data folder: a second one asks the first to show itself, and leaves.

The socket lies in a folder that only this user can write to, and its other end must belong to
this user: whoever else answers is not Voxline, and must not keep it from opening. Knows nothing of
windows; `raise_requested` says that another start was attempted.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import socket
import stat
import struct
import tempfile
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from app.native import DESKTOP

ANSWER_WITHIN_MS = 2000
_ASK = b"show\n"
_ANSWER = b"shown\n"
_LONGEST_PATH = 100  # bytes; the system's limit for a socket is 104 or 108


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
        self._name = _address(f"voxline-{digest[:16]}")
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._greet)

    def claim(self) -> Claim:
        """Be the first instance, or have the first one show itself."""
        for _ in range(2):  # twice: two may have started in the same instant
            answer = self._ask_the_first()
            if answer is not None:
                return Claim.SHOWN if answer else Claim.MUTE
            QLocalServer.removeServer(self._name)  # nobody of ours listens: left by a crash
            if self._server.listen(self._name):
                return Claim.FIRST
        return Claim.FIRST  # no local sockets here at all: better two windows than none

    def release(self) -> None:
        self._server.close()

    def _ask_the_first(self) -> bool | None:
        """Whether the first instance answered; None if there is none."""
        link = QLocalSocket()
        link.connectToServer(self._name)
        if not link.waitForConnected(ANSWER_WITHIN_MS) or not is_ours(link):
            return None
        link.write(_ASK)
        link.waitForBytesWritten(ANSWER_WITHIN_MS)
        answered = link.waitForReadyRead(ANSWER_WITHIN_MS)
        return answered and bytes(link.readAll().data()) == _ANSWER

    def _greet(self) -> None:
        link = self._server.nextPendingConnection()
        link.disconnected.connect(link.deleteLater)
        if not is_ours(link):
            link.abort()
            return
        link.readyRead.connect(lambda: self._answer(link))
        self._answer(link)  # what came before we listened

    def _answer(self, link: QLocalSocket) -> None:
        if bytes(link.readAll().data()).startswith(_ASK):
            self.raise_requested.emit()
            link.write(_ANSWER)
            link.flush()


def is_ours(link: QLocalSocket) -> bool:
    """Whether the process at the other end is this user's; True where that cannot be asked."""
    if DESKTOP == "windows":
        return True  # a pipe's name is bound to the session, its access to the user
    uid = peer_uid(int(link.socketDescriptor()))
    return uid is None or uid == os.getuid()


def peer_uid(descriptor: int) -> int | None:
    """The user at the other end of a connected socket; None if this system does not say."""
    if hasattr(socket, "SO_PEERCRED"):
        return _linux_peer(descriptor)
    ask = getattr(ctypes.CDLL(None), "getpeereid", None)  # macOS and the BSDs
    uid, gid = ctypes.c_uint32(), ctypes.c_uint32()
    if ask is None or ask(descriptor, ctypes.byref(uid), ctypes.byref(gid)) != 0:
        return None
    return uid.value


def _linux_peer(descriptor: int) -> int | None:
    """struct ucred: process, user, group."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as link:
            packed = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return None
    uid: int = struct.unpack("3i", packed)[1]
    return uid


def _address(name: str) -> str:
    """A path in this user's own folder; on Windows a pipe's name, which has no folder."""
    if DESKTOP == "windows":
        return name
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(runtime) if runtime else None
    if folder is None or not is_private(folder) or len(os.fsencode(folder / name)) > _LONGEST_PATH:
        folder = Path(tempfile.gettempdir()) / f"voxline-{os.getuid()}"
        if not _made_private(folder):
            folder = Path(tempfile.mkdtemp(prefix="voxline-"))  # 0700; two windows, but a window
    return str(folder / name)


def is_private(folder: Path) -> bool:
    """A folder of this user that nobody else may enter, and no link to one."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return ours and not stat.S_IMODE(found.st_mode) & 0o077


def _made_private(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return False
    return is_private(folder)

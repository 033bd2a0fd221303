"""Where the running Voxline is asked: a socket in a folder that only this user can enter.

One for each data folder. Whoever else answers there is not Voxline. Loads no Qt, so that a
command that asks need not wait for it; knows nothing of what is asked.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import socket
import stat
import struct
import tempfile
from pathlib import Path

from app.native import DESKTOP

_LONGEST_PATH = 100  # bytes; the system's limit for a socket is 104 or 108


def address(data_folder: Path) -> str:
    """The socket's path, in a folder made if need be; on Windows a pipe's name, without a folder.

    Where no folder can be had that is this user's alone, the path is new each time: two windows,
    but a window.
    """
    name = _name(data_folder)
    if DESKTOP == "windows":
        return name
    folder = _folder(name)
    if not _made_private(folder):
        folder = Path(tempfile.mkdtemp(prefix="voxline-"))  # 0700
    return str(folder / name)


def ask(data_folder: Path, line: str, within_s: float) -> str | None:
    """Send a line to the Voxline that runs; its answer, a line. None if none runs.

    Raises TimeoutError if it does not answer in time, OSError if it leaves meanwhile.
    """
    name = _name(data_folder)
    if DESKTOP == "windows":
        return _ask_pipe(rf"\\.\pipe\{name}", line)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(within_s)
        folder = _folder(name)
        if not is_private(folder):
            return None
        try:
            link.connect(str(folder / name))
        except (FileNotFoundError, ConnectionRefusedError):  # the second: left by a crash
            return None
        if peer_uid(link.fileno()) not in (None, os.getuid()):
            return None
        link.sendall(line.encode() + b"\n")
        with link.makefile("rb") as answer:
            return _whole(answer.readline())


def _ask_pipe(path: str, line: str) -> str | None:
    """A named pipe reads and writes like a file. Not run on Windows yet."""
    try:
        with open(path, "r+b", buffering=0) as link:  # noqa: PTH123 - a Path makes another of it
            link.write(line.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n") and (part := link.read(4096)):
                answer += part
            return _whole(answer)
    except FileNotFoundError:
        return None


def _whole(answer: bytes) -> str:
    if not answer.endswith(b"\n"):
        raise ConnectionResetError("it left before it had answered")
    return answer.decode().removesuffix("\n")


def peer_uid(descriptor: int) -> int | None:
    """The user at the other end of a connected socket; None if this system does not say."""
    if hasattr(socket, "SO_PEERCRED"):
        return _linux_peer(descriptor)
    get_peer = getattr(ctypes.CDLL(None), "getpeereid", None)  # macOS and the BSDs
    uid, gid = ctypes.c_uint32(), ctypes.c_uint32()
    if get_peer is None or get_peer(descriptor, ctypes.byref(uid), ctypes.byref(gid)) != 0:
        return None
    return uid.value


def is_private(folder: Path) -> bool:
    """A folder of this user that nobody else may enter, and no link to one."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return ours and not stat.S_IMODE(found.st_mode) & 0o077


def _linux_peer(descriptor: int) -> int | None:
    """struct ucred: process, user, group."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as link:
            packed = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return None
    uid: int = struct.unpack("3i", packed)[1]
    return uid


def _name(data_folder: Path) -> str:
    digest = hashlib.sha256(str(data_folder.resolve()).encode()).hexdigest()
    return f"voxline-{digest[:16]}"


def _folder(name: str) -> Path:
    """The session's own folder, else one in the temporary folder, named after the user."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(runtime)
    if runtime and is_private(folder) and len(os.fsencode(folder / name)) <= _LONGEST_PATH:
        return folder
    return Path(tempfile.gettempdir()) / f"voxline-{os.getuid()}"


def _made_private(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return False
    return is_private(folder)

"""HAProxy as it is shipped for a team, in front of two servers on this computer.

Knows nothing about what the servers are; it counts their streams and tells whether they are up.
"""

from __future__ import annotations

import csv
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app import paths
from app.measure.ports import free_port, wait_for

CONFIG = paths.resource("team/haproxy.cfg")
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


class Balancer:
    """A process of its own; a context manager. `url` is where clients come in."""

    def __init__(self, ports: Sequence[int], streams: int) -> None:
        """`ports`: of the two servers; `streams`: how many each is to hear. RuntimeError where
        there is no HAProxy."""
        if HAPROXY is None:
            raise RuntimeError("haproxy is not installed; Debian has it")
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="haproxy-")  # short: it holds a socket
        self._socket = Path(self._folder.name) / "admin.sock"
        self._environment = os.environ | {
            "VOXLINE_BIND": f"127.0.0.1:{self.port}",
            "VOXLINE_GPU0": f"127.0.0.1:{ports[0]}",
            "VOXLINE_GPU1": f"127.0.0.1:{ports[1]}",
            "VOXLINE_STREAMS": str(streams),
            "VOXLINE_SOCKET": str(self._socket),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Balancer:
        command = [str(HAPROXY), "-db", "-f", str(CONFIG)]
        self._process = subprocess.Popen(command, env=self._environment)
        try:
            wait_for(self.port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def streams(self) -> list[int]:
        """Of each server, as HAProxy counts them."""
        return [int(row["scur"]) for row in self._servers()]

    @property
    def up(self) -> list[bool]:
        """Whether each server answers HAProxy's checks."""
        return [row["status"].startswith("UP") for row in self._servers()]

    def _servers(self) -> list[dict[str, str]]:
        rows = csv.DictReader(self._ask("show stat").removeprefix("# ").splitlines())
        return [row for row in rows if row["pxname"] == "realtime" and row["svname"][:3] == "gpu"]

    def _ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self._socket))
            admin.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: admin.recv(65_536), b"")).decode()

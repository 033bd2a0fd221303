"""A private D-Bus session bus, for what talks to the desktop. Knows nothing of who is on it."""

from __future__ import annotations

import shutil
import subprocess

TOOLS = ("dbus-daemon",)


def missing_tools() -> list[str]:
    """The programs that this needs and that are not on the PATH."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


class Bus:
    """One daemon; `close()` ends it, and with it what it has started."""

    def __init__(self) -> None:
        command = ["dbus-daemon", "--session", "--nofork", "--print-address"]
        if shutil.which("setpriv"):
            command = ["setpriv", "--pdeathsig", "TERM", *command]  # ends with us, even killed
        self._daemon = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._daemon.stdout
        self.address = self._daemon.stdout.readline().strip()

    def close(self) -> None:
        self._daemon.terminate()
        self._daemon.communicate()

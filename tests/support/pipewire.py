"""A private PipeWire with its session manager: what most Linux desktops have in PulseAudio's place.

To be heard and steered as `pulse.PulseServer` is, through PipeWire's own PulseAudio protocol.
Knows nothing of the app.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping

from tests.support.pulse import PulseServer

TOOLS = ("pipewire", "wireplumber", "pipewire-pulse", "dbus-daemon", "pactl", "paplay")
_PATIENCE_S = 60.0


def missing_tools() -> list[str]:
    """The programs that this needs and that are not on the PATH."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


class PipeWireServer(PulseServer):
    """The same sinks and sources by the same names. `close()` ends it and what plays into it."""

    _programs: list[subprocess.Popen[bytes]]

    def start(self) -> None:
        """Starts bus, server, session manager and protocol; returns when it takes streams."""
        runtime = self.variables["XDG_RUNTIME_DIR"]
        bus = f"unix:path={runtime}/bus"
        self.variables |= {"DBUS_SESSION_BUS_ADDRESS": bus, "PIPEWIRE_RUNTIME_DIR": runtime}
        inner = self.env | {"XDG_CONFIG_HOME": self.variables["HOME"] + "/.config"}
        inner |= {"XDG_STATE_HOME": self.variables["HOME"] + "/.state"}
        inner.pop("PULSE_SERVER")
        self._programs = []
        try:
            self._start_programs(runtime, bus, inner)
        except BaseException:
            self.close()
            raise

    def _start_programs(self, runtime: str, bus: str, inner: Mapping[str, str]) -> None:
        self._run(["dbus-daemon", "--session", f"--address={bus}", "--nofork"], inner)
        _until(lambda: _answers(f"{runtime}/bus"), "the bus")
        self._run(["pipewire"], inner)
        _until(lambda: _answers(f"{runtime}/pipewire-0"), "PipeWire")
        self._run(["wireplumber"], inner)
        self._run(["pipewire-pulse"], inner)
        _until(self._manages, "the session manager")
        self._add_devices()

    def kill(self) -> None:
        """All of it is gone at once."""
        for program in reversed(self._programs):
            program.kill()
            program.wait()

    def freeze(self, on: bool = True) -> None:
        """Stops all of it in its tracks, until `freeze(False)`."""
        for program in self._programs:
            program.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def _run(self, command: list[str], env: Mapping[str, str]) -> None:
        with self.log.open("ab") as log:
            program = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        self._programs.append(program)

    def _manages(self) -> bool:
        """The session manager gives a server that has no output a dummy one."""
        command = ["pactl", "list", "short", "sinks"]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True)
        return "auto_null" in done.stdout

    def _add_devices(self) -> None:
        for module in self.modules():
            self.pactl("load-module", *module.split())
        for kind, name in (("sinks", self.system_sink), ("sources", self.source)):
            _until(lambda: name in self.pactl("list", "short", kind), name)  # noqa: B023
        self.pactl("set-default-source", self.source)
        self.pactl("set-default-sink", self.system_sink)
        _until(lambda: self.source in self.pactl("info"), "the default source")
        _until(lambda: self.system_sink in self.pactl("info"), "the default sink")


def _answers(path: str) -> bool:
    """The file is there before anybody listens behind it: who calls then is refused, and ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        return link.connect_ex(path) == 0


def _until(ready: object, what: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not ready():  # type: ignore[operator]
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come")
        time.sleep(0.02)

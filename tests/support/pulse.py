"""A private PulseAudio daemon: the sound card of a machine that has none.

What is played into the sink `virtmic_sink` is heard from the source `virtmic`, as from a
microphone; what is played into `speakers` is the system's sound. Knows nothing of the app.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import soundfile

TOOLS = ("pulseaudio", "pactl", "paplay", "pacat")
_NO_DBUS = (
    "unix:path=/nonexistent"  # else libpulse starts a bus of its own where it finds a display
)
_PATIENCE_S = 60.0


def missing_tools() -> list[str]:
    """The programs that this needs and that are not on the PATH."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


class PulseServer:
    """One daemon with a folder of its own. `close()` ends it and what plays into it."""

    source = "virtmic"
    sink = "virtmic_sink"
    system_source = "speakers.monitor"
    system_sink = "speakers"

    def __init__(self, folder: Path) -> None:
        """Starts the daemon; returns when it answers.

        `folder` must be short: a socket's path has at most 107 bytes.
        Raises subprocess.CalledProcessError when it does not start.
        """
        runtime, home = folder / "run", folder / "home"
        runtime.mkdir(mode=0o700)
        home.mkdir()
        self.variables = {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            "PULSE_SERVER": f"unix:{runtime}/pulse/native",
            "DBUS_SESSION_BUS_ADDRESS": _NO_DBUS,
        }
        self.log = folder / "log"
        self._players: list[subprocess.Popen[bytes]] = []
        self._pid_file = runtime / "pulse" / "pid"
        self.start()

    @property
    def env(self) -> dict[str, str]:
        """The environment for a process that should hear this server."""
        return os.environ | self.variables

    def start(self) -> None:
        """Starts the daemon, the first time or after `kill()`."""
        inner = self.env
        inner.pop("PULSE_SERVER")  # a daemon that is told of a server refuses to be one
        command = [
            *("pulseaudio", "-n", "--daemonize=yes", "--use-pid-file=yes"),
            *("--exit-idle-time=900", f"--log-target=file:{self.log}"),
            *("-L", "module-native-protocol-unix"),
        ]
        for module in self.modules():
            command += ["-L", module]
        # With --daemonize the command returns once the daemon is ready to serve.
        subprocess.run(command, env=inner, check=True, stdin=subprocess.DEVNULL)
        self.pactl("set-default-source", self.source)
        self.pactl("set-default-sink", self.system_sink)

    def modules(self) -> tuple[str, ...]:
        """What makes the devices."""
        return (
            f"module-null-sink sink_name={self.sink} rate=48000 channels=2",
            f"module-remap-source source_name={self.source} master={self.sink}.monitor",
            f"module-null-sink sink_name={self.system_sink} rate=48000 channels=2",
        )

    @property
    def pid(self) -> int:
        return int(self._pid_file.read_text())

    def play(
        self,
        path: Path,
        *,
        wait: bool = True,
        sink: str | None = None,
        options: Sequence[str] = (),
    ) -> subprocess.Popen[bytes]:
        """Plays a sound file (WAV, FLAC, Ogg) into a sink, by default the microphone's.

        With `wait` returns when it has been played; else the player, to be waited for.
        """
        # so much is with the server ahead of time: a player that gets no processor leaves no hole
        command = ["paplay", "--latency-msec=4000", "-d", sink or self.sink, *options, str(path)]
        player = subprocess.Popen(command, env=self.env)
        self._players.append(player)
        if wait and player.wait() != 0:
            raise RuntimeError(f"paplay could not play {path}")
        return player

    def play_once(
        self,
        ready: Callable[[], bool],
        path: Path,
        *,
        sink: str | None = None,
        options: Sequence[str] = (),
    ) -> None:
        """As `play()` does without waiting, but its stream is there first, and has nothing to play
        until this is so. Returns then."""
        pcm, rate = soundfile.read(path, dtype="int16")
        command = ["pacat", "--playback", "--format=s16le", f"--rate={rate}", "--channels=1"]
        command += ["--latency-msec=4000", "-d", sink or self.sink, *options]
        player = subprocess.Popen(command, env=self.env, stdin=subprocess.PIPE)
        self._players.append(player)
        ends = time.monotonic() + _PATIENCE_S
        while not ready():
            assert time.monotonic() < ends
            time.sleep(0.05)
        threading.Thread(target=_give, args=(player, pcm.tobytes()), daemon=True).start()

    def pactl(self, *arguments: str) -> str:
        """Runs `pactl`, returns what it printed."""
        command = ["pactl", *arguments]
        done = subprocess.run(command, env=self.env, check=True, capture_output=True, text=True)
        return done.stdout

    def add_source(self, name: str, description: str, *, hears: bool = True) -> None:
        """One more microphone, which hears what the first does, or nothing."""
        # the arguments of a module are parsed by the server: quotes within quotes
        escaped = description.replace("\\", "\\\\").replace("'", "\\'")
        if hears:
            words = escaped.replace(" ", "\\ ")
            module: tuple[str, ...] = ("module-remap-source", f"master={self.sink}.monitor")
            module += (f"source_properties=device.description='{words}'",)
        else:
            module = ("module-null-source", f"description='{escaped}'")
        self.pactl("load-module", *module, f"source_name={name}")

    def suspend(self, source: str | None = None, on: bool = True) -> None:
        """A suspended source delivers nothing and tells nobody."""
        self.pactl("suspend-source", source or self.source, "1" if on else "0")

    def unplug(self) -> None:
        """Takes the microphone away; PulseAudio moves its readers to another source."""
        for line in self.pactl("list", "short", "modules").splitlines():
            if f"source_name={self.source} " in line:
                self.pactl("unload-module", line.split()[0])

    def plug(self) -> None:
        """After `unplug()`: the microphone is there again, as the default one."""
        module = next(m for m in self.modules() if f"source_name={self.source} " in m)
        self.pactl("load-module", *module.split())
        self.pactl("set-default-source", self.source)

    def freeze(self, on: bool = True) -> None:
        """Stops the daemon in its tracks: calls into it hang until `freeze(False)`."""
        os.kill(self.pid, signal.SIGSTOP if on else signal.SIGCONT)

    def kill(self) -> None:
        """The daemon is gone at once, as in a crash."""
        daemon = psutil.Process(self.pid)
        daemon.kill()
        _until_gone(daemon)  # else the next daemon may take the dying one for a living one
        self._pid_file.unlink()

    def close(self) -> None:
        for player in self._players:
            player.kill()
            player.wait()
        try:
            self.kill()
        except (FileNotFoundError, psutil.NoSuchProcess):
            pass  # a test has killed it


def _give(player: subprocess.Popen[bytes], data: bytes) -> None:
    assert player.stdin is not None
    with contextlib.suppress(OSError), player.stdin:  # it may be ended at any time
        player.stdin.write(data)


def _until_gone(daemon: psutil.Process) -> None:
    """It is nobody's child: whether somebody takes note of its end is not ours to know."""
    ends = time.monotonic() + _PATIENCE_S
    with contextlib.suppress(psutil.NoSuchProcess):
        while daemon.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < ends, "it cannot be killed"
            time.sleep(0.01)

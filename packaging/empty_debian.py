"""An empty Debian in a folder, as a computer with users, for `life_proof.py`.

It has a disk (debootstrap's), processes and, once cut off, a network of its own; its users get a
screen, a sound server with a virtual microphone and a session bus. Needs root. Must run where
mounts and processes are its own, so that all of it goes with the process (`alone()`). Knows nothing
of the app.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TOOLS = {"debootstrap": "debootstrap", "unshare": "util-linux", "ip": "iproute2"}
RELEASE = "bookworm"
# what a user's session is made of here; none of it is the app's to bring
BENCH = (
    *("xvfb", "openbox", "dbus", "pulseaudio", "pulseaudio-utils", "libglib2.0-bin", "procps"),
    *("libportaudio2", "libasound2-plugins", "gnome-keyring", "fonts-dejavu-core"),
)
MARK = "--alone"
# Only for what hangs. A busy computer takes minutes for what is done at once elsewhere, so that
# whoever waits looks whether what they wait for is still at work, and not at the clock.
HANGS_S = 3600.0
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_SESSION = """set -e
export XDG_RUNTIME_DIR=$HOME/.run
mkdir -p -m 700 "$XDG_RUNTIME_DIR"
Xvfb $DISPLAY -screen 0 1280x800x24 -nolisten tcp +extension Composite -noreset &
screen=$!
until [ -S "/tmp/.X11-unix/X${DISPLAY#:}" ]; do kill -0 $screen; sleep 0.1; done
openbox &
pulseaudio -n --daemonize=yes --exit-idle-time=-1 "--log-target=file:$HOME/.sound.log" \
  -L module-native-protocol-unix \
  -L "module-null-sink sink_name=mic_sink rate=48000" \
  -L "module-remap-source source_name=mic master=mic_sink.monitor" \
  -L "module-null-sink sink_name=speakers rate=48000"
until pactl set-default-source mic; do pulseaudio --check; sleep 0.1; done
until pactl set-default-sink speakers; do pulseaudio --check; sleep 0.1; done
env -0 > "$HOME/.session"
mv "$HOME/.session" "$HOME/.session-is-up"
exec sleep infinity
"""


class LifeError(Exception):
    """Something is not as it should be; says what."""


def alone(arguments: Sequence[str]) -> bool:
    """Whether mounts and processes are this program's own. If not, it is run anew so, and ends."""
    if MARK in arguments:
        return True
    command = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
    command += ["--mount-proc"]
    command += [sys.executable, str(Path(sys.argv[0]).resolve()), MARK, *arguments]
    sys.exit(subprocess.run(command).returncode)


@dataclass(frozen=True)
class Person:
    """A user of the computer."""

    name: str
    number: int
    home: str


class Computer:
    """The root folder, as a computer that is on."""

    def __init__(self, root: Path, base: Path | None) -> None:
        """`base`: a root that debootstrap made before. Raises CalledProcessError."""
        self.root = root
        if base is None:
            _run("debootstrap", "--variant=minbase", RELEASE, str(root))
        else:
            _run("cp", "-a", "--reflink=auto", f"{base}/.", str(root))
        for kind, place in (("proc", "proc"), ("tmpfs", "run"), ("tmpfs", "tmp")):
            _run("mount", "-t", kind, kind, str(root / place))
        for place in ("dev", "sys"):
            _run("mount", "--rbind", f"/{place}", str(root / place))
        _run("mount", "--bind", str(root / "usr"), str(root / "usr"))
        (root / "tmp").chmod(0o1777)
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        self._write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        self._write("etc/dpkg/dpkg.cfg.d/in-haste", "force-unsafe-io\n", 0o644)
        self._write("opt/session.sh", _SESSION, 0o755)

    def apt(self, *arguments: str) -> str:
        """apt-get as root; what it tells."""
        patient = ("-o", "Acquire::Retries=5")
        return self.run(["apt-get", "-q", "-y", *patient, "--no-install-recommends", *arguments])

    def read_only(self, wanted: bool) -> None:
        """Whether nobody can write to /usr."""
        how = "remount,bind,ro" if wanted else "remount,bind,rw"
        _run("mount", "-o", how, str(self.root / "usr"))

    def cut_off(self) -> None:
        """No network from now on, but the computer's own."""
        if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK) != 0:
            raise LifeError(f"the network cannot be taken away: {os.strerror(ctypes.get_errno())}")
        _run("ip", "link", "set", "lo", "up")

    def add(self, person: Person) -> None:
        owner = str(person.number)
        self.run(["useradd", "-M", "-d", person.home, "-u", owner, "-s", "/bin/sh", person.name])
        home = self.inside(person.home)
        home.mkdir(parents=True)
        os.chown(home, person.number, person.number)

    def inside(self, path: str) -> Path:
        """Where a file of the computer's lies for us."""
        return self.root / path.lstrip("/")

    def files(self) -> set[str]:
        """Every file of the system's: not the users', nor what apt and caches keep."""
        found = set()
        for place in ("usr", "etc", "opt", "srv", "var"):
            for folder, _, names in os.walk(self.root / place):
                found |= {f"{folder.removeprefix(str(self.root))}/{name}" for name in names}
        kept = ("/var/cache/", "/var/lib/apt/", "/var/lib/dpkg/", "/var/log/", "/etc/ld.so.cache")
        return {path for path in found if not path.startswith(kept)}

    def run(self, command: Sequence[str], typed: str = "") -> str:
        """As root; what it prints. Raises LifeError if it fails."""
        return _told(self.command(command), typed)

    def command(
        self, command: Sequence[str], person: Person | None = None, **variables: str
    ) -> list[str]:
        """What runs a program there, for root or a user, with a clean environment."""
        known = {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/games:/usr/sbin:/sbin",
            "HOME": person.home if person else "/root",
            "USER": person.name if person else "root",
            "LANG": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
        } | variables
        who = [f"--userspec={person.number}:{person.number}", "--groups="] if person else []
        values = [f"{name}={value}" for name, value in known.items()]
        return ["chroot", *who, str(self.root), "env", "-i", *values, *command]

    def _write(self, path: str, text: str, mode: int) -> None:
        target = self.inside(path)
        target.write_text(text, "utf-8")
        target.chmod(mode)


class Desk:
    """A user who sits at the computer: a screen, sound and a session bus, until `close()`."""

    def __init__(self, computer: Computer, person: Person, display: str) -> None:
        self.computer, self.person = computer, person
        session = ["dbus-run-session", "--", "sh", "/opt/session.sh"]
        command = computer.command(session, person, DISPLAY=display, XDG_SESSION_TYPE="x11")
        self._log = (computer.root / "var/log" / f"{person.name}.log").open("wb")
        self._session = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        marker = self.home / ".session-is-up"
        try:
            wait_for(marker.exists, self._not_begun, lambda: self._session.poll() is None)
        except LifeError:
            self.close()
            raise
        pairs = (pair.partition("=") for pair in marker.read_text("utf-8").split("\0") if pair)
        self._variables = {name: value for name, _, value in pairs}

    def _not_begun(self) -> str:
        logs = [Path(self._log.name), self.home / ".sound.log"]
        said = " ".join(log.read_text("utf-8", "replace")[-1500:] for log in logs if log.exists())
        ended = self._session.poll()
        how = "does not begin" if ended is None else f"ended with {ended} before it began"
        return f"the session of {self.person.name} {how}: {said.strip()}"

    @property
    def home(self) -> Path:
        """Where the home lies for us."""
        return self.computer.inside(self.person.home)

    def start(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        """A program in this session that goes on by itself."""
        whole = self._command(command, more)
        return subprocess.Popen(
            whole, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log
        )

    def run(self, *command: str, typed: str = "", **more: str) -> str:
        """A program in this session; what it prints. Raises LifeError if it fails."""
        return _told(self._command(command, more), typed)

    def launch(self, *command: str, typed: str = "", **more: str) -> None:
        """A program that leaves another behind, which goes on. Raises LifeError if it fails."""
        whole, kept = self._command(command, more), self._log  # no pipe: the other would hold it
        done = subprocess.run(
            whole, input=typed.encode(), stdout=kept, stderr=kept, timeout=HANGS_S
        )
        if done.returncode != 0:
            raise LifeError(f"{' '.join(command)} ended with {done.returncode}")

    def say(self, sound: str) -> None:
        """Play a file into the microphone, to its end."""
        self.run("paplay", "--latency-msec=200", "-d", "mic_sink", sound)

    def _command(self, command: Sequence[str], more: dict[str, str]) -> list[str]:
        return self.computer.command(command, self.person, **self._variables | more)

    def processes(self, part: str) -> dict[int, str]:
        """Process id and command line of the user's processes whose command line has `part`."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if folder.stat().st_uid == self.person.number:
                    line = (folder / "cmdline").read_bytes().decode("utf-8", "replace")
                    if part in (words := line.replace("\0", " ").strip()):
                        found[int(folder.name)] = words
            except OSError:
                continue  # it has just ended
        return found

    def close(self) -> None:
        """End everything of the session."""
        self._session.terminate()
        self._session.wait()
        for pid in self.processes(""):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._log.close()


def wait_for(
    condition: Callable[[], object],
    otherwise: str | Callable[[], str],
    going: Callable[[], object] = lambda: True,
) -> None:
    """Until it comes true. Raises LifeError if what would make it true is no longer `going`, or
    hangs; `otherwise` says what is wrong then."""
    if not came_true(condition, going, HANGS_S):
        raise LifeError(otherwise if isinstance(otherwise, str) else otherwise())


def came_true(
    condition: Callable[[], object], going: Callable[[], object], patience_s: float
) -> bool:
    """Waits for it, as long as it may still come true, and no longer than that."""
    end = time.monotonic() + patience_s
    while not condition():
        if not going():
            return bool(condition())  # its last deed may have been just this
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _told(command: Sequence[str], typed: str) -> str:
    done = subprocess.run(
        command,
        input=typed,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=HANGS_S,
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()[-3000:]
        raise LifeError(f"{' '.join(command[-6:])} ended with {done.returncode}: {said}")
    return done.stdout.strip()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

"""Nothing leaves the machine: the real command and the real window, watched by the kernel.

`listen`, `transcribe` and the window caption looped speech side by side, each under strace and,
where we may, in a network namespace of its own. None of their processes may open an internet
socket: sound server, display and our own pipes need none. onnxruntime's first report was seen
after 17 s, so they run well past that.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from app import privacy
from app.audio.files import int16_bytes, open_sound
from app.worker.link import child_env
from tests.support.pulse import PulseServer
from tests.support.screen import Screen

SECONDS = 40  # the first report came after 17 s, others after 23, 31 and 53
_INTERNET = re.compile(r"socket\(AF_INET6?\b.*")

pytestmark = [
    pytest.mark.audio,
    pytest.mark.screen,
    pytest.mark.weights,
    pytest.mark.usefixtures("weights"),
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace (Linux)"),
]


def may_unshare() -> bool:
    """Whether we may make a network namespace; root may."""
    done = subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True)
    return done.returncode == 0


class Watched:
    """`python -m app` with these arguments, and every socket that it or its children open."""

    def __init__(self, folder: Path, name: str, environment: dict[str, str], *arguments: str):
        self.name = name
        self._trace = folder / f"{name}.trace"
        self.output = folder / f"{name}.out"
        alone = ["unshare", "--net"] if may_unshare() else []
        watch = ["strace", "-f", "--seccomp-bpf", "-e", "trace=socket", "-e", "signal=none"]
        home = folder / name
        home.mkdir()
        variables = {f"VOXLINE_{kind}": str(home) for kind in ("DATA", "CONFIG", "TRANSCRIPTS")}
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    *alone,
                    *watch,
                    "-o",
                    str(self._trace),
                    sys.executable,
                    "-P",
                    "-m",
                    "app",
                    *list(arguments),
                ],
                env=child_env() | environment | variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def fares_well(self) -> bool:
        """It runs, or has come to its end in good order."""
        return self._process.poll() in (None, 0)

    def stop(self) -> None:
        """End the app as Ctrl-C does, or by force; strace ends with it."""
        watched = psutil.Process(self._process.pid).children() if self.running else []
        for app in watched:
            with contextlib.suppress(psutil.NoSuchProcess):
                app.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            for each in (*watched, self._process):  # the app would outlive who watches it
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            self._process.wait()

    @property
    def sockets(self) -> list[str]:
        return re.findall(r"socket\(.*", self._trace.read_text("utf-8", "replace"))

    @property
    def internet_sockets(self) -> list[str]:
        return _INTERNET.findall(self._trace.read_text("utf-8", "replace"))


@contextmanager
def watched(
    folder: Path, name: str, environment: dict[str, str], *arguments: str
) -> Iterator[Watched]:
    app = Watched(folder, name, environment, *arguments)
    try:
        yield app
    finally:
        app.stop()


def looped(sample: Path, path: Path, times: int) -> Path:
    """The sample again and again, so that no program comes to its end."""
    with open_sound(sample) as sound:
        pcm = int16_bytes(np.concatenate(list(sound.blocks())))
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for _ in range(times):
            samples = np.frombuffer(pcm, dtype="<i2").reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate = 16_000
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def test_no_process_of_ours_opens_an_internet_socket(
    pulse: PulseServer, screen: Screen, tmp_path: Path, user_folders: Path, sample: Path
) -> None:
    environment = pulse.env | screen.env
    speech = looped(sample, tmp_path / "speech.wav", 120)
    pulse.play(speech, wait=False)
    with ExitStack() as stack:
        apps = [
            stack.enter_context(watched(tmp_path, name, environment, *arguments))
            for name, arguments in {
                "listen": ("listen", "--json", "--model", "tiny.en"),
                "transcribe": ("transcribe", "--output", "-", str(speech)),
                "window": (),
            }.items()
        ]
        time.sleep(SECONDS)  # what is waited for is that nothing happens
        ends = time.monotonic() + 120
        while '"word"' not in apps[0].output.read_text("utf-8") and time.monotonic() < ends:
            time.sleep(0.2)  # … while it captions
        ran = {app.name: app.fares_well for app in apps}
    for app in apps:
        assert not app.internet_sockets, f"{app.name} opened an internet socket"
        assert any("AF_UNIX" in each for each in app.sockets) or app.name == "transcribe"
    assert all(ran.values()), [app.output.read_text("utf-8")[-300:] for app in apps]
    assert '"word"' in apps[0].output.read_text("utf-8"), "it was captioning meanwhile"
    for home in (user_folders, Path(environment["HOME"])):
        assert not list(home.rglob("deviceid")), "no library keeps an id of this device"


def test_every_process_says_no_before_a_library_can_ask() -> None:
    program = (
        "import os, app; print(all(os.environ[k] == v for k, v in app.privacy.SWITCHES.items()))"
    )
    bare = {name: value for name, value in os.environ.items() if name not in privacy.SWITCHES}
    bare["PYTHONPATH"] = child_env()["PYTHONPATH"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], env=bare, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "True"
    assert privacy.SWITCHES.items() <= child_env().items()

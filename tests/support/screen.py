"""A private X server with a window manager and a compositor: the screen of a machine without one.

Windows are placed, raised, dragged and blended as on a desktop, and screenshots show the pixels.
Knows nothing of the app; a GUI under test runs in a process of its own with `env`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

TOOLS = ("Xvfb", "openbox", "metacity", "picom", "xdotool", "import", "xprop")


def missing_tools() -> list[str]:
    """The programs that this needs and that are not on the PATH."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


class Screen:
    """Xvfb on a free display, a window manager and, if wanted, picom. `close()` ends them."""

    def __init__(
        self,
        folder: Path,
        width: int = 1280,
        height: int = 800,
        manager: str = "openbox",
        composited: bool = True,
    ) -> None:
        self._log = (folder / "log").open("wb")
        self._server, display = self._start_server(f"{width}x{height}x24")
        self.variables = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "XDG_SESSION_TYPE": "x11"}
        self._window_manager = subprocess.Popen(
            [manager], env=self.env, stdout=self._log, stderr=self._log
        )
        try:
            self._wait_for_window_manager()
            if composited:
                self._start_compositor()
        except BaseException:
            self.close()
            raise

    @property
    def env(self) -> dict[str, str]:
        """The environment for a process that should draw on this screen."""
        inner = os.environ | self.variables
        inner.pop("WAYLAND_DISPLAY", None)
        return inner

    def screenshot(self, path: Path) -> Path:
        """Saves the whole screen as an image, its format from the suffix."""
        self._run("import", "-window", "root", str(path))
        return path

    def xdotool(self, *arguments: str) -> str:
        """Runs `xdotool`, returns what it printed, stripped."""
        return self._run("xdotool", *arguments).strip()

    def close(self) -> None:
        self._window_manager.kill()  # asked to end, it looks at all keys that have changed first
        self._window_manager.wait()
        self._server.terminate()
        self._server.wait()
        self._log.close()

    def _start_server(self, geometry: str) -> tuple[subprocess.Popen[bytes], str]:
        """Xvfb chooses a free display and writes its number when it is ready."""
        reader, writer = os.pipe()
        command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", geometry]
        # Without -noreset the server begins anew, refusing clients, whenever its last one leaves.
        command += ["-nolisten", "tcp", "+extension", "Composite", "-noreset"]
        if shutil.which("setpriv"):
            command = ["setpriv", "--pdeathsig", "TERM", *command]  # ends with us, even killed
        server = subprocess.Popen(command, pass_fds=[writer], stdout=self._log, stderr=self._log)
        os.close(writer)
        with os.fdopen(reader) as answer:
            number = answer.readline().strip()
        if not number:
            server.wait()
            raise RuntimeError(f"Xvfb did not start; see {self._log.name}")
        return server, f":{number}"

    def _wait_for_window_manager(self) -> None:
        """A window manager sets this property of the root window when it begins its work."""
        while "window id" not in self._run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"):
            if self._window_manager.poll() is not None:
                raise RuntimeError(f"the window manager did not start; see {self._log.name}")

    def _start_compositor(self) -> None:
        """picom returns when it composites, and ends with the server."""
        command = ["picom", "-b", "--backend", "xrender", "--config", os.devnull]
        subprocess.run(command, env=self.env, check=True, stdout=self._log, stderr=self._log)

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, env=self.env, check=True, capture_output=True, text=True)
        return done.stdout

"""A headless Chromium for tests of pages, spoken to by its DevTools protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
_TROUBLE = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
_PATIENCE_S = 60.0


class Browser:
    """One tab. `trouble`: what its console was told, refusals by the page's policy included."""

    def __init__(self, connection: ClientConnection, width: int, height: int) -> None:
        self._connection = connection
        self._count = 0
        self.trouble: list[Any] = []
        for domain in ("Runtime", "Log", "Page"):
            self.do(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.do("Emulation.setDeviceMetricsOverride", **size)

    def do(self, method: str, **params: Any) -> Any:
        self._count += 1
        self._connection.send(json.dumps({"id": self._count, "method": method, "params": params}))
        while True:
            told = json.loads(self._connection.recv(_PATIENCE_S))
            if told.get("id") == self._count:
                assert "error" not in told, told
                return told["result"]
            if told.get("method") in _TROUBLE:
                self.trouble.append(told["params"])

    def open(self, address: str) -> None:
        self.do("Page.navigate", url=address)

    def js(self, expression: str) -> Any:
        result = self.do("Runtime.evaluate", expression=expression, returnByValue=True)
        return result["result"].get("value")

    def text(self, element: str) -> str:
        """What a reader sees of the element with this id; "" while there is none."""
        return str(self.js(f"(document.getElementById({element!r}) || {{}}).innerText || ''"))

    def wait_for(self, expression: str) -> None:
        """Until it is true in the page."""
        ends = time.monotonic() + _PATIENCE_S
        while not self.js(expression):
            assert time.monotonic() < ends, (expression, self.js("document.body.innerText"))
            time.sleep(0.05)

    def picture(self, path: Path) -> None:
        shot = self.do("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def browser(width: int = 390, height: int = 844) -> Iterator[Browser]:
    """Chromium on a folder of its own, which goes with it."""
    assert PROGRAM is not None
    folder = Path(tempfile.mkdtemp(prefix="chromium-"))
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    process = subprocess.Popen(
        [PROGRAM, *flags, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"],
        stderr=subprocess.DEVNULL,
    )
    try:
        address = _address(folder / "DevToolsActivePort")
        with connect(address, max_size=None, open_timeout=_PATIENCE_S) as connection:
            yield Browser(connection, width, height)
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _address(told: Path) -> str:
    """Of the tab that it opens with."""
    ends = time.monotonic() + _PATIENCE_S
    while not (told.exists() and "\n" in told.read_text()):
        assert time.monotonic() < ends
        time.sleep(0.05)
    port = told.read_text().split()[0]
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            pages = [each for each in json.load(answer) if each["type"] == "page"]
        if pages:
            return str(pages[0]["webSocketDebuggerUrl"])
        assert time.monotonic() < ends
        time.sleep(0.05)

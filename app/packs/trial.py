"""Whether a pack works on this computer: a worker's own modules are imported, and a tiny model of
random numbers takes its steps, in the pack's own Python.

    python -P -m app.packs.trial ENGINE DEVICE      prints {"ok": true, "device": …} or {"why": …}

`run()` starts that and reads it.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import frozen
from app.worker.link import child_env

if TYPE_CHECKING:  # a pack has no library for downloads
    from model_backends.downloads.fetch import Stop

_LONGEST_S = 600.0  # the first import on a cold, slow disk takes minutes
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """`why` is "" if it works. `no_card`: all is well but that the device is not to be had."""

    why: str = ""
    no_card: bool = False
    device: str = ""


def run(interpreter: Path, engine: str, device: str, stop: Stop) -> Outcome:
    """Raises StoppedError; whatever else goes wrong is an outcome."""
    command = [str(interpreter), "-P", "-m", "app.packs.trial", engine, device]
    try:
        with frozen.outside_program():
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=child_env(),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
    except OSError as error:
        return Outcome(error.strerror or type(error).__name__)
    with process:
        ended = threading.Event()
        watch = threading.Thread(target=_watch, args=(process, stop, ended), daemon=True)
        watch.start()
        out, errors = process.communicate()
        ended.set()
        watch.join()
    stop.check()
    return _read(out, errors, process.returncode)


def _watch(process: subprocess.Popen[bytes], stop: Stop, ended: threading.Event) -> None:
    """End it when the user does not want it any more, or when it hangs."""
    waited_s = 0.0
    while not ended.wait(_LOOK_S):
        waited_s += _LOOK_S
        if stop.asked or waited_s > _LONGEST_S:
            process.kill()
            return


def _read(out: bytes, errors: bytes, status: int) -> Outcome:
    lines = out.decode("utf-8", "replace").strip().splitlines()
    try:
        said = json.loads(lines[-1]) if lines else {}
        if not isinstance(said, dict):
            raise ValueError(lines[-1])
    except ValueError:
        said = {}
    if said.get("ok"):
        return Outcome(device=str(said.get("device", "")))
    last = errors.decode("utf-8", "replace").strip().splitlines()[-1:]
    why = str(said.get("why") or "".join(last) or f"status {status}")
    return Outcome(why[:300], bool(said.get("no_card")))


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """In the pack's Python: what is to be printed."""
    engine, device = arguments
    importlib.import_module("app.worker.loop")
    importlib.import_module("app.worker.process")
    family = {"voxtral-torch": "torch", "voxtral-mlx": "mlx"}[engine]
    module = importlib.import_module(f"model_backends.voxtral.{family}.trial")
    if not module.has(device):
        return {"why": module.why_not(device), "no_card": True}
    return {"ok": True, "device": module.take_steps(device)}


if __name__ == "__main__":
    try:
        result = main(sys.argv[1:])
    except Exception as error:  # whatever a library may say when it is loaded
        result = {"why": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()

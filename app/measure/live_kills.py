"""Faults for a real `voxline listen`: its worker killed, or stopped and let go, while a file plays.

Real time and real processes, in folders of its own. Knows nothing about engines.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import soundfile

from app import paths
from app.measure.simulation import Fault
from app.measure.workers import captions_worker
from app.worker.link import child_env
from model_backends.base import SAMPLE_RATE, Pcm, Sentence, UserError, Word

_PATIENCE_S = 120.0  # after the sound's end, for what is still to be heard


def listen(
    pcm: Pcm,
    faults: Sequence[Fault],
    model: str,
    delay_ms: int,
    late_ms: list[int] | None = None,
    options: Sequence[str] = (),
) -> tuple[list[Word], list[Fault]]:
    """Caption `pcm` (float32, 16 kHz) in real time with these faults.

    Returns the words, in order, and the faults that could be done: where a worker was there to be
    harmed. `late_ms` gets, for each word, how long after its end it was printed; `options`: more of
    `voxline listen`'s. Raises UserError when captions fail altogether.
    """
    done: list[Fault] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        soundfile.write(folder / "speech.wav", pcm, SAMPLE_RATE, "PCM_16")
        command = [sys.executable, "-P", "-m", "app", "listen", "--json"]
        command += ["--source", str(folder / "speech.wav"), "--engine", "embedded"]
        command += ["--model", model, "--delay-ms", str(delay_ms), "--srt", str(folder / "out.srt")]
        command += options
        with (folder / "errors").open("w+b") as errors:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, env=_environment(folder)
            )
            harm = threading.Thread(target=_harm, args=(process.pid, faults, done), daemon=True)
            harm.start()
            patience_s = len(pcm) / SAMPLE_RATE + _total_stall_s(faults) + _PATIENCE_S
            words = _words(process, patience_s, late_ms)
            errors.seek(0)
            if process.returncode:
                raise UserError(Sentence("Captions failed."), errors.read().decode()[-500:])
    return words, done


def _environment(folder: Path) -> dict[str, str]:
    names = {"VOXLINE_DATA": "data", "VOXLINE_CONFIG": "config", "VOXLINE_TRANSCRIPTS": "saved"}
    own = {name: str(folder / part) for name, part in names.items()}
    return child_env() | own | {"VOXLINE_MODELS": str(paths.models_dir())}


def _total_stall_s(faults: Sequence[Fault]) -> float:
    return sum(fault.stall_ms or 0 for fault in faults) / 1000


def _words(
    process: subprocess.Popen[bytes], timeout_s: float, late_ms: list[int] | None
) -> list[Word]:
    """Read what it prints until it ends; end it after `timeout_s`. It tells that it starts when
    the file begins."""
    late = threading.Timer(timeout_s, process.kill)
    late.start()
    words: list[Word] = []
    began_s: float | None = None
    assert process.stdout is not None
    for line in process.stdout:
        event, now_s = json.loads(line), time.monotonic()
        began_s = now_s if began_s is None else began_s
        if event.pop("type") == "word":
            words.append(Word(**event))
            if late_ms is not None:
                late_ms.append(round((now_s - began_s) * 1000) - words[-1].end_ms)
    process.wait()
    late.cancel()
    return words


def _harm(pid: int, faults: Sequence[Fault], done: list[Fault]) -> None:
    """Do the faults, timed from when the first worker is there: about when the file begins."""
    begun = None
    while begun is None:
        if not psutil.pid_exists(pid):
            return
        begun = time.monotonic() if captions_worker(pid) else None
        time.sleep(0.02)
    for fault in faults:
        time.sleep(max(0.0, begun + fault.at_ms / 1000 - time.monotonic()))
        worker = captions_worker(pid)
        if worker is None:
            continue
        done.append(fault)
        if fault.stall_ms is None:
            worker.kill()
        else:
            worker.suspend()
            time.sleep(fault.stall_ms / 1000)
            worker.resume()

"""`voxline doctor`: what matters when something does not work, in one page or one JSON object.

Looks and changes nothing. Each part is found out on its own, so that what is broken is shown
rather than hiding the rest.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import psutil

from app import __version__, paths
from app.audio.patience import Question
from app.audio.sources import WITHIN_S, doors, list_sources
from app.cli.engines import all_rows, as_text
from app.cli.models import model_rows
from app.cli.pack import pack_rows
from app.cli.table import table
from app.core.encoding import json_text
from app.native.display import has_display
from app.session import journal
from model_backends.base import Availability

_T = TypeVar("_T")
_PACKAGES = (
    "PySide6-Essentials", "sounddevice", "pulsectl", "PyAudioWPatch", "catap", "soxr", "av",
    "onnxruntime", "ctranslate2", "faster-whisper", "torch", "mlx", "websockets", "keyring",
)  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Print the report."""
    report = examine()
    text = json_text(report) + "\n" if args.json else as_page(report)
    sys.stdout.write(text)
    return 0


def examine() -> dict[str, Any]:
    """The report as JSON-able values."""
    problems: list[str] = []
    rows = _each(all_rows, problems)
    return {
        "voxline": __version__,
        "system": _system(),
        "python": {"version": platform.python_version(), "executable": sys.executable},
        "packages": {name: _version(name) for name in _PACKAGES},
        "engines": [asdict(row) for row in rows],
        "sound": _sound(problems),
        "folders": [_folder(name, find) for name, find in _FOLDERS.items()],
        "weights": [asdict(row) for row in _each(model_rows, problems)],
        "packs": [asdict(row) for row in _each(pack_rows, problems)],
        "sessions": [
            {"pid": session.pid, "worker_pid": session.worker_pid}
            for session in _each(lambda: journal.running(paths.journal_dir()), problems)
        ],
        "problems": problems,
    }


def _each(find: Callable[[], list[_T]], problems: list[str]) -> list[_T]:
    """What was found; nothing, and one more problem, if looking for it failed."""
    try:
        return find()
    except Exception as error:  # a report must come out of the most broken of computers
        problems.append(f"{type(error).__name__}: {error}")
        return []


def as_page(report: dict[str, Any]) -> str:
    """The report for people."""
    system, sound, python = report["system"], report["sound"], report["python"]
    lines = [
        ["Voxline", report["voxline"]],
        ["System", f"{system['name']}, {system['machine']}"],
        ["Processor", f"{system['cores']} cores, {system['memory_mb']} MB of memory"],
        ["Display", "yes" if system["display"] else "none: captions come in the terminal"],
        ["Python", f"{python['version']} ({python['executable']})"],
        ["PortAudio", sound["portaudio"] or sound["problem"]],
        ["Sound server", sound["server"] or "none found"],
        *(["Way to sound", _door(door)] for door in sound["doors"]),
        *(["Source", _source(source)] for source in sound["sources"]),
        *(["Package", f"{k} {v or 'not installed'}"] for k, v in report["packages"].items()),
        *(["Folder", f"{f['name']}: {f['path']}{_remark(f)}"] for f in report["folders"]),
        *(["Weights", f"{w['model']}: {w['state']} {w['path'] or ''}"] for w in report["weights"]),
        *(["Pack", f"{p['kind']}: {p['state']} {p['path'] or ''}"] for p in report["packs"]),
        *(["Session", f"process {s['pid']}, worker {s['worker_pid']}"] for s in report["sessions"]),
        *(["Problem", problem] for problem in report["problems"]),
    ]
    return table(lines) + "\n" + as_text([Availability(**row) for row in report["engines"]])


def _door(door: dict[str, Any]) -> str:
    state = f"no: {door['why_not']}" if door["why_not"] else "yes"
    return f"{door['name']} ({door['hears']}): {state}"


def _source(source: dict[str, Any]) -> str:
    remark = f": {source['why_not']}" if source["why_not"] else ""
    return f"{source['name']} ({source['kind']}){remark}"


def _remark(folder: dict[str, Any]) -> str:
    return f" ({folder['problem']})" if folder["problem"] else ""


def _system() -> dict[str, Any]:
    return {
        "name": platform.platform(),
        "machine": platform.machine(),
        "cores": psutil.cpu_count(),
        "memory_mb": psutil.virtual_memory().total >> 20,
        "display": has_display(),
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _sound(problems: list[str]) -> dict[str, Any]:
    portaudio, problem = None, ""
    try:
        import sounddevice

        portaudio = str(sounddevice.get_portaudio_version()[1])
    except OSError as error:  # the library itself is not there
        problem = str(error)
    return {
        "portaudio": portaudio,
        "problem": problem,
        "server": _sound_server(),
        "doors": [asdict(door) for door in _each(doors, problems)],
        "sources": [source.to_json() for source in _each(list_sources, problems)],
    }


def _sound_server() -> str | None:
    """PulseAudio or PipeWire and its version; None if there is none, or it does not answer."""
    try:
        return Question(_ask_sound_server, "name of the sound server").answer(WITHIN_S)
    except Exception:  # no libpulse (OSError), no server, or a frozen one (TimeoutError)
        return None


def _ask_sound_server() -> str:
    import pulsectl

    with pulsectl.Pulse("voxline-doctor", connect=False) as pulse:
        pulse.connect()  # with pulsectl's own time-out it always takes the whole of it
        info = pulse.server_info()
        return f"{info.server_name} {info.server_version}"


_FOLDERS: dict[str, Callable[[], Path]] = {
    "transcripts": paths.transcripts_dir,
    "data": paths.data_dir,
    "journal": paths.journal_dir,
    "library": paths.library_dir,
    "models": paths.models_dir,
    "settings": paths.config_dir,
    "logs": paths.log_dir,
}


def _folder(name: str, find: Callable[[], Path]) -> dict[str, Any]:
    path = find()
    return {"name": name, "path": str(path), "problem": _not_writable(path)}


def _not_writable(path: Path) -> str:
    """Why nothing can be written to a folder, and what moves it; "" if it can, or could be made."""
    existing = next((p for p in (path, *path.parents) if os.path.lexists(p)), path)
    if not existing.is_dir():
        return "there is something else in its place"
    if os.access(existing, os.W_OK | os.X_OK):
        return ""
    read_only = os.statvfs(existing).f_flag & os.ST_RDONLY if hasattr(os, "statvfs") else 0
    why = "it is read-only" if read_only else "you may not write there"
    variable = paths.moved_by(path)
    return f"{why}; {variable} moves it" if variable else why

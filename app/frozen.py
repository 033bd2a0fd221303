"""The installed app: one folder with an executable that PyInstaller made, and what that changes.

The bundle's executable points the loader at the bundle by environment variables, which every
program that we start would inherit: another Python would load the bundle's libraries.
`leave_no_trace()` takes them back as soon as the app runs; what is loaded later needs none of them.
Knows nothing of workers, packs or windows.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path

_LOADER = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH")
_QT = ("QT_PLUGIN_PATH", "QML2_IMPORT_PATH")
_COMMAND = {"win32": "voxline.exe"}  # the one with a console; the window's own has no streams


def is_frozen() -> bool:
    """Whether this is the installed app and not a Python with our modules."""
    return bool(getattr(sys, "frozen", False))


def bundle() -> Path:
    """The folder with the installed app's libraries and data. Only where `is_frozen()`."""
    return Path(str(getattr(sys, "_MEIPASS")))  # noqa: B009 - mypy knows no such attribute


def executable() -> Path:
    """The installed app's own program, the one that has standard streams."""
    ours = Path(sys.executable)
    return ours.with_name(_COMMAND[sys.platform]) if sys.platform in _COMMAND else ours


def worker_sources() -> Path:
    """A folder that another interpreter can import `app` and `model_backends` from, and no more."""
    return bundle() / "worker_source"


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment as the user had it, without what the bundle's executable put there."""
    kept = {name: value for name, value in environ.items() if not name.startswith("_PYI")}
    for name in _LOADER:
        original = kept.pop(f"{name}_ORIG", None)
        if original is not None:
            kept[name] = original
        elif is_frozen():
            kept.pop(name, None)
    if is_frozen():
        _take_back_paths(kept, str(bundle()))
    return kept


def leave_no_trace(environ: MutableMapping[str, str] = os.environ) -> None:
    """Give this process, and so all that it starts, the environment that the user had.

    But for where Qt's plugins lie: those of another Qt (a desktop's, NixOS's) would be loaded into
    ours. It finds its own by itself.
    """
    wanted = environment(environ)
    if is_frozen():
        wanted = {name: value for name, value in wanted.items() if name not in _QT}
    for name in set(environ) - set(wanted):
        del environ[name]
    environ.update(wanted)


def hold_own_code() -> None:
    """Have modules that are imported later come from the executable that runs, even when an upgrade
    has put another in its place (Linux). Elsewhere an upgrade goes to a folder of its own."""
    if sys.platform != "linux" or not is_frozen():
        return
    try:
        importers = importlib.import_module("pyimod02_importers")  # PyInstaller's own
        importers.pyz_archive._filename = "/proc/self/exe"
    except (ImportError, AttributeError):
        pass  # another PyInstaller: an upgrade then asks for a new start


@contextmanager
def outside_program() -> Iterator[None]:
    """Around the start of a program that is not ours: on Windows it inherits where DLLs are
    looked for, which the bundle's executable has changed. No hardware has tried this yet."""
    if is_frozen():
        _look_for_dlls_in(None)
    try:
        yield
    finally:
        if is_frozen():
            _look_for_dlls_in(str(bundle()))


def _look_for_dlls_in(folder: str | None) -> None:
    kernel = getattr(getattr(ctypes, "windll", None), "kernel32", None)
    if kernel is not None:
        kernel.SetDllDirectoryW(folder)


def _take_back_paths(kept: dict[str, str], ours: str) -> None:
    for name in (*_QT, "PATH"):
        if name not in kept:
            continue
        left = [part for part in kept[name].split(os.pathsep) if not _lies_in(part, ours)]
        if left:
            kept[name] = os.pathsep.join(left)
        else:
            del kept[name]


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)

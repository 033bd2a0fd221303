"""What an installed app takes back of the environment that its own executable made."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import app.__main__ as entry
from app import frozen

BUNDLE = "/usr/lib/voxline/_internal"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", BUNDLE, raising=False)


def test_the_user_s_own_environment_comes_back(installed: None) -> None:
    environ = {
        "HOME": "/home/Zoë Müller",
        "LD_LIBRARY_PATH": f"{BUNDLE}:/opt/cuda/lib64",
        "LD_LIBRARY_PATH_ORIG": "/opt/cuda/lib64",
        "QT_PLUGIN_PATH": f"{BUNDLE}/PySide6/Qt/plugins",
        "QML2_IMPORT_PATH": f"{BUNDLE}/PySide6/Qt/qml",
        "PATH": os.pathsep.join([BUNDLE, "/usr/bin"]),
        "_PYI_ARCHIVE_FILE": "/usr/lib/voxline/voxline",
    }
    frozen.leave_no_trace(environ)
    assert environ == {
        "HOME": "/home/Zoë Müller",
        "LD_LIBRARY_PATH": "/opt/cuda/lib64",
        "PATH": "/usr/bin",
    }


def test_what_the_user_had_not_is_gone(installed: None) -> None:
    environ = {"LD_LIBRARY_PATH": BUNDLE, "PATH": "/usr/bin"}
    frozen.leave_no_trace(environ)
    assert environ == {"PATH": "/usr/bin"}


def test_plugins_of_the_user_s_own_stay(installed: None) -> None:
    theirs = {"QT_PLUGIN_PATH": "/opt/theme/plugins", "QML2_IMPORT_PATH": f"{BUNDLE}2/qml"}
    assert frozen.environment(theirs) == theirs


def test_and_are_not_loaded_into_the_app_s_own_qt(installed: None) -> None:
    environ = {"QT_PLUGIN_PATH": "/usr/lib/qt6/plugins", "PATH": "/usr/bin"}
    frozen.leave_no_trace(environ)
    assert environ == {"PATH": "/usr/bin"}


def test_a_python_s_environment_is_left_alone() -> None:
    theirs = {"LD_LIBRARY_PATH": "/opt/lib", "QT_PLUGIN_PATH": f"{BUNDLE}/x"}
    assert frozen.environment(theirs) == theirs
    frozen.leave_no_trace(kept := dict(theirs))
    assert kept == theirs


def test_modules_come_from_the_executable_that_runs(
    installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = SimpleNamespace(_filename="/usr/lib/voxline/voxline")
    monkeypatch.setitem(sys.modules, "pyimod02_importers", SimpleNamespace(pyz_archive=archive))
    monkeypatch.setattr(sys, "platform", "linux")
    frozen.hold_own_code()
    assert archive._filename == "/proc/self/exe"


def test_on_windows_an_outside_program_looks_for_dlls_where_it_always_does(
    installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str | None] = []

    class Kernel32:
        def SetDllDirectoryW(self, folder: str | None) -> int:  # noqa: N802
            told.append(folder)
            return 1

    windll = SimpleNamespace(kernel32=Kernel32())
    monkeypatch.setattr(ctypes, "windll", windll, raising=False)
    with frozen.outside_program():
        assert told == [None]
    assert told == [None, BUNDLE]


def test_the_worker_on_windows_is_the_program_with_streams(
    installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "executable", "/apps/Voxline/voxline-gui.exe")
    assert frozen.executable() == Path("/apps/Voxline/voxline.exe")


@pytest.mark.parametrize(
    ("called", "expected"),
    [
        ("/usr/bin/voxline-gui", "gui"),
        ("voxline-gui", "gui"),
        ("C:/Voxline/voxline-gui.exe", "gui"),
        ("/usr/bin/voxline", "main"),
        ("voxline.exe", "main"),
    ],
)
def test_one_executable_by_two_names(
    called: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [called])
    for name in ("gui", "main"):
        monkeypatch.setattr(entry, name, lambda name=name: (_ for _ in ()).throw(SystemExit(name)))
    with pytest.raises(SystemExit, match=expected):
        entry.installed()

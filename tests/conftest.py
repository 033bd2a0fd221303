"""What every test gets: folders of its own, and on request speech, weights, a microphone, a screen.

No test touches the user's home, settings or transcripts. What a machine lacks is a reason to skip;
in CI on Linux, where `./test` installs the programs, a missing one fails.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings
from pytestqt.qtbot import QtBot

from app import paths
from model_backends.embedded import store
from tests.support import bus as bus_support
from tests.support import pipewire as pipewire_support
from tests.support import pulse as pulse_support
from tests.support import screen as screen_support
from tests.support.patience import PatientBot

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["LANGUAGE"] = "en"  # of the windows, wherever the tests run

EVERYTHING = os.environ.get("VOXLINE_TESTS") == "all"
settings.register_profile(
    "voxline",
    deadline=None,  # how long an example takes is no finding,
    suppress_health_check=[HealthCheck.too_slow],  # nor how long it takes to think of some
    derandomize=not EVERYTHING,  # the same examples each time; releases try others
)
settings.load_profile("voxline")

CHECKOUT = Path(__file__).parents[1]
# The fastest first, so that a broken core is known within seconds.
ORDER = (
    "core",
    "setup",
    "packaging",
    "native",
    "session",
    "worker",
    "share",
    "models",
    "packs",
    "model_backends",
    "measure",
    "cli",
    "audio",
    "ui",
)
DEVICES = {"pulse", "pipewire", "screen"}  # fixtures that are a machine's screen or sound
# Where tests may use them. Nowhere else: these share a lane (see `Lanes`).
WITH_DEVICES = (
    "tests/audio/",
    "tests/cli/test_privacy.py",
    "tests/native/test_x11_keys.py",
    "tests/native/test_x11_typing.py",
    "tests/ui/dictation/test_on_screen.py",
    "tests/setup/test_fixtures.py",
    "tests/ui/desktop/test_on_screen.py",
    "tests/ui/overlay/test_native.py",
    "tests/ui/overlay/test_screen.py",
    "tests/ui/test_at_spi.py",
    "tests/ui/test_photographs.py",
    "tests/ui/test_sources_in_the_window.py",
    "tests/ui/test_whole_app.py",
)
# Marks of tests in which programs of others play a part: sound servers, window managers. Their
# races are not ours to mend, so such a test has a second try. `./test` names each that took it,
# with what failed at first; no more than two a run pass by it (`addopts` in pyproject.toml).
FOREIGN = ("audio", "screen")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _leave_out_exhaustive(config, items)
    side_by_side = os.environ.get("PYTEST_XDIST_WORKER") is not None
    items.sort(key=lambda item: (side_by_side and not _has_devices(item.nodeid), _rank(item)))
    for item in items:  # stable: within a folder the order stays
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        fixtures = set(getattr(item, "fixturenames", ())) - parameters.keys()
        if fixtures & DEVICES and not _has_devices(item.nodeid):
            raise pytest.UsageError(f"{item.nodeid} has a screen or sound: see WITH_DEVICES")
        if any(item.get_closest_marker(mark) for mark in FOREIGN):
            item.add_marker(pytest.mark.flaky(reruns=1))


def _leave_out_exhaustive(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The rest of each matrix is for releases: VOXLINE_TESTS=all runs it, or `-m exhaustive`."""
    if EVERYTHING or config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("exhaustive")]
    items[:] = [item for item in items if not item.get_closest_marker("exhaustive")]
    config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(optionalhook=True)  # known only where pytest-xdist is
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Who runs side by side when there are several lanes (pytest-xdist).

    A file stays in one lane, with what it has loaded. The tests with a screen or a sound server
    share a lane: they live in real time, and two at once would take it from each other. That lane
    begins first since it is the longest.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist is not typed
        def _split_scope(self, nodeid: str) -> str:
            return "devices" if _has_devices(nodeid) else nodeid.split("::")[0]

    return Lanes(config, log)


def _has_devices(nodeid: str) -> bool:
    return nodeid.startswith(WITH_DEVICES)


def _rank(item: pytest.Item) -> int:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return ORDER.index(folder) if folder in ORDER else len(ORDER)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Around windows, cycles are collected between the tests only, in the thread that has them.

    As in the app, and for its reason: see app/ui/desktop/garbage.py.
    """
    if not _has_windows(item):
        return (yield)
    from app.ui.desktop import garbage

    gc.disable()
    try:
        return (yield)
    finally:
        if nextitem is not None and _has_windows(nextitem):
            garbage.collect_due()
        else:
            gc.collect()
            gc.enable()


def _has_windows(item: pytest.Item) -> bool:
    return item.nodeid.startswith("tests/ui/")


@pytest.fixture(autouse=True)
def user_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, with all that the app writes inside it. Returns the home."""
    home = tmp_path_factory.mktemp("home")
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name, folder in {
        "VOXLINE_DATA": "data",
        "VOXLINE_CONFIG": "config",
        "VOXLINE_TRANSCRIPTS": "transcripts",
        "VOXLINE_MODELS": "models",
        "VOXLINE_CACHE": "cache",
        "XDG_DATA_HOME": ".local/share",
        "XDG_CONFIG_HOME": ".config",
        "XDG_CACHE_HOME": ".cache",
        "XDG_STATE_HOME": ".local/state",
        "XDG_RUNTIME_DIR": "run",
        "APPDATA": "AppData/Roaming",
        "LOCALAPPDATA": "AppData/Local",
    }.items():
        monkeypatch.setenv(name, str(home / folder))
    return home


@pytest.fixture
def qtbot(qapp: object, request: pytest.FixtureRequest) -> QtBot:
    """pytest-qt's, with more patience where a test names none."""
    return PatientBot(request)


@pytest.fixture(scope="session")
def speech_dir() -> Path:
    """Real speech with its `manifest.jsonl`: VOXLINE_SPEECH, or a folder beside the checkout."""
    folder = Path(os.environ.get("VOXLINE_SPEECH") or CHECKOUT.parent / "shared" / "speech")
    if not (folder / "manifest.jsonl").is_file():
        pytest.skip(f"no speech set in {folder}; VOXLINE_SPEECH names one")
    return folder


@pytest.fixture(scope="session")
def sample() -> Path:
    """The bundled sample of public-domain speech."""
    return paths.resource("sample/jfk.flac")


@pytest.fixture(scope="session")
def weights_dir() -> Path:
    """A model folder with the verified weights of base, and of tiny.en if they are here.

    Unpacked once and kept for the next run: a test must not change what is in it.
    """
    folder = CHECKOUT / "build" / "models"
    found = [model for model in store.MODELS if store.find(model, folder)]
    if "base" not in found:
        pytest.skip("the weights of base are not installed; `./test` installs them")
    for model in found:
        store.ensure(model, folder, lambda fraction, message: None)
    return folder


@pytest.fixture
def weights(weights_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app finds its weights in this test, in this process and in those it starts."""
    monkeypatch.setenv("VOXLINE_MODELS", str(weights_dir))
    return weights_dir


@pytest.fixture
def pulse(monkeypatch: pytest.MonkeyPatch) -> Iterator[pulse_support.PulseServer]:
    """A PulseAudio daemon of this test alone; this process and `pulse.env` both hear it."""
    _need(pulse_support.missing_tools(), "PulseAudio")
    yield from _sound_server(pulse_support.PulseServer, monkeypatch)


@pytest.fixture
def pipewire(monkeypatch: pytest.MonkeyPatch) -> Iterator[pulse_support.PulseServer]:
    """The same in PipeWire."""
    _need(pipewire_support.missing_tools(), "PipeWire")
    yield from _sound_server(pipewire_support.PipeWireServer, monkeypatch)


def _sound_server(
    kind: type[pulse_support.PulseServer], monkeypatch: pytest.MonkeyPatch
) -> Iterator[pulse_support.PulseServer]:
    folder = Path(tempfile.mkdtemp(prefix="pulse"))  # short: a socket's path is limited
    server = kind(folder)
    for name, value in server.variables.items():
        if name != "HOME":
            monkeypatch.setenv(name, value)
    yield server
    server.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[screen_support.Screen]:
    """An X server of this test alone, 1280 x 800, with a window manager and a compositor."""
    _need(screen_support.missing_tools(), "A screen")
    display = screen_support.Screen(tmp_path_factory.mktemp("screen"))
    yield display
    display.close()


@pytest.fixture
def bus(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A D-Bus session bus of this test alone; its address. This process is on it, too."""
    _need(bus_support.missing_tools(), "D-Bus")
    made = bus_support.Bus()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", made.address)
    yield made.address
    made.close()


def _need(missing: list[str], what: str) -> None:
    if not missing:
        return
    reason = f"{what} needs {', '.join(missing)}; `./test` installs them on Debian when root"
    if os.environ.get("CI") and sys.platform == "linux":
        _fail(reason)
    pytest.skip(reason)


def _fail(reason: str) -> NoReturn:
    pytest.fail(reason, pytrace=False)

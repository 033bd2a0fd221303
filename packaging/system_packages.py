"""The libraries and programs that Voxline takes from the system: which, and how to get them.

Windows and macOS need none. On Debian and its kin they are installed when we are root; in every
other case the user is told the exact command. Nothing here stops a start: captions of files need
none of these.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tell import say

SOUND = ("libportaudio2", "libasound2-plugins", "pulseaudio-utils")
WINDOW = (
    *("libegl1", "libgl1", "libfontconfig1", "libdbus-1-3", "libxkbcommon-x11-0"),
    *("libxcb-cursor0", "libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1", "libxcb-randr0"),
    *("libxcb-render-util0", "libxcb-shape0", "libxcb-xinerama0", "libxcb-xkb1"),
    # two megabytes for Chinese, Japanese and Korean, which would be empty boxes without
    *("fonts-noto-core", "fonts-wqy-microhei"),
)
# g++: MLX on Linux compiles some of its kernels when it runs.
TESTS = (
    *("pulseaudio", "xvfb", "openbox", "metacity", "picom", "xdotool", "imagemagick", "x11-utils"),
    *("dbus", "g++", "pipewire", "pipewire-pulse", "wireplumber"),
    # the processor engine's kernels for other processors, built and run in emulation
    *("gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user", "libsimde-dev", "strace"),
    "haproxy",  # in front of servers, as resources/team has it
)
# Where there is no dpkg: what the app would miss, as the loader knows it.
_SONAMES = {"PortAudio": "portaudio", "xcb-cursor": "xcb-cursor", "EGL": "EGL"}


def wanted(testing: bool) -> tuple[str, ...]:
    """The Debian packages that the app needs, or the app and its tests; none elsewhere."""
    if sys.platform != "linux":
        return ()
    return SOUND + WINDOW + (TESTS if testing else ())


def provide(names: Sequence[str]) -> bool:
    """Sees to it that these Debian packages are installed. Returns whether they are."""
    if not names:
        return True
    if shutil.which("dpkg-query") is None:
        return _tell_other_systems()
    missing = missing_of(names)
    if missing and can_install():
        _install(missing)
        missing = missing_of(missing)
    if missing:
        say(
            "Some system packages are missing; without them Voxline may have no window or no "
            f"microphone. This installs them:\n    {command_for(missing)}"
        )
    return not missing


def provide_venv() -> bool:
    """Debian keeps a part of Python's venv module in a package of its own."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        name = "python{}.{}-venv".format(*sys.version_info[:2])
    else:
        return True
    if shutil.which("dpkg-query") and can_install():
        return _install([name])
    say(f"Python's venv module is incomplete. This installs the rest:\n    {command_for([name])}")
    return False


def missing_of(names: Sequence[str]) -> list[str]:
    """Those of the packages that dpkg does not know as installed."""
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *names]
    answer = subprocess.run(query, capture_output=True, text=True)  # fails if any is unknown
    installed = {
        line.split()[0] for line in answer.stdout.splitlines() if "installed" in line.split()
    }
    return [name for name in names if name not in installed]


def command_for(names: Sequence[str]) -> str:
    """What a person types to install them."""
    return f"sudo apt-get install {' '.join(names)}"


def can_install() -> bool:
    """Whether apt may be used without asking anybody."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install(names: Sequence[str]) -> bool:
    say(f"installing {len(names)} system packages: {' '.join(names)}")
    quiet = ["-qq", "-o", "DPkg::Lock::Timeout=120"]
    update = _apt(["update", *quiet])
    return _apt(["install", "--yes", "--no-install-recommends", *quiet, *names]) and update


def _apt(arguments: Sequence[str]) -> bool:
    """Runs apt-get without questions; its output goes to stderr, and only if it fails."""
    environment: Mapping[str, str] = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        say(f"apt-get {arguments[0]} failed:\n{done.stdout.strip()[-2000:]}")
    return done.returncode == 0


def _tell_other_systems() -> bool:
    from ctypes.util import find_library

    missing = [name for name, soname in _SONAMES.items() if find_library(soname) is None]
    if missing:
        say(
            f"Install {', '.join(missing)} with this system's package manager; without them "
            "Voxline may have no window or no microphone."
        )
    return not missing

"""The .app's property list, and the disk image.

The keys stand here as data, so that they can be checked where there is no Mac. Signing and
notarising is a script of its own, `macos/sign_notarise.sh`, with credentials from the environment.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import frozen_parts
from freeze import BuildProblem
from product import APP_ID, COMMAND, NAME, ROOT, Product

FILES = ROOT / "packaging" / "macos"

# The wheels of FFmpeg, NumPy and ONNX Runtime; what the computer plays needs 14.2 (process taps).
OLDEST = "14.0"
MEDIA = ("public.audio", "public.movie")


def information(what: Product) -> dict[str, Any]:
    """Info.plist, as PyInstaller's BUNDLE takes it."""
    return {
        "CFBundleIdentifier": APP_ID,
        "CFBundleName": NAME,
        "CFBundleDisplayName": NAME,
        "CFBundleExecutable": COMMAND,
        "CFBundleShortVersionString": what.version,
        "CFBundleVersion": what.version,
        "CFBundleDevelopmentRegion": "en",
        "CFBundleLocalizations": ["en", "de", "es", "fr"],  # as app/language.py has them
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": "Sound or video",
                "CFBundleTypeRole": "Viewer",
                "LSHandlerRank": "Alternate",
                "LSItemContentTypes": list(MEDIA),
            }
        ],
        "LSApplicationCategoryType": "public.app-category.utilities",
        "LSMinimumSystemVersion": OLDEST,
        "LSUIElement": False,  # it has a main window and a menu
        "NSAudioCaptureUsageDescription": (
            "Voxline shows what this computer plays as captions. The sound stays on this computer."
        ),
        "NSHighResolutionCapable": True,
        "NSHumanReadableCopyright": f"{NAME} is free software under the {what.licence} licence.",
        "NSMicrophoneUsageDescription": (
            "Voxline shows what is said as captions. The sound stays on this computer."
        ),
    }


def dmg(made: Path, what: Product) -> Path:
    """The disk image, signed and notarised where credentials are in the environment."""
    check_oldest(frozen_parts.distributions())
    target = ROOT / "dist" / f"{NAME}-{what.version}.dmg"
    target.parent.mkdir(exist_ok=True)
    target.unlink(missing_ok=True)
    script = str(FILES / "sign_notarise.sh")
    subprocess.run([script, "app", str(made)], check=True)
    settings = ["-s", str(FILES / "dmg_settings.py"), "-D", f"app={made}"]
    subprocess.run([sys.executable, "-m", "dmgbuild", *settings, NAME, str(target)], check=True)
    subprocess.run([script, "dmg", str(target)], check=True)
    return target


def check_oldest(distributions: Iterable[frozen_parts.Distribution]) -> None:
    """Every wheel runs on the oldest macOS that the app says it runs on. Raises BuildProblem."""
    promised = _numbers(OLDEST)
    for each in distributions:
        asked = _oldest_of(each.metadata.read_text("WHEEL") or "")
        if asked > promised:
            raise BuildProblem(f"{each.name} needs macOS {asked[0]}.{asked[1]}, not {OLDEST}")


def _oldest_of(wheel: str) -> tuple[int, int]:
    """The oldest macOS among the tags of a WHEEL file; (0, 0) of a wheel for every system."""
    tags = re.findall(r"^Tag: \S+-macosx_(\d+)_(\d+)_", wheel, re.MULTILINE)
    return min(((int(major), int(minor)) for major, minor in tags), default=(0, 0))


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)

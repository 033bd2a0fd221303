"""The .app's property list, and the disk image.

The keys stand here as data, so that they can be checked where there is no Mac. Signing and
notarising is a script of its own, `macos/sign_notarise.sh`, with credentials from the environment.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from product import APP_ID, COMMAND, NAME, ROOT, Product

FILES = ROOT / "packaging" / "macos"

OLDEST = "13.0"  # Qt's wheels; what the computer plays needs 14.2 (process taps)
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
    target = ROOT / "dist" / f"{NAME}-{what.version}.dmg"
    target.parent.mkdir(exist_ok=True)
    target.unlink(missing_ok=True)
    script = str(FILES / "sign_notarise.sh")
    subprocess.run([script, "app", str(made)], check=True)
    settings = ["-s", str(FILES / "dmg_settings.py"), "-D", f"app={made}"]
    subprocess.run([sys.executable, "-m", "dmgbuild", *settings, NAME, str(target)], check=True)
    subprocess.run([script, "dmg", str(target)], check=True)
    return target

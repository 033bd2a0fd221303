"""Who types on this desktop: the one place that chooses. What a typist is, `typist` says.

typist = open_typist(platform_name)
if not typist.focus().ours:
    typist.type(" Grüße")
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from app.native.hotkeys import is_wayland
from app.native.typist import NoTypingError, Typist
from model_backends.base import Sentence


def open_typist(platform_name: str, environ: Mapping[str, str] = os.environ) -> Typist:
    """This desktop's own. `platform_name` is Qt's. Raises NoTypingError."""
    if platform_name == "windows" and sys.platform == "win32":
        from app.native.windows_typing import WindowsTypist

        return WindowsTypist()
    if platform_name == "cocoa":
        from app.native.macos_typing import MacTypist

        return MacTypist()
    if platform_name == "xcb" and not is_wayland(environ):
        from app.native.x11_typing import X11Typist

        return X11Typist()
    if is_wayland(environ):
        raise NoTypingError(
            Sentence("On Wayland, Voxline cannot type into the windows of other programs."),
            Sentence(
                "Wayland keeps programs from it. Choose an X11 session when you log in, or paste "
                "what was said: “Copy the last minute” in the captions’ menu."
            ),
        )
    raise NoTypingError(
        Sentence("Voxline cannot type into the windows of other programs on this desktop.")
    )

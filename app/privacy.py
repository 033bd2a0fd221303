"""Nothing leaves this machine: every switch that keeps libraries from telling their makers.

Some libraries report by default (onnxruntime sends events to Microsoft and keeps a device id on
disk; huggingface_hub counts downloads). One place says no for all: importing `app` calls
`keep_to_ourselves()`, before such a library can be imported, and a child gets `SWITCHES` in its
environment. A new dependency that reports anything gets its switch here. Knows nothing about
what the libraries are used for.
"""

from __future__ import annotations

import os

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime, since 1.24 on every system
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub
    "DISABLE_TELEMETRY": "1",  # … older, also gradio and others
    "DO_NOT_TRACK": "1",  # https://consoledonottrack.com
}


def keep_to_ourselves() -> None:
    """Switch reporting off in this process and in all that it starts."""
    os.environ.update(SWITCHES)

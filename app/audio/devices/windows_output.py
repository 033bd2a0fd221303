"""Which output Windows plays on now: what PortAudio does not tell while it records.

Not yet run on hardware. Asks the multimedia library that every Windows has; knows no recording.
Messages and numbers are those of <mmddk.h> ("Device Roles for Legacy Windows Multimedia
Applications" in Microsoft's documentation).
"""

from __future__ import annotations

import ctypes
from typing import Any

_MAPPER = 0xFFFF_FFFF  # WAVE_MAPPER: whichever device is preferred
_PREFERRED = 0x2015  # DRVM_MAPPER_PREFERRED_GET
_ID, _ID_SIZE = 0x0811, 0x0812  # DRV_QUERYFUNCTIONINSTANCEID and …SIZE
_NO_ERROR = 0


def default_output() -> str:
    """The system's own id of the default output; "" when there is none, or it cannot be told."""
    try:
        return _endpoint(ctypes.WinDLL("winmm"))  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return ""


def _endpoint(winmm: Any) -> str:
    device, flags, size = ctypes.c_uint32(), ctypes.c_uint32(), ctypes.c_size_t()
    if _ask(winmm, _MAPPER, _PREFERRED, device, flags) or device.value == _MAPPER:
        return ""
    if _ask(winmm, device.value, _ID_SIZE, size, None) or not size.value:
        return ""
    name = ctypes.create_unicode_buffer(size.value // ctypes.sizeof(ctypes.c_wchar) + 1)
    length = ctypes.c_void_p(size.value)
    if winmm.waveOutMessage(ctypes.c_void_p(device.value), _ID, name, length) != _NO_ERROR:
        return ""
    return name.value


def _ask(winmm: Any, device: int, message: int, first: Any, second: Any) -> bool:
    """Whether it failed; the answers are written to `first` and `second`."""
    there = ctypes.byref(second) if second is not None else None
    handle = ctypes.c_void_p(device)
    return bool(winmm.waveOutMessage(handle, message, ctypes.byref(first), there) != _NO_ERROR)

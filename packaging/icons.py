"""The icon in every size and format, drawn from `resources/icon.svg` by Qt.

PNG for Linux and within the two containers that hold several: .ico (Windows) and .icns (macOS).
The same drawing gives the same bytes. Needs no display.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from product import ROOT

SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
_ICO = (16, 24, 32, 48, 64, 128, 256)
# (type, size in pixels): those with @2x are drawn in double size
_ICNS = (
    (b"ic11", 32), (b"icp4", 16), (b"icp5", 32), (b"ic12", 64), (b"ic07", 128), (b"ic13", 256),
    (b"ic08", 256), (b"ic14", 512), (b"ic09", 512), (b"ic10", 1024),
)  # fmt: skip
SOURCE = ROOT / "resources" / "icon.svg"


def png(size: int) -> bytes:
    """A square PNG with alpha."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(str(SOURCE)).render(painter)
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs lack this form
    return bytes(data.data())


def ico() -> bytes:
    """Windows: a header, an entry of 16 bytes for each picture, then the pictures as PNG."""
    pictures = [png(size) for size in _ICO]
    head = struct.pack("<HHH", 0, 1, len(pictures))
    at = len(head) + 16 * len(pictures)
    for size, picture in zip(_ICO, pictures, strict=True):
        side = size % 256  # 0 means 256
        head += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(picture), at)
        at += len(picture)
    return head + b"".join(pictures)


def icns() -> bytes:
    """macOS: a header, then type, length and PNG of each picture."""
    parts = [(kind, png(size)) for kind, size in _ICNS]
    body = b"".join(kind + struct.pack(">I", 8 + len(data)) + data for kind, data in parts)
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def write_all(folder: Path) -> Path:
    """PNGs by size, `voxline.ico` and `voxline.icns`; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        (folder / f"{size}.png").write_bytes(png(size))
    (folder / "voxline.ico").write_bytes(ico())
    (folder / "voxline.icns").write_bytes(icns())
    return folder

"""Text from the bytes of a file that somebody wrote by hand, on whatever system.

Notepad puts a byte order mark before UTF-8, PowerShell's `>` writes UTF-16. Knows bytes, no files.
"""

from __future__ import annotations

import codecs

_MARKS = (  # UTF-32's little-endian mark begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def text_of(data: bytes) -> str:
    """The text, without its byte order mark; UTF-8 if there is none. Raises UnicodeDecodeError."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding)
    return data.decode("utf-8")

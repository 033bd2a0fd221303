"""Text from the bytes of a file that somebody wrote by hand, and JSON that any program may print.

Notepad puts a byte order mark before UTF-8, PowerShell's `>` writes UTF-16. Knows bytes, no files.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

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


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON in any script that gives a terminal no orders and loses nothing.

    The standard's own escapes stand for control characters beyond ASCII's, for the marks that turn
    the direction of what follows, and for halves of characters (a file's name may hold some).
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


_UNSAFE = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

"""What makes the start short: call `hasten()` before anything else of the windows is imported.

Knows nothing of what is imported.
"""

from __future__ import annotations

import builtins
import gc


def hasten() -> None:
    """Import the windows' modules without what nobody needs of it.

    Python looks for garbage again and again among what is only being built, a fifteenth of the
    start; from then on `desktop.garbage` does. And PySide puts a function of its own in the place
    of Python's import, for its `__feature__` module, which nobody here uses: it reads the source
    of every module that is imported, and Python keeps that text, 2 MB before the captions are
    shown. Raises ImportError where there is no Qt.
    """
    gc.disable()
    import PySide6.QtCore  # noqa: F401 - it is this that replaces `__import__`

    plain = getattr(builtins, "__orig_import__", None)  # as PySide calls what it replaces
    if plain is not None:
        builtins.__import__ = plain

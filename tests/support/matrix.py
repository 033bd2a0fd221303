"""The cases of a test that always run, and those of the whole matrix that run before a release.

    @pytest.mark.parametrize("delay", cases(DELAYS, always=(1, 6)))

What is left out is held by the cases that run and by tests elsewhere; VOXLINE_TESTS=all runs it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def cases(values: Iterable[Any], always: Collection[Any]) -> list[Any]:
    """All values as parameters, those beyond `always` marked exhaustive.

    Raises ValueError if one of `always` is none of them.
    """
    found = list(values)
    if missing := [value for value in always if value not in found]:
        raise ValueError(f"{missing} are no cases of {found}")
    return [
        value if value in always else pytest.param(value, marks=pytest.mark.exhaustive)
        for value in found
    ]

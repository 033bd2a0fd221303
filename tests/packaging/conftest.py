"""The build is a folder of scripts, found as they find each other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
sys.path.append(str(CHECKOUT / "packaging"))

from product import Product  # noqa: E402


@pytest.fixture
def what() -> Product:
    """A release somewhere on the web."""
    home = "https://example.org/voxline/voxline"
    return Product("1.2.3", "Captions.", "Apache-2.0", home, 1_767_225_600)

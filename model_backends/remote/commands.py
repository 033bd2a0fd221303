"""What a voice wants done with connections. Plain values; see `voice`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from model_backends.remote.dialects.base import Dialect
from model_backends.remote.servers import Server


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection; `opened()` or `lost()` follows."""

    link: int
    server: Server
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class Send:
    """Send these frames, in order."""

    link: int
    frames: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """Close a connection, and tell nothing more of it."""

    link: int


Command: TypeAlias = Connect | Send | Drop

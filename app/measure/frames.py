"""Whether what was drawn stays where it is from one picture of caption lines to the next.

A picture is cut into pieces of ink: words, or what stands as close together as letters of a word.
Each piece has to be in the next picture, unchanged: in place, or up by whole lines together with
all others, those of lines that have left at the top excepted. Knows pixels only: nothing of words,
layout or who draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Picture: TypeAlias = npt.NDArray[np.uint8]  # [height, width], lightness

_INK = 96  # lighter than the ground by so much
_SAME = 24  # two pixels that differ by no more show the same
_WRONG = 0.01  # of a piece's pixels: what marks of a neighbouring line may lie over
_APART = 0.16  # of a line's height: letters of a word are nearer to each other


@dataclass(frozen=True, slots=True)
class Piece:
    """Ink on one line: columns `left` up to `right`, without it."""

    row: int
    left: int
    right: int


def pieces(picture: Picture, line: int) -> list[Piece]:
    """The pieces of ink, line by line; `line` is the height of one in pixels."""
    found: list[Piece] = []
    for row in range(picture.shape[0] // line):
        columns = np.flatnonzero(_ink(picture[row * line : (row + 1) * line]).any(axis=0))
        found += [Piece(row, int(run[0]), int(run[-1]) + 1) for run in _runs(columns, line)]
    return found


def moved(before: Picture, now: Picture, line: int, up: int) -> list[Piece]:
    """The pieces of `before` that are not where they have to be after scrolling by `up` lines."""
    kept = [piece for piece in pieces(before, line) if piece.row >= up]
    return [piece for piece in kept if not _is_there(piece, before, now, line, up)]


def _is_there(piece: Piece, before: Picture, now: Picture, line: int, up: int) -> bool:
    # The line above has gone with the tails of its letters, which had reached into this one.
    cut = line // 2 if up and piece.row == up else 0
    top = piece.row * line + cut
    old = before[top : (piece.row + 1) * line, piece.left : piece.right].astype(int)
    new = now[top - up * line : (piece.row + 1 - up) * line, piece.left : piece.right].astype(int)
    ink = _ink(old.astype(np.uint8))
    return int((np.abs(old - new)[ink] > _SAME).sum()) <= _WRONG * int(ink.sum())


def _ink(part: Picture) -> npt.NDArray[np.bool_]:
    return part > _INK


def _runs(columns: npt.NDArray[np.intp], line: int) -> Iterator[npt.NDArray[np.intp]]:
    if len(columns):
        yield from np.split(columns, np.flatnonzero(np.diff(columns) > line * _APART) + 1)


def rebroken(before: list[str], now: list[str], up: int) -> int:
    """How many lines of text have not stayed as they were; the last may have grown."""
    last = len(before) - 1
    changed = 0
    for row in range(up, len(before)):
        text = now[row - up] if row - up < len(now) else ""
        stays = text.startswith(before[row]) if row == last else text == before[row]
        changed += not stays
    return changed

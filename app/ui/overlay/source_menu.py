"""The captions' menu of what can be listened to. Knows the list; knows nothing of who acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from app.audio.choice import from_text
from app.audio.devices.base import SourceInfo
from app.ui.overlay.menus import ListMenu
from app.ui.widgets import source_names, worded
from app.ui.widgets.source_names import Row


def list_sources(
    menu: ListMenu, sources: Sequence[SourceInfo], chosen: str, choose: Callable[[str], None]
) -> None:
    """Fill an empty menu. `chosen` as settings keep it; so is what `choose` gets."""
    for row in source_names.rows(sources, from_text(chosen)):
        if row.source == source_names.ASK_FOR_FILE:
            menu.addSeparator()
            worded.action(menu, row.text).triggered.connect(partial(_choose, choose, row.source))
        elif row.heading:
            menu.add_heading(row.text)
        else:
            _add(menu, row, choose)


def _add(menu: ListMenu, row: Row, choose: Callable[[str], None]) -> None:
    action = menu.add_choice(row.text, row.chosen, whole=row.ours)
    if row.why_not:
        action.setEnabled(False)
        worded.tip(action, row.why_not)
    action.triggered.connect(partial(_choose, choose, row.source))


def _choose(choose: Callable[[str], None], source: str, _checked: bool = False) -> None:
    choose(source)

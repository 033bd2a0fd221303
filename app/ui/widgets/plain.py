"""Text from outside shown as it is: never markup, never a mnemonic, never wider than a menu.

A device, a file or a recovered sentence may hold `<img src=…>` or `&`. Qt guesses whether a text
is markup, and would load what it names.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QWidget

from app.language import say
from app.ui.widgets import worded

LONGEST_NAME = 44  # characters of a name in a menu


def label(text: str = "", name: str = "", wrap: bool = False) -> QLabel:
    """A QLabel that shows its text literally; `name` is its object name, for the style sheet."""
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setObjectName(name)
    made.setWordWrap(wrap)
    return worded.text(made, text)


def name_label(name: str, longest: int = LONGEST_NAME, tip: str = "") -> QLabel:
    """A name from outside, shortened; whole in its tooltip (or `tip`) and to a screen reader."""
    made = label()
    show_name(made, name, longest, tip)
    return made


def show_name(label: QLabel, name: str, longest: int = LONGEST_NAME, tip: str = "") -> None:
    """The same in a label that shows other names, too."""
    worded.text(label, shortened(name, longest))
    worded.name(label, name)
    set_tip(label, tip or name)


def add_row(form: QFormLayout, text: str, field: QWidget) -> None:
    """A field of a form with its label."""
    made = label(text)
    made.setBuddy(field)
    form.addRow(made, field)


def set_tip(widget: QWidget, text: str) -> None:
    """A tooltip that shows its text literally. Give the widget its accessible name first.

    Qt reads out a tooltip as the description; one that is the name would be read out twice.
    """
    worded.tip(widget, text)
    if say(text) == widget.accessibleName():
        widget.setAccessibleDescription(" ")  # an empty one would be the tooltip again
    elif widget.accessibleDescription() == " ":
        widget.setAccessibleDescription("")


def tip(text: str) -> str:
    """The text as a tooltip that shows it literally, for what takes no `set_tip`."""
    return worded.literally(say(text))


def unmnemonic(text: str) -> str:
    """For buttons and menus, where a single & would underline a letter."""
    return text.replace("&", "&&")


def shortened(text: str, longest: int = LONGEST_NAME) -> str:
    """A long name with its middle left out: beginnings and ends tell devices apart."""
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 2
    return f"{text[: longest - 1 - tail].rstrip()}…{text[-tail:].lstrip()}"

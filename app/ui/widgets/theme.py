"""How the windows look: Fusion, light or dark as the desktop says, and the app's icon.

The caption overlay has colours of its own, which the user chooses; nothing here touches them.
Pairs of text and background keep a contrast of at least 4.5:1.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from app import paths


@dataclass(frozen=True, slots=True)
class Colors:
    """One look. `dim` is for times and hints, the four last for the state's dot and banners."""

    window: str
    base: str
    raised: str
    control: str
    text: str
    dim: str
    line: str
    accent: str
    on_accent: str
    good: str
    busy: str
    warning: str
    failure: str


LIGHT = Colors(
    window="#f4f5f7", base="#ffffff", raised="#ffffff", control="#ffffff",
    text="#1a1d21", dim="#5a626d", line="#d3d7dd", accent="#1f5fd0", on_accent="#ffffff",
    good="#1a7f4b", busy="#1f5fd0", warning="#9a5b00", failure="#b3261e",
)  # fmt: skip
DARK = Colors(
    window="#1c1e22", base="#141619", raised="#2a2d33", control="#3a3f48",
    text="#e9ebee", dim="#a3aab5", line="#3b4048", accent="#7fb0ff", on_accent="#0c1a33",
    good="#5fd39a", busy="#7fb0ff", warning="#f2b661", failure="#ff8a80",
)  # fmt: skip

_SHEET = """
QToolTip {{ color: {text}; background: {raised}; border: 1px solid {line}; padding: 4px; }}
QPushButton, QToolButton#button {{
    color: {text}; background: {raised}; border: 1px solid {line}; border-radius: 6px;
    padding: 6px 14px; min-height: 18px;
}}
QPushButton:hover, QToolButton#button:hover {{ border-color: {dim}; }}
QPushButton:pressed, QToolButton#button:pressed {{ background: {line}; }}
QPushButton:focus, QToolButton#button:focus {{ border: 2px solid {accent}; padding: 5px 13px; }}
QPushButton:disabled, QToolButton#button:disabled {{ color: {dim}; background: {window}; }}
QToolButton#button::menu-indicator {{ subcontrol-position: right center; right: 8px; }}
QToolButton#button {{ padding-right: 24px; }}
QToolButton#button:focus {{ padding-right: 23px; }}
QPushButton#primary {{
    color: {on_accent}; background: {accent}; border-color: {accent}; font-weight: 600;
}}
QPushButton#primary:focus {{ border: 2px solid {text}; }}
QPushButton#primary:disabled {{ color: {dim}; background: {line}; border-color: {line}; }}
QTextEdit {{
    background: {base}; color: {text}; border: 1px solid {line}; border-radius: 8px; padding: 8px;
}}
QTextEdit:focus {{ border: 2px solid {accent}; padding: 7px; }}
QLineEdit {{
    background: {base}; color: {text}; border: 1px solid {line}; border-radius: 6px;
    padding: 5px 8px;
}}
QLineEdit:focus {{ border: 2px solid {accent}; padding: 4px 7px; }}
QFrame#banner {{ background: {raised}; border: 1px solid {line}; border-radius: 8px; }}
QFrame#mark {{ border-radius: 2px; }}
QFrame#banner[kind="info"] QFrame#mark {{ background: {accent}; }}
QFrame#banner[kind="good"] QFrame#mark {{ background: {good}; }}
QFrame#banner[kind="warning"] QFrame#mark {{ background: {warning}; }}
QFrame#banner[kind="failure"] QFrame#mark {{ background: {failure}; }}
QLabel#state {{ font-weight: 600; }}
QLabel#dim {{ color: {dim}; }}
QStatusBar {{ color: {dim}; }}
QStatusBar::item {{ border: none; }}
"""


def colors() -> Colors:
    """The look in use."""
    hints = QApplication.styleHints()
    return DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT


def apply(app: QApplication) -> None:
    """Dress the app, now and whenever the desktop turns dark or light."""
    app.setStyle("Fusion")
    app.setWindowIcon(icon())
    _dress(app)
    app.styleHints().colorSchemeChanged.connect(lambda _scheme: _dress(app))


def icon() -> QIcon:
    return QIcon(str(paths.resource("icon.svg")))


def _dress(app: QApplication) -> None:
    look = colors()
    app.setPalette(_palette(look))
    app.setStyleSheet(_SHEET.format_map({name: getattr(look, name) for name in look.__slots__}))


def _palette(look: Colors) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette(QColor(look.control), QColor(look.window))
    for which, color in {
        role.WindowText: look.text,
        role.Base: look.base,
        role.AlternateBase: look.window,
        role.Text: look.text,
        role.PlaceholderText: look.dim,
        role.ButtonText: look.text,
        role.Highlight: look.accent,
        role.HighlightedText: look.on_accent,
        role.Link: look.accent,
        role.Accent: look.accent,
        role.ToolTipBase: look.raised,
        role.ToolTipText: look.text,
    }.items():
        palette.setColor(which, QColor(color))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(look.dim))
    return palette

"""How the windows look: Fusion, light or dark and in high contrast as the desktop says; the icon.

The caption overlay has colours of its own, which the user chooses; nothing here touches them.
Pairs of text and background keep a contrast of at least 4.5:1, in high contrast of 7:1.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from app import paths


@dataclass(frozen=True, slots=True)
class Colors:
    """One look. `dim` is for times and hints, the five last for the state's dot and banners.

    `line` parts what belongs together; `border` bounds what can be used, and is seen on every
    surface (WCAG 2.2, 1.4.11: at least 3:1). `sunken` is behind what is pressed, `off` is what
    cannot be used now: it can be read, and is told from what can be used.
    """

    window: str
    base: str
    raised: str
    control: str
    text: str
    dim: str
    line: str
    border: str
    accent: str
    on_accent: str
    sunken: str
    off: str
    quiet: str
    good: str
    busy: str
    warning: str
    failure: str


LIGHT = Colors(
    window="#f4f5f7", base="#ffffff", raised="#ffffff", control="#ffffff",
    text="#1a1d21", dim="#5a626d", line="#d3d7dd", border="#7a828d",
    accent="#1f5fd0", on_accent="#ffffff", sunken="#d3d7dd", off="#5a626d",
    quiet="#5a626d", good="#1a7f4b", busy="#1f5fd0", warning="#9a5b00", failure="#b3261e",
)  # fmt: skip
DARK = Colors(
    window="#1c1e22", base="#141619", raised="#2a2d33", control="#3a3f48",
    text="#e9ebee", dim="#a3aab5", line="#3b4048", border="#8a929e",
    accent="#7fb0ff", on_accent="#0c1a33", sunken="#3b4048", off="#99a1ac",
    quiet="#a3aab5", good="#5fd39a", busy="#7fb0ff", warning="#f2b661", failure="#ff8a80",
)  # fmt: skip
# For who has asked the desktop for high contrast: two grounds, no shades, every edge drawn.
HIGH_LIGHT = Colors(
    window="#ffffff", base="#ffffff", raised="#ffffff", control="#ffffff",
    text="#000000", dim="#000000", line="#000000", border="#000000",
    accent="#0000c8", on_accent="#ffffff", sunken="#dcdcdc", off="#595959",
    quiet="#000000", good="#005a2b", busy="#0000c8", warning="#6b3d00", failure="#9c0006",
)  # fmt: skip
HIGH_DARK = Colors(
    window="#000000", base="#000000", raised="#000000", control="#000000",
    text="#ffffff", dim="#ffffff", line="#ffffff", border="#ffffff",
    accent="#ffff00", on_accent="#000000", sunken="#333333", off="#a6a6a6",
    quiet="#ffffff", good="#5cff9a", busy="#8ad4ff", warning="#ffd84d", failure="#ff9d94",
)  # fmt: skip
_LOOKS = {  # is it dark, is it high contrast
    (False, False): LIGHT,
    (True, False): DARK,
    (False, True): HIGH_LIGHT,
    (True, True): HIGH_DARK,
}


@dataclass(frozen=True, slots=True)
class CaptionColors:
    """Of what floats beside the captions: always light on dark, whatever the desktop's look."""

    ink: str = "#f2f4f8"
    dim: str = "#a3aab7"
    black: str = "#101216"  # on amber
    surface: str = "#181a1f"
    menu: str = "#1f2228"
    edge: str = "#5b6270"  # of surfaces
    groove: str = "#747c8a"
    selected: str = "#34507a"
    accent: str = "#7cc4ff"
    quiet: str = "#9aa3b2"
    good: str = "#4cd07d"
    busy: str = "#7cc4ff"
    warning: str = "#ffc24b"
    failure: str = "#c4281c"  # behind white


CAPTIONS = CaptionColors()

_SHEET = """
QToolTip {{ color: {text}; background: {raised}; border: 1px solid {line}; padding: 4px; }}
QPushButton, QToolButton#button {{
    color: {text}; background: {raised}; border: 1px solid {border}; border-radius: 6px;
    padding: 6px 14px; min-height: 18px;
}}
QPushButton:hover, QToolButton#button:hover {{ border-color: {text}; }}
QPushButton:pressed, QToolButton#button:pressed {{ background: {sunken}; }}
QPushButton:focus, QToolButton#button:focus {{ border: 2px solid {accent}; padding: 5px 13px; }}
QPushButton:disabled, QToolButton#button:disabled {{
    color: {off}; background: {window}; border-color: {off};
}}
QToolButton#button::menu-indicator {{
    image: url("{down}"); width: 12px; height: 12px;
    subcontrol-position: right center; right: 8px;
}}
QToolButton#button {{ padding-right: 24px; }}
QToolButton#step, QToolButton#fold {{
    color: {text}; background: {raised}; border: 1px solid {border}; border-radius: 6px;
    padding: 5px 10px;
}}
QToolButton#step {{ font-weight: 600; }}
QToolButton#step:hover, QToolButton#fold:hover {{ border-color: {text}; }}
QToolButton#step:focus, QToolButton#fold:focus {{
    border: 2px solid {accent}; padding: 4px 9px;
}}
QToolButton#step:disabled {{ color: {off}; background: {window}; border-color: {off}; }}
QToolButton#button:focus {{ padding-right: 23px; }}
QPushButton#primary {{
    color: {on_accent}; background: {accent}; border-color: {accent}; font-weight: 600;
}}
QPushButton#primary:focus {{
    border: 4px double {on_accent}; border-radius: 0; padding: 3px 11px;
}}
QPushButton#primary:disabled {{ color: {off}; background: {window}; border-color: {off}; }}
QTextEdit, QLineEdit {{ placeholder-text-color: {off}; }}
QTextEdit, QPlainTextEdit {{
    background: {base}; color: {text}; border: 1px solid {border}; border-radius: 8px; padding: 8px;
}}
QTextEdit:focus, QPlainTextEdit:focus {{ border: 2px solid {accent}; padding: 7px; }}
QListView#list {{ background: {base}; border: 1px solid {border}; padding: 1px; }}
QListView#list:focus {{ border: 2px solid {accent}; padding: 0; }}
QProgressBar {{ background: {base}; border: 1px solid {border}; border-radius: 4px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 3px; }}
QSplitter::handle {{ image: url("{grip}"); }}
QLineEdit {{
    background: {base}; color: {text}; border: 1px solid {border}; border-radius: 6px;
    padding: 5px 8px;
}}
QLineEdit:focus {{ border: 2px solid {accent}; padding: 4px 7px; }}
QComboBox, QSpinBox {{
    background: {base}; color: {text}; border: 1px solid {border}; border-radius: 6px;
    padding: 4px 8px; min-height: 20px;
}}
QSpinBox QLineEdit {{ border: none; padding: 0 4px; background: transparent; }}
QComboBox:focus, QSpinBox:focus {{ border: 2px solid {accent}; padding: 3px 7px; }}
QComboBox:disabled, QSpinBox:disabled, QLineEdit:disabled {{
    color: {off}; background: {window}; border-color: {off};
}}
QComboBox::drop-down {{ border: none; width: 24px; }}
QComboBox::down-arrow {{ image: url("{down}"); width: 12px; height: 12px; }}
QSpinBox::up-button, QSpinBox::down-button {{ border: none; width: 22px; }}
QSpinBox::up-button:hover, QSpinBox::down-button:hover {{ background: {sunken}; }}
QSpinBox::up-arrow {{ image: url("{up}"); width: 10px; height: 10px; }}
QSpinBox::down-arrow {{ image: url("{down}"); width: 10px; height: 10px; }}
QComboBox QAbstractItemView {{
    background: {raised}; color: {text}; border: 1px solid {border};
    selection-background-color: {accent}; selection-color: {on_accent};
}}
QCheckBox {{ spacing: 8px; padding: 3px; border: 2px solid transparent; border-radius: 6px; }}
QCheckBox:focus {{ border-color: {accent}; }}
QCheckBox::indicator, QTableView::indicator {{
    width: 16px; height: 16px; background: {base}; border: 1px solid {border}; border-radius: 4px;
}}
QCheckBox::indicator:checked, QTableView::indicator:checked {{
    background: {accent}; border-color: {accent}; image: url("{tick}");
}}
QCheckBox::indicator:disabled {{ background: {window}; border-color: {off}; }}
QCheckBox::indicator:checked:disabled {{ background: {off}; }}
QGroupBox {{
    border: 1px solid {line}; border-radius: 8px; margin-top: 11px; padding: 12px 4px 4px 4px;
}}
QGroupBox::title {{ subcontrol-origin: margin; left: 12px; padding: 0 4px; color: {text}; }}
QRadioButton {{ spacing: 8px; padding: 3px; border: 2px solid transparent; border-radius: 6px; }}
QRadioButton:focus {{ border-color: {accent}; }}
QRadioButton:disabled {{ color: {off}; }}
QRadioButton::indicator {{
    width: 16px; height: 16px; background: {base}; border: 1px solid {border}; border-radius: 9px;
}}
QRadioButton::indicator:checked {{
    width: 8px; height: 8px; background: {base}; border: 5px solid {accent};
}}
QRadioButton::indicator:disabled {{ background: {window}; border-color: {off}; }}
QMenuBar {{ background: {window}; color: {text}; }}
QMenuBar::item {{ padding: 4px 8px; border-radius: 4px; background: transparent; }}
QMenuBar::item:disabled {{ color: {off}; }}
QMenuBar::item:selected {{ background: {accent}; color: {on_accent}; }}
QListWidget#pages {{
    background: transparent; border: none; outline: none; padding: 2px;
}}
QListWidget#pages::item {{
    padding: 9px 12px; margin: 1px 0; color: {text}; border: 2px solid transparent;
    border-radius: 6px;
}}
QListWidget#pages::item:hover {{ border-color: {line}; }}
QListWidget#pages::item:selected {{ background: {raised}; border-color: {border}; color: {text}; }}
QListWidget#pages::item:selected:focus {{ border-color: {accent}; }}
QTableView {{
    background: {base}; color: {text}; border: 1px solid {border}; gridline-color: {line};
}}
QTableView:focus {{ border: 2px solid {accent}; }}
QHeaderView::section {{
    background: {raised}; color: {text}; border: none; border-bottom: 1px solid {border};
    padding: 5px 8px;
}}
QTabBar::tab {{
    padding: 7px 16px; color: {dim}; background: transparent; border: 2px solid transparent;
    border-radius: 6px; margin: 2px;
}}
QTabBar::tab:selected {{ color: {text}; background: {raised}; border-color: {border}; }}
QTabBar::tab:selected:focus {{ border-color: {accent}; }}
QTabBar::tab:hover {{ color: {text}; }}
QTabWidget::pane {{ border: 1px solid {line}; border-radius: 8px; }}
QSlider {{ border: 2px solid transparent; border-radius: 6px; min-height: 26px; }}
QSlider:focus {{ border-color: {accent}; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {border}; }}
QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {accent}; }}
QSlider::handle:horizontal {{
    width: 16px; height: 16px; margin: -7px 0; border-radius: 8px; background: {accent};
    border: 1px solid {base};
}}
QSlider::handle:horizontal:disabled, QSlider::sub-page:horizontal:disabled {{
    background: {border};
}}
QScrollBar:vertical {{ width: 12px; background: transparent; margin: 0; }}
QScrollBar::handle:vertical {{
    background: {border}; border-radius: 4px; margin: 2px; min-height: 28px;
}}
QScrollBar::handle:vertical:hover {{ background: {dim}; }}
QScrollBar:horizontal {{ height: 12px; background: transparent; margin: 0; }}
QScrollBar::handle:horizontal {{
    background: {border}; border-radius: 4px; margin: 2px; min-width: 28px;
}}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QFrame#banner {{ background: {raised}; border: 1px solid {line}; border-radius: 8px; }}
QFrame#mark {{ border-radius: 2px; }}
QFrame#banner[kind="info"] QFrame#mark {{ background: {accent}; }}
QFrame#banner[kind="good"] QFrame#mark {{ background: {good}; }}
QFrame#banner[kind="warning"] QFrame#mark {{ background: {warning}; }}
QFrame#banner[kind="failure"] QFrame#mark {{ background: {failure}; }}
QLabel#state {{ font-weight: 600; }}
QLabel#dim {{ color: {dim}; }}
QLabel#heading {{ font-size: 15pt; font-weight: 600; }}
QLabel#warning {{ color: {warning}; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QStatusBar {{ color: {dim}; }}
QStatusBar::item {{ border: none; }}
"""

# Menus of the windows, not those beside the captions, which have colours of their own.
_MENUS = (
    "QMenuBar QMenu",
    "QTextEdit QMenu",
    "QPlainTextEdit QMenu",
    "QLineEdit QMenu",
    "QMenu#menu",
)
_MENU_SHEET = """
QMenu {{ background: {raised}; color: {text}; border: 1px solid {border}; padding: 4px; }}
QMenu::item {{ padding: 5px 28px 5px 26px; border-radius: 4px; }}
QMenu::item:selected {{ background: {accent}; color: {on_accent}; }}
QMenu::item:disabled {{ color: {off}; background: transparent; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 4px 8px; }}
QMenu::indicator {{
    width: 12px; height: 12px; margin-left: 6px; border: 1px solid {border}; border-radius: 3px;
}}
QMenu::indicator:checked {{
    background: {accent}; border-color: {on_accent}; image: url("{tick}");
}}
"""


def colors() -> Colors:
    """The look in use."""
    return _LOOKS[QApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark, wants_contrast()]


def wants_contrast() -> bool:
    """Whether the desktop asks for high contrast; False where this Qt cannot tell (before 6.10)."""
    accessibility = getattr(QApplication.styleHints(), "accessibility", None)
    if accessibility is None:
        return False
    return bool(accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast)


# What the application is to be made with, besides its name. To set the style later gives a QStyle
# back, whose lists of numbers Python then makes: a fiftieth of the start.
STYLE = ("-style", "fusion")


def apply(app: QApplication) -> None:
    """Dress the app, which was made with STYLE, now and whenever the desktop turns dark or light,
    or to high contrast."""
    app.setWindowIcon(icon())
    _dress(app)
    hints = app.styleHints()
    hints.colorSchemeChanged.connect(lambda _scheme: _dress(app))
    if hasattr(hints, "accessibility"):
        hints.accessibility().contrastPreferenceChanged.connect(lambda _wish: _dress(app))


def icon() -> QIcon:
    return QIcon(str(paths.resource("icon.svg")))


def _dress(app: QApplication) -> None:
    look = colors()
    app.setPalette(_palette(look))
    sheets = (_SHEET, *(_MENU_SHEET.replace("QMenu", menu) for menu in _MENUS))
    app.setStyleSheet("".join(sheets).format_map(asdict(look) | _pictures(look)))


def _pictures(look: Colors) -> dict[str, str]:
    """Of arrows and ticks: a style sheet that gives a field a border takes its own away."""
    tick = "white" if look.on_accent == "#ffffff" else "dark"
    name = "dark" if look in (DARK, HIGH_DARK) else "light"
    files = {each: f"{each}-{name}" for each in ("up", "down", "grip")} | {"tick": f"tick-{tick}"}
    return {key: paths.resource(f"look/{file}.svg").as_posix() for key, file in files.items()}


def _palette(look: Colors) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette(QColor(look.control), QColor(look.window))
    for which, color in {
        role.WindowText: look.text,
        role.Base: look.base,
        role.AlternateBase: look.window,
        role.Text: look.text,
        role.PlaceholderText: look.off,
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
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(look.off))
    return palette

"""The keys that work in every program: which key does which verb, and what became of the wish.

Follows the settings: a key that is changed there is grabbed at once. Where the desktop keeps the
keys itself (the portal, on Wayland) it says which they are. Knows no widgets, and no verb's doing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence

from app.language import say
from app.native import hotkeys as native_keys
from app.native.keys import Combination, GlobalKeys, NoGlobalKeysError, Refusal, parse
from app.native.portal_keys import PortalKeys
from app.settings import Settings
from app.ui.state.commands import VERBS, Commands
from app.ui.state.settings_store import SettingsStore
from app.ui.state.ui_thread import Knock
from app.ui.widgets import worded
from model_backends.base import Sentence

log = logging.getLogger(__name__)

NO_KEYS = Sentence(
    "This desktop gives Voxline no keys in other programs. In its keyboard settings you can bind "
    "commands to keys, for example “voxline control toggle”."
)
_TAKEN = "The desktop or another program has {keys}: here it works in Voxline’s windows alone."
_NO_SUCH_KEY = "This keyboard has no key for {keys}."
_TYPES = (
    "With a keyboard layout of this computer {keys} types a character (AltGr), so it is left to "
    "that and does nothing here. Choose another key, for example one of F1 to F12."
)
_FAILED = "{keys} could not be had in other programs. The log may say why."
_ALSO = "{keys} is the key of “{other}”, too, which has it."
_UNKNOWN = Sentence(
    "This key cannot be used. Take a letter, a digit, + or −, F1 to F12, an arrow or the like, "
    "with two of Ctrl, Alt, Shift and Meta."
)
_NEEDED = "{keys} is needed in other programs. Hold one more of Ctrl, Alt, Shift and Meta with it."
_IN_USE = "{keys} is the key of “{other}”. Take another, or change that one first."

OpenKeys = Callable[[str, Callable[[str], None]], GlobalKeys]
AskPortal = Callable[
    [
        Mapping[str, tuple[str, Combination | None]],
        Callable[[str], None],
        Callable[[Mapping[str, str]], None],
    ],
    PortalKeys,
]


class Hotkeys(QObject):
    """`start()` once all verbs are offered. `changed` tells that a key or its problem changed."""

    changed = Signal()

    def __init__(
        self,
        store: SettingsStore,
        commands: Commands,
        open_keys: OpenKeys = native_keys.open_keys,
        ask_portal: AskPortal = PortalKeys,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._commands = store, commands
        self._open_keys, self._ask_portal = open_keys, ask_portal
        self._system: GlobalKeys | None = None
        self._portal: PortalKeys | None = None
        self._triggers: Mapping[str, str] = {}  # what the portal calls each key
        self._refused: Mapping[str, Refusal] = {}
        self._suspended = False
        self.none_to_be_had = False  # in other programs
        worded.follow(self, self._say_again)

    def start(self) -> None:
        """Grab the keys, or ask the desktop for them."""
        self._store.changed.connect(self._follow)
        try:
            self._system = self._open_keys(QGuiApplication.platformName(), Knock(self._do))
        except NoGlobalKeysError:
            self._start_portal()
        self._grab()

    def _say_again(self) -> None:
        """In another language keys are written otherwise: Ctrl is Strg in German."""
        self.changed.emit()

    def close(self) -> None:
        """Give all keys back."""
        for keys in (self._system, self._portal):
            if keys is not None:
                keys.close()
        self._system = self._portal = None

    # --- what each key is ------------------------------------------------------------------

    @property
    def kept_by_desktop(self) -> bool:
        """Whether the keys can be changed in the desktop's settings only."""
        return self._portal is not None and not self.none_to_be_had

    def written(self, name: str) -> str:
        """The verb's key as in the settings; empty for none."""
        keys = self._store.settings.keys.get(name, VERBS[name].key)
        return keys if not keys or _combination(keys) else VERBS[name].key

    def sequence(self, name: str) -> QKeySequence:
        """The verb's key, for a menu; empty for none and for verbs that nobody does."""
        if not self._commands.offers(name) or self.kept_by_desktop or self._doubled_by(name):
            return QKeySequence()
        if self._refused.get(name) is Refusal.TYPES:  # in Voxline's windows, too, people type
            return QKeySequence()
        return QKeySequence(self.written(name))

    def shown(self, name: str) -> str:
        """The verb's key as this system writes keys; empty for none."""
        if self.kept_by_desktop:
            return self._triggers.get(name, "")
        return native_text(self.written(name))

    def works_everywhere(self, name: str) -> bool:
        """Whether its key does it in every program."""
        if self.none_to_be_had or not self.shown(name) or not self._commands.offers(name):
            return False
        return name not in self._refused and not self._doubled_by(name)

    def problem(self, name: str) -> str:
        """Why its key does not work everywhere, in a sentence; empty if it does."""
        keys = self.shown(name)
        if not keys or self.kept_by_desktop:
            return ""
        doubled = self._doubled_by(name)
        if doubled:
            return Sentence(_ALSO, keys=keys, other=VERBS[doubled].label)
        words = {
            Refusal.TAKEN: _TAKEN,
            Refusal.NO_SUCH_KEY: _NO_SUCH_KEY,
            Refusal.TYPES: _TYPES,
            Refusal.FAILED: _FAILED,
            None: "",
        }[self._refused.get(name)]
        return Sentence(words, keys=keys) if words else ""

    # --- changing them ---------------------------------------------------------------------

    def assign(self, name: str, keys: str) -> str:
        """Give the verb this key ("": none). A sentence if it cannot be; then nothing changes."""
        if keys:
            combination = _combination(keys)
            if combination is None:
                return _UNKNOWN
            if not combination.can_be_spared:
                return Sentence(_NEEDED, keys=native_text(keys))
            for other in self._commands.offered():
                if other.name != name and _combination(self.written(other.name)) == combination:
                    return Sentence(_IN_USE, keys=native_text(keys), other=other.label)
        self._store.change(keys={**self._store.settings.keys, name: keys})
        return ""

    def reset(self) -> None:
        """Every key as it was at first."""
        self._store.change(keys={})

    def suspend(self, suspended: bool) -> None:
        """While a key is being chosen, its press must not do what it does."""
        self._suspended = suspended
        self._grab()

    # --- grabbing --------------------------------------------------------------------------

    def _grab(self) -> None:
        if self._system is not None:
            wanted = {} if self._suspended else self._wanted()
            try:
                refused = self._system.grab(wanted)
            except NoGlobalKeysError:
                refused, self.none_to_be_had = {}, True
            if not self._suspended:
                self._refused = refused
        self.changed.emit()

    def _wanted(self) -> dict[str, Combination]:
        found = {
            verb.name: _combination(self.written(verb.name))
            for verb in self._commands.offered()
            if not self._doubled_by(verb.name)
        }
        return {name: combination for name, combination in found.items() if combination}

    def _doubled_by(self, name: str) -> str:
        """The verb before this one that has the same key, as only a file by hand can say."""
        mine = _combination(self.written(name))
        for verb in self._commands.offered():
            if verb.name == name or mine is None:
                break
            if _combination(self.written(verb.name)) == mine:
                return verb.name
        return ""

    def _start_portal(self) -> None:
        if not native_keys.is_wayland():
            self.none_to_be_had = True
            return
        wanted = {
            verb.name: (say(verb.label), _combination(self.written(verb.name)))
            for verb in self._commands.offered()
        }
        try:
            self._portal = self._ask_portal(wanted, Knock(self._do), Knock(self._take_triggers))
        except NoGlobalKeysError:
            self.none_to_be_had = True

    def _take_triggers(self, triggers: Mapping[str, str]) -> None:
        self._triggers = triggers
        self.none_to_be_had = not triggers
        self.changed.emit()

    def _do(self, name: str) -> None:
        if self._commands.offers(name) and not self._suspended:
            self._commands.do(name)

    def _follow(self, now: Settings, before: Settings) -> None:
        if now.keys != before.keys:
            self._grab()


def native_text(keys: str) -> str:
    """A combination as this system writes it: "Ctrl+Alt+C", "⌥⌘C"."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


def _combination(keys: str) -> Combination | None:
    try:
        return parse(keys) if keys else None
    except ValueError:
        return None

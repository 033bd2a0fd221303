"""What captions on other screens are told: the last minutes, numbered, and each word as it comes.

Committed words only, in paragraphs like the transcript's; a screen that lost its connection says
what it has, and is sent the rest. What is no word of a speaker's is said in each reader's language.
Knows no network and no look.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from app import language
from app.core.paragraphs import Paragraph
from app.core.sentences import ends_sentence
from app.core.timeline import Gap
from app.core.voices import name_of
from model_backends.base import Catalogue, Sentence, Word

KEPT = 3_000  # items; some twenty minutes of speech

Tell = Callable[[str], None]


class _Item:
    """One message to screens, written once for all whose readers it says the same."""

    __slots__ = ("_texts", "_values", "_varies")

    def __init__(self, **values: Any) -> None:
        self._values = values
        self._varies = any(isinstance(value, Sentence) for value in values.values())
        self._texts: dict[str, str] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Item) and self._values == other._values

    def said_in(self, catalogue: language.English) -> str:
        """As text, in one language."""
        code = catalogue.code if self._varies else ""
        if code not in self._texts:
            said = {name: _said(value, catalogue) for name, value in self._values.items()}
            if said.get("name"):
                said["name"] = name_of(said["lane"], {said["lane"]: said["name"]})
            self._texts[code] = json.dumps(said, ensure_ascii=False)
        return self._texts[code]


def _said(value: Any, catalogue: Catalogue) -> Any:
    return value.said_in(catalogue) if isinstance(value, Sentence) else value


class Broadcast:
    """Told by one thread, heard by many."""

    def __init__(self, kept: int = KEPT) -> None:
        self.run = secrets.token_hex(8)  # whose numbers these are: another start has another
        self._lock = threading.Lock()
        self._items: deque[tuple[int, _Item]] = deque(maxlen=kept)
        self._count = 0
        self._lasting: dict[str, _Item] = {}  # what holds until it is told otherwise, by its kind
        self._screens: list[tuple[Tell, language.English]] = []
        self._paragraph: Paragraph | None = None
        self._lane = ""

    # --- who tells -------------------------------------------------------------------------

    def word(self, word: Word, names: Mapping[str, str] | None = None) -> None:
        """A committed word; `names` of the voices, where there are several."""
        before, same = self._paragraph, word.lane == self._lane
        fresh = before is None or not same or not before.takes(word)
        ends = before is not None and (
            fresh or ends_sentence(before.last.text, word.text, word.language)
        )
        if before is None or fresh:
            self._paragraph = Paragraph.begun(word)
        else:
            before.add(word)
        self._lane = word.lane
        text = word.text.lstrip() if fresh else word.text
        named = bool(names) and not same
        self._add(
            kind="word",
            text=text,
            lane=word.lane,
            fresh=fresh,
            ends=ends,
            name=_named(word.lane, names or {}) if named else "",
            language=word.language or "",
        )

    def gap(self, gap: Gap) -> None:
        """Something was not heard."""
        self._paragraph = None
        self._add(kind="gap", text=Sentence("— {why} —", why=gap.why))

    def begin(self) -> None:
        """Another session: what comes next goes on from nothing."""
        self._paragraph = None

    def state(self, text: str, trouble: bool) -> None:
        """How captions are doing."""
        self._hold("state", {"text": text, "trouble": trouble})

    def look(self, values: Mapping[str, str]) -> None:
        """How captions look in the app."""
        self._hold("look", values)

    def _add(self, **values: Any) -> None:
        with self._lock:
            item = _Item(n=self._count, **values)
            self._items.append((self._count, item))
            self._count += 1
            self._tell(item)

    def _hold(self, kind: str, values: Mapping[str, Any]) -> None:
        item = _Item(kind=kind, **values)
        with self._lock:
            if self._lasting.get(kind) != item:
                self._lasting[kind] = item
                self._tell(item)

    def _tell(self, item: _Item) -> None:
        for screen, catalogue in self._screens:
            screen(item.said_in(catalogue))

    # --- who hears -------------------------------------------------------------------------

    def join(self, tell: Tell, run: object, after: object, code: str = "") -> None:
        """Send what a screen does not have yet, then everything; `tell` must not wait. `code`: the
        reader's language, if it is one of ours; else the one that is spoken here."""
        have = after if run == self.run and type(after) is int else -1
        catalogue = language.catalogue(code if code in language.NAMES else language.chosen())
        with self._lock:
            tell(json.dumps({"kind": "hello", "run": self.run}))
            for item in self._lasting.values():
                tell(item.said_in(catalogue))
            for number, item in self._items:
                if number > have:
                    tell(item.said_in(catalogue))
            self._screens.append((tell, catalogue))

    def leave(self, tell: Tell) -> None:
        with self._lock:
            self._screens = [screen for screen in self._screens if screen[0] != tell]


def _named(lane: str, names: Mapping[str, str]) -> str:
    """A name that is known, as it was given; else that of the lane."""
    return names.get(lane) or name_of(lane, names)

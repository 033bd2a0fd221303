"""What captions on other screens are told: the last minutes, numbered, and each word as it comes.

Committed words only, in paragraphs like the transcript's; a screen that lost its connection says
what it has, and is sent the rest. Knows no network and no look.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from app.core.paragraphs import Paragraph
from app.core.sentences import ends_sentence
from app.core.timeline import Gap
from app.core.voices import name_of
from model_backends.base import Word

KEPT = 3_000  # items; some twenty minutes of speech

Tell = Callable[[str], None]


class Broadcast:
    """Told by one thread, heard by many."""

    def __init__(self, kept: int = KEPT) -> None:
        self.run = secrets.token_hex(8)  # whose numbers these are: another start has another
        self._lock = threading.Lock()
        self._items: deque[tuple[int, str]] = deque(maxlen=kept)
        self._count = 0
        self._lasting: dict[str, str] = {}  # what holds until it is told otherwise, by its kind
        self._screens: list[Tell] = []
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
            name=name_of(word.lane, names or {}) if named else "",
            language=word.language or "",
        )

    def gap(self, gap: Gap) -> None:
        """Something was not heard."""
        self._paragraph = None
        self._add(kind="gap", text=f"— {gap.why} —")

    def begin(self) -> None:
        """Another session: what comes next goes on from nothing."""
        self._paragraph = None

    def state(self, text: str, trouble: bool) -> None:
        """How captions are doing."""
        self._hold("state", {"text": text, "trouble": trouble})

    def look(self, values: Mapping[str, str]) -> None:
        """How captions look in the app."""
        self._hold("look", values)

    def _add(self, **item: Any) -> None:
        with self._lock:
            text = json.dumps({"n": self._count, **item}, ensure_ascii=False)
            self._items.append((self._count, text))
            self._count += 1
            self._tell(text)

    def _hold(self, kind: str, values: Mapping[str, Any]) -> None:
        text = json.dumps({"kind": kind, **values}, ensure_ascii=False)
        with self._lock:
            if self._lasting.get(kind) != text:
                self._lasting[kind] = text
                self._tell(text)

    def _tell(self, text: str) -> None:
        for screen in self._screens:
            screen(text)

    # --- who hears -------------------------------------------------------------------------

    def join(self, tell: Tell, run: object, after: object) -> None:
        """Send what a screen does not have yet, then everything; `tell` must not wait."""
        have = after if run == self.run and type(after) is int else -1
        with self._lock:
            tell(json.dumps({"kind": "hello", "run": self.run}))
            for text in self._lasting.values():
                tell(text)
            for number, text in self._items:
                if number > have:
                    tell(text)
            self._screens.append(tell)

    def leave(self, tell: Tell) -> None:
        with self._lock:
            if tell in self._screens:
                self._screens.remove(tell)

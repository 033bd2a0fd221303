"""What `voxline control` orders, done by the running app: a line of JSON in, a line of JSON out.

    {"verb": "hold", "on": true}
    {"done": true, "message": "The text is held.", "hint": "", "said": "Der Text steht."}

Knows no socket; the verbs are others' (`Commands`), and what is said of the state is the session's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.language import say
from app.session.status import Stage
from app.ui.desktop.orders import NEW_SESSION, TRANSCRIBE, file_of
from app.ui.state.captioning import Captioning
from app.ui.state.commands import DICTATE, VERBS, Commands
from app.ui.widgets import stages
from model_backends.base import Sentence, joined

SHOW, HIDE, TOGGLE, STATUS = "show", "hide", "toggle", "status"
_CAPTIONS = {SHOW: True, HIDE: False, TOGGLE: None}  # whether they are to be shown then
_NOW_ON = {
    "captions": Sentence("The captions are shown."),
    "pause": Sentence("Listening is paused."),
    "hold": Sentence("The text is held; listening goes on."),
    "click-through": Sentence("Clicks go through the captions to what is behind them."),
    "dictate": Sentence("What is said is typed into the window in use."),
}
_NOW_OFF = {
    "captions": Sentence("The captions are hidden."),
    "pause": Sentence("Voxline is listening."),
    "hold": Sentence("The text goes on."),
    "click-through": Sentence("Clicks stay with the captions."),
    "dictate": Sentence("Nothing is typed."),
}
_LONGER = "Words come {ms} ms behind: the {chosen} ms that were chosen are too short for now."
_DONE = {
    "bigger": "The text is {size} pt now.",
    "smaller": "The text is {size} pt now.",
    "mark": "This place is marked.",
}


class Control:
    """Obeys orders. `font_size` tells what bigger and smaller have come to."""

    def __init__(
        self,
        commands: Commands,
        captioning: Captioning,
        font_size: Callable[[], int],
        transcribe: Callable[[Path], None] | None = None,
    ) -> None:
        self._commands, self._captioning, self._font_size = commands, captioning, font_size
        self._transcribe = transcribe

    def obey(self, line: str) -> str:
        """Do what the line says; what came of it. Never raises."""
        try:
            order = json.loads(line)
            verb, on = str(order["verb"]), order.get("on")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return _said(
                False,
                Sentence("This order could not be read."),
                Sentence("Both must be the same Voxline."),
            )
        if verb == STATUS:
            words = self._in_words()
            told = {"done": True, "message": words, "said": say(words)}
            return json.dumps({**told, **self._facts()})
        if verb == TRANSCRIBE and self._transcribe and (file := file_of(order)):
            self._transcribe(file)
            return _said(True, Sentence("{name} is being transcribed.", name=file.name))
        if verb == NEW_SESSION:
            return self._begin_another()
        if verb in _CAPTIONS:
            verb, on = "captions", _CAPTIONS[verb]
        if verb not in VERBS or not self._commands.offers(verb):
            return _said(
                False,
                Sentence("This Voxline cannot do that."),
                Sentence("Its version may be another."),
            )
        if verb == "pause" and not stages.can_toggle(self._captioning.stage):
            return _said(
                False, Sentence("The transcript is being saved."), Sentence("Wait a moment.")
            )
        return self._do(verb, on if isinstance(on, bool) else None)

    def _begin_another(self) -> str:
        if self._captioning.running:
            self._captioning.start_another()
        else:
            self._captioning.start()
        return _said(True, Sentence("A new session has begun."))

    def _do(self, verb: str, on: bool | None) -> str:
        before = self._commands.is_on(verb)
        if before is None or on is None:
            self._commands.do(verb)
        else:
            self._commands.switch(verb, on)
        if before is None:
            return _said(True, Sentence(_DONE[verb], size=self._font_size()))
        after = not before if on is None else on
        if verb == DICTATE.name and self._commands.is_on(verb) is not after:
            return _said(
                False,
                Sentence("Voxline cannot type here."),
                Sentence("Beside the captions it says why."),
            )
        return _said(True, (_NOW_ON if after else _NOW_OFF)[verb])

    def _facts(self) -> dict[str, Any]:
        """What is so now; nothing of what was said. None: not on or off in this Voxline."""
        status, session = self._captioning.last_status, self._captioning.session
        timeline = self._captioning.timeline
        return {
            "stage": status.stage.value,
            "stage_message": status.message,
            "stage_hint": status.hint,
            "captions_shown": self._commands.is_on("captions"),
            "paused": status.stage is Stage.PAUSED,
            "held": self._commands.is_on("hold"),
            "click_through": self._commands.is_on("click-through"),
            "dictating": self._commands.is_on("dictate"),
            "source": session.source_name if session else None,
            "engine": session.info.name if session else None,
            "delay_ms": session.delay_ms if session else None,  # the one that acts
            "chosen_delay_ms": session.chosen_delay_ms if session else None,
            "language": timeline.language() if timeline else None,
            "words": len(timeline.words()) if timeline else 0,
            "font_size_pt": self._font_size(),
        }

    def _in_words(self) -> str:
        status = self._captioning.last_status
        parts = [stages.in_full(status)]
        parts.append((_NOW_ON if self._commands.is_on("captions") else _NOW_OFF)["captions"])
        others = ("hold", "click-through", "dictate")
        parts += [_NOW_ON[verb] for verb in others if self._commands.is_on(verb)]
        session = self._captioning.session
        if session and self._captioning.running and session.delay_ms != session.chosen_delay_ms:
            ms, chosen = session.delay_ms, session.chosen_delay_ms
            parts.append(Sentence(_LONGER, ms=ms, chosen=chosen))
        return joined(*parts)


def _said(done: bool, message: str, hint: str = "") -> str:
    """English for programs, and both in one in the language of the windows for people."""
    said = say(joined(message, hint))
    return json.dumps({"done": done, "message": message, "hint": hint, "said": said})

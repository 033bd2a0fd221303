"""A combo box of the languages that an engine's model knows, "Automatic" first.

Knows settings and what is told of an engine; changes nothing itself.
"""

from __future__ import annotations

from app.settings import Settings
from app.ui.widgets.choice_box import ChoiceBox
from app.ui.widgets.languages import native_name
from model_backends.base import EngineInfo, Sentence

_FIND_LANGUAGE = Sentence("Automatic")


class LanguageBox(ChoiceBox):
    """Hidden where there is nothing to choose. `chosen` brings the code, "" for automatic."""

    def __init__(self) -> None:
        super().__init__(Sentence("Language"))

    def show_settings(self, settings: Settings, info: EngineInfo | None) -> bool:
        """Offer what this engine takes; whether there is a choice."""
        known = info.languages_of(settings.model or None) if info else ()
        codes = sorted((code, native_name(code)) for code in known)
        chosen = settings.language if settings.language in known else ""  # as the session does
        offered = [(_FIND_LANGUAGE, ""), *((name, code) for code, name in codes)]
        self.offer(offered, chosen)
        self.setVisible(bool(codes))
        return bool(codes)

"""What the pages for browsers say, in the language of who reads them.

A phone's own language if Voxline speaks it, else the one that Voxline speaks where it runs. A page
in `resources/page` holds the names of its sentences in double braces; those that its script says
stand in it as a block of JSON, which no browser runs. Knows no connection.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping

from app import language
from model_backends.base import Sentence

READ: Mapping[str, Sentence] = {
    "title": Sentence("Captions – Voxline"),
    "heading": Sentence("Voxline captions"),
    "connecting": Sentence("Connecting …"),
    "smaller": Sentence("Smaller text"),
    "bigger": Sentence("Bigger text"),
    "look": Sentence("Look"),
    "classic": Sentence("Classic"),
    "contrast": Sentence("High contrast"),
    "light": Sentence("Black on white"),
    "large": Sentence("Large"),
    "app": Sentence("As in the app"),
    "captions": Sentence("Captions"),
    "latest": Sentence("Latest words ▾"),
    "finished": Sentence("Finished sentences"),
    "script": Sentence("Captions need JavaScript: they come word by word."),
    "no_key": Sentence("This address has no key: open the one that Voxline shows."),
    "full": Sentence("As many screens as it takes are connected already."),
    "lost": Sentence("The connection to Voxline is lost; trying again …"),
    "silent": Sentence("Voxline does not answer, or the key is no longer right; trying again …"),
}
SPOKEN: Mapping[str, Sentence] = {
    "title": Sentence("Open, speak, read – Voxline"),
    "heading": Sentence("Open, speak, read"),
    "press": Sentence("Press the button, and allow the microphone."),
    "start": Sentence("Start speaking"),
    "stop": Sentence("Stop"),
    "loudness": Sentence("Loudness"),
    "said": Sentence("What you said"),
    "script": Sentence("This page needs JavaScript: it brings the microphone to Voxline."),
    "no_key": Sentence("This address has no key: open the one that Voxline shows."),
    "go_on": Sentence("Press the button to go on."),
    "speak": Sentence("Speak: the words appear below."),
    "not_allowed": Sentence(
        "The microphone is not allowed here. Change that, and press the button again."
    ),
    "no_microphone": Sentence("There is no microphone. Plug one in, and press the button again."),
    "failed": Sentence("The microphone cannot be opened: {why}", why="{why}"),
    "full": Sentence("Voxline hears as many as it can. Press the button to try again."),
    "lost": Sentence("The connection is lost. Press the button to try again."),
    "finishing": Sentence("Finishing the last words …"),
}
_PAGES = {"index.html": READ, "speak.html": SPOKEN}
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_MOST_WANTED = 500  # signs of a header that are looked at


def reader_language(accepted: str) -> str:
    """The code of the language for somebody whose browser has sent this as Accept-Language."""
    return language.best_of(_wanted(accepted[:_MOST_WANTED]), language.chosen())


def written(name: str, page: str, code: str) -> str:
    """A page of this name, in this language."""
    catalogue = language.catalogue(code)
    words = {key: sentence.said_in(catalogue) for key, sentence in _PAGES[name].items()}

    def fill(slot: re.Match[str]) -> str:
        if slot[1] == "lang":
            return catalogue.code
        if slot[1] == "words":
            return json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
        return html.escape(words[slot[1]])

    return _SLOT.sub(fill, page)


def _wanted(accepted: str) -> Iterator[str]:
    """The tags of an Accept-Language header (RFC 9110, 12.5.4), the dearest first."""
    ranked = []
    for part in accepted.split(","):
        tag, _, weight = part.partition(";")
        ranked.append((_weight(weight), tag.strip()))
    ranked.sort(key=lambda pair: -pair[0])
    return (tag for weight, tag in ranked if tag and weight > 0)


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0

"""Captions into a Zoom meeting, by the caption URL that its host copies ("API token").

Plain text by POST with a number that grows by one for each new text and stays for each retry;
the last number that arrived is asked at the start. Source: Zoom's page "Using a third-party closed
captioning service". The URL is a secret: it is neither logged nor told.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from app.core.paragraphs import Paragraph
from app.share.feeds.destinations import Destination, destination
from app.share.feeds.fresh import TOO_OLD_S, Fresh
from app.share.feeds.runner import Heard, OutletError
from model_backends.base import Sentence, UserError, Word

_EVERY_S = 1.0  # a POST; Zoom shows what came in the meantime at once
_TIMEOUT_S = 10.0
_USUAL = "en-US"
_REGIONS = {
    "ar": "ar-SA", "de": "de-DE", "en": "en-US", "es": "es-ES", "fr": "fr-FR", "hi": "hi-IN",
    "it": "it-IT", "ja": "ja-JP", "ko": "ko-KR", "nl": "nl-NL", "pl": "pl-PL", "pt": "pt-BR",
    "ru": "ru-RU", "tr": "tr-TR", "uk": "uk-UA", "vi": "vi-VN", "zh": "zh-CN",
}  # fmt: skip
_LATER = Sentence("It is tried again.")


class ZoomUrlError(UserError):
    """That is no caption URL."""


class Zoom:
    """Satisfies `Outlet`."""

    name = Sentence("Zoom")

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises ZoomUrlError. Unencrypted only to this computer itself, as a test does."""
        destination_of(url)
        self._url = urlsplit(url.strip())
        self.sent = 0
        self._clock = clock
        self._waiting = Fresh(clock)
        self._seq: int | None = None  # of the next text
        self._unsure = ""  # was posted under that number, and may have arrived
        self._unsure_words = 0
        self._refused = False  # … but Zoom has said that it did not take it
        self._language = _USUAL
        self._paragraph: Paragraph | None = None
        self._begun = False  # something has been said
        self._sent_s = -_EVERY_S

    def open(self) -> None:
        """Go on with the number after the last that arrived."""
        if self._seq is None:
            self._seq = self._last_seq() + 1

    def take(self, heard: Heard) -> None:
        if not isinstance(heard, Word):
            self._paragraph = None
            return
        if heard.language:
            self._language = _REGIONS.get(heard.language, _USUAL)
        text = heard.text
        if self._paragraph is not None and self._paragraph.takes(heard):
            self._paragraph.add(heard)
        else:
            text = f"\n{text.lstrip()}" if self._begun else text.lstrip()
            self._paragraph = Paragraph.begun(heard)
        self._begun = True
        self._waiting.add(text)

    def send(self, last: bool = False) -> None:
        if self._refused and self._clock() - self._sent_s > TOO_OLD_S:
            self._unsure, self._refused = "", False
        if self._unsure:
            self._post(self._unsure)
        if not last and self._clock() - self._sent_s < _EVERY_S:
            return
        text = self._waiting.text()
        if not text:
            return
        self._sent_s = self._clock()
        self._unsure = text  # under this number it is this text, however often it is tried
        self._unsure_words = len(self._waiting)
        self._waiting.sent()
        self._post(text)

    def close(self) -> None:
        """There is no connection between two posts."""

    # --- requests --------------------------------------------------------------------------

    def _post(self, text: str) -> None:
        assert self._seq is not None
        query = f"seq={self._seq}&lang={self._language}"
        self._refused = False
        status, _ = self._ask("POST", self._url.path, query, text.encode())
        self._refused = status != 200
        if self._refused:
            raise _problem(status)
        self._seq += 1
        self.sent += self._unsure_words
        self._unsure = ""

    def _last_seq(self) -> int:
        status, body = self._ask("GET", f"{self._url.path.rstrip('/')}/seq", "")
        if status != 200:
            raise _problem(status)
        try:
            return int(body.strip())
        except ValueError:
            return -1  # nothing has been sent in this meeting

    def _ask(self, verb: str, path: str, query: str, body: bytes | None = None) -> tuple[int, str]:
        target = urlunsplit(("", "", path, "&".join(filter(None, (self._url.query, query))), ""))
        headers = {"Content-Type": "text/plain; charset=utf-8"} if body is not None else {}
        link = self._link()
        try:
            link.request(verb, target, body, headers)
            answer = link.getresponse()
            return answer.status, answer.read(1_000).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise OutletError(
                Sentence("Zoom cannot be reached ({reason}).", reason=reason), _LATER
            ) from error
        finally:
            link.close()

    def _link(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=context)


def destination_of(url: str) -> Destination:
    """Where a caption URL leads: unencrypted only to this computer. Raises ZoomUrlError."""
    found = destination(url.strip(), ("https", "http"))
    good = found is not None and (found.secure or found.here) and url.isascii()
    if found is None or not good or not urlsplit(url.strip()).query:
        raise ZoomUrlError(
            Sentence("That is no caption URL of Zoom’s."),
            Sentence("In the meeting: Captions, Set up manual captioner, Copy the API token."),
        )
    return found


def _problem(status: int) -> OutletError:
    known = {
        400: Sentence("The Zoom meeting has not started, or has ended."),
        403: Sentence("Zoom does not accept the caption URL: it may be that of another meeting."),
    }
    return OutletError(
        known.get(status) or Sentence("Zoom answers with error {status}.", status=status), _LATER
    )

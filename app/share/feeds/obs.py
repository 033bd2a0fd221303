"""Captions into a text source of OBS Studio, over obs-websocket 5, which OBS 28 and later bring.

The last lines as they are, never wrapped anew; sent when they change. Source: obs-websocket's
protocol page (Hello, Identify with the salted challenge, Request "SetInputSettings"). The kept
libraries for it are under the GPL or need asyncio, so these few messages are spoken here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from app.core.paragraphs import Paragraph
from app.core.script import display_width
from app.share.feeds.destinations import Destination, destination, without_secrets
from app.share.feeds.runner import Heard, OutletError
from model_backends.base import Sentence, UserError, Word
from model_backends.remote.connection import ElsewhereError, Staying

DEFAULT_URL = "ws://127.0.0.1:4455"
_RPC_VERSION = 1
_HELLO, _IDENTIFY, _IDENTIFIED, _REQUEST, _RESPONSE = 0, 1, 2, 6, 7
_WRONG_PASSWORD = 4009
_NO_SUCH_SOURCE = 600
_TIMEOUT_S = 5.0
_EVERY_S = 0.2
_COLUMNS, _LINES = 42, 2
_OTHER_PROTOCOL = Sentence("it speaks another protocol")


class ObsUrlError(UserError):
    """That is no address of an OBS."""


def destination_of(url: str) -> Destination:
    """Where an OBS is. Raises ObsUrlError, also for an address that holds a password."""
    found = destination(url, ("ws", "wss"))
    if found is None:
        raise ObsUrlError(
            Sentence("“{url}” is no address of OBS.", url=without_secrets(url)),
            Sentence("It looks like {url}.", url=DEFAULT_URL),
        )
    return found


class LastLines:
    """Words in lines that stand once a word is in them; the last of them are shown."""

    def __init__(self, columns: int = _COLUMNS, lines: int = _LINES) -> None:
        self._columns = columns
        self._lines: deque[str] = deque([""], maxlen=lines)
        self._firsts: deque[int] = deque([0], maxlen=lines)  # number of each line's first word
        self._paragraph: Paragraph | None = None
        self._said = self._shown = 0  # words

    def add(self, word: Word) -> None:
        if self._paragraph is not None and self._paragraph.takes(word):
            self._paragraph.add(word)
            fits = display_width(self._lines[-1] + word.text) <= self._columns
        else:
            self._paragraph = Paragraph.begun(word)
            fits = not self._lines[-1]
        if fits:
            self._lines[-1] += word.text if self._lines[-1] else word.text.lstrip()
        else:
            self._lines.append(word.text.lstrip())
            self._firsts.append(self._said)
        self._said += 1

    def shown(self) -> int:
        """The text is on the screen: how many of its words were not before. What went by while
        nothing could be shown is not counted."""
        fresh = self._said - max(self._shown, self._firsts[0])
        self._shown = self._said
        return fresh

    @property
    def text(self) -> str:
        return "\n".join(line for line in self._lines if line)


class Obs:
    """Satisfies `Outlet`."""

    name = Sentence("OBS")

    def __init__(
        self,
        source: str,
        url: str = DEFAULT_URL,
        password: str | Callable[[], str] = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`source`: the name of a text source. `password`: or who knows it, asked in the feed's
        thread each time OBS asks. Raises ObsUrlError."""
        destination_of(url)
        self.sent = 0
        self._source, self._url, self._password = source, url, password
        self._clock = clock
        self._lines = LastLines()
        self._shown: str | None = None  # by OBS
        self._sent_s = -_EVERY_S
        self._count = 0
        self._connection: ClientConnection | None = None

    def open(self) -> None:
        self.close()
        try:
            self._connection = connect(
                self._url,
                subprotocols=[Subprotocol("obswebsocket.json")],
                open_timeout=_TIMEOUT_S,
                close_timeout=1,
                proxy=None,
                create_connection=Staying,
            ).__enter__()
            self._identify(self._hear(_HELLO))
        except ConnectionClosed as closed:
            raise _refusal(closed) from closed
        except ElsewhereError as error:
            raise _unreachable(error.lost.message) from error
        except InvalidURI as error:
            raise _unreachable(Sentence("it is no address")) from error
        except (OSError, WebSocketException) as error:
            reason = getattr(error, "strerror", None) or str(error) or Sentence("no answer")
            raise _unreachable(reason) from error
        self._shown = None

    def take(self, heard: Heard) -> None:
        if isinstance(heard, Word):
            self._lines.add(heard)

    def send(self, last: bool = False) -> None:
        """At the end the source is emptied: nobody speaks there any more."""
        text = "" if last else self._lines.text
        if text == self._shown or (not last and self._clock() - self._sent_s < _EVERY_S):
            return
        try:
            self._set_text(text)
        except ConnectionClosed as closed:
            raise _refusal(closed) from closed
        except (OSError, WebSocketException) as error:
            raise _unreachable(str(error) or Sentence("no answer")) from error
        self._shown, self._sent_s = text, self._clock()
        if text:
            self.sent += self._lines.shown()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # --- the protocol ----------------------------------------------------------------------

    def _identify(self, hello: dict[str, Any]) -> None:
        identify: dict[str, Any] = {"rpcVersion": _RPC_VERSION, "eventSubscriptions": 0}
        asked = hello.get("authentication")
        if asked:
            password = self._password if isinstance(self._password, str) else self._password()
            if not password:
                raise OutletError(
                    Sentence("OBS asks for a password."),
                    Sentence("It is under Tools, WebSocket Server Settings, Show Connect Info."),
                )
            identify["authentication"] = authentication(password, *_salt_and_challenge(asked))
        self._say(_IDENTIFY, identify)
        self._hear(_IDENTIFIED)

    def _set_text(self, text: str) -> None:
        self._count += 1
        number = str(self._count)
        data = {"inputName": self._source, "inputSettings": {"text": text}, "overlay": True}
        self._say(
            _REQUEST,
            {"requestType": "SetInputSettings", "requestId": number, "requestData": data},
        )
        status = self._hear(_RESPONSE, number).get("requestStatus")
        if not isinstance(status, dict):
            raise _unreachable(_OTHER_PROTOCOL)
        if status.get("result"):
            return
        if status.get("code") == _NO_SUCH_SOURCE:
            raise OutletError(
                Sentence("There is no source called “{name}”.", name=self._source),
                Sentence("Add a text source of that name in OBS."),
            )
        comment = status.get("comment") or status.get("code")
        raise OutletError(Sentence("It does not take the text ({comment}).", comment=comment))

    def _say(self, op: int, data: dict[str, Any]) -> None:
        assert self._connection is not None
        self._connection.send(json.dumps({"op": op, "d": data}))

    def _hear(self, op: int, request: str | None = None) -> dict[str, Any]:
        """The next message of this kind; events and late answers are passed over, but not for
        ever. Raises TimeoutError."""
        assert self._connection is not None
        until = time.monotonic() + _TIMEOUT_S
        try:
            while (left_s := until - time.monotonic()) > 0:
                told = json.loads(self._connection.recv(left_s))
                data = told["d"]
                if told["op"] == op and request in (None, data.get("requestId")):
                    return dict(data)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise _unreachable(_OTHER_PROTOCOL) from error
        raise TimeoutError


def authentication(password: str, salt: str, challenge: str) -> str:
    """What proves that the password is known, as obs-websocket 5 asks for it."""
    secret = base64.b64encode(hashlib.sha256((password + salt).encode()).digest()).decode()
    return base64.b64encode(hashlib.sha256((secret + challenge).encode()).digest()).decode()


def _salt_and_challenge(asked: Any) -> tuple[str, str]:
    found = asked if isinstance(asked, dict) else {}
    salt, challenge = found.get("salt"), found.get("challenge")
    if not (isinstance(salt, str) and isinstance(challenge, str)):
        raise _unreachable(_OTHER_PROTOCOL)
    return salt, challenge


def _refusal(closed: ConnectionClosed) -> OutletError:
    if closed.rcvd is not None and closed.rcvd.code == _WRONG_PASSWORD:
        return OutletError(
            Sentence("The password is wrong."),
            Sentence("It is under Tools, WebSocket Server Settings, Show Connect Info."),
        )
    return OutletError(Sentence("The connection is lost; it is tried again."))


def _unreachable(reason: str) -> OutletError:
    return OutletError(
        Sentence("It cannot be reached ({reason}).", reason=reason),
        Sentence("Is its WebSocket server on (Tools, WebSocket Server Settings)?"),
    )

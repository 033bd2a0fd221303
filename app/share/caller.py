"""One client of the endpoint: frames in, the conversation's answers out, sound to the engine.

The connection's own thread reads; the engine's words come on another and wait for the first's
turn, never for the network (`Outbox`). Knows sockets and threads; what the events mean is the
conversation's.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from app.share.hub import Heard, Hub, OverloadError, Stream
from app.share.outbox import Outbox
from app.share.realtime.conversation import OVERLOADED, Conversation
from app.share.realtime.speaker import Answer, Flush, Hangup, Hear, Say, Serving, Spoken

IDLE_S = 600.0  # without any event
_LOOK_S = 0.5  # how often it is seen that the server stops
UNSUPPORTED = 1003
_STOPS = 1012, "the server stops"  # "service restart", as vLLM says it
INTERNAL_ERROR = 1011
_PART = 32_000  # bytes: a second of sound; a longer one is handed over in parts
_BURST = 500  # events that may come at once …
_EVENTS_S = 250  # … and a second, 20 times what a live client sends; more are read more slowly


class Pace:
    """How fast events are read: as many as come, up to a burst; then so many a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = float(_BURST)
        self._at = clock()

    def wait_s(self) -> float:
        """An event has come: how long to wait before the next is read."""
        now = self._clock()
        self._left = min(_BURST, self._left + (now - self._at) * _EVENTS_S) - 1
        self._at = now
        return max(0.0, -self._left / _EVENTS_S)


class Caller:
    """From the handshake to the end of the connection."""

    def __init__(self, connection: ServerConnection, hub: Hub, serving: Serving) -> None:
        self._connection = connection
        self._hub = hub
        self._serving = serving
        self._conversation = Conversation(serving)
        self._outbox = Outbox(connection)
        self._lock = threading.Lock()  # of the conversation
        self._stream: Stream | None = None
        self._language = serving.language
        self._ending = threading.Event()  # nothing more is taken from the client
        self._done = threading.Event()  # … and all that it said is out

    def run(self) -> None:
        """In the connection's thread; until it ends."""
        try:
            self._act(self._conversation.greet())
            self._listen()
        except ConnectionClosed:
            pass
        except OverloadError as error:
            self._fail("overloaded", f"{error.message} {error.hint}".strip(), OVERLOADED)
        finally:
            self._done.set()  # whoever waits for its last words waits in vain
            if self._stream is not None:
                self._stream.close()
            self._outbox.hang_up(*(_STOPS if self._ending.is_set() else (1000, "")))
            self._outbox.finish(5.0)

    def refuse(self, message: str, close: int) -> None:
        """Instead of `run()`: there is no room."""
        self._fail("overloaded", message, close)
        self._outbox.finish(5.0)

    def _listen(self) -> None:
        pace, idle_s = Pace(), 0.0
        while not self._ending.is_set():
            try:
                frame = self._connection.recv(_LOOK_S)
            except TimeoutError:
                idle_s += _LOOK_S
                if self._stream is not None and self._stream.ended is not None:
                    raise self._stream.ended from None
                if idle_s >= IDLE_S:
                    self._fail("idle_timeout", "Nothing came for ten minutes.", 1000)
                    return
                continue
            idle_s = 0.0
            if not isinstance(frame, str):
                self._fail("invalid_event", "Events are JSON in text frames.", UNSUPPORTED)
                return
            if not self._hear(frame):
                return
            self._ending.wait(pace.wait_s())
        self._end_turn()
        self._done.wait()

    def _hear(self, frame: str) -> bool:
        with self._lock:
            answers = self._conversation.hear(frame)
            self._say(answers)
        return self._act(answer for answer in answers if not isinstance(answer, Say))

    def _end_turn(self) -> None:
        """What was said until now is heard out."""
        with self._lock:
            answers = self._conversation.end()
            self._say(answers)
            nothing = not self._conversation.waiting
        self._act(answer for answer in answers if not isinstance(answer, Say))
        if nothing:
            self._done.set()

    # --- answers ---------------------------------------------------------------------------

    def _say(self, answers: Iterable[Answer]) -> None:
        """In order: with the lock held, so that no word comes between."""
        for answer in answers:
            if isinstance(answer, Say):
                self._outbox.say(json.dumps(answer.event, ensure_ascii=False))

    def _act(self, answers: Iterable[Answer]) -> bool:
        """Do the rest; False when the connection is to end. Raises OverloadError."""
        for answer in answers:
            match answer:
                case Say():
                    self._say([answer])
                case Hear():
                    self._push(answer)
                case Flush() if self._stream is not None:
                    self._stream.pause()
                case Spoken(language=language):
                    self._language = language
                case Hangup(code=code, reason=reason):
                    self._outbox.hang_up(code, reason)
                    return False
        return True

    def _push(self, heard: Hear) -> None:
        if self._stream is None:
            self._stream = self._hub.join(self._take, self._language)
        for at in range(0, len(heard.pcm), _PART):
            start_ms, index = heard.start_ms + at // 32, heard.index + at // 2
            self._stream.push(start_ms, index, heard.pcm[at : at + _PART])

    def _take(self, said: Heard) -> None:
        """In the engine's reader thread."""
        with self._lock:
            self._say(self._conversation.take(said))
            if self._ending.is_set() and not self._conversation.waiting:
                self._done.set()

    def _fail(self, code: str, message: str, close: int) -> None:
        with self._lock:
            answers = self._conversation.fail(code, message, close)
        self._act(answers)

    # --- the end ---------------------------------------------------------------------------

    def drain(self) -> None:
        """Take nothing more; the turn is ended, and its words still come."""
        self._ending.set()

    def wait_drained(self, timeout: float) -> bool:
        """Until all that the client said is out; then the connection ends."""
        done = self._done.wait(max(0.0, timeout))
        self._outbox.hang_up(*_STOPS)
        self._done.set()
        return done

    def lose_engine(self, message: str) -> None:
        """There is no engine any more."""
        self._fail("engine_failed", message, INTERNAL_ERROR)
        self._ending.set()
        self._done.set()

"""The app's side of the pipe: starts the worker, feeds it, and brings it back when it dies.

Audio stays here until the worker says it is settled, so that a worker killed in mid-sentence is
replaced by another that hears the same audio again; what comes back is aligned with the words
already committed, and only new words are delivered. `push()` never blocks: a sender thread alone
writes to the pipe, a reader thread alone reads it and delivers, a watching thread alone decides
that a worker hangs. A client may inherit the loaded worker of the one before it. Knows nothing
about Qt, sound cards or files, and imports no engine.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from app.core.chunk import Chunk
from app.core.timeline import Gap
from app.worker import messages as m
from app.worker import packs
from app.worker.bell import Bell
from app.worker.ending import Ending, read_ending
from app.worker.incoming import Incoming
from app.worker.link import Link, worker_command
from app.worker.outgoing import AHEAD_MS, Outgoing
from app.worker.replay_buffer import ReplayBuffer
from app.worker.restarts import Backoff, Restarts, Verdict, skipped_notice
from app.worker.watchdog import Patience, Watch
from model_backends.base import Sentence, Word

log = logging.getLogger(__name__)

HAND_OVER_S = 40.0  # how long a loaded worker is waited for while its client finishes
_WATCH_S = 1.0


@dataclass(frozen=True, slots=True)
class Restarting:
    """The worker died and another is being started; nothing is lost meanwhile.

    `kind` as in `ending.Ending`.
    """

    attempt: int
    message: Sentence
    kind: str = "ended"


ClientEvent: TypeAlias = m.Message | Restarting | Gap


class EngineClient:
    """One worker, kept alive from `start()` to `close()`.

    `deliver` gets every event, in order, from the reader thread.
    """

    def __init__(
        self,
        start: m.Start,
        deliver: Callable[[ClientEvent], None],
        *,
        interpreter: str | None = None,
        predecessor: EngineClient | None = None,
        alone: bool = False,
        patience: Patience | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`predecessor`: a client that is finishing or about to be closed. Its loaded worker is
        taken over, if it is what `start` asks for, once it has finished; what is pushed until
        then waits. `alone`: if it is not, the worker must be gone before ours begins to load.
        """
        self._start = start
        self._deliver = deliver
        self._command = worker_command(interpreter or packs.interpreter(start.engine))
        self._patience = patience or Patience()
        self._clock = clock
        self._changed = threading.Condition()
        self._bell = Bell()  # for the sender
        self._tracks = max(1, len(start.delays_ms))
        self._buffer = ReplayBuffer(start.delays_ms)
        self._outgoing = Outgoing(start, self._buffer)
        self._restarts = Restarts(backoff or Backoff(), start.realtime)
        self._incoming = Incoming(self._buffer, self._outgoing, self._restarts)
        self._link: Link | None = None
        self._watch: Watch | None = None
        self._hung = ""  # why the present worker was given up
        self._ending = read_ending(0)  # of the last worker
        self._sending = False  # the worker has been sent Start and may be fed
        self._loaded = self._closing = False
        self._over = threading.Event()  # of its own: the watch need not wake for every block
        self._heir: EngineClient | None = None
        self._legacy: Link | None = None  # finished with, and waiting for the heir to fetch it
        self._predecessor: EngineClient | None = None
        self.finished = threading.Event()  # Finished or Failure was delivered, or closed
        if predecessor is not None and (predecessor._promise(self) or alone):
            self._predecessor = predecessor

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id while there is one."""
        link = self._link
        return link.pid if link else None

    # --- what callers use ------------------------------------------------------------------

    def start(self) -> None:
        """Start the worker; returns at once."""
        for target, name in (
            (self._supervise, "engine reader"),
            (self._send_all, "engine sender"),
            (self._watch_all, "engine watch"),
        ):
            threading.Thread(target=target, daemon=True, name=name).start()

    def push(self, chunk: Chunk) -> None:
        """Hand over audio; never blocks. What cannot be kept is marked with a Gap."""
        with self._changed:
            lost = self._buffer.push(chunk)
        self._bell.ring()
        for gap in lost:
            self._deliver(gap)

    def pause(self, lane: str) -> None:
        """The lane's audio ends here for now: flush its utterance."""
        with self._changed:
            self._buffer.push_break(lane)
        self._bell.ring()

    def set_delay(self, lane: str, track: int, ms: int) -> None:
        """Change the delay of one track of one lane, soon: it overtakes audio that waits.

        One that the engine refuses (for memory) is answered with `DelayRefused` and a Notice
        "delay-refused"; the old one stays. Raises ValueError for a track there is not.
        """
        if not 0 <= track < self._tracks:
            raise ValueError(f"no track {track}: there are {self._tracks}")
        with self._changed:
            self._outgoing.set_delay(lane, track, ms)
        self._bell.ring()

    def wait_for_room(self, lane: str, timeout: float) -> bool:
        """For files: wait until less than AHEAD_MS is unheard. False on timeout or when over."""
        with self._changed:
            return (
                self._changed.wait_for(
                    lambda: self.finished.is_set() or self._buffer.ahead_ms(lane) < AHEAD_MS,
                    timeout,
                )
                and not self.finished.is_set()
            )

    def lag_ms(self, lane: str) -> int:
        """How much of the lane's audio has been pushed and not yet heard."""
        with self._changed:
            return self._buffer.ahead_ms(lane)

    def finish(self) -> None:
        """No more audio: everything is flushed, then `Finished` is delivered."""
        with self._changed:
            self._outgoing.finish()
        self._bell.ring()

    def take_held(self) -> list[Word]:
        """The words that a replay holds back until it has gone on: for when it will not."""
        with self._changed:
            return self._buffer.finish()

    def close(self, timeout: float = 2.0) -> None:
        """Deliver nothing more, and end the worker; kill it if it does not go.

        A worker promised to a successor is not ended: it drops what it has and goes on there.
        """
        with self._changed:
            was_finished = self.finished.is_set()
            if not self._closing:
                self._closing = True
                self._outgoing.abandon()
            link = None if self._heir else self._link
            self._changed.notify_all()
            predecessor = None if self._heir else self._predecessor
        self._bell.ring()
        if predecessor is not None:
            predecessor._disown(self)
        if link is not None:
            link.wait(timeout if was_finished else 0)
        self.finished.set()

    def kill(self) -> None:
        """End the worker now, whatever it is doing, and do not bring it back."""
        self.close(timeout=0)

    # --- from one client to the next -------------------------------------------------------

    def _promise(self, heir: EngineClient) -> bool:
        """Whether the heir may wait for this client's worker."""
        with self._changed:
            fits = self._command == heir._command and self._start.loads_like(heir._start)
            if not fits or self._over.is_set() or self._closing or self._heir is not None:
                return False
            self._heir = heir
            return True

    def _disown(self, heir: EngineClient) -> None:
        """The heir does not want it any more."""
        with self._changed:
            if self._heir is not heir:
                return
            self._heir = None
            link, self._legacy = self._legacy, None
            if link is None and self._closing:
                link = self._link
            self._changed.notify_all()
        if link is not None:
            link.wait(0)

    def _fetch(self, heir: EngineClient) -> Link | None:
        """For the heir's reader: wait for the worker, loaded and free; None if it never is."""
        with self._changed:
            while not self._changed.wait_for(lambda: self._given_or_gone(heir), HAND_OVER_S):
                if self._loaded or self._link is None:
                    break  # it will not finish; what still loads is watched by our own watch
            if self._heir is not heir:
                return None
            link, self._legacy = self._legacy, None
            heir._inherit(self._outgoing.model_adapted, self._incoming.lasting)
        if link is None:
            self._disown(heir)
        return link

    def _given_or_gone(self, heir: EngineClient) -> bool:
        is_another = self._heir is not heir and self._heir is not None
        return self._legacy is not None or self._over.is_set() or is_another or heir._dying

    def _inherit(self, adapted: str, lasting: set[tuple[str, str]]) -> None:
        with self._changed:
            self._incoming.lasting |= lasting
            if adapted:
                self._outgoing.adapted(adapted)

    @property
    def _dying(self) -> bool:
        """Closed, and nobody waits for the worker."""
        return self._closing and self._heir is None

    # --- the sender thread -----------------------------------------------------------------

    def _send_all(self) -> None:
        while not self._over.is_set():
            with self._changed:
                link = self._link if self._sending and self._outgoing.has_next else None
                message = self._outgoing.next() if link else None
            if link is not None and message is not None:
                self._send(link, message)
            else:
                self._bell.wait()

    def _send(self, link: Link, message: m.Message) -> None:
        """What cannot be sent is sent to the next worker, as all that was not heard."""
        try:
            link.send(message)
            return
        except (OSError, ValueError):
            pass  # it is dead, or about to be
        except Exception:  # a sender that ended would leave captions standing still, untold
            log.exception("sending to worker %d", link.number)
            link.kill()
        with self._changed:  # the reader sees the end of the pipe and restarts
            self._sending = self._sending and self._link is not link

    # --- the watching thread ---------------------------------------------------------------

    def _watch_all(self) -> None:
        while not self._over.wait(_WATCH_S):
            with self._changed:
                watch, link = self._watch, self._link
                why = watch.hung(self._clock()) if watch and link else ""
                if why:
                    self._hung = why
            if why and link is not None:
                link.kill()

    # --- the reader thread -----------------------------------------------------------------

    def _supervise(self) -> None:
        """Run workers one after another until one finishes or no other can be expected to."""
        try:
            self._run_workers()
        except Exception as error:  # whatever it is, captions must not stop without a word
            log.exception("engine client")
            self._fail(
                Sentence("The connection to the speech engine broke: {error}.", error=str(error))
            )
        finally:
            self.finished.set()
            with self._changed:
                self._over.set()
                self._changed.notify_all()
            self._bell.ring()

    def _run_workers(self) -> None:
        link = self._predecessor._fetch(self) if self._predecessor else None
        self._predecessor = None
        while not self._dying:
            try:
                link = link or Link(self._command)
            except OSError as error:
                why = error.strerror or str(error)
                self._fail(Sentence("The speech engine could not be started: {error}.", error=why))
                return
            if self._run_worker(link) or self._closing:
                return
            link = None
            if not self._come_back():
                return
        if link is not None:
            link.wait(0)

    def _run_worker(self, link: Link) -> bool:
        """Run one worker to its end. True when it ended in good order (or said why not)."""
        ended, fault = False, None
        self._adopt(link)
        try:
            link.send(self._begin())
            with self._changed:
                self._sending = True
            self._bell.ring()
            while not ended and (message := link.receive()) is not None:
                self._receive(message)
                ended = isinstance(message, (m.Finished, m.Failure))
        except m.ProtocolError as error:
            fault = Ending("nonsense", str(error))
        except (OSError, ValueError):
            pass  # a worker that dies in mid-frame is a dead worker like any other
        except Exception as error:  # no memory for a frame, for one: another worker may do better
            log.exception("reading from worker %d", link.number)
            fault = Ending("broken", f"{type(error).__name__}: {error}")
        finally:
            given = self._let_go(link, ended and isinstance(message, m.Finished))
            if not given:
                self._end(link, ended, fault)
        return ended

    def _adopt(self, link: Link) -> None:
        with self._changed:
            self._link, self._hung, self._loaded = link, "", False
            self._watch = Watch(self._patience, self._clock())
            dying = self._dying
        if dying:  # `close()` came before there was a process that it could end
            link.kill()

    def _begin(self) -> m.Start:
        with self._changed:
            return self._outgoing.begin()

    def _let_go(self, link: Link, reusable: bool) -> bool:
        """The worker is no longer ours; True when it now waits for the heir."""
        with self._changed:
            self._sending, self._link, self._watch = False, None, None
            if reusable and self._heir is not None:
                self._legacy = link
                self._changed.notify_all()
                return True
            return False

    def _end(self, link: Link, in_good_order: bool, fault: Ending | None) -> None:
        if fault or self._dying or self._hung:
            link.kill()
        if not (in_good_order and self._outgoing.end_asked):
            # It has said why or closed its pipe: let it end as it wants to. It must be dead
            # before its pipes are closed, or a sender stuck in one would keep us here.
            link.wait(2.0)
        status = link.close()
        if in_good_order or self._closing:
            return
        self._ending = read_ending(status, self._hung, fault)
        log.warning("worker %d: %s; worker.log may say more", link.number, self._ending.detail)

    def _come_back(self) -> bool:
        """Whether another worker is to be started, now that one has died; waits if need be."""
        with self._changed:
            verdict = self._restarts.died(self._clock())
            skipped = self._buffer.skip() if verdict is Verdict.SKIP else []
        if verdict is Verdict.GIVE_UP:
            self._fail(Sentence("{why} That happened again and again.", why=self._ending.sentence))
            return False
        for gap in skipped:
            self._deliver(gap)
        if skipped:
            self._deliver(skipped_notice(skipped))
        kind, sentence = self._ending.kind, self._ending.sentence
        self._deliver(Restarting(self._restarts.count, sentence, kind))
        with self._changed:
            self._changed.wait_for(lambda: self._closing, self._restarts.wait_s)
            return not self._closing

    def _fail(self, message: Sentence) -> None:
        """No worker can be had. What nobody will hear is marked."""
        with self._changed:
            unheard = self._buffer.give_up_all()
        for gap in unheard:
            self._deliver(gap)
        if not self._closing:
            self._deliver(m.Failure(message, self._restarts.advice(self._ending)))

    def _receive(self, message: m.Message) -> None:
        """Bookkeeping, then delivery; words of a replay pass only if they are new."""
        with self._changed:
            if self._watch is not None:
                self._watch.heard(message, self._clock())
            events: list[ClientEvent] = [*self._incoming.take(message)]
            self._loaded = self._loaded or isinstance(message, m.Ready)
            self._changed.notify_all()  # there may be room for more
            heir = self._heir if isinstance(message, m.Loading) else None
            if self._closing:
                events = []
        self._bell.ring()
        for event in events:
            self._deliver(event)
        if heir is not None:
            heir._deliver(message)  # it waits for this very worker

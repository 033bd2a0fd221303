"""One voice of a session: what it listens to, how its sound is doing, and its gaps.

State only. It is told what happens and when (session time, in milliseconds), and answers with
commands and news; two voices are two of these. Knows no thread, no clock, no sound server and
nothing of the engine but what it has said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from app.audio.advice import advice
from app.audio.capture import Feed, Level, SoundState
from app.audio.choice import Device, Microphone, OneSource, SystemSound
from app.audio.clock import GAP_MS
from app.core.timeline import Gap
from app.session import events as e
from model_backends.base import Notice, Progress, Sentence, UserError, Word

OPEN_MS = 3_000  # a source that has not delivered anything by then is not going to without a word
RETRY_MS = 3_000  # between two looks for a source that is not there
_NO_MICROPHONE = Sentence("No microphone.")
_WHAT_TO_DO = Sentence("Plug one in, or choose what to listen to.")
REMARKABLE = ("quiet", "faint", "loud", "unheard")  # sound comes, and still something is wrong
_ROUNDING_MS = 2  # how far an end told by the worker may lie before that of the sound


class Lane:
    """Methods return what is to be done and told, in order."""

    def __init__(self, name: str, source: OneSource) -> None:
        self.name = name
        self.feed: Feed | None = None
        self.level = 0.0
        self.speaking = False
        self.lag_ms = 0
        self.sound = SoundState("starting")
        self.sound_until_ms: int | None = None  # up to which sound has come
        self.fault: UserError | None = None  # why there can be no captions at all
        self._wanted = self._looked_for = source
        self._found_for: OneSource | None = None  # what `feed` was found for
        self._search = 0
        self.searching = False
        self._retry_at_ms: int | None = None
        self._away = False  # what is wanted is not connected; the microphone stands in, if any
        self._moved: SoundState | None = None  # the system gives us another source
        self._capture = 0  # how many there were: what an earlier one still has to say is old
        self._listening = False
        self._earlier: int | None = None  # a capture that is heard until the latest brings sound
        self._opened_at_ms = 0
        self.paused_at_ms: int | None = None  # since when
        self._gap_from_ms: int | None = None  # … when the source was changed, until there is sound
        self._gaps: deque[tuple[Gap, int]] = deque()  # held: gap, end of the sound before it
        self._settled_ms: dict[int, int] = {}  # per track: every word before this has come

    # --- what is shown ---------------------------------------------------------------------

    @property
    def source_name(self) -> str:
        """What is listened to, for people."""
        if self._moved is not None and self._moved.source:
            return self._moved.source
        if self.feed is not None:
            return self.feed.name
        return self._wanted.label

    @property
    def wanted_name(self) -> str:
        """What is to be listened to, for people: of what follows the desktop no device's name."""
        return self._wanted.label

    @property
    def live(self) -> bool:
        return self.feed is None or self.feed.live

    @property
    def mute(self) -> bool:
        """No sound comes, although it should; silence where nothing plays is as it should be."""
        silent = self.sound.kind == "silent" and not (self.feed is not None and self.feed.system)
        return self.sound.kind in ("none", "stalled", "lost") or (silent and self.live)

    @property
    def flowing(self) -> bool:
        """Sound comes."""
        return self.sound.kind in ("flowing", "quiet")

    @property
    def trouble(self) -> str:
        """Why no sound comes, with what to do."""
        return _whole(self.sound)

    @property
    def ended(self) -> bool:
        """What was listened to was a file, and it has been played."""
        return self.sound.kind == "ended"

    @property
    def notes(self) -> Sequence[str]:
        """What the source has to say of itself, once it has ended."""
        return self.feed.notes if self.feed is not None else ()

    @property
    def paused(self) -> bool:
        return self.paused_at_ms is not None

    @property
    def source_is_away(self) -> bool:
        """What was chosen is not what is listened to."""
        return self._away or self._moved is not None

    @property
    def remark(self) -> str:
        """What is worth knowing of the source while sound comes, with what to do; or empty."""
        if self._away and self.feed is not None:
            return Sentence(
                "{wanted} is not connected. Listening to {other} until it is back.",
                wanted=self._wanted.label,
                other=self.source_name,
            )
        if self._moved is not None:
            return _whole(self._moved)
        return _whole(self.sound) if self.sound.kind in REMARKABLE else ""

    # --- what is listened to ---------------------------------------------------------------

    def begin(self, now_ms: int, feed: Feed | None) -> list[e.Output]:
        """Listen to this feed, or look for the one that is wanted."""
        if feed is None:
            return self._look(now_ms, self._wanted)
        return self._switch(now_ms, feed)

    def listens_to(self, source: OneSource) -> bool:
        """Whether this is what is wanted, and heard."""
        return source == self._wanted and self._listening and not self.source_is_away

    def choose(self, now_ms: int, source: OneSource) -> list[e.Output]:
        """Another source is wanted; until it brings sound the one before is listened to."""
        self._wanted = source
        return self._look(now_ms, source)

    def found(self, now_ms: int, found: e.Found) -> list[e.Output]:
        if found.search != self._search:
            return []
        self.searching = False
        self._away = self._looked_for != self._wanted
        self._retry_at_ms = now_ms + RETRY_MS if self._away else None
        if self._is_heard(self._looked_for):
            return []
        return self._switch(now_ms, found.feed)

    def _is_heard(self, source: OneSource) -> bool:
        """It is what is listened to, and has come back by itself while it was looked for."""
        well = self._moved is None and self.sound.kind not in ("lost", "stalled", "starting")
        return self._listening and source == self._found_for and well

    def not_found(self, now_ms: int, answer: e.NotFound) -> list[e.Output]:
        if answer.search != self._search:
            return []
        self.searching = False
        if answer.why == "refused":
            return self._refused(answer.error)
        elsewhere = self._away or self._moved is not None
        lost = self.sound.kind == "lost" and answer.why == "none"  # why, its capture has said
        if self._listening and (elsewhere or lost or answer.why == "stuck"):
            self._retry_at_ms = now_ms + RETRY_MS  # what is listened to now does meanwhile
            return []
        stand_in = _stand_in(self._wanted)
        if answer.why == "absent" and stand_in not in (None, self._looked_for):
            return self._look(now_ms, stand_in)
        return self._nothing_to_hear(now_ms, answer)

    def _look(self, now_ms: int, source: OneSource) -> list[e.Output]:
        if self.feed is None and self.sound.kind != "none":
            self._opened_at_ms = now_ms
        self._search += 1
        self.searching = True
        self._looked_for = source
        self._retry_at_ms = None
        return [e.Find(self.name, self._search, source)]

    def _refused(self, error: UserError) -> list[e.Output]:
        if self.feed is None:
            self.fault = error
            self.sound = SoundState("none", error.message, error.hint)
            return []
        return [Notice(self.name, "refused", error.message, error.hint)]

    def _nothing_to_hear(self, now_ms: int, answer: e.NotFound) -> list[e.Output]:
        gone = self.let_go()
        self.feed, self._moved = None, None
        self._away = not isinstance(self._wanted, Microphone | SystemSound)
        self._retry_at_ms = now_ms + RETRY_MS
        message, hint = answer.error.message, answer.error.hint
        if answer.why != "stuck" and self._looked_for == Microphone():
            message, hint = _NO_MICROPHONE, _WHAT_TO_DO
            if self._away:
                message = Sentence(
                    "{wanted} is not connected, and there is no microphone.",
                    wanted=self._wanted.label,
                )
        self.sound = SoundState("none", message, hint)
        return gone

    def _switch(self, now_ms: int, feed: Feed) -> list[e.Output]:
        self.feed, self._moved = feed, None
        self._found_for = self._looked_for
        return [] if self.paused else self._listen(now_ms, feed)

    def _listen(self, now_ms: int, feed: Feed) -> list[e.Output]:
        """Open this one; the one before is heard until it brings sound, for OPEN_MS at most."""
        skipped: list[e.Output] = []
        if self._listening and self._earlier is None:
            self._earlier = self._capture
        elif self._listening:
            skipped = [e.LetGo(self.name, self._capture)]
        self.sound = SoundState("starting")
        self._opened_at_ms = now_ms
        self._capture += 1
        self._listening = True
        return [*skipped, e.Listen(self.name, self._capture, feed)]

    def let_go(self) -> list[e.Output]:
        """Listen no more; what was captured is heard to its end."""
        self.speaking, self.level = False, 0.0
        if not self._listening:
            return []
        self._listening = False
        return [*self._let_earlier_go(), e.LetGo(self.name, self._capture)]

    def _let_earlier_go(self) -> list[e.Output]:
        self._gap_from_ms = self.sound_until_ms
        earlier, self._earlier = self._earlier, None
        return [] if earlier is None else [e.LetGo(self.name, earlier)]

    def leave(self) -> list[e.Output]:
        """This voice is wanted no more: what is not heard from here on is no gap."""
        out = self.let_go()
        self.feed = self.fault = self._moved = self._found_for = None
        self.sound = SoundState("starting")
        self._away = self.searching = False
        self._retry_at_ms = self._gap_from_ms = self.paused_at_ms = None
        self._search += 1  # an answer that is under way is nothing to this lane any more
        return out

    def pause(self, now_ms: int) -> list[e.Output]:
        self.paused_at_ms = now_ms
        return self.let_go()

    def resume(self, now_ms: int) -> list[e.Output]:
        """Listen again; the pause becomes a gap."""
        assert self.paused_at_ms is not None
        gap = Gap(self.name, self.paused_at_ms, now_ms, "paused")
        self.paused_at_ms = self._gap_from_ms = None
        out = self.hold(gap)
        return out if self.feed is None else out + self._listen(now_ms, self.feed)

    def tick(self, now_ms: int) -> list[e.Output]:
        """What happens because time has passed."""
        waited_ms = now_ms - self._opened_at_ms
        if self.sound.kind == "starting" and waited_ms > OPEN_MS and not self.paused:
            message = Sentence("No sound is arriving from {source}.", source=self.source_name)
            self.sound = SoundState("stalled", message, advice("stalled"))
            return self._let_earlier_go() if self._earlier is not None else []
        if self._retry_at_ms is not None and now_ms >= self._retry_at_ms:
            return self._look(now_ms, self._wanted)
        if self._retry_at_ms is None and self.sound.kind == "lost" and self.live:
            self._retry_at_ms = now_ms + RETRY_MS
        return []

    # --- what its capture says -------------------------------------------------------------

    def take(self, sound: e.Sound) -> list[e.Output]:
        """What a capture has to say; an earlier one only what was heard or lost."""
        match sound.event:
            case Gap():
                return self.hold(sound.event)
            case e.Heard():
                return self._heard(sound.event, sound.capture == self._capture)
            case Level() if sound.capture == self._capture:
                self.level = sound.event.rms
            case SoundState() if sound.capture == self._capture and self._listening:
                return self._sound_state(sound.event)
        return []

    def _heard(self, heard: e.Heard, latest: bool) -> list[e.Output]:
        out = self._let_earlier_go() if latest and self._earlier is not None else []
        if latest and self._gap_from_ms is not None:
            if heard.start_ms - self._gap_from_ms > GAP_MS:
                out += self.hold(Gap(self.name, self._gap_from_ms, heard.start_ms, "device"))
            self._gap_from_ms = None
        self.sound_until_ms = max(heard.end_ms, self.sound_until_ms or 0)
        return out

    def _sound_state(self, state: SoundState) -> list[e.Output]:
        if state.kind in ("moved", "gone"):
            self._moved = state
            if state.kind == "gone" and isinstance(self._wanted, Device):
                self._retry_at_ms = 0  # the system brings us back to its default only
            return []
        if state.kind == "back":
            self._moved = None
            return []
        flowed = self.sound.kind not in ("starting", "lost")
        self.sound = state
        if state.kind == "lost":
            if not self.live:
                self.fault = UserError(state.message, state.hint)
            elif flowed:
                self._retry_at_ms = 0  # another may stand in for it
            return [e.Flush(self.name)]
        return []

    # --- gaps: told when the words before them are out ---------------------------------------

    def hold(self, gap: Gap) -> list[e.Output]:
        """A gap has come to be; the words that were said before it may still be in the engine."""
        before_ms = min(gap.start_ms, self.sound_until_ms or 0)
        self._gaps.append((gap, before_ms))
        self._gaps = deque(sorted(self._gaps, key=lambda held: held[0].start_ms))
        return self._release_settled()

    def word(self, word: Word) -> list[e.Output]:
        """The gaps that come before this word."""
        out: list[e.Output] = []
        while self._gaps and 2 * word.start_ms > sum(_span(self._gaps[0][0])):
            out.append(self._gaps.popleft()[0])
        return out

    def progress(self, progress: Progress) -> list[e.Output]:
        """The gaps before which every word has come."""
        track = progress.track
        self._settled_ms[track] = max(progress.settled_ms, self._settled_ms.get(track, 0))
        return self._release_settled()

    def release(self) -> list[e.Output]:
        """All gaps: no more words come."""
        out: list[e.Output] = [gap for gap, _ in self._gaps]
        self._gaps.clear()
        return out

    def _release_settled(self) -> list[e.Output]:
        settled_ms = min(self._settled_ms.values(), default=0) + _ROUNDING_MS
        out: list[e.Output] = []
        while self._gaps and self._gaps[0][1] <= settled_ms:
            out.append(self._gaps.popleft()[0])
        return out


def _whole(state: SoundState) -> str:
    if not state.hint:
        return state.message
    return Sentence("{message} {hint}", message=state.message, hint=state.hint)


def _stand_in(wanted: OneSource) -> OneSource | None:
    """What is listened to while a device is not connected."""
    if not isinstance(wanted, Device):
        return None
    return SystemSound() if wanted.plays else Microphone()


def _span(gap: Gap) -> tuple[int, int]:
    return gap.start_ms, gap.end_ms

"""A working day, in minutes: what grows with its words is read off the process.

    python -m app.measure.day [--hours 8] [--sessions 1]

The real session with its threads, journal, subtitles and library, and the real windows: captions
and transcript. Only sound and engine are played: every second of the day a block of sound is
captured, and the engine commits what was said in it, as fast as everything behind it takes it.
Nobody pauses for breath longer than a sentence, which is more than any day has. With several
sessions a new one begins by the clock, as it does by itself after a long silence. Told is the time
of this process' processors, so that other programs hardly count. The second hearing, and the
engines, are other commands' (`second_hearing`, `hours`), as are sound cards (`soak`).
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import psutil
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from app import paths
from app.audio.capture import CaptureEvent, Feed, Level, SoundState
from app.audio.clock import SessionClock
from app.audio.listening import Deliver, Opened
from app.core.chunk import Chunk
from app.core.voices import ME
from app.session.preparing import Preparation
from app.session.session import Session, SessionOptions
from app.session.status import Stage
from app.settings import Settings
from app.ui.desktop.garbage import Garbage
from app.ui.main_window.window import MainWindow
from app.ui.overlay.window import CaptionOverlay
from app.ui.state.bridge import SessionBridge
from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore
from app.worker import messages as m
from app.worker.client import ClientEvent
from model_backends.base import EngineOptions, Progress, UserError, Word

_STEP_MS = 1000
_WORDS_A_STEP = (2, 2, 3, 3)  # 150 a minute
_SENTENCE = 12  # words
_BREATH_MS = 400
_VOCABULARY = 20_000
_PATIENCE_S = 120.0
ROW_HOURS = 1.0
HEAD = (
    "| hours | processor, s an hour | memory, MiB | threads | open files | words | journal, MB "
    "| paragraphs |\n|---|---|---|---|---|---|---|---|"
)


class PlayedClient:
    """What a session needs of an engine; `commit()` is what the engine says."""

    def __init__(self, start: m.Start, deliver: Callable[[ClientEvent], None]) -> None:
        self._start, self._deliver = start, deliver

    @property
    def worker_pid(self) -> int | None:
        return None

    def start(self) -> None:
        self._deliver(m.Ready(self._start.engine, "played", "none", 0))

    def commit(self, events: Sequence[ClientEvent]) -> None:
        for event in events:
            self._deliver(event)

    def push(self, chunk: Chunk) -> None:
        """It is heard by being played."""

    def pause(self, lane: str) -> None:
        """Everything has been said already."""

    def set_delay(self, lane: str, track: int, ms: int) -> None:
        """There is none."""

    def lag_ms(self, lane: str) -> int:
        return 0

    def finish(self) -> None:
        self._deliver(m.Finished())

    def take_held(self) -> list[Word]:
        return []

    def kill(self) -> None:
        """There is no process."""


class PlayedCapture:
    """What a session needs of a capture; `hear()` is a block of sound."""

    def __init__(
        self, feed: Feed, lane: str, clock: SessionClock, deliver: Callable[[CaptureEvent], None]
    ) -> None:
        self._lane, self._deliver = lane, deliver
        self._sound = bytes(2 * 16 * _STEP_MS)

    def start(self) -> None:
        self._deliver(SoundState("flowing"))

    def hear(self, start_ms: int, loudness: float) -> None:
        self._deliver(Level(loudness))
        self._deliver(Chunk(self._lane, start_ms, 16 * start_ms, self._sound))

    def close(self) -> None:
        """Nothing is open."""


class PlayedFeed:
    """Satisfies `capture.Feed`; nobody opens it."""

    name, live, system = "Recorded speech", True, False
    notes: Sequence[str] = ()

    def open(self, deliver: Deliver) -> Opened:
        raise UserError("A played feed is not opened.")


class Talk:
    """Words of a made language, of which few are most of what is said, in sentences."""

    def __init__(self) -> None:
        self._chance = random.Random(1)
        self._said = 0

    def second(self, start_ms: int) -> list[ClientEvent]:
        """What an engine says of this second."""
        count = self._chance.choice(_WORDS_A_STEP)
        events: list[ClientEvent] = []
        for number in range(count):
            if self._said % _SENTENCE == 0:
                events.append(m.Speech(ME, True, start_ms))
            at = start_ms + number * (_STEP_MS - _BREATH_MS) // count
            events.append(self._word(at))
            self._said += 1
            if self._said % _SENTENCE == 0:
                events.append(m.Speech(ME, False, at + 200))
        return [*events, Progress(ME, 0, start_ms + _STEP_MS, start_ms + _STEP_MS)]

    def _word(self, at: int) -> Word:
        sentence, number = divmod(self._said, _SENTENCE)
        spelt = _spelt(int(_VOCABULARY ** self._chance.random()))
        text = spelt.capitalize() if number == 0 else spelt
        end = "." if number == _SENTENCE - 1 else ""
        return Word(ME, 0, sentence, f" {text}{end}", at, at + 180, "en")


def _spelt(number: int) -> str:
    letters = ""
    while number:
        number, letter = divmod(number, 20)
        letters += "bcdfghjklmnpqrstvwxz"[letter] + "aeiou"[letter % 5]
    return letters or "a"


class Day:
    """The app's windows over one session that is played."""

    def __init__(self) -> None:
        self._clients: list[PlayedClient] = []
        self._captures: list[PlayedCapture] = []
        self.words = 0
        store = SettingsStore(Settings(engine="scripted", told={"kept": True}))
        self._captioning = Captioning(store, self._open)
        self._overlay = CaptionOverlay(store.settings.overlay, store.set_overlay)
        self._overlay.follow(self._captioning)
        self._window = MainWindow(self._captioning, store)
        self._captioning.word.connect(self._count)
        for window in (self._overlay, self._window):
            window.show()
        self._captioning.start()
        self._wait(lambda: self._captioning.stage is Stage.LISTENING)

    def play(self, hours: float, sessions: int = 1) -> Iterator[str]:
        """A row for each hour: the time of the processor since the row before, and what is held."""
        talk, said = Talk(), 0
        begun, at_hour = time.process_time(), 0.0
        steps = round(hours * 3_600_000) // _STEP_MS
        for step in range(steps):
            since = step % -(-steps // sessions)  # of this session
            if step and since == 0:
                self._begin_anew()
            events = talk.second(since * _STEP_MS)
            said += sum(isinstance(event, Word) for event in events)
            self._captures[-1].hear(since * _STEP_MS, 0.02 + step % 5 / 40)
            self._clients[-1].commit(events)
            self._wait(partial(self._has_shown, said))
            hour = (step + 1) * _STEP_MS / 3_600_000
            if hour >= at_hour + ROW_HOURS:
                now = time.process_time()
                yield self._row(hour, (now - begun) / (hour - at_hour))
                begun, at_hour = now, hour

    def _begin_anew(self) -> None:
        """Another session follows; nothing of this module holds the one before."""
        before = self._captioning.session
        self._captioning.start_another()
        self._wait(lambda: self._captioning.session is not before)
        self._wait(lambda: self._captioning.stage is Stage.LISTENING)
        del self._clients[:-1], self._captures[:-1]

    def end(self) -> str:
        """Stop, with everything saved; what that took of a processor."""
        begun = time.process_time()
        self._captioning.stop()
        self._wait(lambda: self._captioning.stage.over)
        taken = time.process_time() - begun
        self._overlay.end()
        for window in (self._overlay, self._window):
            window.close()
            window.deleteLater()
        QApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return f"stopped and saved in {taken:.2f} s of a processor"

    def _open(self, chosen: Settings, predecessor: Session | Preparation | None) -> SessionBridge:
        options = SessionOptions(engine=EngineOptions("scripted"))
        return SessionBridge(
            partial(
                Session, options, feed=PlayedFeed(), predecessor=predecessor,
                make_client=self._client, make_capture=self._capture,
            )
        )  # fmt: skip

    def _client(self, start: m.Start, deliver: Callable[[ClientEvent], None]) -> PlayedClient:
        self._clients.append(PlayedClient(start, deliver))
        return self._clients[-1]

    def _capture(
        self, feed: Feed, lane: str, clock: SessionClock, deliver: Callable[[CaptureEvent], None]
    ) -> PlayedCapture:
        self._captures.append(PlayedCapture(feed, lane, clock, deliver))
        return self._captures[-1]

    def _has_shown(self, words: int) -> bool:
        return self.words == words

    def _count(self, _word: Word) -> None:
        self.words += 1

    def _row(self, hour: float, cpu_s: float) -> str:
        process = psutil.Process()
        memory = process.memory_info().rss / 2**20
        files = process.num_fds() if hasattr(process, "num_fds") else 0
        journal = sum(file.stat().st_size for file in paths.journal_dir().iterdir()) / 1e6
        paragraphs = self._window.transcript.document().blockCount()
        return (
            f"| {hour:.3g} | {cpu_s:.1f} | {memory:.0f} | {threading.active_count()} | {files} "
            f"| {self.words} | {journal:.1f} | {paragraphs} |"
        )

    def _wait(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not reached():
            QApplication.processEvents()
            if time.monotonic() > deadline:
                raise UserError("The windows do not keep up.")
            if not reached():
                time.sleep(0.0005)  # the session's thread has the word


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as it grows; 1 with a sentence if it does not end."""
    parser = argparse.ArgumentParser(description="A day of captions, as fast as they go.")
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--sessions", type=int, default=1, metavar="N", help="one after another")
    options = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("DATA", "CONFIG", "TRANSCRIPTS"):
            os.environ[f"VOXLINE_{name}"] = str(Path(folder) / name.lower())
        app = QApplication.instance() or QApplication([])
        garbage = Garbage()  # as in the app: the sessions' threads must not end what is Qt's
        try:
            day = Day()
            sys.stdout.write(HEAD + "\n")
            for row in day.play(options.hours, max(1, options.sessions)):
                sys.stdout.write(row + "\n")
                sys.stdout.flush()
            sys.stdout.write(day.end() + "\n")
        except UserError as error:
            sys.stderr.write(f"{error.message}\n{error.hint}\n")
            return 1
        finally:
            garbage.close()
        assert app
    return 0


if __name__ == "__main__":
    sys.exit(main())

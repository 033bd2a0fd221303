"""`voxline listen`: live captions in the terminal, from a microphone or a file at its own pace."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from app import paths
from app.cli.terminal import JsonScreen, PlainScreen, Screen, TerminalScreen
from app.cli.usage import chosen_engine
from app.session import journal
from app.session.session import Saved, Session, SessionEvent
from app.session.status import SessionOptions, Stage, Status
from model_backends.base import Notice

_WAIT_S = 0.1


def run(args: argparse.Namespace) -> int:
    """Caption until the source ends, `--seconds` have passed, or the user stops it."""
    choice = chosen_engine(args)  # a wrong choice is told before anything is opened
    screen = _screen(args.json)
    _offer_unfinished(screen)
    options = SessionOptions(
        engine=choice.info.name,
        model=choice.model,
        device=choice.device,
        precision=choice.precision,
        delay_ms=choice.delays_ms[0],
        language=choice.language,
        source=args.source,
        srt=args.srt,
        force=args.force,
        seconds=args.seconds,
        sample_if_no_source=True,
    )
    return _Listening(Session(options), screen).run()


def _screen(as_json: bool) -> Screen:
    if as_json:
        return JsonScreen(sys.stdout, sys.stderr)
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        columns = shutil.get_terminal_size().columns
        return TerminalScreen(sys.stdout, sys.stderr, columns)
    return PlainScreen(sys.stdout, sys.stderr)


class _Listening:
    """One session in the terminal, from its start to its saved file."""

    def __init__(self, session: Session, screen: Screen) -> None:
        self._session = session
        self._screen = screen
        self._told = ""  # the last state told, so that each is told once

    def run(self) -> int:
        session = self._session
        with _stop_on_signals(session):
            session.start()
            try:
                self._show_until_over()
            except OSError:  # the reader of our output has gone: nothing is lost, only unseen
                session.stop()
                while not session.over:
                    session.wait(_WAIT_S)
                raise
            finally:
                session.abort()
        return 1 if session.status.stage is Stage.FAILED or session.save_failed else 0

    def _show_until_over(self) -> None:
        events: list[SessionEvent] = []
        while not self._session.over:
            for event in self._session.wait(_WAIT_S):
                if isinstance(event, Saved):
                    events.append(event)  # told last, below the text
                else:
                    self._screen.show(event)
                    self._tell(event)
        self._screen.close()
        for event in events:
            self._tell(event)

    def _tell(self, event: SessionEvent) -> None:
        match event:
            case Saved(path=path):
                self._screen.tell(f"Saved: {path}")
            case Notice():
                self._screen.tell(f"{event.message} {event.hint}".strip())
            case Status(stage=Stage.NO_SOUND | Stage.FAILED):
                self._tell_state(f"{event.message} {event.hint}".strip())
            case Status(stage=Stage.CATCHING_UP):
                self._tell_state("The engine is behind; catching up.")
            case Status(stage=Stage.LISTENING):
                name = self._session.source_name
                self._tell_state(f"Listening to {name}. Ctrl-C stops.")

    def _tell_state(self, message: str) -> None:
        if message != self._told:
            self._told = message
            self._screen.tell(message)


@contextlib.contextmanager
def _stop_on_signals(session: Session) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) stops and saves, the second exits at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        if session.stop_asked:
            session.abort()
            os._exit(128 + number)
        session.ask_to_stop()

    numbers = [n for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
    before = {n: signal.signal(getattr(signal, n), stop) for n in numbers}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _offer_unfinished(screen: Screen) -> None:
    """A session that was cut off is saved on request; without a terminal it is only mentioned."""
    folder = paths.journal_dir()
    journal.prune(folder)
    for lost in journal.unfinished(folder):
        when = f"{lost.started:%Y-%m-%d %H:%M}"
        screen.tell(f"The session of {when} was cut off: “{lost.preview} …” ({lost.words} words).")
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            screen.tell("Start `voxline listen` in a terminal, or the window, to save it.")
            continue
        sys.stderr.write("Save it as a subtitle file? [Y/n/d = delete] ")
        sys.stderr.flush()
        _settle(lost, sys.stdin.readline().strip().lower(), screen)


def _settle(lost: journal.Unfinished, answer: str, screen: Screen) -> None:
    if answer in ("", "y", "yes"):
        screen.tell(f"Saved: {journal.recover(lost.path)}")
    elif answer in ("d", "delete"):
        journal.discard(lost.path)

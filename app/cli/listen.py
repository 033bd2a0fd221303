"""`voxline listen`: live captions in the terminal, of a meeting, a device or a file."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import FrameType

from app import paths
from app.audio.capture import Feed
from app.audio.choice import Application, MediaFile, Meeting, SourceChoice, voices
from app.audio.devices.base import NoSourceError
from app.audio.feeds import SAMPLE_TITLE, feed_for, sample_feed
from app.audio.sources import automatic, choice_named, list_sources
from app.cli.feeding import Feeding
from app.cli.paging import Screens, screens_for
from app.cli.showing import Showing, own
from app.cli.terminal import JsonScreen, PlainScreen, Screen, TerminalScreen, terminal_columns
from app.cli.usage import chosen_engine
from app.cli.usage_error import UsageError
from app.core.voices import NAMES, THEM
from app.language import said_names
from app.session.files import (
    FileProblem,
    check_apart,
    is_special,
    output_problem,
    same_file,
)
from app.session.lagging import Lagging, may_give_way
from app.session.session import Choices, HeardOut, Saved, Session, SessionEvent
from app.session.shelving import recover_all
from app.session.status import SessionOptions, Stage, Status
from model_backends.base import Notice, Sentence, joined

_WAIT_S = 0.1


def run(args: argparse.Namespace) -> int:
    """Caption until the source ends, `--seconds` have passed, or the user stops it."""
    choice = chosen_engine(args)  # a wrong choice is told before anything is opened
    _recover(_screen(args.json))
    source = automatic() if args.source is None else choice_named(args.source)
    names = said_names(NAMES) if len(voices(source)) > 1 else {}
    screen = _screen(args.json, names)
    _refuse_to_overwrite(source, args)
    feed, note = _feed(source, asked_for=args.source is not None)
    options = SessionOptions(
        engine=choice.options,
        source=source,
        srt=args.srt,
        force=args.force,
        seconds=args.seconds,
        names=said_names(NAMES),
        name_in_srt=not args.no_names,
        hear_again=not args.no_record,
        as_shown=args.as_shown,
    )
    session = Session(options, feed=feed)
    with contextlib.ExitStack() as stack:
        elsewhere: list[Screens] = []
        for make in (screens_for, Feeding):
            elsewhere.append(make(args, names))
            stack.callback(elsewhere[-1].close)
        live = feed is None or feed.live
        return _Listening(session, screen, elsewhere, live=live).run(note)


def _refuse_to_overwrite(source: SourceChoice, args: argparse.Namespace) -> None:
    """Raise UsageError if what is written would lie over what is listened to, or over another."""
    options = {"--srt": args.srt, "--as-shown": args.as_shown, "--follow": args.follow}
    targets = [(option, path) for option, path in options.items() if path is not None]
    for option, path in targets:
        if isinstance(source, MediaFile):
            try:
                check_apart(path, source.path)
            except FileProblem as problem:
                raise UsageError(problem.message, problem.hint) from None
        for other, its in targets[: targets.index((option, path))]:
            if same_file(path, its) and not is_special(path):
                raise UsageError(
                    Sentence(
                        "{one} and {other} name one file: {path}.",
                        one=other,
                        other=option,
                        path=path,
                    ),
                    Sentence("Choose another name for the subtitles."),
                )


def _feed(source: SourceChoice, asked_for: bool) -> tuple[Feed | None, Notice | None]:
    """What to listen to; None for a meeting, of which the session finds both voices itself.

    Where there is nothing to hear, and nothing was asked for, the bundled sample.
    Raises UserError naming what there is.
    """
    if isinstance(source, Meeting):
        return None, None
    if isinstance(source, Application):
        return feed_for(source), _not_playing(source)
    try:
        return feed_for(source), None
    except NoSourceError as error:
        if asked_for:
            raise
        message = Sentence(
            "{problem} Captioning a bundled sample instead: {title}.",
            problem=error.message,
            title=SAMPLE_TITLE,
        )
        return sample_feed(), Notice("", "no-microphone", message, error.hint)


def _not_playing(source: Application) -> Notice | None:
    """That it plays nothing now: it will be heard, or its name is another one."""
    if source in [each.choice for each in list_sources()]:
        return None
    message = Sentence(
        "“{name}” plays nothing now; it is captioned when it does.", name=source.name
    )
    hint = Sentence("`voxline sources` lists what plays.")
    return Notice(THEM, "not-playing", message, hint)


def _screen(as_json: bool, names: Mapping[str, str] | None = None) -> Screen:
    """`names`: of the voices, where there are two."""
    out, messages = own(sys.stdout), own(sys.stderr)
    if as_json:
        return JsonScreen(out, messages)
    if out.isatty() and os.environ.get("TERM") != "dumb":
        return TerminalScreen(out, messages, partial(terminal_columns, out), names)
    return PlainScreen(out, messages, names)


class _Listening:
    """One session in the terminal, from its start to its saved file."""

    def __init__(
        self,
        session: Session,
        screen: Screen,
        elsewhere: Sequence[Screens] = (),
        live: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`elsewhere`: what else is told of every event. `live`: it is no file, whose words may
        be late."""
        self._session = session
        self._lag_counts, self._now = live and may_give_way(session.info), now
        self._lagging = Lagging()
        self._elsewhere = elsewhere
        self._showing = Showing(screen)
        self._told = ""  # the last state told, so that each is told once
        self._remark = ""
        self._away = False  # what was chosen is not what is listened to
        self._trouble_told = False

    def run(self, note: Notice | None = None) -> int:
        """`note` is told first. If the reader goes: BrokenPipeError, once all is saved."""
        session = self._session
        with _stop_on_signals(session):
            if note is not None:
                self._showing.show(note)
                self._tell(note)
            session.start()
            try:
                kept = self._show_until_over()
            finally:
                session.abort()
            self._showing.close()
            for event in kept:
                self._tell(event)
            self._showing.finish(patient=lambda: not session.stop_asked)
        if isinstance(self._showing.trouble, BrokenPipeError):
            raise self._showing.trouble
        failed = session.status.stage is Stage.FAILED or session.save_failed
        return 1 if failed or self._showing.trouble else 0

    def _show_until_over(self) -> list[SessionEvent]:
        """Returns what is to be told last, below the text: where it went."""
        kept: list[SessionEvent] = []
        while not self._session.over:
            for event in self._session.wait(_WAIT_S):
                for screens in self._elsewhere:
                    screens.take(event)
                if not isinstance(event, (Choices, HeardOut)):
                    self._showing.show(event)
                if isinstance(event, Saved) or _is_about_the_file(event):
                    kept.append(event)
                else:
                    self._tell(event)
            self._mind_the_screen()
            self._mind_the_lag()
        return kept

    def _mind_the_lag(self) -> None:
        """Nothing takes over here: what would help is said, once."""
        session = self._session
        if not self._lag_counts:
            return
        if self._lagging.look(self._now(), session.status, session.delay_ms):
            self._lag_counts = False
            self._showing.tell(
                Sentence(
                    "{label} cannot keep up on this computer: `voxline listen --engine embedded` "
                    "captions with the built-in model, which is lighter.",
                    label=session.info.label,
                )
            )

    def _mind_the_screen(self) -> None:
        """A reader that has gone wants no more; one that cannot take more is no reason to stop."""
        trouble = self._showing.trouble
        if trouble is None or self._trouble_told:
            return
        self._trouble_told = True
        if isinstance(trouble, BrokenPipeError):
            self._session.stop()
            return
        self._showing.tell(
            Sentence(
                "{problem} Captions go on unseen, and are saved at the end.",
                problem=output_problem(trouble).message,
            )
        )

    def _tell(self, event: SessionEvent) -> None:
        match event:
            case Saved(path=path):
                self._showing.tell(Sentence("Saved: {path}", path=str(path)))
            case Choices(source_is_away=away):
                if self._away and not away:
                    self._showing.tell(
                        Sentence("Listening to {source} again.", source=event.source_name)
                    )
                self._away = away
            case Notice() if event.message:  # without one it takes back what scrolled by
                self._showing.tell(joined(event.message, event.hint))
            case Status(stage=Stage.NO_SOUND | Stage.FAILED):
                self._tell_state(joined(event.message, event.hint))
            case Status(stage=Stage.CATCHING_UP):
                self._tell_state(Sentence("The engine is behind; catching up."))
            case Status(stage=Stage.STOPPING, can_hurry=True):
                self._tell_state(Sentence("{state} Ctrl-C saves it as it is.", state=event.message))
            case Status(stage=Stage.LISTENING):
                self._tell_state(Sentence("{state} Ctrl-C stops.", state=event.message))
        if isinstance(event, Status):
            self._tell_remark(event.remark)

    def _tell_state(self, message: str) -> None:
        if message != self._told:
            self._told = message
            self._showing.tell(message)

    def _tell_remark(self, remark: str) -> None:
        if remark != self._remark:
            self._remark = remark
            if remark:
                self._showing.tell(remark)


def _is_about_the_file(event: SessionEvent) -> bool:
    return isinstance(event, Notice) and event.code == "not-saved"


@contextlib.contextmanager
def _stop_on_signals(session: Session) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) stops and saves, the second exits at once; but one that comes
    while the transcript is being finished saves it as it is."""

    def stop(number: int, frame: FrameType | None) -> None:
        if session.stop_asked and not session.can_hurry:
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


def _recover(screen: Screen) -> None:
    """Sessions that were cut off are made safe, and told of."""
    for lost in recover_all(paths.journal_dir()):
        if lost.saved is not None:
            screen.tell(
                Sentence(
                    "The session of {when} was cut off. It is recovered: {path} ({words} words).",
                    when=f"{lost.started:%Y-%m-%d %H:%M}",
                    path=lost.saved,
                    words=lost.words,
                )
            )
        if lost.problem is not None:
            screen.tell(joined(lost.problem.message, lost.problem.hint))

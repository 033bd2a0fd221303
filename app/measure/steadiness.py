"""Whether anything that was drawn moves while captions come: every frame compared with the last.

    xvfb-run -a python -m app.measure.steadiness MANIFEST.jsonl          # or without a screen

The whole caption window, fed as a session feeds it: words at the moments at which the embedded
engine delivers them for real speech, on a simulated clock; the level meter, changing stages,
notices, and the controls that come and go. After each of these the pixels are taken from the
screen. `app.measure.frames` says what moved; line breaks are compared as text. Exits with 1 if
anything did. For scripts of which there is no speech, the words of a text come at those moments.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import cast

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF
from PySide6.QtGui import QEnterEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication

from app.measure import spoken
from app.measure.frames import Picture, moved, pieces, rebroken
from app.measure.played_session import PlayedSession
from app.measure.simulation import Shown
from app.session.status import Stage, Status
from app.settings import OverlaySettings, Settings
from app.ui.overlay.caption_view import line_height
from app.ui.overlay.window import CaptionOverlay
from app.ui.state.bridge import SessionBridge
from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore
from model_backends.base import Notice, Sentence, UserError

_PATIENCE_S = 60.0
_PAUSE_MS = 1500  # without a word for so long, the stage is another
_TOLD = 5  # places
_DELAY_MS = 1000  # of the engine
_EVERY = 40  # deliveries: then a notice, or controls that come or go


@dataclass(slots=True)
class Tally:
    """What was seen."""

    frames: int = 0
    words: int = 0
    compared: int = 0  # pieces of ink, all frames together
    scrolled: int = 0  # lines
    moved: int = 0  # pieces
    rebroken: int = 0  # lines
    at: list[str] = field(default_factory=list)  # where, the first few

    @property
    def steady(self) -> bool:
        return not self.moved and not self.rebroken


@dataclass(frozen=True, slots=True)
class Frame:
    """The caption lines as pixels, and as the text that was painted."""

    picture: Picture
    lines: list[str]


class Player:
    """Plays words to a caption window of its own, and takes the frames from the screen."""

    def __init__(self, settings: OverlaySettings) -> None:
        settings = replace(settings, background_opacity=1.0)  # what is behind is not measured
        self._chance = random.Random(1)
        self.overlay = CaptionOverlay(settings, lambda changed: self.overlay.apply(changed))
        store = SettingsStore(Settings(engine="scripted", overlay=settings))
        self._captioning = Captioning(store, lambda chosen, before: self._bridge())
        self.overlay.follow(self._captioning)
        self._captioning.start()
        self.overlay.show()
        self._wait(lambda: self.overlay.place_is_certain)

    def play(self, shown: Sequence[Shown]) -> Iterator[tuple[list[Shown], Frame]]:
        """A frame after each delivery, and after each of what else happens meanwhile."""
        before_ms = 0.0
        for number, (at_ms, delivered) in enumerate(groupby(shown, lambda one: one.at_ms)):
            if at_ms - before_ms > _PAUSE_MS:
                yield self._happen(Status(Stage.LISTENING))
            before_ms = at_ms
            self._captioning.level.emit(self._chance.random() * 0.4)
            words = list(delivered)
            yield words, self._after(*(one.word for one in words), Status(Stage.SPEECH))
            if number % _EVERY == _EVERY - 1:
                yield from self._disturb(number // _EVERY)

    def close(self) -> None:
        self.overlay.end()
        self.overlay.close()
        self.overlay.deleteLater()
        QApplication.processEvents()

    def _disturb(self, number: int) -> Iterator[tuple[list[Shown], Frame]]:
        """What happens beside the captions, and must not touch them."""
        yield self._happen(Notice("", "behind", "Captions are late.", "Close other programs."))
        yield self._happen(Status(Stage.CATCHING_UP, "Catching up …", lag_ms=4000))
        if number % 2:
            QApplication.sendEvent(self.overlay, QEvent(QEvent.Type.Leave))
        else:
            at = QPointF(self.overlay.rect().center())
            QApplication.sendEvent(self.overlay, QEnterEvent(at, at, at))
            self._wait(self.overlay.controls.isVisible)
        yield self._happen(Status(Stage.SPEECH))

    def _happen(self, event: Status | Notice) -> tuple[list[Shown], Frame]:
        return [], self._after(event)

    def _after(self, *events: object) -> Frame:
        session = cast(PlayedSession, self._captioning.session)
        session.say(*events)  # type: ignore[arg-type]
        view = self.overlay.captions
        self._wait(lambda: not session.waiting and view.painted_text == view.committed_text)
        return Frame(self._taken(), view.painted_text)

    def _taken(self) -> Picture:
        """The pixels of the caption lines, from the screen."""
        view = self.overlay.captions
        corner = view.mapToGlobal(QPoint(0, 0))
        taken = QGuiApplication.primaryScreen().grabWindow(
            0, corner.x(), corner.y(), view.width(), view.height()
        )
        image = taken.toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
        return rows[:, : image.width()].copy()

    def _bridge(self) -> SessionBridge:
        return SessionBridge(PlayedSession)  # type: ignore[arg-type]  # has what windows need

    def _wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE_S
        while True:
            QApplication.processEvents()
            if until():
                return
            if time.monotonic() > end:
                raise TimeoutError("what was said is not painted")
            time.sleep(0.001)


def steadiness(shown: Sequence[Shown], settings: OverlaySettings) -> Tally:
    """Play these words in a caption window with these settings. Needs a QApplication."""
    player, tally = Player(settings), Tally()
    before: Frame | None = None
    try:
        line = round(line_height(settings) * player.overlay.devicePixelRatioF())
        for words, now in player.play(shown):
            tally.frames += 1
            tally.words += len(words)
            said = _letters(one.word.text for one in words)
            if before is not None and not said.endswith(_letters(now.lines)):
                _compare(tally, before, now, line)
            before = now
    finally:
        player.close()
    return tally


def _letters(texts: Iterable[str]) -> str:
    return "".join("".join(texts).split())


def _compare(tally: Tally, before: Frame, now: Frame, line: int) -> None:
    """Count what has changed in the way that has it change least: scrolled up by 0, 1 … lines.

    Something of `before` is still there: only what was said just now can have taken all its room.
    """
    ways = []
    for up in range(max(1, len(before.lines))):
        gone = moved(before.picture, now.picture, line, up)
        broken = rebroken(before.lines, now.lines, up)
        ways.append((len(gone) + broken, up, gone, broken))
    _, up, gone, broken = min(ways, key=lambda way: way[:2])
    tally.compared += sum(piece.row >= up for piece in pieces(before.picture, line))
    tally.scrolled += up
    tally.moved += len(gone)
    tally.rebroken += broken
    if (gone or broken) and len(tally.at) < _TOLD:
        tally.at.append(f"{before.lines} -> {now.lines}: {gone} {broken}")


def main() -> int:
    options = _arguments()
    try:
        heard = _words(options)
    except UserError as error:
        sys.stderr.write(f"{error.message} {error.hint}\n")
        return 2
    heard = spoken.lasting(heard, options.seconds * 1000)
    app = QApplication.instance() or QApplication([])
    settings = OverlaySettings(lines=options.lines, font_size=options.size, edge=options.edge)
    steady = True
    for script in options.script:
        shown = heard if script == "spoken" else spoken.carried(heard, script)
        tally = steadiness(shown, settings)
        steady = steady and tally.steady
        _tell(script, tally)
    assert app
    return 0 if steady else 1


def _words(options: argparse.Namespace) -> list[Shown]:
    if options.words is not None and options.words.is_file():
        return spoken.load(options.words)
    if options.manifest is None:
        raise UserError(Sentence("There are no words."), "Name a manifest of real speech.")
    heard = spoken.recognised(options.manifest, options.seconds, "base", _DELAY_MS)
    if options.words is not None:
        spoken.save(heard, options.words)
    return heard


def _tell(script: str, tally: Tally) -> None:
    print(
        f"{script}: {tally.frames} frames, {tally.words} words, {tally.scrolled} lines scrolled, "
        f"{tally.compared} drawn words compared: {tally.moved} moved, "
        f"{tally.rebroken} breaks changed"
    )
    for place in tally.at:
        print(f"  {place}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("manifest", type=Path, nargs="?", help="manifest.jsonl of real speech")
    parser.add_argument("--words", type=Path, help="keep what was heard there, and use it again")
    parser.add_argument(
        "--seconds", type=float, default=600.0, help="of speech; what is shorter is said again"
    )
    parser.add_argument("--script", nargs="*", default=["spoken", *spoken.TEXTS])
    parser.add_argument("--lines", type=int, default=2)
    parser.add_argument("--size", type=int, default=OverlaySettings().font_size)
    parser.add_argument("--edge", default="none")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

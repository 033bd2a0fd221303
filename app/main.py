"""The windowed app: builds the objects and connects them. This file is the map of the app.

    SettingsStore ──what is chosen──> Captioning ──words, state──> MainWindow, Tray
          │                               │ ^                 └────> CaptionOverlay
          │                               │ └── SessionBridge <── Session (its own thread)
          └──what the user changes── MainWindow, Preferences, CaptionOverlay

    Hotkeys, Control (the command line), Tray, menus ──verbs──> Commands ──> who does them

The caption window is on the screen before anything slow is imported. What the parts do is their
own business.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QTimer

from app import native, paths, settings
from app.core.script import harmless
from app.language import say
from app.ui.desktop import logs
from app.ui.desktop.application import Application, make_app
from app.ui.desktop.garbage import Garbage
from app.ui.desktop.interrupts import Interrupts
from app.ui.desktop.orders import (
    NEW_SESSION_ORDER,
    listens_at_start,
    orders_of,
    to_transcribe,
)
from app.ui.desktop.single_instance import Claim, SingleInstance
from app.ui.first_run import opening as first_run
from app.ui.overlay import painted_log
from app.ui.overlay.window import CaptionOverlay
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import worded
from model_backends.base import Sentence, joined

if TYPE_CHECKING:
    from app.models.better import Offer
    from app.ui.desktop.hotkeys import Hotkeys
    from app.ui.desktop.leaving import Leaving
    from app.ui.desktop.tray import Tray
    from app.ui.dictation.badge import Badge
    from app.ui.main_window.opened_files import OpenedFiles
    from app.ui.main_window.window import MainWindow
    from app.ui.sessions.opening import Sessions
    from app.ui.state.better_model import BetterModel
    from app.ui.state.captioning import Captioning
    from app.ui.state.commands import Commands
    from app.ui.state.dictation import Dictation
    from app.ui.state.feeds import Feeds

log = logging.getLogger(__name__)

_SETTLED_MS = 20_000  # what a start has made is there by then


@dataclass(frozen=True, slots=True)
class Parts:
    """What the app is made of."""

    app: Application
    store: SettingsStore
    captioning: Captioning
    overlay: CaptionOverlay
    window: MainWindow
    tray: Tray
    leaving: Leaving
    commands: Commands
    hotkeys: Hotkeys
    opened: OpenedFiles
    sessions: Sessions
    first_run: first_run.FirstRun
    feeds: Feeds
    dictation: Dictation
    badge: Badge
    listens: bool = True  # from the start
    newcomer: bool = False  # who has not been through the first run, and has not skipped it


def run_gui(args: argparse.Namespace) -> int:
    """Open the windows and caption until the user quits; the exit status."""
    native.prepare_environment()
    log_file = logs.start()
    app = make_app()
    instance = SingleInstance(paths.data_dir())
    orders = orders_of(args)
    claim = instance.claim(orders)
    if claim is not Claim.FIRST:
        return _leave_it_to_the_first(claim)
    interrupts, garbage = Interrupts(), Garbage()
    nothing_kept = settings.none_kept()
    chosen, problem = settings.load()
    store = SettingsStore(chosen)
    worded.speak_as_chosen(store)
    overlay = CaptionOverlay(chosen.overlay, store.set_overlay)
    overlay.show()
    app.processEvents()
    shown_ms = _ms_since_start()
    log.info("captions shown after %d ms", shown_ms)
    listens = listens_at_start(orders, chosen.start_listening_on_launch)
    newcomer = first_run.is_due(chosen.told, nothing_kept)
    captioning = _captioning(store, listens)
    built = _build(app, store, overlay, captioning)
    parts = replace(built, listens=listens, newcomer=newcomer)
    _connect(parts)
    painted_log.attach(parts.captioning, overlay, parts.first_run, shown_ms, app)
    instance.raise_requested.connect(parts.window.come_forward)
    control = _control(parts)
    instance.serve(control)
    interrupts.received.connect(parts.leaving.interrupted)
    logs.on_uncaught(partial(_tell_uncaught, parts.window, log_file))
    app.file_opened.connect(lambda path: control(to_transcribe(path)))
    QTimer.singleShot(0, partial(_begin, parts, problem))
    QTimer.singleShot(_SETTLED_MS, garbage.settle)
    for order in orders:
        if not (parts.listens and order == NEW_SESSION_ORDER):  # it has begun with the app itself
            QTimer.singleShot(0, partial(control, order))
    status = app.exec()
    parts.hotkeys.close()
    parts.window.captions_page.close()
    parts.window.models.close()
    parts.window.packs.close()
    parts.feeds.close()
    parts.badge.hide()
    parts.dictation.close()
    garbage.close()
    interrupts.close()
    instance.release()
    return status


def _captioning(store: SettingsStore, listens: bool) -> Captioning:
    """The engine begins to load as soon as the captions can be seen, on another core."""
    from app.ui.state.captioning import Captioning
    from app.ui.state.new_session import open_session

    captioning = Captioning(store, open_session)
    if listens:
        captioning.start_early()
    return captioning


def _build(
    app: Application, store: SettingsStore, overlay: CaptionOverlay, captioning: Captioning
) -> Parts:
    """Everything else; its imports cost more than showing the captions did."""
    from app.ui.desktop.hotkeys import Hotkeys
    from app.ui.desktop.leaving import Leaving
    from app.ui.desktop.tray import Tray
    from app.ui.desktop.verbs import offer_all
    from app.ui.dictation.badge import Badge
    from app.ui.main_window.opened_files import OpenedFiles
    from app.ui.main_window.window import MainWindow
    from app.ui.sessions.opening import Sessions
    from app.ui.state.commands import DICTATE, Commands
    from app.ui.state.dictation import Dictation
    from app.ui.state.feeds import Feeds

    commands = Commands()
    offer_all(commands, overlay, captioning, store)
    dictation = Dictation(captioning)
    commands.offer(DICTATE.name, dictation.toggle, lambda: dictation.on)
    window = MainWindow(captioning, store)
    leaving = Leaving(captioning, store, app.exit)
    hotkeys = Hotkeys(store, commands)
    opened = OpenedFiles(
        lambda: store.settings.engine_options,
        window.banners,
        window,
        keeps=lambda: store.settings.keep_transcripts,
    )
    opened.saved.connect(window.show_saved)
    sessions = Sessions(captioning, store, window)
    opened.saved.connect(lambda _: sessions.look())
    tray, feeds = Tray(commands), Feeds(captioning, store, window)
    guide = first_run.FirstRun(captioning, store, commands, hotkeys, window.engine_info)
    return Parts(
        app, store, captioning, overlay, window, tray, leaving, commands, hotkeys, opened, sessions,
        guide, feeds, dictation, Badge(dictation, lambda: overlay.whole_place),
    )  # fmt: skip


def _connect(parts: Parts) -> None:
    from app.ui.desktop.elsewhere import connect_dictation, connect_feeds
    from app.ui.sessions.import_dialog import Drops

    _connect_overlay(parts)
    _connect_tray(parts)
    connect_feeds(parts.feeds, parts.store, parts.window)
    connect_dictation(parts.dictation, parts.overlay, parts.window, parts.tray)
    window, leaving = parts.window, parts.leaving
    window.follow(parts.commands, parts.hotkeys)
    window.menus.sessions.triggered.connect(lambda: parts.sessions.open())
    _connect_models(parts)
    window.menus.first_run.triggered.connect(lambda: parts.first_run.open())
    parts.first_run.ended.connect(partial(_after_first_run, parts))
    leaving.begun.connect(parts.first_run.leave)
    Drops(window, parts.sessions.import_files)
    window.erase_wanted.connect(partial(_ask_to_erase, parts))
    window.controls_wanted.connect(partial(_focus_controls, parts))
    window.quit_requested.connect(leaving.request)
    parts.app.quit_asked.connect(leaving.request)
    parts.app.commitDataRequest.connect(lambda _manager: leaving.request())
    leaving.begun.connect(window.show_leaving)
    window.closed.connect(partial(_tell_captions_go_on, parts))
    parts.captioning.saved.connect(lambda saved: _announce(saved.path))


def _connect_models(parts: Parts) -> None:
    """A model that has come takes over at the next pause."""
    from app.ui.state.better_model import BetterModel
    from app.ui.state.change_over import ChangeOver
    from app.ui.state.giving_way import GivingWay
    from app.ui.state.new_session import prepare_engine

    change = ChangeOver(parts.captioning, parts.store, prepare_engine, parent=parts.window)
    parts.window.models.wanted.connect(change.wish_for)
    parts.window.models.chosen.connect(change.use)
    change.told.connect(parts.overlay.tell)
    better = BetterModel(parts.captioning, parts.store, parts.window.models, parent=parts.window)
    better.offered.connect(partial(_offer_better, parts, better))
    slow = GivingWay(parts.captioning, change, parts.window.models, parent=parts.window)
    slow.told.connect(parts.overlay.tell)
    slow.told.connect(partial(_tell_of_another_model, parts))


def _tell_of_another_model(parts: Parts, said: Sentence, hint: Sentence) -> None:
    """For who looks at the captions later, too."""
    banner = parts.window.banners.tell("info", said, hint, about="slow-model")
    banner.add_button("Preferences…", partial(_open_models, parts))


def _open_models(parts: Parts) -> None:
    preferences = parts.window.open_preferences()
    preferences.show_page(preferences.speech_model)


def _offer_better(parts: Parts, better: BetterModel, offer: Offer) -> None:
    """Where the user decides: its card, which shows the licence before anything is fetched."""

    def show() -> None:
        better.take(offer)
        _open_models(parts)

    banner = parts.window.banners.tell("info", offer.sentence, offer.hint, about="better-model")
    banner.add_button("Show it…", show)


def _connect_overlay(parts: Parts) -> None:
    from app.ui.desktop.read_aloud import ReadAloud
    from app.ui.desktop.verbs import keys_for_captions
    from app.ui.state.name_alerts import NameAlerts
    from app.ui.widgets import beside_captions
    from app.ui.widgets.banner import announce

    overlay, store = parts.overlay, parts.store
    overlay.follow(parts.captioning)
    beside_captions.follow(
        lambda: overlay.place if overlay.isVisible() else QRect(),
        lambda: overlay.whole_place if overlay.isVisible() else QRect(),
    )
    store.changed.connect(lambda now, _before: overlay.apply(now.overlay))
    overlay.source_chosen.connect(lambda source: store.change(source=source))
    overlay.delay_chosen.connect(store.change_delay)
    overlay.pause_toggled.connect(parts.captioning.toggle_pause)
    overlay.own_speech_chosen.connect(lambda: store.change(show_own_speech=True))
    overlay.main_window_requested.connect(parts.window.come_forward)
    overlay.quit_requested.connect(parts.leaving.request)
    overlay.preferences_requested.connect(parts.window.open_preferences)
    overlay.has_tray = lambda: parts.tray.available
    overlay.visibility_changed.connect(lambda _visible: parts.tray.tick())
    overlay.held_changed.connect(lambda _held: parts.tray.tick())
    parts.hotkeys.changed.connect(lambda: overlay.show_keys(keys_for_captions(parts.hotkeys)))
    parts.leaving.begun.connect(overlay.end)
    alerts = NameAlerts(store, parts.captioning, parent=overlay)
    overlay.captions.point_out(alerts.points_out)
    alerts.said.connect(partial(_tell_name, parts))
    ReadAloud(parts.captioning, store, partial(announce, overlay.captions), parent=overlay)


def _tell_name(parts: Parts, name: str, context: str) -> None:
    from app.ui.widgets.banner import announce

    parts.overlay.pulse()
    announce(parts.overlay.captions, Sentence("“{name}” was said", name=name))
    if parts.store.settings.notify_names:
        parts.tray.tell_name(name, context)


def _connect_tray(parts: Parts) -> None:
    tray = parts.tray
    tray.main_window_requested.connect(parts.window.come_forward)
    tray.preferences_requested.connect(parts.window.open_preferences)
    tray.quit_requested.connect(parts.leaving.request)
    parts.captioning.status.connect(tray.show_status)
    tray.show_status(parts.captioning.last_status)
    parts.hotkeys.changed.connect(lambda: tray.show_keys(parts.hotkeys))


def _begin(parts: Parts, problem: str | None) -> None:
    """Start to listen, and only then look at what else there is."""
    window, chosen = parts.window, parts.store.settings
    parts.tray.show()
    if problem:
        window.banners.tell("warning", problem)
    window.place_clear_of(parts.overlay.whole_place)
    guided = parts.newcomer and parts.listens and not problem
    if not guided and (problem or not parts.tray.available or not chosen.window):
        window.show()
    if parts.listens:
        parts.captioning.start()
    else:
        parts.overlay.show_status(parts.captioning.last_status)
    parts.hotkeys.start()
    window.captions_page.start_if_wanted()
    parts.feeds.start_if_wanted()
    window.look_around()
    _recover(parts)
    parts.sessions.keep_up()
    if parts.newcomer:
        parts.first_run.expect()
    if guided:
        parts.first_run.open()


def _after_first_run(parts: Parts) -> None:
    """What it has told is not told again; a newcomer sees the main window now."""
    window = parts.window
    if parts.first_run.all_seen:
        window.banners.end("kept")
    if not window.isVisible() and not parts.store.settings.window:  # it never was
        window.place_clear_of(parts.overlay.whole_place)  # which may have grown
        window.show()


def _recover(parts: Parts) -> None:
    from app.ui.main_window.recovery import Recovery

    window = parts.window
    Recovery(paths.journal_dir(), window.banners, parts.sessions.open, parent=window).look()


def _ask_to_erase(parts: Parts) -> None:
    """ "Delete everything", for settings too: what this run knows of them goes with the file."""
    from app.ui.main_window import erase

    def erased(chosen: Sequence[str]) -> None:
        if "settings" in chosen:
            parts.store.forget()
        if "models" in chosen:
            parts.window.packs.forget()
        parts.sessions.look()

    erase.ask(parts.window, parts.window.banners, parts.captioning.running, erased)


def _control(parts: Parts) -> Callable[[str], str]:
    """What answers `voxline control`."""
    from app.ui.desktop.control import Control

    return Control(
        parts.commands,
        parts.captioning,
        lambda: parts.store.settings.overlay.font_size,
        partial(_transcribe, parts),
    ).obey


def _transcribe(parts: Parts, file: Path) -> None:
    parts.window.come_forward()
    parts.opened.add([file])


def _tell_captions_go_on(parts: Parts) -> None:
    """The first time the main window is closed: that was not the end."""
    told = parts.store.settings.told
    if told.get("closed") or parts.leaving.under_way or not parts.captioning.running:
        return
    parts.store.change(told={**told, "closed": True})
    parts.overlay.tell(
        Sentence("Captions go on."), Sentence("To end them: ⋯ beside the captions, Quit Voxline.")
    )


def _focus_controls(parts: Parts) -> None:
    parts.overlay.show()
    parts.overlay.focus_controls()


def _leave_it_to_the_first(claim: Claim) -> int:
    """Another Voxline runs already: it has shown itself, or we say why nothing happens."""
    if claim is Claim.SHOWN:
        return 0
    what = Sentence("Voxline is running already but does not answer.")
    hint = Sentence("End it with your system’s task manager, then start it again.")
    sys.stderr.write(say(joined(what, hint)) + "\n")
    return 1


def _announce(path: Path) -> None:
    sys.stderr.write(harmless(say(Sentence("Saved: {path}", path=path))) + "\n")
    sys.stderr.flush()


def _tell_uncaught(window: MainWindow, log_file: Path | None) -> None:
    where = Sentence("The details are in {file}.", file=log_file) if log_file else ""
    what = Sentence("Something went wrong inside Voxline. Captions go on.")
    window.banners.tell("failure", what, where)


def _ms_since_start() -> int:
    """Since the process began, imports included."""
    now = time.time()
    import psutil  # it takes a while, and the captions are there already

    return round((now - float(psutil.Process().create_time())) * 1000)

"""The caption window without a real screen: what it shows, where it goes, what never moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QContextMenuEvent, QHideEvent, QRegion
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app import native
from app.session.record import Saved
from app.session.session import Choices, Stage, Status
from app.settings import OverlaySettings
from app.ui.overlay import on_top
from app.ui.overlay.more_menu import MoreMenu
from app.ui.overlay.pill import Pill
from app.ui.overlay.window import CaptionOverlay
from model_backends.base import Notice, Tail
from tests.ui.overlay.windows import (
    SCREEN,
    entry,
    hover,
    listening,
    message_of,
    opened,
    pill_of,
    stage_of,
    submenu,
    until_painted,
)
from tests.ui.overlay_fakes import fake_captioning, faked, words

pytestmark = pytest.mark.usefixtures("desktop")


# --- the window -----------------------------------------------------------------------------


def test_it_floats_and_never_takes_the_keyboard(window: CaptionOverlay) -> None:
    flags = window.windowFlags()
    for wanted in (
        Qt.WindowType.FramelessWindowHint,
        Qt.WindowType.WindowStaysOnTopHint,
        Qt.WindowType.WindowDoesNotAcceptFocus,
    ):
        assert flags & wanted
    assert window.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert window.testAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)


def test_at_first_it_is_two_lines_at_the_bottom_centre(
    window: CaptionOverlay, saved: list[OverlaySettings]
) -> None:
    box = window.box_on_screen
    assert abs(box.center().x() - SCREEN.center().x()) <= 1
    assert 0 < SCREEN.bottom() - box.bottom() < 100
    assert window.captions.line_count == 2
    assert saved == []  # nothing the user has chosen


def test_only_what_is_visible_is_part_of_the_window(window: CaptionOverlay) -> None:
    """The empty strip beside the box is not: clicks go through to what is below."""
    box = window.box_on_screen.translated(-window.pos())
    assert window.mask().boundingRect() == box
    window.focus_controls()
    assert window.mask().boundingRect() == window.rect()


def test_without_a_compositor_it_is_opaque_and_still_round(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, saved: list[OverlaySettings]
) -> None:
    monkeypatch.setattr(native, "has_compositor", lambda platform: False)
    window = opened(qtbot, OverlaySettings(background_opacity=0.3), saved)
    box = window.box_on_screen.translated(-window.pos())
    assert window.mask().boundingRect() == box
    assert not window.mask().contains(box.topLeft())
    middle = window.grab().toImage().pixelColor(box.center())
    assert (middle.alpha(), middle.name()) == (255, "#000000")


def test_click_through_is_switched_without_hiding(
    window: CaptionOverlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden: list[QHideEvent] = []
    monkeypatch.setattr(window, "hideEvent", hidden.append)
    for on in (True, False):
        window.let_clicks_through(on)
        flags = window.windowHandle().flags()
        assert bool(flags & Qt.WindowType.WindowTransparentForInput) == on
    assert hidden == []


# --- what is shown --------------------------------------------------------------------------


def test_what_the_session_says_is_painted(qtbot: QtBot, window: CaptionOverlay) -> None:
    session = listening(window)
    session.say(Status(Stage.SPEECH), *words("Guten Morgen zusammen", "de"))
    qtbot.waitUntil(lambda: window.captions.painted_text == ["Guten Morgen zusammen"])
    assert window.status_row.shown == ""  # words are coming, and that is all there is to say
    assert window.status_row.language_text == "Deutsch"


def test_the_last_caption_stays_in_silence_and_after_the_end(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    session = listening(window)
    session.say(*words("Still here."), Status(Stage.LISTENING), Status(Stage.STOPPED))
    qtbot.waitUntil(lambda: window.status_row.shown == "Stopped")
    window.captions.repaint()
    assert window.captions.painted_text == ["Still here."]


def test_a_session_that_was_replaced_is_not_listened_to(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    captioning = fake_captioning(window)
    window.follow(captioning)
    captioning.start()
    old = faked(captioning)
    old.say(Status(Stage.STOPPED))
    qtbot.waitUntil(lambda: not captioning.running)
    captioning.start()
    old.say(*words("old"))
    faked(captioning).say(*words("new"))
    qtbot.waitUntil(lambda: window.captions.committed_text == ["new"])
    assert window.captions.committed_text == ["new"]


def test_the_tail_is_shown_only_if_wanted(qtbot: QtBot, window: CaptionOverlay) -> None:
    session = listening(window)
    for wanted, text in ((False, "Good"), (True, "Good morning")):
        window.apply(OverlaySettings(show_tail=wanted))
        session.say(*(words("Good") if not wanted else ()), Tail("me", 0, 0, " morning"))
        until_painted(qtbot, window, text)


def test_trouble_says_what_to_do_for_as_long_as_it_lasts(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    session = listening(window)
    session.say(*words("Good morning."))
    session.say(Status(Stage.NO_SOUND, "No sound is arriving from USB.", "Is it muted?"))
    qtbot.waitUntil(lambda: window.message is not None)
    assert message_of(window).text == "Is it muted?"
    assert window.status_row.shown == "No sound is arriving from USB."
    session.say(Status(Stage.LISTENING))
    qtbot.waitUntil(lambda: window.message is None)


def test_a_breath_of_the_speaker_shapes_no_window_and_writes_no_menu(
    window: CaptionOverlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage changes with each, for as long as the app runs."""
    window.show_status(Status(Stage.LISTENING))
    masks: list[QRegion] = []
    written: list[Stage] = []
    monkeypatch.setattr(CaptionOverlay, "setMask", lambda _self, region: masks.append(region))
    monkeypatch.setattr(MoreMenu, "show_stage", lambda _self, stage: written.append(stage))
    for stage in (Stage.SPEECH, Stage.LISTENING, Stage.SPEECH):
        window.show_status(Status(stage))
    assert (masks, written) == ([], [])
    window.show_status(Status(Stage.PAUSED, remark="The microphone is gone."))
    assert masks and written == [Stage.PAUSED]


def test_a_notice_is_told_for_a_while(
    qtbot: QtBot, window: CaptionOverlay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = listening(window)
    session.say(Notice("me", "behind", "The engine is slow.", "A smaller model keeps up."))
    qtbot.waitUntil(lambda: window.message is not None)
    assert (message_of(window).text, message_of(window).hint) == (
        "The engine is slow.",
        "A smaller model keeps up.",
    )
    session.say(Saved(tmp_path / "a.srt"))
    qtbot.waitUntil(lambda: message_of(window).hint == str(tmp_path / "a.srt"))
    window._strip._notice_ends.timeout.emit()
    assert window.message is None


def test_a_notice_that_is_taken_back_shows_nothing(qtbot: QtBot, window: CaptionOverlay) -> None:
    session = listening(window)
    session.say(Notice("me", "behind", ""), *words("Next."))
    qtbot.waitUntil(lambda: window.captions.painted_text == ["Next."])
    assert window.message is None


def test_the_controls_show_what_the_session_uses(qtbot: QtBot, window: CaptionOverlay) -> None:
    session = listening(window)
    assert window.controls.source.toolTip() == "Sound source: Built-in microphone"
    assert window.menu.delay.slider.delay_ms == 480
    session.say(Choices("USB", 960))
    qtbot.waitUntil(lambda: window.controls.source.toolTip() == "Sound source: USB")
    assert window.menu.delay.slider.delay_ms == 960
    session.say(Choices("USB", 2400, chosen_delay_ms=960))
    qtbot.waitUntil(lambda: window.menu.delay.slider.delay_ms == 2400)


def test_what_the_user_asks_for_is_passed_on(qtbot: QtBot, window: CaptionOverlay) -> None:
    listening(window)
    slider = window.menu.delay.slider
    for asked, click in (
        (window.pause_toggled, window.menu.pause.trigger),
        (window.preferences_requested, submenu(window, "Style", "Customise…").trigger),
        (window.pause_toggled, window._box.start.click),
        (window.quit_requested, entry(window, "Quit Voxline").trigger),
        (window.preferences_requested, entry(window, "Preferences…").trigger),
        (window.main_window_requested, entry(window, "Transcript").trigger),
        (window.delay_chosen, lambda: slider.setValue(slider.maximum())),
    ):
        with qtbot.waitSignal(asked):
            click()


# --- controls beside the captions -----------------------------------------------------------


def test_controls_come_on_hover_without_moving_or_covering_a_caption(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    session = listening(window)
    session.say(*words("These words stay where they are."))
    qtbot.waitUntil(lambda: bool(window.captions.painted_text))
    box, picture = window.box_on_screen, window.captions.grab().toImage()
    hover(window)
    qtbot.waitUntil(lambda: window.controls.isVisible())
    assert window.box_on_screen == box
    assert window.captions.grab().toImage() == picture
    bar = window.controls.geometry().translated(window._strip.pos() + window.pos())
    assert not bar.intersects(box)
    window.leaveEvent(QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(lambda: not window.controls.isVisible())
    assert window.box_on_screen == box


def test_controls_by_keyboard_and_back(qtbot: QtBot, window: CaptionOverlay) -> None:
    window.focus_controls()
    assert window.controls.isVisible()
    assert not window.windowHandle().flags() & Qt.WindowType.WindowDoesNotAcceptFocus
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.windowHandle().flags() & Qt.WindowType.WindowDoesNotAcceptFocus
    qtbot.waitUntil(lambda: not window.controls.isVisible())


def test_at_the_top_of_the_screen_the_controls_are_below(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    window._put_box(QRect(300, 4, 900, window.box_on_screen.height()))
    window._settle()
    box = window.box_on_screen
    assert (box.x(), box.y()) == (300, 4)
    window.focus_controls()
    bar = window.controls.geometry().translated(window._strip.pos() + window.pos())
    assert bar.top() > box.bottom()
    assert SCREEN.contains(bar)


# --- hiding, and the way back -----------------------------------------------------------------


def test_hiding_ends_nothing_and_says_how_to_get_back(qtbot: QtBot, window: CaptionOverlay) -> None:
    session = listening(window)
    session.say(Status(Stage.SPEECH))
    qtbot.waitUntil(lambda: stage_of(window) is Stage.SPEECH)
    with qtbot.assertNotEmitted(window.quit_requested), qtbot.waitSignal(window.visibility_changed):
        window.controls.hide_button.click()
    assert window.isHidden()
    pill = pill_of(window)
    assert pill.isVisible()
    assert "still listening" in pill.text()
    QTest.mouseClick(pill, Qt.MouseButton.LeftButton)
    assert window.isVisible()
    assert not pill.isVisible()


def test_the_desktops_way_to_close_hides_and_says_so_too(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    session = listening(window)
    session.say(Status(Stage.SPEECH))
    qtbot.waitUntil(lambda: stage_of(window) is Stage.SPEECH)
    assert not window.close()  # refused: the window is hidden, nothing is closed
    assert window.isHidden()
    assert "still listening" in pill_of(window).text()


@pytest.mark.parametrize("hide", ["close", "hide"])  # the desktop's way, and that of the menus
def test_without_a_tray_a_way_back_stays_on_the_screen(
    qtbot: QtBot, window: CaptionOverlay, hide: str
) -> None:
    told: list[bool] = []
    window.visibility_changed.connect(told.append)
    getattr(window, hide)()
    assert told == [False]
    pill = pill_of(window)
    pill.told.emit()  # the sentence has been read
    assert pill.isVisible()
    assert pill.text() == "Voxline"
    assert SCREEN.contains(pill.geometry())
    assert window.box_on_screen.contains(pill.geometry().center())
    window.show()
    assert told == [False, True]
    assert pill.isHidden()


def test_the_way_back_is_told_in_full_on_a_narrow_screen(qtbot: QtBot) -> None:
    pill = Pill()
    qtbot.addWidget(pill)
    screen = pill.screen().geometry()
    corner = QRect(0, screen.bottom() - 35, 100, 36)
    pill.tell("Hidden.", corner)
    low = pill.height()
    pill.tell("Captions are hidden, still listening. " * 20, corner)
    assert screen.contains(pill.geometry())
    assert pill.height() > 2 * low
    pill.stay(corner)
    assert pill.height() == low


def test_with_a_tray_the_pill_goes_when_it_has_told(window: CaptionOverlay) -> None:
    window.has_tray = lambda: True
    window.show_status(Status(Stage.SPEECH))
    window.hide_captions()
    assert "Voxline icon" in pill_of(window).text()
    pill_of(window).told.emit()
    assert pill_of(window).isHidden()


def test_when_the_app_ends_nothing_is_left(window: CaptionOverlay) -> None:
    window.hide_captions()
    window.end()
    assert pill_of(window).isHidden()
    window.show()
    window.hide()
    assert pill_of(window).isHidden()


def test_a_pill_shows_trouble(window: CaptionOverlay) -> None:
    window.hide_captions()
    quiet = pill_of(window).grab().toImage()
    window.show_status(Status(Stage.FAILED, "It has stopped."))
    assert pill_of(window).grab().toImage() != quiet


def test_a_pill_can_be_dragged_off_what_it_covers(qtbot: QtBot, window: CaptionOverlay) -> None:
    window.hide_captions()
    pill = pill_of(window)
    before = pill.pos()
    QTest.mousePress(pill, Qt.MouseButton.LeftButton, pos=QPoint(20, 15))
    QTest.mouseMove(pill, QPoint(60, 15))
    QTest.mouseMove(pill, QPoint(60, 15))
    QTest.mouseRelease(pill, Qt.MouseButton.LeftButton, pos=QPoint(20, 15))
    assert pill.pos() != before
    assert pill.isVisible()  # a drag is no click


def test_the_menu_of_the_right_button_leaves_the_captions_to_be_read(
    window: CaptionOverlay,
) -> None:
    window._put_box(QRect(100, 620, 500, 150))
    place = window.rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, window.mapToGlobal(place))
    window.contextMenuEvent(event)
    assert window.menu.isVisible()
    assert not window.menu.geometry().intersects(window.box_on_screen)


def test_what_is_said_of_the_state_ends_where_its_button_begins(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    session = listening(window)
    session.say(*words("Still here."), Status(Stage.FAILED, "It has failed. " * 20))
    qtbot.waitUntil(window._box.start.isVisible)
    assert not window.status_row.geometry().intersects(window._box.start.geometry())


def test_the_right_button_opens_the_menu(window: CaptionOverlay) -> None:
    place = window.rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, window.mapToGlobal(place))
    window.contextMenuEvent(event)
    assert window.menu.isVisible()
    assert [a.text() for a in window.menu.actions() if a.text()] == [
        "Start captions",
        "Catch me up",
        "Copy the last minute",
        "Delay",
        "Style",
        "Place",
        "Let clicks through",
        "Transcript",
        "Preferences…",
        "Quit Voxline",
    ]
    window.menu.close()


# --- what is said of nothing --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "does"),
    [
        (Stage.STOPPED, "Start captions"),
        (Stage.IDLE, "Start captions"),
        (Stage.PAUSED, "Listen again"),
    ],
)
def test_a_box_that_does_nothing_says_how_to_start_it(
    qtbot: QtBot, window: CaptionOverlay, stage: Stage, does: str
) -> None:
    window.show_status(Status(stage))
    start = window._box.start
    assert start.isVisible()
    assert start.text() == does
    assert abs(start.geometry().center().x() - window._box.rect().center().x()) <= 1
    with qtbot.waitSignal(window.pause_toggled):
        QTest.mouseClick(start, Qt.MouseButton.LeftButton)
    window.show_status(Status(Stage.LISTENING))
    assert start.isHidden()


@pytest.mark.parametrize(
    ("stage", "does"),
    [(Stage.FAILED, "Try again"), (Stage.NO_SOUND, "Choose source…")],
)
def test_a_fault_is_told_in_the_empty_lines_with_what_may_mend_it(
    qtbot: QtBot, window: CaptionOverlay, stage: Stage, does: str
) -> None:
    told = "No sound is arriving from the microphone of the docking station."
    window.show_status(Status(stage, told, "Is it muted? Is it plugged in?"))
    fault = window._box.fault
    assert fault.isVisible()
    assert fault.text() == f"{told} Is it muted? Is it plugged in?"
    assert fault.text_px == 20
    assert window.captions.geometry().intersected(fault.geometry()) == window.captions.geometry()
    assert window.message is None  # it is told once
    assert window.status_row.shown in ("Captions have stopped", "No sound is arriving")
    assert fault.button.text() == does
    asked = fault.start_requested if stage is Stage.FAILED else fault.source_requested
    with qtbot.waitSignal(asked):
        QTest.mouseClick(fault.button, Qt.MouseButton.LeftButton)
    window.show_status(Status(Stage.LISTENING))
    assert fault.isHidden()


@pytest.mark.parametrize("stage", [Stage.STOPPED, Stage.PAUSED, Stage.FAILED])
def test_where_clicks_go_through_there_is_no_button_to_click(
    window: CaptionOverlay, stage: Stage
) -> None:
    window.show_status(Status(stage, "It is as it is.", "Click something."))
    buttons = (window._box.start, window._box.fault.button)
    assert any(button.isVisible() for button in buttons)
    window.let_clicks_through(True)
    assert not any(button.isVisible() for button in buttons)
    window.show_status(Status(stage, "It is as it is.", "Click something."))
    assert not any(button.isVisible() for button in buttons)
    window.let_clicks_through(False)
    assert any(button.isVisible() for button in buttons)


def test_without_a_compositor_only_what_is_painted_is_part_of_the_window(
    qtbot: QtBot, desktop: dict[str, QRect], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be seen through would be a black bar: corners, and the gap to the box."""
    monkeypatch.setattr(native, "has_compositor", lambda platform: False)
    window = opened(qtbot, OverlaySettings(), [])
    window.tell("The last minute is copied.")
    shown = window._strip.toast.geometry().translated(window._strip.pos())
    box = window._box.geometry()
    mask = window.mask()
    assert mask.contains(shown.center()) and mask.contains(box.center())
    for corner in (shown.topLeft(), shown.bottomRight(), box.topLeft(), box.bottomRight()):
        assert not mask.contains(corner)
    assert not mask.contains(QPoint(shown.center().x(), shown.bottom() + 2))
    window.let_clicks_through(True)
    window.hide_captions()
    handle = window._click_through.handle
    assert handle is not None
    for floating in (handle, pill_of(window)):
        floating.show()
        assert floating.mask().contains(floating.rect().center())
        assert not floating.mask().contains(floating.rect().topLeft())


def test_a_fault_covers_no_caption(qtbot: QtBot, window: CaptionOverlay) -> None:
    session = listening(window)
    session.say(Status(Stage.NO_SOUND, "No sound.", "Is it muted?"))
    qtbot.waitUntil(window._box.fault.isVisible)
    session.say(*words("Late words."))  # which were on their way
    qtbot.waitUntil(window._box.fault.isHidden)


def test_the_button_covers_no_caption(qtbot: QtBot, window: CaptionOverlay) -> None:
    session = listening(window)
    session.say(*words("Still here, and still to be read."), Status(Stage.STOPPED))
    qtbot.waitUntil(
        lambda: bool(window.captions.committed_text) and stage_of(window) is Stage.STOPPED
    )
    assert window._box.start.isVisible()
    assert not window._box.start.geometry().intersects(window.captions.geometry())


def test_before_the_first_status_no_stage_is_claimed(window: CaptionOverlay) -> None:
    assert window.status_row.shown.strip() == ""
    assert window.status_row.language_text == ""


def test_tooltips_show_although_it_is_never_the_active_window(window: CaptionOverlay) -> None:
    assert window.testAttribute(Qt.WidgetAttribute.WA_AlwaysShowToolTips)


# --- room for what is ours, and for large letters ------------------------------------------------


def test_while_a_dialog_of_ours_is_in_use_captions_do_not_cover_it(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    dialog = QDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.activateWindow()
    on_top = Qt.WindowType.WindowStaysOnTopHint
    qtbot.waitUntil(lambda: not window.windowHandle().flags() & on_top)
    window.keep_above()
    assert not window.windowHandle().flags() & on_top
    dialog.close()
    other = QWidget()
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: bool(window.windowHandle().flags() & on_top))


def test_captions_that_are_shown_anew_do_not_cover_it_either(
    qtbot: QtBot, window: CaptionOverlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a key from anywhere, or because the dialog was there before them: slow starts."""
    raised: list[str] = []

    class Dialog(QDialog):
        def raise_(self) -> None:
            raised.append("dialog")

    dialog = Dialog()
    qtbot.addWidget(dialog)
    # The offscreen platform makes whatever is shown the active window.
    monkeypatch.setattr(on_top, "in_use", lambda captions, box: dialog)
    monkeypatch.setattr(window, "raise_", lambda: raised.append("captions"))
    window.hide()
    window.show()
    qtbot.waitUntil(lambda: window.place_is_certain)
    assert "captions" not in raised
    assert raised[-1] == "dialog"


def test_escape_gives_the_keyboard_back_to_where_it_came_from(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    ours = QWidget()
    qtbot.addWidget(ours)
    ours.show()
    ours.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is ours)
    window.focus_controls()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: QApplication.activeWindow() is ours)


def test_escape_gives_the_keyboard_back_to_another_program(
    qtbot: QtBot, window: CaptionOverlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    monkeypatch.setattr(native, "active_window", lambda platform: 0x2A00007)
    monkeypatch.setattr(native, "activate", lambda where, platform: given.append(where))
    window.focus_controls()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert given == [0x2A00007]
    window.focus_controls()
    window.controls.hide_button.click()  # hidden from the keyboard is left, too
    assert given == [0x2A00007] * 2


# --- two voices -----------------------------------------------------------------------------


def test_own_words_are_not_shown_in_a_meeting_until_wished(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    session = listening(window)
    captioning = window._captioning
    assert captioning is not None
    session.say(Choices("Speakers and microphone", 480, voices=("them", "me")))
    theirs = replace(words("Welcome")[0], lane="them")
    session.say(theirs, *words("thanks", start_ms=900), Tail("me", 0, 0, " a lot"))
    until_painted(qtbot, window, "Welcome")
    captioning._store.change(show_own_speech=True)
    session.say(*words("hello", start_ms=1_500), replace(theirs, start_ms=2_000, end_ms=2_300))
    qtbot.waitUntil(lambda: window.captions.painted_text == ["You: hello", "Others: Welcome"])


def test_captions_that_leave_out_the_only_speaker_say_so(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    """Whoever tries it alone would see a box that stays empty, and learn nothing."""
    session = listening(window)
    captioning, told = window._captioning, window._box.fault
    assert captioning is not None
    store = captioning._store
    store.changed.connect(lambda now, _before: window.apply(now.overlay))
    window.own_speech_chosen.connect(lambda: store.change(show_own_speech=True))
    session.say(Choices("Speakers and microphone", 480, voices=("them", "me")))
    session.say(Status(Stage.SPEECH), *words("hello"))
    qtbot.waitUntil(told.isVisible)
    assert "You are heard" in told.text()
    told.button.click()
    assert told.isHidden()
    session.say(*words("again", start_ms=2_000))
    until_painted(qtbot, window, "You: again")


def test_what_others_say_takes_the_place_of_what_is_told(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    session = listening(window)
    session.say(Choices("Speakers and microphone", 480, voices=("them", "me")), *words("hello"))
    told = window._box.fault
    qtbot.waitUntil(told.isVisible)
    session.say(Status(Stage.NO_SOUND, "No sound.", "Is it muted?"))
    qtbot.waitUntil(lambda: told.text() == "No sound. Is it muted?")
    session.say(Status(Stage.PAUSED))
    qtbot.waitUntil(told.isHidden)  # in the middle there is the button now
    session.say(Status(Stage.SPEECH), *words("again", start_ms=2_000))
    qtbot.waitUntil(told.isVisible)
    session.say(replace(words("Welcome")[0], lane="them"))
    qtbot.waitUntil(told.isHidden)


@pytest.mark.parametrize(
    ("made", "under", "yields"),
    [
        (QLineEdit, True, True),
        (QLineEdit, False, False),
        (lambda ours: QTextEdit(ours, readOnly=True), True, False),
    ],
)
def test_whoever_types_into_a_window_of_ours_sees_what(
    qtbot: QtBot,
    window: CaptionOverlay,
    made: Callable[[QWidget], QWidget],
    under: bool,
    yields: bool,
) -> None:
    """The find bar of the main window may be where the captions are; a transcript is only read."""
    ours = QWidget()
    qtbot.addWidget(ours)
    field = made(ours)
    ours.setGeometry(window.box_on_screen.translated(0, 0 if under else -400))
    field.resize(200, 30)
    ours.show()
    ours.activateWindow()
    field.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is field)
    window.keep_above()
    on_top = bool(window.windowHandle().flags() & Qt.WindowType.WindowStaysOnTopHint)
    assert on_top != yields
    ours.close()
    window.keep_above()
    assert window.windowHandle().flags() & Qt.WindowType.WindowStaysOnTopHint

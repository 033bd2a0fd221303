"""Preferences: every change is applied at once, saved, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
)
from pytestqt.qtbot import QtBot

from app import paths, settings
from app.session.session import Choices
from app.session.status import Stage
from app.settings import OverlaySettings, Settings
from app.ui.desktop.hotkeys import Hotkeys
from app.ui.overlay import fonts
from app.ui.overlay.caption_view import CaptionView, caption_font
from app.ui.overlay.width import share_of
from app.ui.preferences.listening_page import ListeningPage
from app.ui.preferences.looks import readability
from app.ui.preferences.privacy_page import PrivacyPage
from app.ui.preferences.window import MARGIN, Preferences
from app.ui.state.commands import VERBS, Commands
from app.ui.state.engines import EngineChoice
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import worded
from app.ui.widgets.color_button import STANDARD_COLORS, blended, contrast, worst_contrast
from model_backends import describe
from model_backends.base import Availability
from model_backends.scripted import INFO
from tests.ui.conftest import Rig
from tests.ui.desktop.fake_keys import FakeKeys

RGB = QImage.Format.Format_RGB32


@pytest.fixture
def store(qtbot: QtBot) -> Iterator[SettingsStore]:
    made = SettingsStore(Settings())
    yield made
    made.flush()  # or it would write into the next test's folder


@pytest.fixture
def preferences(store: SettingsStore, qtbot: QtBot) -> Preferences:
    commands = Commands()
    for verb in VERBS:
        commands.offer(verb, lambda: None)
    hotkeys = Hotkeys(store, commands, open_keys=lambda platform, pressed: FakeKeys())
    hotkeys.start()
    made = Preferences(store, hotkeys, commands)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def test_they_come_up_clear_of_the_captions_and_stay_where_they_are_put(
    store: SettingsStore, qtbot: QtBot
) -> None:
    made = Preferences(store)
    qtbot.addWidget(made)
    made.come_forward()
    assert made.y() - made.screen().availableGeometry().top() == MARGIN
    made.move(30, 40)
    made.close()
    made.come_forward()
    assert (made.x(), made.y()) == (30, 40)


def test_captions_controls_change_the_settings_at_once(
    preferences: Preferences, store: SettingsStore
) -> None:
    page = preferences.captions
    page.show_more.click()
    page.lines.setValue(5)
    page.size_slider.slider.setValue(150)
    page.background_opacity.slider.setValue(50)
    page.text_opacity.slider.setValue(90)
    page.band_opacity.slider.setValue(25)
    page.band_color.chosen.emit("#0000ff")
    page.window_opacity.slider.setValue(80)
    QTest.keyClick(page.edge, Qt.Key.Key_Down)
    page.show_tail.click()
    page.show_language.click()
    overlay = store.settings.overlay
    assert overlay == OverlaySettings(
        lines=5,
        font_size=42,  # one and a half times 28
        text_opacity=0.9,
        band_opacity=0.25,
        band_color="#0000ff",
        background_opacity=0.5,
        window_opacity=0.8,
        edge=overlay.edge,
        show_tail=True,
        show_language=False,
    )


def test_the_edge_is_chosen_by_name(preferences: Preferences, store: SettingsStore) -> None:
    edge = preferences.captions.edge
    edge.activated.emit(edge.findText("Shadow"))
    assert store.settings.overlay.edge == "shadow"


def test_a_font_is_chosen_and_only_then(preferences: Preferences, store: SettingsStore) -> None:
    assert store.settings.overlay.font_family == ""  # shown, not chosen
    family = preferences.captions.font_family
    family.setCurrentIndex(family.count() - 1)
    family.activated.emit(family.currentIndex())
    assert store.settings.overlay.font_family == family.currentText()


def test_the_eight_kinds_of_letters_are_offered_first(
    preferences: Preferences, store: SettingsStore
) -> None:
    family = preferences.captions.font_family
    offered = [family.itemData(index) for index in range(8)]
    assert offered == list(fonts.KINDS)
    family.activated.emit(offered.index("small capitals"))
    look = caption_font(store.settings.overlay)
    assert look.capitalization() == QFont.Capitalization.SmallCaps


def test_a_font_that_is_not_here_is_shown_by_its_name(
    preferences: Preferences, store: SettingsStore
) -> None:
    store.change_overlay(font_family="Atkinson Hyperlegible")
    preferences.captions.show_more.click()  # what is not seen learns its size later
    box = preferences.captions.font_family
    assert box.currentText() == "Atkinson Hyperlegible"
    box.resize(60, box.height())
    assert box.toolTip() == "Atkinson Hyperlegible", "which there is no room for"
    long = "Atkinson Hyperlegible Next, a name without an end"
    store.change_overlay(font_family=long)
    assert box.itemData(box.currentIndex(), Qt.ItemDataRole.ToolTipRole) == long


def test_a_whole_look_is_one_click_and_what_it_does_not_name_stays(
    preferences: Preferences, store: SettingsStore
) -> None:
    store.change_overlay(geometry={"A": [1, 2, 300, 90]}, dock="top", show_language=False)
    cards = preferences.captions.presets.cards
    QTest.mouseClick(cards["contrast"], Qt.MouseButton.LeftButton)
    now = store.settings.overlay
    assert (now.text_color, now.background_opacity, now.font_size) == ("#ffff00", 1.0, 36)
    assert (now.dock, now.show_language, list(now.geometry)) == ("top", False, ["A"])
    assert [name for name, card in cards.items() if card.isChecked()] == ["contrast"]
    store.change_overlay(font_size=37)
    assert [name for name, card in cards.items() if card.isChecked()] == []
    QTest.keyClick(cards["large"], Qt.Key.Key_Space)
    assert (store.settings.overlay.font_size, store.settings.overlay.lines) == (48, 3)
    assert store.settings.overlay.text_color == "#ffffff"


def test_every_look_that_is_offered_can_be_read_and_looks_like_itself(
    preferences: Preferences, store: SettingsStore
) -> None:
    pictures = set()
    for name, card in preferences.captions.presets.cards.items():
        overlay = card.preset.applied_to(OverlaySettings())
        assert readability(overlay) == "Readable on any background", name
        card.setChecked(False)
        pictures.add(bytes(card.grab().toImage().convertToFormat(RGB).constBits()))
    assert len(pictures) == len(preferences.captions.presets.cards) == 5


def test_the_size_goes_by_steps_to_its_ends(preferences: Preferences, store: SettingsStore) -> None:
    slider = preferences.captions.size_slider
    sizes = []
    for _ in range(40):
        slider.less.click()
        sizes.append(store.settings.overlay.font_size)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 14 and not slider.less.isEnabled()
    for _ in range(60):
        slider.more.click()
    assert store.settings.overlay.font_size == 84 and not slider.more.isEnabled()
    assert slider.number.text() == "300 %"


def test_what_few_need_is_behind_more(preferences: Preferences) -> None:
    page = preferences.captions
    assert page.presets.isVisible() and page.size_slider.isVisible() and page.lines.isVisible()
    assert not page.edge.isVisible()
    page.show_more.click()
    assert page.edge.isVisible()


@pytest.mark.parametrize("color", STANDARD_COLORS.values())
def test_the_standard_colours_are_in_the_menu(
    preferences: Preferences, store: SettingsStore, color: str
) -> None:
    button = preferences.captions.text_color
    name = next(name for name, value in STANDARD_COLORS.items() if value == color)
    (action,) = [action for action in button.menu().actions() if action.text() == name]
    action.trigger()
    assert store.settings.overlay.text_color == color
    assert button.text() == name


def test_colours_that_cannot_be_read_are_named(
    preferences: Preferences, store: SettingsStore
) -> None:
    label = preferences.captions.looks.contrast
    assert label.text() == "Readable on any background"
    store.change_overlay(text_color="#777777", background_color="#888888", background_opacity=1.0)
    assert label.text() == "These colours are hard to read (1.3:1)"


@pytest.mark.parametrize(
    ("look", "told"),
    [
        ({"background_opacity": 0.0}, "Hard to read over light pages (1.0:1)"),
        ({"background_opacity": 0.3}, "Hard to read over light pages"),
        ({"window_opacity": 0.2}, "Hard to read over light pages"),
        (
            {"text_color": "#000000", "background_color": "#ffffff", "background_opacity": 0.2},
            "Hard to read over dark pages",
        ),
        ({"background_opacity": 0.0, "edge": "uniform"}, "Readable on any background"),
        ({"background_opacity": 0.0, "band_opacity": 0.8}, "Readable on any background"),
        ({"text_opacity": 0.3}, "Hard to read over"),
        ({"text_opacity": 0.3, "edge": "uniform"}, "Hard to read over"),
        ({"background_opacity": 0.75}, "Readable on any background"),
    ],
)
def test_what_shines_through_counts(look: dict[str, object], told: str) -> None:
    """Worked by hand for the first: white letters on a white page."""
    assert readability(replace(OverlaySettings(), **look)).startswith(told)  # type: ignore[arg-type]


def test_a_blend_is_that_of_the_screen() -> None:
    half = blended(QColor("#ffffff"), QColor("#000000"), 0.5)
    assert half.red() == pytest.approx(128, abs=1)
    ratio, page = worst_contrast(QColor("#ffffff"), [(QColor("#000000"), 0.75)])
    # a quarter of a white page under black: grey 64, relative luminance 0.0513 (WCAG 2.2)
    assert ratio == pytest.approx(1.05 / (0.0513 + 0.05), abs=0.1)
    assert page == "light"


def test_contrast_is_that_of_the_guideline() -> None:
    white, black, grey = QColor("#ffffff"), QColor("#000000"), QColor("#767676")
    assert contrast(white, black) == contrast(black, white) == pytest.approx(21)
    assert contrast(white, white) == pytest.approx(1)
    assert contrast(grey, white) == pytest.approx(4.54, abs=0.005)  # the known edge of AA


def test_beside_the_captions_it_is_said_whose_language_is_chosen(
    qtbot: QtBot, preferences: Preferences
) -> None:
    """Without a label it looks like the language that is captioned; what has no room is not cut."""
    label = preferences.language.label
    for size in (QSize(1000, 600), preferences.minimumSizeHint()):
        preferences.resize(size)
        QApplication.processEvents()
        assert size.width() < 1000 or not label.isHidden()
        assert label.isHidden() or label.width() >= label.sizeHint().width()


def test_the_sample_speaks_the_language_of_the_windows(preferences: Preferences) -> None:
    said: list[str] = []
    try:
        for code in ("en", "de", "en"):
            worded.choose(code)
            QApplication.processEvents()
            (view,) = preferences.sample.findChildren(CaptionView)
            assert view.isVisible()
            said.append(" ".join(view.committed_text).strip())
    finally:
        worded.choose("en")
    english, german, again = said  # as much of it as a narrow window shows
    assert english == again and "Captions will look like this.".endswith(english)
    assert german and "So sehen die Untertitel aus.".endswith(german)


def test_the_sample_follows(preferences: Preferences, store: SettingsStore) -> None:
    before = preferences.sample.grab().toImage()
    store.change_overlay(background_color="#ff0000", background_opacity=1.0)
    after = preferences.sample.grab().toImage()
    inside = 24, after.height() - 20
    assert after.pixelColor(*inside) == QColor("#ff0000")
    assert before.pixelColor(*inside) != QColor("#ff0000")


def test_controls_show_what_changes_elsewhere(
    preferences: Preferences, store: SettingsStore
) -> None:
    store.change_overlay(lines=7, window_opacity=0.4, edge="uniform", show_tail=True)
    page = preferences.captions
    assert page.lines.value() == 7
    assert page.window_opacity.number.text() == "40 %"
    assert page.edge.currentText() == "Outline"
    assert page.show_tail.isChecked()
    assert store.settings.overlay.lines == 7  # showing did not change it back


def test_the_width_is_a_share_of_the_screen_and_that_of_docked_captions_the_whole(
    preferences: Preferences, store: SettingsStore
) -> None:
    slider = preferences.captions.width_slider
    assert slider.slider.value() == round(100 * share_of(store.settings.overlay))
    slider.slider.setValue(80)
    assert share_of(store.settings.overlay) == pytest.approx(0.8, abs=0.01)
    assert slider.number.text() == "80 %"
    assert slider.isEnabled()
    store.change_overlay(dock="top")
    assert not slider.isEnabled()
    assert "as wide as the screen" in slider.toolTip()


def test_defaults_leave_the_place_of_the_window(
    preferences: Preferences, store: SettingsStore
) -> None:
    place = {"DP-1": [1, 2, 300, 100]}
    store.change_overlay(lines=9, font_size=80, text_color="#ff0000", geometry=place)
    preferences.defaults.click()
    assert store.settings.overlay == OverlaySettings(geometry=place)


def test_restoring_the_defaults_can_be_undone(
    preferences: Preferences, store: SettingsStore
) -> None:
    assert preferences.undo.isHidden()
    store.change_overlay(lines=9, font_size=80)
    before = store.settings.overlay
    preferences.defaults.click()
    assert preferences.undo.isVisible()
    preferences.undo.click()
    assert store.settings.overlay == before
    assert preferences.undo.isHidden()


def test_what_was_changed_since_is_not_undone(
    preferences: Preferences, store: SettingsStore
) -> None:
    store.change_overlay(lines=9)
    preferences.defaults.click()
    preferences.captions.lines.setValue(3)
    assert preferences.undo.isHidden()


def test_a_number_that_is_being_typed_is_not_taken_yet(
    preferences: Preferences, store: SettingsStore
) -> None:
    lines = preferences.captions.lines
    lines.setFocus()
    lines.selectAll()
    chosen: list[int] = []
    store.changed.connect(lambda now, _before: chosen.append(now.overlay.lines))
    QTest.keyClicks(lines, "12")
    QTest.keyClick(lines, Qt.Key.Key_Return)
    assert chosen == [12]


@pytest.mark.parametrize("screen", [QSize(1024, 600), QSize(640, 400)])
def test_on_a_small_screen_it_scrolls_and_can_be_closed(
    preferences: Preferences, screen: QSize
) -> None:
    """640 x 400 is what 1280 x 800 leaves at a scale of two."""
    least = preferences.minimumSizeHint()
    assert least.width() <= screen.width()
    assert least.height() <= screen.height() - 40
    preferences.resize(least)
    close = preferences.close_button
    corner = close.mapTo(preferences, close.rect().bottomRight())
    assert preferences.rect().contains(corner)


def test_engine_and_model(preferences: Preferences, store: SettingsStore) -> None:
    embedded = describe("embedded")
    models = tuple(Availability("embedded", model, True) for model in embedded.models)
    preferences.show_engines(
        [
            EngineChoice(embedded, models),
            EngineChoice(INFO, (Availability("scripted", "hello", True),)),
        ]
    )
    page = preferences.speech_model
    offered = [page.model.itemData(index) for index in range(page.model.count())]
    assert offered == ["", *embedded.models]
    page.model.chosen.emit(embedded.models[-1])
    assert store.settings.model == embedded.models[-1]
    page.engine.chosen.emit("scripted")
    assert (store.settings.engine, store.settings.model) == ("scripted", "")
    assert page.model.findData("hello") >= 0
    assert not page.folder.isHidden()  # this one takes a folder


def test_a_model_that_is_missing_cannot_be_chosen_and_says_why(preferences: Preferences) -> None:
    embedded = describe("embedded")
    missing = Availability("embedded", "base", False, "Not downloaded.", "Run voxline models.")
    preferences.show_engines([EngineChoice(embedded, (missing,))])
    page = preferences.speech_model
    model = page.model
    item = model.model().index(model.findData("base"), 0)
    assert not model.model().flags(item) & Qt.ItemFlag.ItemIsEnabled
    assert "voxline models" not in page.note.text()  # a word for engineers
    assert "cannot be used on this computer yet" in page.note.text()
    page.show_details.click()
    assert "Not downloaded. Run voxline models." in page.details.text()
    assert not page.details.isHidden()


def test_what_happens_at_the_start_and_what_is_kept(
    preferences: Preferences, store: SettingsStore
) -> None:
    preferences.show_page(preferences.listening)
    preferences.listening.start_on_launch.click()
    preferences.show_page(preferences.privacy)
    preferences.privacy.keep.click()
    assert not store.settings.start_listening_on_launch
    assert not store.settings.keep_transcripts


def test_sessions_may_go_after_a_month(preferences: Preferences, store: SettingsStore) -> None:
    page = preferences.privacy
    offered = [page.days.itemText(at) for at in range(page.days.count())]
    assert offered == ["Never", "After 30 days"]
    assert page.when.isHidden()
    page.days.activated.emit(1)
    assert store.settings.keep_days == 30
    assert not page.when.isHidden()
    store.change(keep_days=7)  # by hand, in the file
    assert [page.days.itemData(at) for at in range(page.days.count())] == ["0", "7", "30"]
    assert page.days.currentText() == "After 7 days"
    page.days.activated.emit(0)
    assert store.settings.keep_days == 0


def test_changes_are_written_a_moment_later(
    preferences: Preferences, store: SettingsStore, qtbot: QtBot
) -> None:
    for lines in range(3, 9):
        preferences.captions.lines.setValue(lines)
    qtbot.waitUntil(lambda: settings.load()[0].overlay.lines == 8)


PAGES = pytest.mark.parametrize(
    "page", ["captions", "listening", "speech_model", "keys", "privacy"]
)


@PAGES
def test_all_is_reached_by_keyboard_and_has_a_name(preferences: Preferences, page: str) -> None:
    preferences.show_page(getattr(preferences, page))
    preferences.captions.show_more.setChecked(True)
    kinds = (QAbstractButton, QComboBox, QAbstractSlider, QAbstractSpinBox)
    controls = {
        control
        for kind in kinds
        for control in preferences.findChildren(kind)
        if control.isVisible()
        and control.isEnabled()
        and control.focusPolicy() & Qt.FocusPolicy.TabFocus
    }
    assert len(controls) >= 3
    for control in controls:
        assert control.accessibleName() or getattr(control, "text", str)(), control
    preferences.list.setFocus()
    reached = set()
    for _ in range(40):
        QTest.keyClick(preferences.focusWidget(), Qt.Key.Key_Tab)
        reached.add(preferences.focusWidget())
    assert controls <= reached


@PAGES
def test_no_two_visible_controls_share_a_key(preferences: Preferences, page: str) -> None:
    preferences.show_page(getattr(preferences, page))
    preferences.captions.show_more.setChecked(True)
    texts = [w.text() for w in preferences.findChildren(QLabel) if w.isVisible()]
    texts += [w.text() for w in preferences.findChildren(QAbstractButton) if w.isVisible()]
    texts = [text for text in texts if "&" in text]
    keys = [text[text.index("&") + 1].lower() for text in texts]
    assert len(keys) == len(set(keys)), sorted(texts)


def test_escape_closes(preferences: Preferences) -> None:
    QTest.keyClick(preferences, Qt.Key.Key_Escape)
    assert not preferences.isVisible()


def test_the_list_leads_to_every_page(preferences: Preferences) -> None:
    titles = [preferences.list.item(row).text() for row in range(preferences.list.count())]
    assert titles == ["Captions", "Listening", "Speech model", "Names and words", "Keys", "Privacy"]
    preferences.list.setFocus()
    for page in (
        preferences.listening,
        preferences.speech_model,
        preferences.names,
        preferences.keys,
    ):
        QTest.keyClick(preferences.list, Qt.Key.Key_Down)
        assert page is not None and page.isVisible()
        assert not preferences.sample.isVisible()  # it belongs to the captions


def test_speed_and_language_are_those_of_the_engine(
    preferences: Preferences, store: SettingsStore
) -> None:
    store.change(engine="scripted")  # finds the language itself
    preferences.show_page(preferences.listening)
    page = preferences.listening
    assert page.hearing.delay.delays_ms == INFO.delays_ms
    assert page.hearing.language.isHidden()
    assert not page.hearing.language_note.isHidden()
    QTest.keyClick(page.hearing.delay, Qt.Key.Key_Right)
    assert store.settings.delay_ms == {"scripted": 480}
    assert page.hearing.delay_text.text().startswith("Words appear about 0.48 seconds after")
    store.change(engine="embedded")
    assert page.hearing.language_note.isHidden()
    page.hearing.language.chosen.emit("de")
    assert store.settings.language == "de"
    assert "Deutsch" in page.hearing.language.currentText()


def test_the_delay_that_acts_is_shown_while_it_acts(rig: Rig, qtbot: QtBot) -> None:
    page = ListeningPage(rig.store)
    qtbot.addWidget(page)
    rig.store.change_delay(480)
    page.show_settings(rig.store.settings, INFO)
    page.follow(rig.captioning)
    delay = page.hearing.delay
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    rig.say(Choices("Built-in microphone", 960, chosen_delay_ms=480))
    assert delay.delay_ms == 960
    assert "The 0.48 seconds that you chose are too short" in page.hearing.delay_text.text()
    rig.say(Choices("Built-in microphone", 480))
    assert delay.delay_ms == 480 and "too short" not in page.hearing.delay_text.text()
    rig.say(Choices("Built-in microphone", 960, chosen_delay_ms=480))
    rig.reach(Stage.STOPPED)
    assert delay.delay_ms == 480, "what is chosen for the next session"


def test_a_screen_reader_may_read_what_is_finished(
    preferences: Preferences, store: SettingsStore
) -> None:
    assert not preferences.read_finished.isChecked()  # it would talk over the speaker
    preferences.read_finished.click()
    assert store.settings.read_finished_lines


@pytest.mark.parametrize("there", [True, False])
def test_the_way_to_the_transcripts(store: SettingsStore, qtbot: QtBot, there: bool) -> None:
    opened: list[Path] = []

    def no_file_manager(folder: Path) -> bool:
        opened.append(folder)
        return False

    page = PrivacyPage(store, no_file_manager)
    qtbot.addWidget(page)
    if there:
        paths.transcripts_dir().mkdir(parents=True)
    page.folder.click()
    assert opened == ([paths.transcripts_dir()] if there else [])
    assert str(paths.transcripts_dir()) in page.where.text()
    assert ("No transcript" in page.where.text()) is not there

"""Captions for other programs, from the window: switched, agreed to, lost, and told of."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QLabel, QMessageBox, QScrollArea
from pytestqt.qtbot import QtBot

from app.core.voices import ME, THEM
from app.session.session import Stage, Status
from app.settings import FeedSettings, Settings, load, save, settings_file
from app.share.feeds import secrets
from app.share.feeds.runner import Way
from app.ui.feeds import telling
from app.ui.feeds.dialog import FeedsDialog
from app.ui.feeds.groups import FeedGroup
from app.ui.feeds.telling import FeedBanners
from app.ui.state import feeds as state
from app.ui.state.feeds import FILE, OBS, ZOOM, Feeds
from app.ui.widgets import consent_box
from app.ui.widgets.banner import BannerStack
from model_backends.remote import keys
from tests.share.stand_ins import FakeObs, FakeZoom, fake_zoom
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words

ELSEWHERE = "ws://studio.example:4455"
FAR_ZOOM = "https://wmcc.zoom.us/closedcaption?id=1&signature=very-secret"
PASSWORD = "häslich/passwört"
PATIENCE_MS = 60_000


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_keyring", lambda: None)


@pytest.fixture
def feeds(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Feeds]:
    monkeypatch.setattr(state, "_LEAVE_S", PATIENCE_MS / 1000)
    made = Feeds(rig.captioning, rig.store)
    yield made
    made.close()


@pytest.fixture
def dialog(feeds: Feeds, rig: Rig, qtbot: QtBot) -> FeedsDialog:
    made = FeedsDialog(feeds, rig.store)
    qtbot.addWidget(made)
    made.come_forward()
    return made


@pytest.fixture
def obs() -> Iterator[FakeObs]:
    made = FakeObs(Captions="")
    yield made
    made.close()


@pytest.fixture
def zoom() -> Iterator[FakeZoom]:
    with fake_zoom() as made:
        yield made


def question(group: FeedGroup) -> QMessageBox:
    (box,) = [box for box in group.findChildren(QMessageBox) if box.isVisible()]
    return box


def answer(box: QMessageBox, text: str) -> None:
    (button,) = [each for each in box.buttons() if each.text() == text]
    button.click()


def speaking(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.LISTENING)


# --- what is sent, and when -----------------------------------------------------------------------


def test_nothing_is_on_before_it_is_asked_for(rig: Rig, feeds: Feeds) -> None:
    speaking(rig)
    feeds.start_if_wanted()
    assert not any(map(feeds.is_on, state.KINDS))


def test_obs_shows_what_the_captions_show_while_a_session_lasts(
    rig: Rig, feeds: Feeds, obs: FakeObs, qtbot: QtBot
) -> None:
    feeds.set_obs(obs.url, "Captions")
    feeds.switch(OBS, True)
    assert feeds.doing(OBS) is None  # captions are off
    speaking(rig)
    rig.session.voices = (ME, THEM)
    theirs = [replace(word, lane=THEM) for word in words("one two")]
    rig.say(*words("mine"), *theirs)
    qtbot.waitUntil(lambda: obs.sources["Captions"] == "one two", timeout=PATIENCE_MS)
    rig.reach(Stage.STOPPED)
    assert feeds.doing(OBS) is None
    qtbot.waitUntil(lambda: obs.sources["Captions"] == "", timeout=PATIENCE_MS)
    rig.captioning.start()
    rig.say(*words("again"))
    qtbot.waitUntil(lambda: obs.sources["Captions"] == "again", timeout=PATIENCE_MS)
    feeds.switch(OBS, False)
    rig.say(*words("unseen", start_ms=1_000))
    qtbot.waitUntil(lambda: obs.sources["Captions"] == "", timeout=PATIENCE_MS)
    assert not any("unseen" in text for text in obs.history)


def test_each_session_has_the_file_to_itself_and_none_is_lost(
    rig: Rig, feeds: Feeds, tmp_path: Path
) -> None:
    path = tmp_path / "live" / "Captions.txt"
    path.parent.mkdir()
    feeds.set_file(path)
    feeds.switch(FILE, True)
    for said in ("first session", "second session"):
        rig.captioning.start()
        rig.say(*words(said))
        rig.reach(Stage.STOPPED)
    feeds.close()
    assert path.read_text() == "second session\n"
    assert sorted(each.read_text() for each in path.parent.iterdir()) == [
        "first session\n",
        "second session\n",
    ]


def test_one_session_after_the_other_in_zoom_numbers_its_texts_on(
    rig: Rig, feeds: Feeds, zoom: FakeZoom
) -> None:
    feeds.set_zoom_url(zoom.url)
    feeds.switch(ZOOM, True)
    for said in ("one", "two", "three"):
        rig.captioning.start()
        rig.say(*words(said))
        rig.reach(Stage.STOPPED)
    feeds.close()
    assert zoom.texts == {0: "one", 1: "two", 2: "three"}


def test_another_address_is_followed_at_once(
    rig: Rig, feeds: Feeds, obs: FakeObs, qtbot: QtBot
) -> None:
    other = FakeObs(Captions="")
    feeds.set_obs(other.url, "Captions")
    feeds.switch(OBS, True)
    speaking(rig)
    rig.say(*words("there"))
    qtbot.waitUntil(lambda: other.sources["Captions"] == "there", timeout=PATIENCE_MS)
    feeds.set_obs(obs.url, "Captions")
    rig.say(*words("here", start_ms=1_000))
    qtbot.waitUntil(lambda: obs.sources["Captions"] == "here", timeout=PATIENCE_MS)
    other.close()


# --- consent, and what is remembered --------------------------------------------------------------


def test_nothing_goes_to_another_computer_before_the_user_agreed(rig: Rig, feeds: Feeds) -> None:
    told = list[str]()
    feeds.problem.connect(lambda kind, message, hint: told.append(message))
    feeds.set_obs(ELSEWHERE, "Captions")
    feeds.set_zoom_url(FAR_ZOOM)
    speaking(rig)
    for kind in (OBS, ZOOM):
        feeds.switch(kind, True)
        assert not feeds.is_on(kind) and feeds.doing(kind) is None
    assert told == ["It would go to another computer now."] * 2
    asked = feeds.asks(ZOOM)
    assert asked is not None and "wmcc.zoom.us" in asked and "very-secret" not in asked
    feeds.agree(ZOOM)
    assert feeds.asks(ZOOM) is None
    assert rig.store.settings.feeds.agreed == {"wmcc.zoom.us": True}
    assert feeds.asks(OBS) is not None  # that is another host


def test_what_was_here_is_not_sent_elsewhere_because_its_address_changed(
    rig: Rig, feeds: Feeds, obs: FakeObs
) -> None:
    feeds.set_obs(obs.url, "Captions")
    feeds.switch(OBS, True)
    speaking(rig)
    feeds.set_obs(ELSEWHERE, "Captions")
    assert not feeds.is_on(OBS) and feeds.doing(OBS) is None
    assert not rig.store.settings.feeds.obs


def test_with_the_next_start_all_but_zoom_comes_back(
    rig: Rig, feeds: Feeds, tmp_path: Path
) -> None:
    feeds.set_file(tmp_path / "a.srt")
    feeds.set_obs(ELSEWHERE, "Captions")
    feeds.agree(OBS)
    feeds.set_zoom_url(FAR_ZOOM)
    feeds.agree(ZOOM)
    for kind in state.KINDS:
        feeds.switch(kind, True)
    rig.store.flush()
    assert "very-secret" not in settings_file().read_text("utf-8")
    kept, problem = load()
    assert problem is None
    rig.store.change(feeds=kept.feeds)
    next_time = Feeds(rig.captioning, rig.store)
    next_time.start_if_wanted()
    assert [kind for kind in state.KINDS if next_time.is_on(kind)] == [OBS, FILE]
    rig.store.change(feeds=replace(kept.feeds, agreed={}))
    without = Feeds(rig.captioning, rig.store)
    without.start_if_wanted()
    assert not without.is_on(OBS)


def test_settings_of_feeds_are_read_as_carefully_as_others(user_folders: Path) -> None:
    chosen = Settings(feeds=FeedSettings(obs=True, obs_source="Ünter", agreed={"a:1": True}))
    assert save(chosen) is None
    assert load() == (chosen, None)
    table = tomllib.loads(settings_file().read_text("utf-8"))
    assert table["feeds"]["agreed"] == {"a:1": True}
    settings_file().write_text('[feeds]\nobs = "yes"\nagreed = {"a" = "b"}\n')
    assert load()[0].feeds == FeedSettings()


# --- the window -----------------------------------------------------------------------------------


def test_the_switch_is_on_once_the_user_agreed(dialog: FeedsDialog, feeds: Feeds) -> None:
    dialog.zoom.url.setText(FAR_ZOOM)
    dialog.zoom.switch.click()
    box = question(dialog.zoom)
    assert "wmcc.zoom.us" in box.text() and "very-secret" not in box.text()
    assert "Everybody in the meeting" in box.text()
    assert box.defaultButton().text() == consent_box.REFUSE
    assert not dialog.zoom.switch.isChecked() and not feeds.is_on(ZOOM)
    answer(box, consent_box.REFUSE)
    assert not feeds.is_on(ZOOM)
    dialog.zoom.switch.click()
    (box,) = [box for box in dialog.zoom.findChildren(QMessageBox) if box.isVisible()]
    answer(box, consent_box.AGREE)
    assert dialog.zoom.switch.isChecked() and feeds.is_on(ZOOM)
    dialog.zoom.switch.click()
    assert not feeds.is_on(ZOOM)


def test_zoom_s_url_is_kept_unseen_and_forgotten(
    dialog: FeedsDialog, feeds: Feeds, rig: Rig, qtbot: QtBot
) -> None:
    dialog.zoom.url.setText(FAR_ZOOM)
    dialog.zoom.switch.click()
    assert dialog.zoom.url.text() == ""
    qtbot.waitUntil(lambda: secrets.find(secrets.ZOOM) == FAR_ZOOM, timeout=PATIENCE_MS)
    later = FeedsDialog(Feeds(rig.captioning, rig.store), rig.store)
    qtbot.addWidget(later)
    qtbot.waitUntil(later.zoom.drop.isEnabled, timeout=PATIENCE_MS)
    later.zoom.drop.click()
    qtbot.waitUntil(lambda: not secrets.find(secrets.ZOOM), timeout=PATIENCE_MS)
    assert not later.zoom.drop.isEnabled()


def test_the_password_of_obs_is_kept_with_the_switch_and_used(
    dialog: FeedsDialog, rig: Rig, feeds: Feeds, qtbot: QtBot
) -> None:
    obs = FakeObs(PASSWORD)
    obs.sources["Untertitel 💬"] = ""
    speaking(rig)
    dialog.obs.url.setText(obs.url)
    dialog.obs.source.setText("Untertitel 💬")
    dialog.obs.switch.click()
    qtbot.waitUntil(lambda: "asks for a password" in dialog.obs.doing.text(), timeout=PATIENCE_MS)
    assert dialog.obs.doing.objectName() == "warning"
    dialog.obs.password.setText(PASSWORD)
    dialog.obs.keep.click()
    assert dialog.obs.password.text() == ""
    rig.say(*words("one two"))
    qtbot.waitUntil(lambda: "2 words sent." in dialog.obs.doing.text(), timeout=PATIENCE_MS)
    assert obs.sources["Untertitel 💬"] == "one two"
    assert PASSWORD not in repr(rig.store.settings)
    dialog.obs.drop.click()
    qtbot.waitUntil(lambda: not secrets.find(feeds.obs_secret), timeout=PATIENCE_MS)
    obs.close()


@pytest.mark.parametrize(
    ("field", "told"),
    [("obs", "no address of OBS"), ("zoom", "no caption URL"), ("file", "No file is chosen.")],
)
def test_what_cannot_be_is_told_and_stays_off(
    dialog: FeedsDialog, feeds: Feeds, field: str, told: str
) -> None:
    dialog.obs.url.setText("localhost")
    dialog.zoom.url.setText("https://example.org")
    group: FeedGroup = getattr(dialog, field)
    group.switch.click()
    assert told in group.doing.text()
    assert not group.switch.isChecked() and not feeds.is_on(group.kind)


@pytest.mark.parametrize("field", ["obs", "zoom", "file"])
def test_why_it_cannot_be_comes_into_view(dialog: FeedsDialog, field: str, qtbot: QtBot) -> None:
    dialog.resize(dialog.width(), 300)
    dialog.obs.url.setText("localhost")
    dialog.zoom.url.setText("https://example.org")
    group: FeedGroup = getattr(dialog, field)
    group.switch.click()
    area = dialog.findChildren(QScrollArea)[0]

    def is_seen() -> bool:
        top = group.doing.mapTo(area.viewport(), QPoint(0, 0)).y()
        return top >= 0 and top + group.doing.height() <= area.viewport().height()

    qtbot.waitUntil(is_seen, timeout=PATIENCE_MS)


def test_a_file_is_chosen_and_written(
    dialog: FeedsDialog, rig: Rig, tmp_path: Path, qtbot: QtBot
) -> None:
    where = dialog.file.ask_where()
    where.filterSelected.emit("WebVTT (*.vtt)")
    assert where.defaultSuffix() == "vtt"
    where.fileSelected.emit(str(tmp_path / "Live 1.vtt"))
    where.reject()
    assert dialog.file.path.text() == str(tmp_path / "Live 1.vtt")
    dialog.file.switch.click()
    speaking(rig)
    rig.say(*words("Hello."))
    qtbot.waitUntil(lambda: "1 word written." in dialog.file.doing.text(), timeout=PATIENCE_MS)
    assert "Hello." in (tmp_path / "Live 1.vtt").read_text()


def test_a_closed_window_is_told_nothing_more(
    feeds: Feeds, rig: Rig, tmp_path: Path, qtbot: QtBot
) -> None:
    dialog = FeedsDialog(feeds, rig.store)
    dialog.come_forward()
    with qtbot.waitSignal(dialog.destroyed):
        dialog.close()
    feeds.set_file(tmp_path / "a.txt")
    feeds.switch(FILE, True)
    feeds.switch(OBS, True)


# --- how they are doing ---------------------------------------------------------------------------


def test_a_feed_that_is_lost_is_told_above_the_transcript_until_it_is_back(
    rig: Rig, feeds: Feeds, obs: FakeObs, qtbot: QtBot
) -> None:
    banners = BannerStack()
    qtbot.addWidget(banners)
    FeedBanners(feeds, banners, lambda: None)
    port = obs.port
    feeds.set_obs(obs.url, "Captions")
    feeds.switch(OBS, True)
    speaking(rig)
    rig.say(*words("one"))
    qtbot.waitUntil(lambda: obs.sources["Captions"] == "one", timeout=PATIENCE_MS)
    obs.close()
    rig.say(*words("two", start_ms=250))
    qtbot.waitUntil(lambda: bool(banners.banners), timeout=PATIENCE_MS)
    assert banners.banners[0].text.startswith("OBS: ")
    assert telling.line(OBS, True, feeds.doing(OBS)).startswith("Trying again.")
    again = FakeObs(port=port, Captions="")
    qtbot.waitUntil(lambda: again.sources["Captions"] == "one two", timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not banners.banners, timeout=PATIENCE_MS)
    doing = feeds.doing(OBS)
    assert doing is not None and (doing.way, doing.sent) == (Way.CONNECTED, 2)
    again.close()


def test_the_record_s_last_work_keeps_nobody_waiting(
    rig: Rig, feeds: Feeds, obs: FakeObs, qtbot: QtBot
) -> None:
    """Every word is out: what is still done to the transcript is nothing to OBS."""
    feeds.set_obs(obs.url, "Captions")
    feeds.switch(OBS, True)
    speaking(rig)
    rig.say(*words("one"))
    qtbot.waitUntil(lambda: obs.sources["Captions"] == "one", timeout=PATIENCE_MS)
    rig.say(Status(Stage.STOPPING, "Finishing the transcript …", can_hurry=True))
    qtbot.waitUntil(lambda: obs.sources["Captions"] == "", timeout=PATIENCE_MS)


def test_longer_news_take_no_line_from_what_to_know(dialog: FeedsDialog, qtbot: QtBot) -> None:
    """In each group the hint and the news wrap, one below the other."""
    dialog.resize(dialog.minimumSizeHint())
    for group in (dialog.obs, dialog.zoom, dialog.file):
        texts = [label for label in group.findChildren(QLabel) if label.wordWrap()]
        for times in (1, 40):
            group.tell("It has not worked. " * times, trouble=True)
            qtbot.waitUntil(partial(all_whole, texts))


def all_whole(labels: list[QLabel]) -> bool:
    """As high as their text, and no higher."""
    return all(0 <= each.height() - each.heightForWidth(each.width()) <= 1 for each in labels)

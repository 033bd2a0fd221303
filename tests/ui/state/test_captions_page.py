"""The captions page in the window: off until asked for, and then what the windows show."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from app.core.voices import ME, THEM
from app.session.session import Stage
from app.settings import Settings
from app.share.key import PAGE, kept_key
from app.ui.main_window.captions_page import CaptionsPageDialog, code_picture
from app.ui.state.captions_page import CaptionsPage
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words


@pytest.fixture
def page(rig: Rig) -> Iterator[CaptionsPage]:
    made = CaptionsPage(rig.captioning, rig.store)
    made.port = 0
    yield made
    made.close()


def shown(page: CaptionsPage, count: int) -> list[str]:
    """The texts of the first words that a screen is sent."""
    host = page.address.split("/")[2]
    given = ["realtime", f"voxline-key.{page.address.split('key=')[1]}"]
    found: list[str] = []
    with connect(f"ws://{host}/captions", subprotocols=given) as connection:  # type: ignore[arg-type]
        connection.send("{}")
        while len(found) < count:
            item = json.loads(connection.recv(60))
            if item["kind"] == "word":
                found.append(item["text"])
    return found


def state(page: CaptionsPage) -> tuple[bool, bool]:
    """Whether it is on, and for the network."""
    return page.on, page.network


def test_it_is_off_until_it_is_asked_for(rig: Rig, page: CaptionsPage) -> None:
    page.start_if_wanted()
    assert (page.on, page.address) == (False, "")
    assert not Settings().captions_page


def test_on_it_shows_what_the_windows_do(rig: Rig, page: CaptionsPage) -> None:
    page.switch(True)
    rig.captioning.start()
    rig.say(*words("one two"))
    assert shown(page, 2) == ["one", " two"]
    assert page.address.startswith("http://127.0.0.1:")
    assert "obs=1" in page.obs_address


def test_what_the_captions_do_not_show_it_does_not_either(rig: Rig, page: CaptionsPage) -> None:
    page.switch(True)
    rig.captioning.start()
    rig.session.voices = (ME, THEM)
    rig.reach(Stage.SPEECH)
    theirs = [replace(word, lane=THEM) for word in words("theirs")]
    rig.say(*words("mine"), *theirs)
    assert shown(page, 1) == ["theirs"]


def test_on_for_this_computer_it_comes_back_with_the_next_start(
    rig: Rig, page: CaptionsPage
) -> None:
    page.switch(True, network=True)
    assert state(page) == (True, True)
    page.close()
    assert rig.store.settings.captions_page
    page.start_if_wanted()
    assert state(page) == (True, False)  # the network has to be asked for each time
    page.switch(False)
    assert not rig.store.settings.captions_page


def test_another_address_lets_nobody_in_with_the_one_before(page: CaptionsPage) -> None:
    page.switch(True)
    before = page.address
    page.port = int(before.split(":")[2].split("/")[0])  # it stays where it is
    page.renew()
    assert page.on
    assert page.address.split("key=")[1] != before.split("key=")[1]
    assert page.address.endswith(kept_key(PAGE))
    assert page.address.split("#")[0] == before.split("#")[0]
    page.switch(True, network=True)
    assert page.network


def test_a_port_that_is_taken_is_told_and_leaves_it_off(page: CaptionsPage) -> None:
    told: list[str] = []
    page.problem.connect(lambda message, hint: told.append(message))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        page.port = taken.getsockname()[1]
        page.switch(True)
    assert not page.on
    assert "cannot be used" in told[0]


def test_the_window_switches_it_and_shows_its_addresses(page: CaptionsPage) -> None:
    dialog = CaptionsPageDialog(page)
    dialog.show()
    assert not dialog.network.isEnabled()
    dialog.on.click()
    assert state(page) == (True, False)
    assert dialog.address.line.text() == page.address
    assert dialog.obs.line.text() == page.obs_address
    assert not dialog.code.isVisible()
    dialog.address.copy.click()
    assert QApplication.clipboard().text() == page.address
    dialog.network.click()
    assert state(page) == (True, True)
    assert dialog.code.isVisible()
    assert dialog.code.height() >= dialog.code.pixmap().height() > 150
    assert dialog.told.text().startswith("Everybody who has this address")
    dialog.on.click()
    assert state(page) == (False, False)
    assert dialog.address.line.text() == ""
    dialog.close()


def test_who_reads_is_counted_in_the_window(page: CaptionsPage, qtbot: QtBot) -> None:
    dialog = CaptionsPageDialog(page)
    page.switch(True)
    host, key = page.address.split("/")[2], page.address.split("key=")[1]
    given = ["realtime", f"voxline-key.{key}"]
    with connect(f"ws://{host}/captions", subprotocols=given) as connection:  # type: ignore[arg-type]
        connection.send("{}")
        connection.recv(60)
        qtbot.waitUntil(lambda: dialog.screens.text() == "1 screen shows it now.", timeout=60_000)
        page.switch(False)
        with pytest.raises(ConnectionClosed):
            while True:
                connection.recv(60)


def test_the_code_is_dark_on_light(qapp: QApplication) -> None:
    image = code_picture("http://192.168.1.20:8422/#key=0123").toImage()
    assert image.pixelColor(0, 0).name() == "#ffffff"
    dark = sum(
        image.pixelColor(x, y).name() == "#000000"
        for x in range(image.width())
        for y in range(image.height())
    )
    assert 0.2 < dark / (image.width() * image.height()) < 0.6

"""The captions page: what screens are told, whom it lets in, and the page itself in a browser."""

from __future__ import annotations

import contextlib
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app import paths
from app.core.timeline import Gap
from app.session.status import Stage, Status
from app.settings import OverlaySettings
from app.share import qr
from app.share.broadcast import Broadcast
from app.share.key import PAGE, another_key, kept_key
from app.share.page import MOST_SCREENS, Page
from app.share.telling import tell, tell_look
from model_backends.base import Sentence, Tail, Word
from tests.support import browser as chromium

NAMES = {"me": "You", "them": "Others"}


def word(text: str, start_ms: int, lane: str = "them") -> Word:
    return Word(lane, 0, 0, text, start_ms, start_ms + 200, "en")


def told(broadcast: Broadcast, run: object = None, after: object = None) -> list[dict[str, Any]]:
    """What a screen that comes now is sent; without the greeting."""
    texts: list[str] = []
    broadcast.join(texts.append, run, after)
    broadcast.leave(texts.append)
    items = [json.loads(text) for text in texts]
    assert items[0] == {"kind": "hello", "run": broadcast.run}
    return items[1:]


# --- what is told ---------------------------------------------------------------------------------


def test_words_come_in_paragraphs_with_a_name_where_the_voice_changes() -> None:
    broadcast = Broadcast()
    for each in (
        word(" One", 0),
        word(" two.", 300),
        word(" Three", 600),
        word(" Yes", 900, "me"),
        word(" and", 5000, "me"),
    ):
        broadcast.word(each, NAMES)
    items = told(broadcast)
    assert [item["text"] for item in items] == ["One", " two.", " Three", "Yes", "and"]
    assert [item["fresh"] for item in items] == [True, False, False, True, True]
    assert [item["ends"] for item in items] == [False, False, True, True, True]
    assert [item["name"] for item in items] == ["Others", "", "", "You", ""]


def test_a_single_voice_has_no_name() -> None:
    broadcast = Broadcast()
    broadcast.word(word(" One", 0))
    assert told(broadcast)[0]["name"] == ""


def test_a_screen_that_comes_back_is_sent_what_it_lacks() -> None:
    broadcast = Broadcast(kept=3)
    for number in range(5):
        broadcast.word(word(f" w{number}", 300 * number))
    assert [item["n"] for item in told(broadcast)] == [2, 3, 4]
    assert [item["n"] for item in told(broadcast, broadcast.run, 3)] == [4]
    assert [item["n"] for item in told(broadcast, "another start", 3)] == [2, 3, 4]
    assert [item["n"] for item in told(broadcast, broadcast.run, "3")] == [2, 3, 4]


def test_a_session_is_told_but_for_what_is_tentative() -> None:
    broadcast = Broadcast()
    silent = Status(Stage.NO_SOUND, Sentence("Nothing is heard."), Sentence("Unmute it."))
    for event in (word(" hello", 0), Tail("them", 0, 0, "maybe"), silent):
        tell(broadcast, event, {})
    tell(broadcast, Gap("them", 1000, 2000, "paused"), {})
    tell_look(broadcast, OverlaySettings())
    kinds = {item["kind"]: item for item in told(broadcast)}
    assert kinds.keys() == {"state", "look", "word", "gap"}
    assert kinds["state"]["trouble"]
    assert kinds["state"]["text"] == "Nothing is heard. Unmute it."
    assert kinds["look"]["text"] == "rgba(255, 255, 255, 1.00)"
    assert "maybe" not in json.dumps(told(broadcast))


def test_a_code_for_a_phone_has_light_around_it() -> None:
    rows = qr.rows("http://192.168.1.20:8422/#key=0123456789")
    assert len({len(row) for row in rows}) == 1
    assert not any(any(row[: qr.QUIET]) or any(row[-qr.QUIET :]) for row in rows)
    assert not any(any(row) for row in [*rows[: qr.QUIET], *rows[-qr.QUIET :]])
    assert rows[qr.QUIET][qr.QUIET : qr.QUIET + 7] == [True] * 7  # a finder's upper edge
    assert len(qr.lines("x")) == (len(qr.rows("x")) + 1) // 2


# --- whom it lets in ------------------------------------------------------------------------------


@pytest.fixture
def broadcast() -> Broadcast:
    return Broadcast()


@pytest.fixture
def page(broadcast: Broadcast) -> Iterator[Page]:
    page = Page(broadcast, kept_key(PAGE), 0)
    page.start()
    yield page
    page.close()


def screen(page: Page, key: str | None = None) -> Any:
    given = ["realtime", f"voxline-key.{key or kept_key(PAGE)}"]
    address = f"ws://127.0.0.1:{page.port}/captions"
    return connect(address, subprotocols=given, open_timeout=60, max_queue=None)  # type: ignore[arg-type]


def read(connection: ClientConnection, count: int) -> list[dict[str, Any]]:
    return [json.loads(connection.recv(60)) for _ in range(count)]


def test_a_screen_with_the_key_is_told_word_by_word(page: Page, broadcast: Broadcast) -> None:
    broadcast.word(word(" before", 0))
    with screen(page) as connection:
        connection.send(json.dumps({"run": None, "after": -1}))
        assert [item.get("text") for item in read(connection, 2)] == [None, "before"]
        broadcast.word(word(" after", 300))
        assert read(connection, 1)[0]["text"] == " after"
        assert page.screens == 1
        page.close()
        with pytest.raises(ConnectionClosed):
            connection.recv(60)


def test_without_the_key_nothing_is_told(page: Page) -> None:
    for key in ("wrong", kept_key()):  # nor with the endpoint's
        with pytest.raises(InvalidStatus, match="401"), screen(page, key):
            pass


def test_another_key_keeps_out_who_had_the_one_before(page: Page) -> None:
    before = kept_key(PAGE)
    assert another_key(PAGE) != before
    assert kept_key(PAGE) != before


def test_there_are_so_many_screens_and_no_more(page: Page) -> None:
    connections = []
    try:
        for _ in range(MOST_SCREENS):
            connections.append(screen(page).__enter__())
            connections[-1].send("{}")
            read(connections[-1], 1)
        with screen(page) as one_more, pytest.raises(ConnectionClosed) as closed:
            one_more.recv(60)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize(
    "sent", ["", "[]", "{", "[" * 3000, '{"run": [], "after": {}}', "x" * 9999]
)
def test_a_screen_that_talks_nonsense_harms_nobody(page: Page, sent: str) -> None:
    with screen(page) as good, screen(page) as bad:
        good.send("{}")
        bad.send(sent)
        assert read(good, 1)[0]["kind"] == "hello"


def test_a_screen_that_floods_is_let_go(page: Page) -> None:
    with screen(page) as connection:
        connection.send("{}")
        with contextlib.suppress(ConnectionClosed):
            for _ in range(10_000):
                connection.send("{}")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                connection.recv(30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


def test_the_page_may_load_nothing_from_elsewhere(page: Page) -> None:
    address = f"http://127.0.0.1:{page.port}/"
    with urllib.request.urlopen(address) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert f"connect-src 'self' ws://127.0.0.1:{page.port};" in policy
    request = urllib.request.Request(address, headers={"Host": f"evil.example:{page.port}"})
    with pytest.raises(urllib.error.HTTPError, match="421"):
        urllib.request.urlopen(request)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(address + "../settings.toml")


@pytest.mark.parametrize("name", ["index.html", "speak.html", "page.css", "page.js", "speak.js"])
def test_no_file_names_another_place(name: str) -> None:
    text = (paths.resource("page") / name).read_text("utf-8")
    without_comments = re.sub(r"(?m)^\s*//.*|// .*$", "", text)
    assert not re.search(r"(https?:)?//(?!\$\{location)\w", without_comments)
    assert not re.search(r"\sstyle=|\son\w+=\"|<script>|<style>|innerHTML|eval\(", text)


# --- the page in a browser ------------------------------------------------------------------------


@pytest.mark.skipif(chromium.PROGRAM is None, reason="needs Chromium")
def test_the_page_shows_words_as_they_come_and_never_changes_one(broadcast: Broadcast) -> None:
    page = Page(broadcast, kept_key(PAGE), 0)
    page.start()
    broadcast.word(word(" <b>Before</b>.", 0), NAMES)
    shown = "document.getElementById('captions').innerText"
    with chromium.browser() as tab:
        tab.open(page.address)
        tab.wait_for(f"{shown}.includes('Before')")
        before = tab.text("captions")
        assert before == "Others: <b>Before</b>."
        broadcast.word(word(" After.", 300), NAMES)
        tab.wait_for(f"{shown}.includes('After')")
        assert tab.text("captions") == f"{before} After."
        assert tab.js("document.getElementById('spoken').textContent") == "<b>Before</b>."
        page.close()
        tab.wait_for("document.getElementById('state').innerText.includes('lost')")
        broadcast.word(word(" Meanwhile.", 600), NAMES)
        again = Page(broadcast, kept_key(PAGE), page.port)
        again.start()
        tab.wait_for(f"{shown}.includes('Meanwhile')")
        assert tab.text("captions") == f"{before} After. Meanwhile."
        assert not [each for each in tab.trouble if "Content Security" in json.dumps(each)]
        again.close()

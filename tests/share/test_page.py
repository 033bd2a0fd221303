"""The captions page: what screens are told, whom it lets in, and the page itself in a browser."""

from __future__ import annotations

import contextlib
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app import language, paths
from app.core import voices
from app.core.timeline import Gap
from app.session.status import Stage, Status
from app.settings import OverlaySettings
from app.share import page_words, qr
from app.share.broadcast import Broadcast
from app.share.key import PAGE, another_key, kept_key
from app.share.page import MOST_SCREENS, Page
from app.share.page_words import READ, SPOKEN, reader_language, written
from app.share.telling import tell, tell_look
from model_backends.base import Sentence, Tail, Word
from tests.support import browser as chromium

NAMES = {"me": "You", "them": "Others"}
PAGES = [("index.html", "page.js", READ), ("speak.html", "speak.js", SPOKEN)]


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


# --- in the reader's language ---------------------------------------------------------------------


@pytest.fixture
def spanish_app() -> Iterator[None]:
    language.choose("es")
    yield
    language.choose("en")


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("nl-NL, fr;q=0.3 ,de;q=0.7", "de"),  # the dearest of those that are spoken
        ("en;q=0,fr-CA", "fr"),  # what somebody does not want is no wish
        ("pt-BR,pt;q=0.9", "es"),  # none: what the app speaks
        ("*", "es"),
        ("", "es"),
        ("de;q=often,;;,=" + ",x" * 5000, "es"),
    ],
)
@pytest.mark.usefixtures("spanish_app")
def test_a_reader_has_the_page_in_their_own_language_else_in_the_apps(
    accepted: str, code: str
) -> None:
    assert reader_language(accepted) == code


def test_the_page_comes_whole_in_that_language(page: Page) -> None:
    address = f"http://127.0.0.1:{page.port}/"
    request = urllib.request.Request(address, headers={"Accept-Language": "de"})
    with urllib.request.urlopen(request) as answer:
        text = answer.read().decode()
    assert '<html lang="de">' in text and "<title>Untertitel – Voxline</title>" in text
    assert "{{" not in text
    words = json.loads(text.partition('type="application/json">')[2].partition("</script>")[0])
    assert words["lost"] == "Die Verbindung zu Voxline ist unterbrochen; neuer Versuch …"
    assert words.keys() == READ.keys()


@pytest.mark.parametrize(("name", "script", "words"), PAGES)
def test_scripts_and_pages_say_what_there_are_words_for_and_nothing_else(
    name: str, script: str, words: Mapping[str, str]
) -> None:
    html = (paths.resource("page") / name).read_text("utf-8")
    code = (paths.resource("page") / script).read_text("utf-8")
    slots = set(re.findall(r"\{\{(\w+)\}\}", html)) - {"lang", "words"}
    asked = set(re.findall(r"\bwords\.(\w+)", code)) - {"textContent"}
    assert slots | asked == words.keys()
    assert (
        re.findall(r">\s*([A-Za-z][^<{]*)<", html.replace("<script", "\n<script"))
        == ["A−", "A+"][: 2 * (name == "index.html")]
    )
    assert not re.search(r'["`][A-Z][a-z]+ [a-z]', code), "a sentence of its own"


def test_a_sentence_breaks_out_of_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = {"why": Sentence('"><script>alert(1)</script>')}
    monkeypatch.setitem(vars(page_words)["_PAGES"], "index.html", hostile)
    text = written("index.html", '<p title="{{why}}"></p><script>{{words}}</script>', "en")
    assert text.count("<") == 4 and text.count("</script>") == 1
    block = text.partition("<script>")[2].removesuffix("</script>")
    assert json.loads(block) == {"why": str(hostile["why"])}


def test_what_is_told_meanwhile_is_in_each_readers_language(broadcast: Broadcast) -> None:
    german, french = list[str](), list[str]()
    broadcast.join(german.append, None, None, "de")
    broadcast.join(french.append, None, None, "fr")
    silent = Status(Stage.NO_SOUND, Sentence("Nothing is heard."), Sentence("Wait a moment."))
    tell(broadcast, silent, {})
    tell(broadcast, silent, {})  # told once
    broadcast.gap(Gap("them", 1000, 2000, "paused"))
    broadcast.word(word(" Hello", 3000), voices.NAMES)
    broadcast.word(word(" I", 6000, "me"), {**voices.NAMES, "me": "Ana"})
    told_german = [json.loads(text) for text in german[1:]]
    told_french = [json.loads(text) for text in french[1:]]
    assert [item.get("text") for item in told_german] == [
        "Nothing is heard. Warten Sie einen Augenblick.", "— pausiert —", "Hello", "I",
    ]  # fmt: skip
    assert told_french[0]["text"].endswith("Attendez un instant.")
    assert [item["name"] for item in told_german[2:]] == ["Andere", "Ana"]
    late: list[str] = []
    broadcast.join(late.append, None, None, "es")
    assert json.loads(late[1])["text"].endswith("Espere un momento.")
    unknown: list[str] = []
    broadcast.join(unknown.append, None, None, "xx")
    assert json.loads(unknown[1])["text"] == "Nothing is heard. Wait a moment."


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

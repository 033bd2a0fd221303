"""Feeds: Zoom, OBS and a growing file, each told, lost and reached again."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.sync.server import ServerConnection

from app.core.timeline import Gap
from app.share.feeds import growing, secrets
from app.share.feeds import obs as obs_feed
from app.share.feeds.destinations import consent
from app.share.feeds.fresh import TOO_OLD_S
from app.share.feeds.growing import GrowingFile, GrowingFileError
from app.share.feeds.obs import LastLines, Obs, ObsUrlError, authentication
from app.share.feeds.obs import destination_of as obs_destination
from app.share.feeds.runner import Doing, Feed, OutletError, Way
from app.share.feeds.zoom import Zoom, ZoomUrlError
from model_backends.base import Sentence, UserError, Word
from model_backends.remote import keys
from tests.share.stand_ins import FakeObs, FakeZoom, fake_zoom
from tests.support.clock import Clock

NAMES = {"me": "You", "them": "Others"}


def word(text: str, start_ms: int, lane: str = "them", language: str | None = "en") -> Word:
    return Word(lane, 0, 0, text, start_ms, start_ms + 200, language)


def words(text: str, start_ms: int = 0, lane: str = "them") -> list[Word]:
    return [word(f" {each}", start_ms + 300 * n, lane) for n, each in enumerate(text.split())]


def wait_until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


# --- Zoom ----------------------------------------------------------------------------------------


@pytest.fixture
def zoom() -> Iterator[FakeZoom]:
    with fake_zoom() as made:
        yield made


def test_zoom_is_told_a_second_at_a_time_with_numbers_that_grow(zoom: FakeZoom) -> None:
    clock = Clock()
    outlet = Zoom(zoom.url, clock)
    outlet.open()
    for each in words("one two"):
        outlet.take(each)
    outlet.send()
    outlet.take(word(" three", 600))
    outlet.send()
    assert zoom.texts == {0: "one two"}  # less than a second has passed
    clock.now += 1
    outlet.send()
    outlet.take(word(" Später", 9_000, language="de"))
    outlet.send(last=True)
    assert zoom.texts == {0: "one two", 1: " three", 2: "\nSpäter"}
    assert zoom.languages == ["en-US", "en-US", "de-DE"]


def test_zoom_goes_on_after_the_last_number_that_arrived(zoom: FakeZoom) -> None:
    zoom.texts = {0: "before"}
    outlet = Zoom(zoom.url)
    outlet.open()
    outlet.take(word(" after", 0))
    outlet.send()
    assert zoom.texts == {0: "before", 1: "after"}


def test_zoom_begins_a_line_after_what_was_not_heard(zoom: FakeZoom) -> None:
    outlet = Zoom(zoom.url)
    outlet.open()
    for heard in (word(" one", 0), Gap("them", 300, 400, "paused"), word(" two", 500)):
        outlet.take(heard)
    outlet.send()
    assert zoom.texts == {0: "one\ntwo"}


def test_only_words_that_arrived_in_zoom_are_counted(zoom: FakeZoom) -> None:
    clock = Clock()
    outlet = Zoom(zoom.url, clock)
    outlet.open()
    zoom.answers = [0]
    for each in words("one two three"):
        outlet.take(each)
    with pytest.raises(OutletError):
        outlet.send()
    assert outlet.sent == 0
    outlet.send()
    assert outlet.sent == 3
    zoom.started = False
    clock.now += 2
    outlet.take(word(" old", 3_000))
    with pytest.raises(OutletError):
        outlet.send()
    clock.now += TOO_OLD_S + 1
    zoom.started = True
    outlet.take(word(" new", 30_000))
    outlet.send()
    assert outlet.sent == 4


@pytest.mark.parametrize("trouble", [0, 400, 403, 405, 408, 500, 503])
def test_zoom_is_told_again_under_the_same_number(zoom: FakeZoom, trouble: int) -> None:
    """0: it had arrived, but the answer was lost."""
    clock = Clock()
    outlet = Zoom(zoom.url, clock)
    outlet.open()
    zoom.answers = [trouble]
    outlet.take(word(" one", 0))
    with pytest.raises(OutletError):
        outlet.send()
    outlet.take(word(" two", 300))
    clock.now += 1
    outlet.open()
    outlet.send()
    assert zoom.texts == {0: "one", 1: " two"}


def test_zoom_is_not_told_what_is_too_old(zoom: FakeZoom) -> None:
    clock = Clock()
    outlet = Zoom(zoom.url, clock)
    outlet.open()
    zoom.started = False
    outlet.take(word(" old", 0))
    with pytest.raises(OutletError, match="not started"):
        outlet.send()
    outlet.take(word(" old, too", 300))
    clock.now += TOO_OLD_S + 1
    outlet.take(word(" new", 30_000))
    zoom.started = True
    outlet.send()
    assert zoom.texts == {0: "\nnew"}


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "http://zoom.us/closedcaption?id=1", "https://zoom.us", "https://[x?a=1",
     "https://zoom.us/closedcaption?id=ü", "https://zoom.us/closed\x7fcaption?id=1"],
)  # fmt: skip
def test_what_is_no_caption_url_is_refused(url: str) -> None:
    with pytest.raises(ZoomUrlError):
        Zoom(url)


def test_a_zoom_that_cannot_be_reached_is_told_without_its_url() -> None:
    outlet = Zoom("http://127.0.0.1:9/closedcaption?signature=secret")
    with pytest.raises(OutletError, match="cannot be reached") as told:
        outlet.open()
    assert "secret" not in f"{told.value.message}{told.value.hint}"


# --- OBS -----------------------------------------------------------------------------------------


def test_the_proof_of_the_password_is_that_of_the_protocol() -> None:
    """The example of obs-websocket's protocol page."""
    salt = "lM1GncleQOaCu9lT1yeUZhFYnqhsLLP1G5lAGo3ixaI="
    challenge = "+IxH4CnCiqpX1rM9scsNynZzbOe4KhDeYcTNS3PDaeY="
    assert authentication("supersecretpassword", salt, challenge) == (
        "1Ct943GAT+6YQUUX47Ia/ncufilbe6+oD6lY+5kaCu4="
    )


def test_obs_shows_the_last_two_lines_and_is_emptied_at_the_end() -> None:
    obs = FakeObs("häslich/passwört", Captions="")
    outlet = Obs("Captions", obs.url, "häslich/passwört", Clock())
    outlet.open()
    for each in words(
        "These are more words than one line of a caption can hold, and then some more."
    ):
        outlet.take(each)
    outlet.send()
    assert obs.sources["Captions"] == (
        "These are more words than one line of a\ncaption can hold, and then some more."
    )
    assert outlet.sent == 16
    outlet.take(word(" unseen", 60_000))
    outlet.send(last=True)
    assert obs.sources["Captions"] == ""
    assert outlet.sent == 16
    outlet.close()
    obs.close()


@pytest.mark.parametrize(
    ("password", "source", "told"),
    [
        ("", "Captions", "asks for a password"),
        ("wrong", "Captions", "password is wrong"),
        ("right", "Untertitel 💬", "no source called “Untertitel 💬”"),
    ],
)
def test_what_obs_does_not_take_is_told(password: str, source: str, told: str) -> None:
    obs = FakeObs("right", Captions="")
    outlet = Obs(source, obs.url, password)
    with pytest.raises(OutletError, match=told):
        outlet.open()
        outlet.take(word(" hello", 0))
        outlet.send()
    outlet.close()
    obs.close()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ObsUrlError):
        Obs("Captions", "localhost:4455")


def test_a_line_that_stands_never_changes() -> None:
    lines = LastLines(columns=12)
    seen = []
    for each in [*words("one two three four"), word(" later", 60_000)]:
        lines.add(each)
        seen.append(lines.text)
    assert seen == ["one", "one two", "one two\nthree", "one two\nthree four", "three four\nlater"]


class OddObs(FakeObs):
    """Speaks JSON of its own at the port of an OBS."""

    def __init__(self, hello: object, answer: dict[str, Any]) -> None:
        self._hello, self._answer = hello, answer
        super().__init__()

    def _identified(self, connection: ServerConnection) -> bool:
        connection.send(json.dumps({"op": 0, "d": self._hello}))
        connection.recv(10)
        return True

    def _request(self, connection: ServerConnection, told: dict[str, Any]) -> None:
        self._say(connection, 7, {"requestId": told["d"]["requestId"], **self._answer})


@pytest.mark.parametrize(
    ("hello", "answer"),
    [
        (7, {}),
        ({"authentication": True}, {}),
        ({"authentication": {"salt": "x", "challenge": 1}}, {}),
        ({}, {}),
        ({}, {"requestStatus": [True]}),
    ],
)
def test_another_program_at_the_port_of_obs_is_told(hello: object, answer: dict[str, Any]) -> None:
    obs = OddObs(hello, answer)
    outlet = Obs("Captions", obs.url, "secret")
    with pytest.raises(OutletError, match="another protocol"):
        outlet.open()
        outlet.take(word(" hello", 0))
        outlet.send()
    outlet.close()
    obs.close()


class Chatting(FakeObs):
    """Tells one event after another, and never what it is asked."""

    def _identified(self, connection: ServerConnection) -> bool:
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            self._say(connection, 5, {"eventType": "InputVolumeMeters"})
        return False


def test_an_obs_that_only_chats_is_not_listened_to_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(obs_feed, "_TIMEOUT_S", 1.0)
    obs = Chatting()
    outlet = Obs("Captions", obs.url)
    with pytest.raises(OutletError, match="no answer"):
        outlet.open()
    outlet.close()
    obs.close()


class Elsewhere(BaseHTTPRequestHandler):
    """Answers everything with the way to another OBS."""

    protocol_version = "HTTP/1.1"
    target = ""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_an_obs_that_was_not_agreed_to_is_not_followed_to() -> None:
    other = FakeObs(Captions="")
    Elsewhere.target = other.url
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        outlet = Obs("Captions", f"ws://127.0.0.1:{server.server_port}")
        with pytest.raises(OutletError, match="elsewhere"):
            outlet.open()
        outlet.close()
        server.shutdown()
    other.close()


def test_obs_counts_what_was_shown_and_not_what_went_by() -> None:
    lines, shown = LastLines(columns=12), 0
    for each in words("one two"):
        lines.add(each)
        shown += lines.shown()
    assert shown == 2
    for each in words("three four five six seven", 900):
        lines.add(each)  # nothing could be shown meanwhile
    seen = len(lines.text.split())
    assert shown + lines.shown() == 2 + seen < 7
    assert lines.shown() == 0


def test_who_knows_the_password_is_asked_when_obs_asks() -> None:
    obs, asked = FakeObs("right", Captions=""), list[str]()

    def password() -> str:
        asked.append("")
        return "right"

    outlet = Obs("Captions", obs.url, password)
    assert not asked
    outlet.open()
    assert len(asked) == 1
    outlet.close()
    obs.close()


# --- a file that grows ---------------------------------------------------------------------------


def grown(path: Path, spoken: list[Word], names: dict[str, str] | None = None) -> list[bytes]:
    """The file's content after each word; the last is that of the end."""
    outlet = GrowingFile(path, names, Clock())
    outlet.open()
    seen = []
    for each in spoken:
        outlet.take(each)
        outlet.send()
        seen.append(path.read_bytes())
    outlet.send(last=True)
    outlet.close()
    return [*seen, path.read_bytes()]


TALK = [
    *words("So we begin. Has everybody read the minutes of the last meeting? I think so."),
    *words("Then let us go on with the first point, which is the budget for next year.", 9_000),
    *words("Yes.", 20_000, "me"),
]


@pytest.mark.parametrize("suffix", growing.SUFFIXES)
def test_a_growing_file_only_grows_by_whole_pieces(tmp_path: Path, suffix: str) -> None:
    seen = grown(tmp_path / f"talk{suffix}", TALK)
    for before, after in pairwise(seen):
        assert after.startswith(before)
    if suffix != ".txt":
        assert all(each in (b"", b"WEBVTT\n\n") or each.endswith(b"\n\n") for each in seen)


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_a_growing_file_is_one_that_players_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"talk{suffix}"
    grown(path, TALK)
    events = list(pysubs2.load(str(path)))
    assert (
        " ".join(event.plaintext.replace("\n", " ") for event in events)
        == "".join(each.text for each in TALK).strip()
    )
    for one, other in pairwise(events):
        assert one.start < one.end < other.start


def test_a_growing_text_reads_like_the_transcript(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    grown(path, TALK, NAMES)
    first, second, third = path.read_text("utf-8").split("\n\n")
    assert first.startswith("Others: So we begin.")
    assert second.startswith("Others: Then let us")
    assert third == "You: Yes.\n"


def test_a_disk_that_is_full_costs_no_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, write = tmp_path / "talk.srt", os.write
    outlet = GrowingFile(path, None, Clock())
    outlet.open()
    for each in TALK[:20]:
        outlet.take(each)

    def half_of_it(handle: int, data: bytes) -> int:
        write(handle, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", half_of_it)
    with pytest.raises(OutletError, match="No space left"):
        outlet.send()
    assert path.read_bytes() == b""
    monkeypatch.setattr(os, "write", write)
    for each in TALK[20:]:
        outlet.take(each)
    outlet.send(last=True)
    outlet.close()
    assert path.read_bytes() == grown(tmp_path / "other.srt", TALK)[-1]


def test_silence_finishes_what_was_said(tmp_path: Path) -> None:
    clock = Clock()
    outlet = GrowingFile(tmp_path / "talk.vtt", None, clock)
    outlet.open()
    outlet.take(word(" Hello.", 0))
    outlet.send()
    assert b"Hello" not in (tmp_path / "talk.vtt").read_bytes()
    clock.now += 3
    outlet.send()
    assert b"Hello." in (tmp_path / "talk.vtt").read_bytes()
    outlet.close()


def test_a_file_of_another_kind_cannot_grow(tmp_path: Path) -> None:
    with pytest.raises(GrowingFileError, match=r"talk\.json"):
        GrowingFile(tmp_path / "talk.json")


@given(st.lists(st.tuples(st.integers(0, 4_000), st.sampled_from(["a", "Bc.", "日本", "-->"]))))
def test_no_word_is_lost_between_pieces(pauses: list[tuple[int, str]]) -> None:
    cueing, at_ms, spoken, shown = growing.Cueing(None), 0, "", ""
    last_end_ms = 0
    for pause_ms, text in pauses:
        at_ms += pause_ms
        spoken += text
        made = cueing.add(word(f" {text}", at_ms))
        for cue in made:
            assert cue.start_ms >= last_end_ms
            last_end_ms = cue.end_ms
            shown += cue.text
    shown += "".join(cue.text for cue in cueing.finish())
    assert "".join(shown.split()) == spoken


@pytest.mark.parametrize("suffix", growing.SUFFIXES)
def test_a_file_that_is_begun_anew_keeps_what_stood_in_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"Live é{suffix}"
    for number in range(3):
        outlet = GrowingFile(path, None, Clock(), keep_before=True)
        outlet.open()
        for each in words(f"session {number}"):
            outlet.take(each)
        outlet.send(last=True)
        outlet.close()
        assert outlet.sent == 2
        os.utime(path, (1_790_000_000, 1_790_000_000))  # two of them at the same second
    texts = [each.read_text("utf-8") for each in tmp_path.iterdir()]
    assert len(texts) == 3
    assert all(any(f"session {number}" in text for text in texts) for number in range(3))
    assert "session 2" in path.read_text("utf-8")


def test_a_file_that_cannot_be_put_aside_is_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.txt"
    path.write_text("before")

    def held(self: Path, target: Path) -> Path:
        raise PermissionError(13, "The process cannot access the file")

    outlet = GrowingFile(path, None, keep_before=True)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", held)
        for _ in range(2):
            with pytest.raises(OutletError, match="cannot access"):
                outlet.open()
    assert path.read_text() == "before"
    outlet.open()
    outlet.close()
    assert sorted(each.read_text() for each in tmp_path.iterdir()) == ["", "before"]


@pytest.mark.parametrize("suffix", growing.SUFFIXES)
def test_only_words_that_stand_in_the_file_are_counted(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"talk{suffix}"
    outlet = GrowingFile(path, None, Clock())
    outlet.open()
    for each in TALK:
        outlet.take(each)
        outlet.send()
        body = path.read_text("utf-8").removeprefix("WEBVTT")
        assert outlet.sent == len(spoken_in(body))
    outlet.send(last=True)
    assert outlet.sent == len(TALK)
    outlet.close()


def spoken_in(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if "-->" not in line and not line.isdigit()]
    return " ".join(lines).split()


# --- where they lead, and what may know it --------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "host", "here"),
    [
        ("ws://127.0.0.1:4455", "127.0.0.1:4455", True),
        ("ws://localhost:4455", "localhost:4455", True),
        ("wss://[::1]:4455/", "[::1]:4455", True),
        ("ws://192.168.1.20:4455", "192.168.1.20:4455", False),
        ("wss://studio.local", "studio.local", False),
        ("ws://studio.local", "studio.local:80", False),  # agreed to apart from the one before
        ("ws://localhost.example.org", "localhost.example.org:80", False),
    ],
)
def test_where_an_obs_is(url: str, host: str, here: bool) -> None:
    found = obs_destination(url)
    assert (found.host, found.here) == (host, here)
    asked = consent(found)
    assert host in asked
    assert ("Nothing is encrypted" in asked) is not url.startswith("wss:")


@pytest.mark.parametrize(
    "url", ["ws://", "http://127.0.0.1", "ws://a b:1", "ws://x:99999", "ws://me:pw-1@studio:1"]
)
def test_an_address_of_no_obs_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ObsUrlError) as told:
        obs_destination(url)
    assert "pw-1" not in str(told.value)


def test_a_secret_is_kept_for_its_owner_alone(
    user_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a keyring in a file; and a server's key is nobody's password."""
    monkeypatch.setattr(keys, "_keyring", lambda: None)
    monkeypatch.setenv(keys.VARIABLE, "sk-of-a-server")
    name = secrets.obs("127.0.0.1:4455")
    assert secrets.find(name) == ""
    told = secrets.keep(name, "häslich pass/wört")
    file = user_folders / "config" / "keys.json"
    assert str(file) in told and "pass" not in told
    assert file.stat().st_mode & 0o777 == 0o600 or os.name != "posix"
    assert secrets.find(name) == "häslich pass/wört"
    assert secrets.forget(name) and not secrets.find(name)
    with pytest.raises(UserError):
        secrets.keep(name, "  ")


# --- on its own thread ---------------------------------------------------------------------------


def test_a_feed_reaches_obs_again_and_tells_how_it_does() -> None:
    obs, told = FakeObs(Captions=""), list[str]()
    feed = Feed(Obs("Captions", obs.url), told.append, waits_s=(0.05,))
    feed.start()
    feed.take(word(" before", 0))
    wait_until(lambda: obs.sources["Captions"] == "before")
    port = obs.port
    obs.close()
    feed.take(word(" meanwhile", 300))
    wait_until(lambda: any("reached" in each or "lost" in each for each in told))
    obs = FakeObs(port=port, Captions="")
    wait_until(lambda: obs.sources["Captions"] == "before meanwhile")
    feed.take(Gap("them", 600, 700, "paused"))
    feed.close(60)
    assert obs.sources["Captions"] == ""
    obs.close()
    assert told[0] == "OBS: connected."
    assert told[-1] == "OBS: connected."
    assert feed.doing == Doing(Way.OVER, 2)


def test_a_feed_says_why_it_is_not_there_and_tries_once_more_at_the_end(tmp_path: Path) -> None:
    """Long after its last try, in the middle of its longest wait."""
    path = tmp_path / "not yet" / "talk.txt"
    feed = Feed(GrowingFile(path), lambda _: None, waits_s=(1_000.0,))
    feed.start()
    wait_until(lambda: feed.doing.way is Way.AGAIN)
    assert "cannot be written" in feed.doing.problem
    feed.take(word(" last", 0))
    path.parent.mkdir()
    feed.close(60)
    assert path.read_text() == "last\n"
    assert feed.doing == Doing(Way.OVER, 1)


def test_the_next_feed_waits_for_the_last_words_of_the_one_before(zoom: FakeZoom) -> None:
    """Two at once would take each other's numbers, and one text would be lost."""
    first = Feed(Zoom(zoom.url), lambda _: None)
    first.take(word(" first", 0))
    first.start()
    second = Feed(Zoom(zoom.url), lambda _: None, after=first)
    second.take(word(" second", 0))
    second.start()
    first.end()
    second.close(60)
    assert zoom.texts == {0: "first", 1: "second"}
    assert second.doing.sent == 1


def test_a_feed_that_breaks_says_so() -> None:
    class Broken:
        name, sent = Sentence("Broken"), 0

        def open(self) -> None:
            raise ZeroDivisionError

        def take(self, heard: object) -> None: ...
        def send(self, last: bool = False) -> None: ...
        def close(self) -> None: ...

    told = list[str]()
    feed = Feed(Broken(), told.append)
    feed.start()
    feed.wait(60)
    assert feed.doing.way is Way.BROKEN
    assert told == ["Broken: something went wrong; it stops."]


def test_a_feed_loses_no_word_of_its_last_second(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    feed = Feed(GrowingFile(path), lambda sentence: None)
    feed.start()
    for each in TALK:
        feed.take(each)
    feed.close(60)
    assert path.read_text().split() == "".join(each.text for each in TALK).split()

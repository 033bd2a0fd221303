"""The engine over true sockets: who may not be spoken to, and what happens when servers fail."""

from __future__ import annotations

import datetime
import ipaddress
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from app.measure.position import sound
from app.measure.stand_in import StandIn
from app.measure.stand_in_model import Script
from app.measure.stand_in_talk import Plan
from model_backends.base import EngineError, Event, Notice, StreamOptions, Word
from model_backends.remote.addresses import read
from model_backends.remote.connection import Connection, Happening, Opened
from model_backends.remote.engine import RemoteEngine, RemoteStream
from model_backends.remote.servers import Lost
from model_backends.remote.wire import Credentials
from tests.model_backends.remote.conftest import KEY, Load
from tests.model_backends.remote.stage import words_every

FRAME = 512
LINES = words_every(400, 15)  # 6 s
TEXT = "".join(text for text, _, _ in LINES)
PATIENCE_S = 60.0


def stand_in(plan: Plan = Plan(), then: Plan = Plan(), key: str = "") -> StandIn:  # noqa: B008
    return StandIn(lambda: Script(LINES), key=key, plan=lambda number: then if number else plan)


class Talking:
    """One utterance: pushed as fast as it goes, in parts."""

    def __init__(self, engine: RemoteEngine) -> None:
        self._engine = engine
        self._stream: RemoteStream = engine.open(StreamOptions("me", 0, (480,), 0))
        self._at = 0
        self.events: list[Event] = []

    def say(self, seconds: float) -> Talking:
        for _ in range(round(seconds * 16_000 / FRAME)):
            self._stream.push(sound(self._at, FRAME), 0.9)
            self._at += FRAME
            self.events += self._engine.advance()
        return self

    def until(self, word: str) -> Talking:
        self._wait(lambda: word in self.text)
        return self

    def finish(self) -> Talking:
        self._stream.finish()
        self._wait(lambda: self._stream.done)
        self.events += self._engine.advance()
        return self

    def _wait(self, done: object) -> None:
        end = time.monotonic() + PATIENCE_S
        while not done():  # type: ignore[operator]
            assert time.monotonic() < end, f"so far: {self.text}"
            self.events += self._engine.advance()

    @property
    def text(self) -> str:
        return "".join(each.text for each in self.events if isinstance(each, Word))


def test_nothing_is_sent_to_a_server_without_consent(load: Load) -> None:
    with StandIn() as server:
        with pytest.raises(EngineError, match="have not agreed") as refusal:
            load(server.url, agreed=["captions.example.org"])
        assert read(server.url).host in refusal.value.message
        assert server.headers == [], "not even a question"


@pytest.mark.parametrize("fault", ["die", "error", "close"])
def test_words_go_on_when_a_connection_is_lost(load: Load, fault: str) -> None:
    with stand_in(Plan(after=40, fault=fault, code=1012)) as server:
        talking = Talking(load(server.url)).say(8).finish()
        assert talking.text == TEXT
        assert server.sessions == 2


def test_words_go_on_at_another_server(load: Load) -> None:
    with stand_in() as one, stand_in() as other:
        talking = Talking(load(one.url, other.url)).say(3).until("w3")
        used = one if one.active else other
        used.__exit__()
        assert talking.say(5).finish().text == TEXT
        assert other.sessions == one.sessions == 1


def test_a_server_that_is_full_is_waited_for(load: Load) -> None:
    """At the beginning, too: whoever waits is told, and what is said is kept by the app."""
    with stand_in(Plan(status=503, retry_after="0.5")) as server:
        assert Talking(load(server.url)).say(8).finish().text == TEXT
        assert server.sessions == 2


def test_a_server_that_becomes_full_is_told(load: Load) -> None:
    full = Plan(status=503, retry_after="1")
    plans = {0: Plan(after=40, fault="die"), 1: full}
    with stand_in() as server:
        server.plan = lambda number: plans.get(number, Plan())
        talking = Talking(load(server.url)).say(8).finish()
        notices = [each for each in talking.events if isinstance(each, Notice)]
        assert [each.message for each in notices] == [
            f"{read(server.url).host} is full; trying again in 1 s.", ""
        ]  # fmt: skip
        assert "kept" in notices[0].hint
        assert talking.text == TEXT


def test_a_frame_too_long_for_the_server_costs_no_word(load: Load) -> None:
    with stand_in(Plan(after=40, fault="close", code=1009)) as server:
        assert Talking(load(server.url)).say(8).finish().text == TEXT


def test_a_server_that_is_not_there_is_told(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model_backends.remote.engine._PATIENCE_S", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        with pytest.raises(EngineError, match="cannot be reached") as refusal:
            load(f"ws://127.0.0.1:{taken.getsockname()[1]}")
    assert "server runs" in refusal.value.hint


class _Elsewhere(BaseHTTPRequestHandler):
    """Answers everything with the way to another server."""

    protocol_version = "HTTP/1.1"
    target = ""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.target + self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_nobody_is_followed_to_a_server_that_was_not_agreed_to(load: Load) -> None:
    """Neither the sound nor the key: not with the question, not with the connection."""
    with StandIn() as other, HTTPServer(("127.0.0.1", 0), _Elsewhere) as server:
        _Elsewhere.target = other.url.replace("ws", "http")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(EngineError, match="send us elsewhere"):
            load(f"ws://127.0.0.1:{server.server_port}")
        server.shutdown()
        assert other.headers == []


def test_a_program_that_is_no_caption_server_is_told(load: Load) -> None:
    with StandIn() as server, pytest.raises(EngineError, match="no realtime transcription"):
        load(f"{server.url}/somewhere")


# --- TLS -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself: a PEM file with the key."""
    pytest.importorskip("cryptography", reason="only Linux gets it, with keyring")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[StandIn]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with StandIn(lambda: Script(LINES), key=KEY, trust=context) as server:
        yield server


def test_a_certificate_that_is_not_trusted_ends_it(load: Load, secure: StandIn) -> None:
    with pytest.raises(EngineError, match="is not trusted") as refusal:
        load(secure.url)
    assert "--ca-file" in refusal.value.hint
    assert secure.headers == [], "the key was not sent"


def test_an_authority_of_ones_own_can_be_trusted(
    load: Load, secure: StandIn, certificate: Path
) -> None:
    engine = load(secure.url, ca_file=str(certificate))
    assert Talking(engine).say(8).finish().text == TEXT


def test_a_server_without_tls_is_not_spoken_to_in_the_clear(load: Load) -> None:
    with StandIn() as server, pytest.raises(EngineError, match="does not speak TLS"):
        load(server.url.replace("ws:", "wss:"))


def test_a_file_that_holds_no_authority_is_told(load: Load, tmp_path: Path) -> None:
    for name in ("nothing.pem", "missing.pem"):
        (tmp_path / "nothing.pem").write_text("hello")
        with pytest.raises(EngineError, match="cannot be used"):
            load("wss://127.0.0.1:1", ca_file=str(tmp_path / name))


# --- the key, and the network that takes nothing ---------------------------------------------


def test_the_key_is_sent_and_is_in_no_log(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with stand_in(key=KEY) as server:
        Talking(load(server.url)).say(2).finish()
        sent = [each.get("Authorization") for each in server.headers]
        assert set(sent) == {f"Bearer {KEY}"}
    ours = [each for each in caplog.records if each.name != "websockets.server"]
    assert all(KEY not in str(record.__dict__) for record in ours)


class Stuck:
    """A connection whose network takes nothing any more."""

    def __init__(self) -> None:
        self.dropped = False

    def send(self, frames: tuple[str, ...]) -> None:
        pass

    def stuck_s(self, now: float) -> float:
        return 5.1

    def drop(self) -> None:
        self.dropped = True


def test_a_connection_that_takes_nothing_is_replaced(load: Load) -> None:
    """Rule 9: rather another connection than captions that come too late."""
    with stand_in() as server:
        engine = load(server.url)
        talking = Talking(engine).say(3).until("w3")
        (number,) = engine.links
        voice, connection = engine.links[number]
        stuck = Stuck()
        engine.links[number] = voice, stuck  # type: ignore[assignment]
        talking.say(0.1)
        assert stuck.dropped, "before the server's silence would be noticed"
        assert talking.say(5).finish().text == TEXT
        assert server.sessions == 2
        connection.drop()


def test_a_network_that_takes_nothing_is_noticed() -> None:
    """Backpressure: what waits to be sent for seconds would be captions too late."""
    listening = socket.create_server(("127.0.0.1", 0))
    told: list[Happening] = []
    url = f"ws://127.0.0.1:{listening.getsockname()[1]}"
    connection = Connection(read(url), Credentials(None, None), told.append, 20)
    server, _ = listening.accept()
    _shake_hands(server)
    _until(lambda: any(isinstance(each, Opened) for each in told))
    connection.send(tuple("x" * 1_000_000 for _ in range(30)))
    _until(lambda: connection.stuck_s(time.monotonic()) > 0.5)
    connection.drop()
    server.close()
    listening.close()
    assert not any(isinstance(each, Lost) for each in told)


def _shake_hands(server: socket.socket) -> None:
    import base64
    import hashlib

    request = server.recv(4096).decode()
    key = request.lower().partition("sec-websocket-key: ")[2].partition("\r\n")[0]
    at = request.lower().index(key)
    key = request[at : at + len(key)]
    accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    server.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n"
    )


def _until(done: object) -> None:
    end = time.monotonic() + PATIENCE_S
    while not done():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)
